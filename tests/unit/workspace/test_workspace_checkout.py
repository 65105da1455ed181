"""A checkout writes whole files, inside of the workspace only, and never over somebody's work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mic.core.errors import AlreadyExists, Corrupt, InvalidPath
from mic.workspace.casefold import clashing
from mic.workspace.checkout import Checkout
from mic.workspace.files import hash_file, open_content, read_content
from mic.workspace.status import status
from mic.workspace.workspace import Workspace
from workspace_files import CONFIG, FILES, check_out, entry


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    return Workspace.create(str(tmp_path / "fresh"), CONFIG)


def left_over(ws: Workspace) -> list[str]:
    return os.listdir(Path(ws.root, ".mic/tmp"))


def test_files_modes_and_symlinks_arrive(ws: Workspace) -> None:
    root = Path(ws.root)
    assert (root / "README").read_bytes() == b"hello\n"
    assert os.access(root / "bin/run", os.X_OK)
    assert not os.access(root / "README", os.X_OK)
    assert os.readlink(root / "link") == "README"
    assert (root / "src/deep/b.py").read_bytes() == b"b = 2\n"
    assert left_over(ws) == []
    found = ws.index().get(b"bin/run")
    assert found is not None
    assert (found.mode, found.size, found.unwritten) == (0o100755, 10, False)
    assert ws.index().get(b"bin") is None


def test_contents_are_read_back_without_following_symlinks(ws: Workspace) -> None:
    assert read_content(ws, b"README", 0o100644) == b"hello\n"
    assert read_content(ws, b"link", 0o120000) == b"README"
    digest, size = hash_file(ws, b"README", 0o100644)
    assert (digest.hex(), size) == ("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03", 6)
    with pytest.raises(InvalidPath):
        open_content(ws, b"link")


def test_content_with_a_wrong_hash_is_refused_and_leaves_nothing(empty: Workspace) -> None:
    checkout = Checkout(empty)
    wanted = entry(b"a", b"right")
    checkout.plan([wanted])
    with pytest.raises(Corrupt, match="content sent for a has the hash"):
        checkout.write(wanted, [b"wro", b"ng"])
    assert not Path(empty.root, "a").exists()
    assert left_over(empty) == []


def test_names_that_no_working_copy_must_hold_are_listed_not_written(empty: Workspace) -> None:
    files = {
        b".git/hooks/pre-commit": (0o100755, b"evil"),
        b"sub/.GIT/config": (0o100644, b"evil"),
        b"x" * 256: (0o100644, b"long"),
        b"vendor": (0o160000, b""),
        b"kept": (0o100644, b"good"),
    }
    checkout = check_out(empty, files)
    reasons = [
        (b".git/hooks/pre-commit", "a spelling of .git"),
        (b"sub/.GIT/config", "a spelling of .git"),
        (b"vendor", "a submodule: its files are in another project"),
        (b"x" * 256, "a name of 256 bytes; file systems take 255"),
    ]
    assert checkout.unwritten == reasons
    assert sorted(os.listdir(empty.root)) == [".mic", "kept", "vendor"]
    assert os.listdir(Path(empty.root, "vendor")) == []
    assert status(empty) == ([], reasons)


def test_a_submodule_s_folder_is_left_to_whoever_fills_it(empty: Workspace) -> None:
    check_out(empty, {b"vendor/lib/sub": (0o160000, b""), b"a": (0o100644, b"a")})
    Path(empty.root, "vendor/lib/sub/file").write_bytes(b"theirs")
    assert status(empty).changes == []
    Path(empty.root, "vendor/lib/own").write_bytes(b"ours")
    assert [change.path for change in status(empty).changes] == [b"vendor/lib/own"]


def test_a_symlink_target_that_cannot_exist_is_listed(empty: Workspace) -> None:
    checkout = check_out(empty, {b"odd": (0o120000, b"a\0b"), b"none": (0o120000, b"")})
    assert [path for path, _ in checkout.unwritten] == [b"none", b"odd"]
    assert left_over(empty) == []
    assert status(empty).changes == []


def test_a_symlinked_parent_is_never_written_through(empty: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    os.symlink(outside, Path(empty.root, "dir"))
    checkout = Checkout(empty)
    wanted = entry(b"dir/file", b"content")
    checkout.plan([wanted])
    assert checkout.needed() == [wanted]
    with pytest.raises(InvalidPath, match="dir is not a folder here"):
        checkout.write(wanted, [b"content"])
    assert os.listdir(outside) == []
    assert left_over(empty) == []


def test_a_tree_with_a_symlink_and_a_file_under_it_cannot_escape(empty: Workspace, tmp_path: Path) -> None:
    """Trees hold no such pair; a forged one must not write to where the symlink points either."""
    outside = tmp_path / "outside"
    outside.mkdir()
    target = os.fsencode(outside)
    checkout = Checkout(empty)
    link, inner = entry(b"dir", target, 0o120000), entry(b"dir/file", b"content")
    checkout.plan([link, inner])
    checkout.write(link, [target])
    with pytest.raises(InvalidPath):
        checkout.write(inner, [b"content"])
    assert os.listdir(outside) == []


@pytest.mark.parametrize("path", [b"../out", b"a/../../out", b"/out/a", b"a//b", b"./a"])
def test_a_path_that_leads_out_is_never_written(empty: Workspace, path: bytes) -> None:
    """Trees hold none; a forge may send anything."""
    for write in (Checkout.put, lambda checkout, wanted, data: checkout.write(wanted, [data])):
        checkout = Checkout(empty)
        wanted = entry(path, b"content")
        assert checkout.grows()
        checkout.add([wanted])
        with pytest.raises(InvalidPath):
            write(checkout, wanted, b"content")
        with pytest.raises(InvalidPath):
            checkout.remove(path)
        checkout.close()
        if os.path.isdir(empty.root + "/a"):
            os.rmdir(empty.root + "/a")
    assert os.listdir(Path(empty.root).parent) == [Path(empty.root).name]
    assert os.listdir(empty.root) == [".mic"]


def test_an_interrupted_checkout_goes_on_with_what_is_missing(empty: Workspace) -> None:
    entries = [entry(path, content, mode) for path, (mode, content) in FILES.items()]
    first = Checkout(empty)
    first.plan(entries)
    first.write(entries[1], [FILES[entries[1].path][1]])

    def torn() -> Iterator[bytes]:
        yield b"a "
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.write(entries[3], torn())
    Path(empty.root, ".mic/tmp/1.1").write_bytes(b"of a process that was killed")
    second = Checkout(empty)
    second.plan(entries)
    missing = second.needed()
    assert [needed.path for needed in missing] == [b"README", b"link", b"src/a.py", b"src/deep/b.py"]
    for needed in missing:
        second.write(needed, [FILES[needed.path][1]])
    second.finish()
    assert left_over(empty) == []
    assert status(empty) == ([], [])
    assert empty.incomplete()
    empty.finish_clone()
    assert not empty.incomplete()


def test_somebodys_file_in_the_way_is_not_overwritten(empty: Workspace) -> None:
    Path(empty.root, "README").write_bytes(b"mine")
    checkout = Checkout(empty)
    checkout.plan([entry(b"README", b"theirs")])
    with pytest.raises(AlreadyExists, match="README stands in the way"):
        checkout.needed()
    assert Path(empty.root, "README").read_bytes() == b"mine"


def test_an_update_writes_only_what_differs(ws: Workspace) -> None:
    files = {**FILES, b"src/a.py": (0o100644, b"a = 2\n"), b"README": (0o100755, b"hello\n")}
    del files[b"src/deep/b.py"]
    checkout = Checkout(ws)
    checkout.plan([entry(path, content, mode) for path, (mode, content) in files.items()])
    needed = checkout.needed()
    assert [one.path for one in needed] == [b"README", b"src/a.py"]
    for one in needed:
        checkout.write(one, [files[one.path][1]])
    checkout.remove(b"src/deep/b.py")
    checkout.remove(b"src/deep/b.py")
    checkout.finish()
    assert not Path(ws.root, "src/deep").exists()
    assert Path(ws.root, "src/a.py").read_bytes() == b"a = 2\n"
    assert os.access(Path(ws.root, "README"), os.X_OK)
    assert status(ws) == ([], [])


def test_an_update_does_not_take_an_edited_file_away(ws: Workspace) -> None:
    Path(ws.root, "src/a.py").write_bytes(b"edited")
    checkout = Checkout(ws)
    checkout.plan([entry(b"src/a.py", b"a = 2\n")])
    with pytest.raises(AlreadyExists, match=r"src/a\.py stands in the way"):
        checkout.needed()


def test_a_folder_that_went_with_its_last_file_is_made_again(empty: Workspace) -> None:
    """Its parent was opened to remove it, and went too: what comes there next is written."""
    check_out(empty, {b"dir/deep/g": (0o100644, b"g")})
    checkout = Checkout(empty)
    checkout.remove(b"dir/deep/g")
    wanted = entry(b"dir/d", b"d")
    checkout.plan([wanted])
    checkout.write(wanted, [b"d"])
    checkout.close()
    assert Path(empty.root, "dir/d").read_bytes() == b"d"
    assert sorted(os.listdir(empty.root)) == [".mic", "dir"]


def test_a_file_takes_the_place_of_an_empty_folder_only(empty: Workspace) -> None:
    Path(empty.root, "a").mkdir()
    Path(empty.root, "b").mkdir()
    Path(empty.root, "b/mine").write_bytes(b"x")
    checkout = Checkout(empty)
    a, b = entry(b"a", b"1"), entry(b"b", b"2")
    checkout.plan([a, b])
    assert checkout.needed() == [a, b]
    checkout.write(a, [b"1"])
    with pytest.raises(AlreadyExists, match="the folder b stands where a file should be"):
        checkout.write(b, [b"2"])
    assert Path(empty.root, "a").read_bytes() == b"1"
    assert Path(empty.root, "b/mine").read_bytes() == b"x"


def test_a_file_changed_during_the_checkout_is_noticed(empty: Workspace) -> None:
    wanted = entry(b"a", b"one")
    checkout = Checkout(empty)
    checkout.plan([wanted])
    checkout.write(wanted, [b"one"])
    os.unlink(Path(empty.root, "a"))
    Path(empty.root, "a").write_bytes(b"two")
    checkout.finish()
    assert [change.path for change in status(empty).changes] == [b"a"]


def test_many_folders_do_not_use_up_the_descriptors(empty: Workspace) -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    check_out(empty, {b"d%03d/e/f" % number: (0o100644, b"x") for number in range(300)})
    assert status(empty) == ([], [])
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before


def test_where_case_is_ignored_the_first_name_stands() -> None:
    assert clashing([b"README", b"readme", b"src/a", b"Src/b", b"src/A", b"other"]) == {b"readme", b"Src/b", b"src/A"}
    composed, decomposed = "caf\u00e9".encode(), "cafe\u0301".encode()
    assert clashing([composed, decomposed]) == {decomposed}
    assert clashing([b"a\xff", b"a\xfe"]) == set()
