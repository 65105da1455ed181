"""Ignore rules agree with Git's own, which is asked as the oracle."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mic.workspace.ignore import Ignores
from mic.workspace.status import status
from mic.workspace.workspace import Workspace

Write = Callable[[str, bytes], None]

PATTERNS = [
    b"*.log",
    b"!keep.log",
    b"/top",
    b"build/",
    b"a/**/z",
    b"**/cache",
    b"logs/**",
    b"doc/*.txt",
    b"*\n!*/\n!*.py",
    b"/sub/*\n!/sub/keep",
    b"[ab]c",
    b"[!ab]c",
    b"[a-c]x\n[^[:digit:]]y",
    b"\\#hash\n\\!bang",
    b"trail\\ \nspaced   ",
    b"# comment\n\n   \n",
    b"sub\n!sub/keep",
    b"[unclosed",
    b"back\\slash",
    b"\xef\xbb\xbf*.log\r\nbuild/\r\n",
    b"foo**bar",
    b"*/deep",
    b"?c",
    b"/",
    b"!",
    b"**",
    b"a/**",
    b"a/",
    b"deep/",
    b"[]c]x",
    b"x[[:alpha:]]\n*[.]txt",
    b"a**/z",
    b"do**/a.txt",
    b"b**/**/",
    b"sub/de**",
    b"a/***/z",
    b"d?**/a.txt",
]
PATHS = [
    "x.log", "keep.log", "sub/x.log", "sub/keep.log", "top", "sub/top", "build/out", "sub/build/out", "sub/build2",
    "a/z", "a/b/z", "a/b/c/z", "cache", "sub/cache/f", "logs/one/two", "doc/a.txt", "doc/deep/a.txt", "main.py",
    "sub/main.py", "sub/keep", "sub/other", "ac", "bc", "cc", "ax", "]x", "zy", "1y", "#hash", "!bang", "trail ",
    "spaced", "spaced   ", "[unclosed", "backslash", "fooXXbar", "foo/bar", "sub/deep/f", "deep", "xa",
]  # fmt: skip


@pytest.mark.parametrize("text", PATTERNS)
@pytest.mark.parametrize("folder", ["", "sub/"])
def test_the_same_names_are_ignored_as_by_git(tmp_path: Path, text: bytes, folder: str) -> None:
    files = []
    for name in PATHS:
        path = tmp_path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue  # a folder and a file of the same name: the first one stands
        files.append(os.fsencode(name))
    (tmp_path / folder / ".gitignore").write_bytes(text)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, env=environment)
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--others", "--exclude-standard"],
        cwd=tmp_path,
        check=True,
        env=environment,
        capture_output=True,
    )
    shown = set(answer.stdout.split(b"\0"))
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        ignores = Ignores(handle)
        ours = {path for path in files if ignores.ignored(path, False)}
    finally:
        os.close(handle)
    assert ours == {path for path in files if path not in shown}


def names(ws: Workspace) -> list[bytes]:
    found = [change.path for change in status(ws).changes]
    assert [change.path for change in status(ws).changes] == found
    return found


def test_nested_files_decide_for_their_folder(ws: Workspace, write: Write) -> None:
    write(".gitignore", b"*.o\n")
    write("src/.gitignore", b"!keep.o\n")
    for name in ("x.o", "keep.o", "src/x.o", "src/keep.o"):
        write(name, b"x")
    assert names(ws) == [b".gitignore", b"src/.gitignore", b"src/keep.o"]


def test_micignore_comes_last(ws: Workspace, write: Write) -> None:
    write(".gitignore", b"*.o\n!b.o\n")
    write(".micignore", b"b.o\n!a.o\n")
    write("a.o", b"")
    write("b.o", b"")
    assert names(ws) == [b".gitignore", b".micignore", b"a.o"]


def test_tracked_files_are_seen_though_ignored(ws: Workspace, write: Write) -> None:
    write(".gitignore", b"src/\n")
    write("src/a.py", b"changed")
    write("src/new.py", b"new")
    assert names(ws) == [b".gitignore", b"src/a.py"]


def test_a_changed_ignore_file_shows_names_in_directories_that_did_not_move(ws: Workspace, write: Write) -> None:
    write(".gitignore", b"*.o\n")
    write("src/deep/x.o", b"")
    assert names(ws) == [b".gitignore"]
    write(".gitignore", b"*.p\n")
    assert names(ws) == [b".gitignore", b"src/deep/x.o"]
    os.unlink(Path(ws.root, ".gitignore"))
    assert names(ws) == [b"src/deep/x.o"]
    write("src/.gitignore", b"*.o\n")
    assert names(ws) == [b"src/.gitignore"]


def test_an_ignored_folder_is_not_entered(ws: Workspace, write: Write) -> None:
    write(".gitignore", b"/out/\n")
    write("out/a/b/c", b"")
    os.chmod(Path(ws.root, "out"), 0)
    try:
        assert names(ws) == [b".gitignore"]
    finally:
        os.chmod(Path(ws.root, "out"), 0o755)


def test_an_ignore_file_that_is_a_symlink_is_not_followed(ws: Workspace, write: Write, tmp_path: Path) -> None:
    (tmp_path / "rules").write_bytes(b"*\n")
    os.symlink(tmp_path / "rules", Path(ws.root, ".gitignore"))
    write("new", b"")
    assert names(ws) == [b".gitignore", b"new"]
