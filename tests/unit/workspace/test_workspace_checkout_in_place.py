"""Where nothing stood, whole contents are written in their places; the next knows what a killed process was at."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from mic.core.errors import AlreadyExists, Corrupt, StorageFull
from mic.core.tree import Entry
from mic.workspace.checkout import Checkout
from mic.workspace.marks import read_mark
from mic.workspace.status import status
from mic.workspace.workspace import Workspace
from workspace_files import CONFIG, FILES, entry

ENTRIES = [entry(path, content, mode) for path, (mode, content) in sorted(FILES.items())]


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    return Workspace.create(str(tmp_path / "fresh"), CONFIG)


def planned(ws: Workspace, entries: list[Entry] = ENTRIES) -> tuple[Checkout, list[Entry]]:
    checkout = Checkout(ws)
    checkout.plan(entries)
    return checkout, checkout.needed()


def left_over(ws: Workspace) -> list[str]:
    return os.listdir(Path(ws.root, ".mic/tmp"))


def killed_at(ws: Workspace, path: bytes, written: int) -> None:
    """A process puts all files up to this one, and is killed when it has written so many bytes of it."""
    process = os.fork()
    if process == 0:
        write = os.write
        checkout, needed = planned(ws)
        for wanted in needed:
            if wanted.path == path:

                def torn(handle: int, data: bytes) -> int:
                    write(handle, data[:written])
                    os.kill(os.getpid(), signal.SIGKILL)
                    return 0

                os.write = torn  # type: ignore[assignment]
            checkout.put(wanted, FILES[wanted.path][1])
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


def test_files_stand_and_status_is_clean(empty: Workspace) -> None:
    checkout, needed = planned(empty)
    for wanted in needed:
        checkout.put(wanted, FILES[wanted.path][1])
    checkout.finish()
    root = Path(empty.root)
    assert (root / "src/deep/b.py").read_bytes() == b"b = 2\n"
    assert os.access(root / "bin/run", os.X_OK)
    assert not os.access(root / "README", os.X_OK)
    assert os.readlink(root / "link") == "README"
    assert left_over(empty) == []
    assert status(empty) == ([], [])
    found = empty.index().get(b"README")
    there = os.lstat(root / "README")
    assert found is not None
    assert (found.inode, found.mtime_ns, found.ctime_ns, found.disk_size) == (
        there.st_ino, there.st_mtime_ns, there.st_ctime_ns, 6,
    )  # fmt: skip


def test_a_wrong_content_never_stands(empty: Workspace) -> None:
    checkout, _ = planned(empty)
    with pytest.raises(Corrupt, match="content sent for README has the hash"):
        checkout.put(ENTRIES[0], b"wrong\n")
    assert os.listdir(empty.root) == [".mic"]
    assert left_over(empty) == []


@pytest.mark.parametrize("written", [0, 3])
def test_after_a_kill_in_the_midst_of_a_file_the_next_makes_it_whole(empty: Workspace, written: int) -> None:
    killed_at(empty, b"src/a.py", written)
    assert Path(empty.root, "src/a.py").read_bytes() == b"a = 1\n"[:written]
    checkout, needed = planned(empty)
    assert [one.path for one in needed] == [b"src/a.py", b"src/deep/b.py"]
    for wanted in needed:
        checkout.put(wanted, FILES[wanted.path][1])
    checkout.finish()
    assert Path(empty.root, "src/a.py").read_bytes() == b"a = 1\n"
    assert left_over(empty) == []
    assert status(empty) == ([], [])


def test_what_somebody_wrote_after_a_kill_is_not_written_over(empty: Workspace) -> None:
    """The torn file is made anew only while it is a beginning of its content; another one is refused at once."""
    killed_at(empty, b"src/a.py", 3)
    Path(empty.root, "src/a.py").write_bytes(b"mine")
    checkout, needed = planned(empty)
    with pytest.raises(AlreadyExists, match=r"src/a\.py stands in the way"):
        checkout.put(needed[0], FILES[needed[0].path][1])
    assert Path(empty.root, "src/a.py").read_bytes() == b"mine"
    Path(empty.root, "README").write_bytes(b"")
    checkout.plan(ENTRIES)
    with pytest.raises(AlreadyExists, match="README stands in the way"):
        checkout.needed()


def test_what_came_to_stand_there_meanwhile_is_not_written_over(empty: Workspace) -> None:
    checkout, _ = planned(empty)
    Path(empty.root, "README").write_bytes(b"mine")
    with pytest.raises(AlreadyExists, match="README stands in the way"):
        checkout.put(ENTRIES[0], b"hello\n")
    assert Path(empty.root, "README").read_bytes() == b"mine"


def test_a_full_disk_leaves_no_part_of_a_file(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout, _ = planned(empty)

    def full(handle: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageFull, match="no space left on the disk for README"):
        checkout.put(ENTRIES[0], b"hello\n")
    assert os.listdir(empty.root) == [".mic"]


@pytest.mark.parametrize("given", [3, 2])
def test_two_processes_share_a_checkout(empty: Workspace, given: int) -> None:
    """One plans and records, the other writes a part; both may come to make the same folder.

    Of what the other was given it writes all, or leaves one to the one that planned.
    """
    checkout, needed = planned(empty)
    other = Checkout(empty)
    other.join(needed[given:], checkout.fresh, checkout.torn)
    for wanted in needed[3:]:
        other.put(wanted, FILES[wanted.path][1])
    for wanted in needed[:3]:
        checkout.put(wanted, FILES[wanted.path][1])
    done = other.done()
    assert (len(done.numbers), len(done.placed)) == ((32 * len(needed[3:]), 0) if given == 3 else (0, len(needed[3:])))
    checkout.take(done, needed[given:])
    other.close()
    index = checkout.finish()
    for recorded in index.entries():
        stat = os.lstat(Path(empty.root, os.fsdecode(recorded.path)))
        assert recorded[5:] == (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size, False)
    assert status(empty) == ([], [])
    assert (other.done().placed, left_over(empty)) == ({}, [])


def test_a_mark_of_garbage_names_nothing(empty: Workspace) -> None:
    folder = os.open(Path(empty.root, ".mic/tmp"), os.O_RDONLY)
    Path(empty.root, ".mic/tmp/1.at").write_bytes(b"\x00")
    assert read_mark(folder, b"1.at") == b""
    os.close(folder)
    _, needed = planned(empty)
    assert needed == ENTRIES
