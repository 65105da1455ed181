"""A workspace with real files, made as a clone makes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mic.workspace.workspace import Workspace
from workspace_files import CONFIG, FILES, check_out


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """A finished clone of FILES."""
    made = Workspace.create(str(tmp_path / "work"), CONFIG)
    check_out(made, FILES)
    made.finish_clone()
    return made


@pytest.fixture
def write(ws: Workspace) -> Callable[[str, bytes], None]:
    """Writes a file of the workspace, making its folders."""

    def put(name: str, content: bytes) -> None:
        path = Path(ws.root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return put
