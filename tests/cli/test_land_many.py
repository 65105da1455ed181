"""A landing of more than fits into one call, and what reading its files refuses."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mic.core.errors import InvalidPath, NotFound
from mic.workspace.files import read_small
from mic.workspace.folders import Folders
from transcript import Shell

# 10 MiB without a repetition, more than travels inside a call.
NOISE = hashlib.shake_128(b"many").digest(10 << 20)


def test_many_files_land_in_batches_and_come_back_whole(shell: Shell, name: str) -> None:
    """Small, equal, empty and middle-sized files and a symlink; once more, when the forge holds most of them."""
    shell("project", "create", f"{name}/many")
    shell("clone", f"{name}/many", "one")
    one = shell.cd("one")
    wanted = {f"part{at % 7}/file{at}": NOISE[at << 16 : at + 1 << 16] for at in range(160)}
    wanted |= {"again": NOISE[: 1 << 16], "empty": b"", "middle": NOISE[:300_000]}
    for path, data in wanted.items():
        (one / path).parent.mkdir(exist_ok=True)
        (one / path).write_bytes(data)
    (one / "link").symlink_to("part1/file1")
    assert shell("land", "Many") == "Landed @1: Many (164 files)\n"
    assert "part" not in shell("status")

    copies = {f"copy/{path}": data for path, data in wanted.items()} | {"new": b"new\n"}
    for path, data in copies.items():
        (one / path).parent.mkdir(exist_ok=True, parents=True)
        (one / path).write_bytes(data)
    assert shell("land", "Copies") == "Landed @2: Copies (164 files)\n"
    shell.cd(".")
    shell("clone", f"{name}/many", "two")
    two = shell.cd("two")
    assert {path: (two / path).read_bytes() for path in wanted | copies} == wanted | copies
    assert os.readlink(two / "link") == "part1/file1"


def test_a_small_file_is_read_with_how_it_stood(tmp_path: Path) -> None:
    ws: Any = SimpleNamespace(root=str(tmp_path))
    (tmp_path / "file").write_bytes(b"four")
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    with Folders(os.fsencode(tmp_path)) as folders:
        stat, data = read_small(ws, b"file", 0o100644, folders, 4)
        assert (stat.st_size, stat.st_ino, data) == (4, os.stat(tmp_path / "file").st_ino, b"four")
        assert read_small(ws, b"file", 0o100644, folders, 3)[1] is None
        assert read_small(ws, b"link", 0o120000, folders, 4)[1] == b"nowhere"
        for refused in (b"link", b"pipe"):
            with pytest.raises(InvalidPath, match="cannot be read as a file"):
                read_small(ws, refused, 0o100644, folders, 4)
        with pytest.raises(NotFound, match="gone is gone"):
            read_small(ws, b"gone", 0o100644, folders, 4)
