"""The files that the workspace tests check out, and how."""

from __future__ import annotations

from hashlib import sha256

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
