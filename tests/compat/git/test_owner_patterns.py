"""Patterns of owners beside Git's own: what `git check-ignore` says of a path is what we say of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mic.core.patterns import Patterns, translate

_NAMES = st.sampled_from([b"a", b"b", b"ab", b"a.b", b"a b", b"\xffx", b"A", b"-", b"]", b"!", b"a*b"])
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map(b"/".join)
_PIECES = st.sampled_from(
    [b"a", b"b", b".", b"/", b"*", b"**", b"?", b"[ab]", b"[!a]", b"[^b]", b"[a-c]", b"[]a]", b"[!]a]", b"[a-]",
     b"[[:alpha:]]",
     b"[![:upper:]]", b"\\*", b"\\[", b"**/", b"/**", b"/**/", b"\xff", b"x", b"-", b"[\\]]", b"[b-a]", b"[/]"]
)  # fmt: skip
_PATTERNS = st.lists(_PIECES, min_size=1, max_size=6).map(b"".join)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository."""
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def _git_says(place: Path, pattern: bytes, paths: list[bytes]) -> list[bool]:
    (place / ".gitignore").write_bytes(pattern + b"\n")
    done = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z", "-v", "-n"],
        cwd=place, input=b"\x00".join(paths) + b"\x00", capture_output=True, check=False,
    )  # fmt: skip
    fields = done.stdout.split(b"\x00")
    assert done.returncode in (0, 1), done.stderr
    return [bool(fields[at]) for at in range(0, len(fields) - 1, 4)]


@settings(max_examples=200, deadline=None)
@example(pattern=b"[b-a]", paths=[b"a", b"b"])
@example(pattern=b"a**/**/", paths=[b"a/a", b"a", b"b/a"])
@example(pattern=b"a**/b", paths=[b"ab", b"a/b", b"ax/b", b"ax/y/b", b"x/ab"])
@example(pattern=b"a?**/b", paths=[b"axb", b"ax/b", b"ax/y/b"])
@given(pattern=_PATTERNS, paths=st.lists(_PATHS, min_size=1, max_size=20, unique=True))
def test_as_git_ignores(place: Path, pattern: bytes, paths: list[bytes]) -> None:
    """Byte for byte, for a file that is there by itself and for one below a folder that matches."""
    if pattern.startswith((b"#", b"!", b" ")):
        return
    source = translate(pattern)
    ours = [Patterns([pattern]).last(path) is not None if source is not None else False for path in paths]
    assert ours == _git_says(place, pattern, paths)
