"""Which paths a tree can hold, and which of them a working copy must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mic.core.errors import InvalidPath
from mic.core.paths import display, parse_path, parse_paths, unwritable, unwritable_reason


@pytest.mark.parametrize(
    "path",
    [
        b"a",
        b"a/b/c",
        b".a",
        b"a.",
        b"...",
        b"a/.b/..c/d..",
        b" ",
        b"\xff\xfe/\x01",
        b"a\nb",
        b"a\\b",
        b"x" * 16_384,
        b".git",
    ],
)
def test_paths_that_a_tree_can_hold(path: bytes) -> None:
    assert parse_path(path) == path
    parse_paths([b"a/b", path, b"c"])


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (b"", "is empty"),
        (b"x" * 16_385, "16385 bytes; the limit is 16384"),
        (b"a\x00b", "NUL"),
        (b"/etc/passwd", "absolute"),
        (b"/", "absolute"),
        (b"..", r"'\.\.' between"),
        (b"a/../b", r"'\.\.' between"),
        (b"../a", r"'\.\.' between"),
        (b"a/..", r"'\.\.' between"),
        (b".", r"'\.' between"),
        (b"a/./b", r"'\.' between"),
        (b"a//b", "'nothing' between"),
        (b"a/", "'nothing' between"),
    ],
)
def test_paths_that_no_tree_can_hold(path: bytes, why: str) -> None:
    with pytest.raises(InvalidPath, match=why):
        parse_path(path)
    with pytest.raises(InvalidPath, match=why):
        parse_paths([b"a/b", path, b"c"])


NEVER_WRITTEN = [
    b".git",
    b".git/config",
    b"a/.git/hooks/post-checkout",
    b".GIT/x",
    b".gIt",
    b".git./x",
    b".git /x",
    b".git. . .",
    b".git::$INDEX_ALLOCATION/x",
    b".git:stream",
    b"GIT~1/config",
    b"git~1",
    b"git~9/x",
    ".g\u200cit/config".encode(),
    "\u200d.git/x".encode(),
    ".git\ufeff".encode(),
    b".git\\config",
    b".mic/session",
    b".MIC",
    b"mic~1/x",
    b"x" * 256,
    b"a/" + b"y" * 300 + b"/z",
]


@pytest.mark.parametrize("path", NEVER_WRITTEN)
def test_names_that_are_never_written(path: bytes) -> None:
    """Git's folder and ours in any spelling that some file system takes for them; names that none can store."""
    assert unwritable_reason(path)
    assert parse_path(path) == path  # history keeps them


ORDINARY = [
    b"git", b".gitignore", b".github/workflows/ci.yml", b".gitmodules", b"mic", b".micelio/hooks.toml", b"git~a",
     b"git~", b"digit~1", b"x" * 255, b"\xff" * 255, b"a.git/config", b".g it", b"mic~0", b"micro~1/x",
]  # fmt: skip


@pytest.mark.parametrize("path", ORDINARY)
def test_ordinary_names_are_written(path: bytes) -> None:
    assert unwritable_reason(path) is None


_ANY = st.binary().map(lambda path: path.replace(b"\0", b"/"))
_PATHS = st.lists(st.sampled_from([*NEVER_WRITTEN, *ORDINARY, b"z" * 256, b"\x80~", b"x/.git\n"]) | _ANY)


@given(_PATHS)
def test_many_are_judged_as_each_is(paths: list[bytes]) -> None:
    assert unwritable(paths) == {path for path in paths if unwritable_reason(path) is not None}


def test_paths_for_people() -> None:
    """Controls are made visible, what is not UTF-8 is replaced: a terminal shows what is there."""
    assert display(b"a/caf\xc3\xa9") == "a/café"
    assert display(b"caf\xe9") == "caf\ufffd"
    assert display(b"a\nb\x1b[31m") == "a\\x0ab\\x1b[31m"
    assert display("\u202egpj.exe".encode()) == "\\x202egpj.exe"
