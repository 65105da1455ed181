"""A workspace with real files, made as a clone makes it."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from mic.core.tree import Entry
from mic.workspace.checkout import Checkout
from mic.workspace.workspace import Config, Workspace

CONFIG = Config("http://forge.example", "acme", "rocket", 7, "ab" * 32)


def entry(path: bytes, content: bytes, mode: int = 0o100644) -> Entry:
    return Entry(path, mode, 0, len(content), sha256(content).digest())


def check_out(ws: Workspace, files: dict[bytes, tuple[int, bytes]]) -> Checkout:
    """Brings these files (path: mode, content) in, as the commands do."""
    checkout = Checkout(ws)
    checkout.plan([entry(path, content, mode) for path, (mode, content) in files.items()])
    for needed in checkout.needed():
        checkout.write(needed, [files[needed.path][1]])
    checkout.finish()
    return checkout


FILES = {
    b"README": (0o100644, b"hello\n"),
    b"bin/run": (0o100755, b"#!/bin/sh\n"),
    b"link": (0o120000, b"README"),
    b"src/a.py": (0o100644, b"a = 1\n"),
    b"src/deep/b.py": (0o100644, b"b = 2\n"),
}


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
