"""What clashed, as it is written down, found settled, and shown by a status that loads nothing without need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import mic
from mic.core.errors import Busy, Corrupt
from mic.workspace.checkout import Checkout
from mic.workspace.conflicts import MARKED, YOURS, Conflict, open_conflicts, read_conflicts, write_conflicts
from mic.workspace.kept import KEEP_FOLDERS, Kept, drop_old
from mic.workspace.workspace import Workspace
from workspace_files import entry

SOURCE = str(Path(mic.__file__).parents[1])
MARKS = b"<<<<<<< yours\na\n||||||| base @3\nb\n=======\nc\n>>>>>>> theirs @5\n"


def root(ws: Workspace) -> bytes:
    return os.fsencode(ws.root)


@pytest.mark.parametrize("path", [b"a", b"a b", b"a\nb", b"a\\nb", b"a\\\\n\n\\", b"caf\xe9", b"\r"])
def test_every_path_is_read_as_it_was_written(ws: Workspace, path: bytes) -> None:
    write_conflicts(root(ws), [Conflict(YOURS, 3, 5, path), Conflict(MARKED, 1, 2, b"0")])
    found = read_conflicts(root(ws))
    assert [(item.kind, item.base, item.theirs, item.path) for item in found if item.kind == YOURS] == [
        ("yours", 3, 5, path)
    ]
    assert len(found) == 2
    write_conflicts(root(ws), [])
    assert not Path(ws.root, ".mic/conflicts").exists()
    assert read_conflicts(root(ws)) == []


@pytest.mark.parametrize(
    ("content", "is_open"),
    [
        (MARKS, True),
        (MARKS.replace(b"\n", b"\r\n"), True),
        (b"a\n>>>>>>> theirs @5\n", True),
        (b"a\n>>>>>>> theirs @5", True),
        (b"||||||| base @3\n", True),
        (b"a\n=======\nb\n", False),
        (b" <<<<<<< yours\n", False),
        (b">>>>>>> theirs @4\n", False),
        (b"<<<<<<< yours, as text\n", False),
        (b"", False),
    ],
)
def test_a_marked_file_is_settled_when_its_marker_lines_are_gone(
    ws: Workspace, write: Callable[[str, bytes], None], content: bytes, is_open: bool
) -> None:
    write("README", content)
    write_conflicts(root(ws), [Conflict(MARKED, 3, 5, b"README")])
    assert bool(open_conflicts(root(ws))) == is_open


def test_a_deleted_file_is_settled_and_so_is_a_folder(ws: Workspace) -> None:
    write_conflicts(root(ws), [Conflict(MARKED, 3, 5, b"nowhere/at/all"), Conflict(MARKED, 3, 5, b"src")])
    assert open_conflicts(root(ws)) == []


@pytest.mark.parametrize("raw", [b"marked 1 2\n", b"other 1 2 a\n", b"marked x 2 a\n", b"\n"])
def test_damage_is_named(ws: Workspace, raw: bytes) -> None:
    Path(ws.root, ".mic/conflicts").write_bytes(raw)
    with pytest.raises(Corrupt):
        read_conflicts(root(ws))


def run(ws: Workspace, *arguments: str) -> str:
    """What `mic` prints, with the modules that it loaded on a last line."""
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); from mic.cli.main import main; c = main({list(arguments)!r})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{code}; print(' '.join(sys.modules)); sys.exit(c)"],
        cwd=ws.root, capture_output=True, text=True, env={"LC_ALL": "C.UTF-8"}, check=True,
    )  # fmt: skip
    return done.stdout


def test_status_lists_clashes_and_looks_no_further_without(ws: Workspace, write: Callable[[str, bytes], None]) -> None:
    assert "mic.workspace.conflicts" not in run(ws, "status").splitlines()[-1].split()
    write("README", MARKS)
    write_conflicts(root(ws), [Conflict(MARKED, 3, 5, b"README"), Conflict(YOURS, 3, 5, b"src/a.py")])
    said = run(ws, "status")
    assert "Clashes:\n  README: marked lines to mend\n  src/a.py: yours stands over @5\nChanged:\n  M README\n" in said
    assert not {"typing", "re", "json", "collections"} & set(said.splitlines()[-1].split())
    assert json.loads(run(ws, "status", "--json").splitlines()[0])["conflicts"] == [
        {"path": "README", "marked": True, "held": False, "position": 5},
        {"path": "src/a.py", "marked": False, "held": False, "position": 5},
    ]
    assert "mic sync --theirs PATH" in run(ws)
    os.mkdir(Path(ws.root, ".mic/sync"))
    assert "A sync was stopped half way" in run(ws, "status")
    assert [step["command"] for step in json.loads(run(ws, "--json").splitlines()[0])["next"]] == [
        "mic sync",
        "mic sync --abort",
    ]


def test_kept_files(ws: Workspace, write: Callable[[str, bytes], None]) -> None:
    """Keeping twice is keeping once; another file under the same name is refused, never put over it."""
    kept = Kept.fresh(ws, "5")
    kept.keep(b"src/a.py")
    kept.keep(b"src/a.py")
    kept.keep(b"link")
    assert os.readlink(kept.path(b"link")) == b"README"
    os.unlink(Path(ws.root, "src/a.py"))
    write("src/a.py", b"other\n")
    with pytest.raises(FileExistsError):
        kept.keep(b"src/a.py")
    assert Path(ws.root, ".mic/kept/5/src/a.py").read_bytes() == b"a = 1\n"
    second = Kept.fresh(ws, "5")
    assert second.name == "5-2"
    second.keep(b"src/a.py")
    second.keep(b"README")
    first, later = Kept.search(ws, "5", b"src/a.py"), Kept.search(ws, "5", b"README")
    assert (first and first.name, later and later.name, Kept.search(ws, "5", b"none")) == ("5", "5-2", None)


def test_old_kept_files_go(ws: Workspace) -> None:
    for number in range(KEEP_FOLDERS + 2):
        Kept(ws, str(number)).keep(b"README")
        os.utime(Path(ws.root, f".mic/kept/{number}"), (number, number))
    drop_old(ws, [])
    assert sorted(map(int, os.listdir(Path(ws.root, ".mic/kept")))) == list(range(2, KEEP_FOLDERS + 2))


def test_a_file_that_changes_at_the_last_moment_is_left_alone(
    ws: Workspace, write: Callable[[str, bytes], None]
) -> None:
    """What `expect` was told is compared just before the rename and the unlink."""

    checkout = Checkout(ws)
    checkout.plan([entry(b"README", b"theirs\n"), entry(b"new", b"theirs\n")])
    checkout.expect(b"README", os.lstat(Path(ws.root, "README")))
    checkout.expect(b"new", None)
    checkout.expect(b"src/a.py", os.lstat(Path(ws.root, "src/a.py")))
    for path in ("README", "new", "src/a.py"):
        write(path, b"edited\n")
    with pytest.raises(Busy):
        checkout.write(entry(b"README", b"theirs\n"), [b"theirs\n"])
    with pytest.raises(Busy):
        checkout.write(entry(b"new", b"theirs\n"), [b"theirs\n"])
    with pytest.raises(Busy):
        checkout.remove(b"src/a.py")
    checkout.close()
    assert {Path(ws.root, path).read_bytes() for path in ("README", "new", "src/a.py")} == {b"edited\n"}
    assert os.listdir(Path(ws.root, ".mic/tmp")) == []
