"""Status sees every way in which a file can differ, and nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mic.core.errors import Corrupt
from mic.workspace import scan
from mic.workspace.index import Index
from mic.workspace.place import clock_now
from mic.workspace.status import status
from mic.workspace.workspace import Workspace

pytestmark = pytest.mark.usefixtures("each_way")

Write = Callable[[str, bytes], None]
ADDED, MODIFIED, DELETED = 0, 1, 2


def changes(ws: Workspace) -> list[tuple[bytes, int, int]]:
    found = [(change.path, change.op, change.mode) for change in status(ws).changes]
    # What the first look wrote down must not change what the second one sees.
    assert [(change.path, change.op, change.mode) for change in status(ws).changes] == found
    return found


def test_a_fresh_checkout_is_clean(ws: Workspace) -> None:
    assert changes(ws) == []


def test_added_modified_and_deleted_are_told_apart_and_sorted(ws: Workspace, write: Write) -> None:
    write("src/new.py", b"n\n")
    write("src/a.py", b"a = 1000\n")
    os.unlink(Path(ws.root, "README"))
    assert changes(ws) == [
        (b"README", DELETED, 0),
        (b"src/a.py", MODIFIED, 0o100644),
        (b"src/new.py", ADDED, 0o100644),
    ]


def test_a_change_knows_what_was_there(ws: Workspace, write: Write) -> None:
    write("src/a.py", b"a = 1000\n")
    write("new", b"")
    new, modified = status(ws).changes
    assert new.old is None
    assert modified.old is not None
    assert modified.old.path == b"src/a.py"
    assert modified.old.size == 6
    assert modified.old.hash.hex() == "cb78bd8a17f7b751fe0d4663366dcbc257204033ef7ddd64b1f2969573b5b2e2"


def test_same_size_and_restored_mtime_is_seen(ws: Workspace, write: Write) -> None:
    path = Path(ws.root, "src/a.py")
    before = path.stat()
    write("src/a.py", b"a = 9\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changes(ws) == [(b"src/a.py", MODIFIED, 0o100644)]


def test_a_file_as_young_as_the_index_is_read_again(ws: Workspace, write: Write) -> None:
    """Racy: the stat data is exactly what the index has, the content is not."""
    write("src/a.py", b"a = 9\n")
    stat = Path(ws.root, "src/a.py").stat()
    entries = [
        entry._replace(mtime_ns=stat.st_mtime_ns, ctime_ns=stat.st_ctime_ns, inode=stat.st_ino, disk_size=stat.st_size)
        if entry.path == b"src/a.py"
        else entry
        for entry in ws.index().entries()
    ]
    ws.save_index(Index.build(entries, clock=stat.st_ctime_ns))
    assert changes(ws) == [(b"src/a.py", MODIFIED, 0o100644)]
    ws.save_index(Index.build(entries, clock=stat.st_ctime_ns + 1))
    assert changes(ws) == []  # an index that is younger is believed: this is what makes status fast


@pytest.mark.parametrize("hours", [-24 * 365, -1, 1, 24 * 365])
def test_a_clock_that_was_set_between_two_looks(
    ws: Workspace, write: Write, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """Whether it was wrong when the index was written, and right again, or the other way round: each change is seen."""
    path, wrong = Path(ws.root, "src/a.py"), hours * 3_600 * 10**9

    def changed(content: bytes) -> None:
        before = path.stat()
        while path.stat().st_ctime_ns == before.st_ctime_ns:
            write("src/a.py", content)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    for set_to in (wrong, 0, wrong):
        monkeypatch.setattr(scan, "clock_now", lambda root, off=set_to: clock_now(root) + off)
        assert changes(ws) == []
        changed(b"a = 2\n")
        write("new", b"")
        expected = [(b"new", ADDED, 0o100644), (b"src/a.py", MODIFIED, 0o100644)]
        assert changes(ws) == expected
        monkeypatch.setattr(scan, "clock_now", lambda root, off=wrong - set_to: clock_now(root) + off)
        assert changes(ws) == expected
        changed(b"a = 1\n")
        os.unlink(Path(ws.root, "new"))
        assert changes(ws) == []


def test_touched_files_are_read_once_and_then_believed(ws: Workspace) -> None:
    path = Path(ws.root, "README")
    os.utime(path, ns=(1, 1))
    assert changes(ws) == []
    entry = ws.index().get(b"README")
    assert entry is not None
    assert entry.mtime_ns == 1


def test_a_status_that_finds_nothing_new_writes_nothing(ws: Workspace) -> None:
    columns = ws.index().columns
    columns.clock = max(columns.ctimes) + 1
    columns.dir_ctimes = [os.lstat(Path(ws.root, os.fsdecode(path))).st_ctime_ns for path in columns.dirs]
    columns.clock = max(columns.clock, *columns.dir_ctimes) + 1
    ws.save_index(Index(columns))
    before = Path(ws.root, ".mic/index").stat()
    assert status(ws).changes == []
    assert Path(ws.root, ".mic/index").stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    ("name", "mode", "result"),
    [("README", 0o755, 0o100755), ("bin/run", 0o644, 0o100644)],
)
def test_the_executable_bit_is_a_change(ws: Workspace, name: str, mode: int, result: int) -> None:
    os.chmod(Path(ws.root, name), mode)
    assert changes(ws) == [(name.encode(), MODIFIED, result)]


def test_other_permission_bits_are_no_change(ws: Workspace) -> None:
    os.chmod(Path(ws.root, "README"), 0o600)
    assert changes(ws) == []


def test_file_to_symlink_and_back(ws: Workspace, write: Write) -> None:
    os.unlink(Path(ws.root, "README"))
    os.symlink("hello\n", Path(ws.root, "README"))  # the same bytes, as a target
    os.unlink(Path(ws.root, "link"))
    write("link", b"README")
    assert changes(ws) == [(b"README", MODIFIED, 0o120000), (b"link", MODIFIED, 0o100644)]


def test_a_symlink_with_another_target_of_the_same_length(ws: Workspace) -> None:
    os.unlink(Path(ws.root, "link"))
    os.symlink("readme", Path(ws.root, "link"))
    assert changes(ws) == [(b"link", MODIFIED, 0o120000)]


def test_a_deleted_directory(ws: Workspace) -> None:
    shutil.rmtree(Path(ws.root, "src"))
    assert changes(ws) == [(b"src/a.py", DELETED, 0), (b"src/deep/b.py", DELETED, 0)]


def test_a_directory_that_became_a_symlink_is_not_looked_into(ws: Workspace, tmp_path: Path) -> None:
    shutil.move(Path(ws.root, "src"), tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", Path(ws.root, "src"))
    assert changes(ws) == [
        (b"src", ADDED, 0o120000),
        (b"src/a.py", DELETED, 0),
        (b"src/deep/b.py", DELETED, 0),
    ]


def test_a_directory_that_became_a_file(ws: Workspace, write: Write) -> None:
    shutil.rmtree(Path(ws.root, "src"))
    write("src", b"now a file")
    assert changes(ws) == [
        (b"src", ADDED, 0o100644),
        (b"src/a.py", DELETED, 0),
        (b"src/deep/b.py", DELETED, 0),
    ]


def test_a_file_that_became_a_directory(ws: Workspace, write: Write) -> None:
    os.unlink(Path(ws.root, "README"))
    write("README/part", b"x")
    assert changes(ws) == [(b"README", DELETED, 0), (b"README/part", ADDED, 0o100644)]


def test_pipes_are_no_files(ws: Workspace) -> None:
    os.mkfifo(Path(ws.root, "pipe"))
    os.unlink(Path(ws.root, "README"))
    os.mkfifo(Path(ws.root, "README"))
    assert changes(ws) == [(b"README", DELETED, 0)]


def test_names_that_are_not_utf_8(ws: Workspace) -> None:
    Path(os.fsdecode(os.fsencode(ws.root) + b"/caf\xe9")).write_bytes(b"x")
    assert changes(ws) == [(b"caf\xe9", ADDED, 0o100644)]


def test_reserved_folders_in_any_spelling_are_never_seen(ws: Workspace, write: Write) -> None:
    write(".git/config", b"x")
    write("src/.GIT/config", b"x")
    write("src/.Mic/config", b"x")
    assert changes(ws) == []


def test_a_workspace_inside_of_the_workspace_is_its_own(ws: Workspace, write: Write) -> None:
    write("vendor/other/.mic/config", b"x")
    write("vendor/other/file", b"x")
    assert changes(ws) == []


def test_a_file_added_to_a_known_and_quiet_directory_is_seen(ws: Workspace, write: Write) -> None:
    assert changes(ws) == []
    write("src/deep/c.py", b"c")
    assert changes(ws) == [(b"src/deep/c.py", ADDED, 0o100644)]
    os.unlink(Path(ws.root, "src/deep/c.py"))
    assert changes(ws) == []


@pytest.mark.parametrize("spoil", [b"", b"MICIDX", b"garbage" * 100])
def test_a_garbage_index_is_named_with_a_way_out(ws: Workspace, spoil: bytes) -> None:
    Path(ws.root, ".mic/index").write_bytes(spoil)
    with pytest.raises(Corrupt, match=r"index .*/\.mic/index is damaged") as caught:
        status(ws)
    assert caught.value.hint == "`mic link ORG/PROJECT` here makes it anew: it writes none of your files"


def test_every_flipped_or_missing_byte_of_the_index_is_found(ws: Workspace) -> None:
    path = Path(ws.root, ".mic/index")
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        with pytest.raises(Corrupt):
            ws.index()
        path.write_bytes(whole[:place])
        with pytest.raises(Corrupt):
            ws.index()
    path.write_bytes(whole)
    assert [entry.path for entry in ws.index().entries()] == [
        b"README",
        b"bin/run",
        b"link",
        b"src/a.py",
        b"src/deep/b.py",
    ]
