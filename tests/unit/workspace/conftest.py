"""A workspace with real files, made as a clone makes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mic.workspace import look
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


@pytest.fixture(params=["rows of stat data", "one by one"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many files or folders are looked at by rows: all, and then none, where else their number decides."""
    many: int = 0 if request.param == "rows of stat data" else 1 << 40
    monkeypatch.setattr(look, "_MANY", many)
    return many
