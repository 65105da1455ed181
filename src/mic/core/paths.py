"""Paths of a tree: what any of them may be, and which a working copy must not hold.

A path is bytes, slash-separated, as Git has them. `parse_path` is the one gate into a tree; everything
behind it may rely on it. `unwritable_reason` is the gate out of it, to a file system.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from mic.core.errors import InvalidPath

MAX_PATH = 16_384
MAX_COMPONENT = 255  # ext4, APFS, NTFS (in UTF-16 units there; bytes are the stricter count)

# Code points that HFS+ ignores in names: `.g<U+200C>it` opens `.git` there (Git's utf8.c, CVE-2014-9390).
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_RESERVED = (".git", ".mic")
# NTFS short names of the reserved folders.
_SHORT = re.compile(r"(git|mic)~[1-9]\Z")
# What a name begins with that may be one of these.
_SUSPECT = frozenset((b".", b"g", b"G", b"m", b"M"))
# Paths without such a name, nor one that is too long, need no closer look.
_NOTED = re.compile(rb"(?:\A|/)[.gGmM\x80-\xff]|[^/]{%d}" % (MAX_COMPONENT + 1))
# The same among many that are joined by NUL, but for those that are too long; short names have a tilde.
_NOTED_OF_MANY = re.compile(rb"[\0/](?:[.\x80-\xff]|[gGmM][^/\0]*~)")


def display(path: bytes) -> str:
    """The path as text for people: replacement characters for what is not UTF-8, controls made visible."""
    text = path.decode("utf-8", "replace")
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def parse_path(raw: bytes) -> bytes:
    """The path, when a tree can hold it; raises InvalidPath naming what is wrong with it."""
    if not raw:
        raise InvalidPath("a path is empty", path=raw)
    if len(raw) > MAX_PATH:
        raise InvalidPath(f"a path of {len(raw)} bytes; the limit is {MAX_PATH}", path=raw[:200])
    if b"\x00" in raw:
        raise InvalidPath(f"the path {display(raw)[:200]!r} holds a NUL byte", path=raw)
    if raw.startswith(b"/"):
        raise InvalidPath(
            f"the path {display(raw)[:200]!r} is absolute", hint="use a path within the project", path=raw
        )
    # The common case has none of these and is decided by a few searches.
    if b"//" in raw or raw.endswith(b"/") or b"/." in raw or raw.startswith(b"."):
        for part in raw.split(b"/"):
            if part in (b"", b".", b".."):
                what = part.decode() or "nothing"
                raise InvalidPath(
                    f"the path {display(raw)[:200]!r} has {what!r} between its slashes",
                    hint="use a path within the project",
                    path=raw,
                )
    return raw


def parse_paths(raws: Sequence[bytes]) -> None:
    """As `parse_path` for each, of which most are right: all are decided by a few searches."""
    if not raws:
        return
    joined = b"/".join((b"", *raws, b""))
    well = not (b"\x00" in joined or b"//" in joined or b"/./" in joined or b"/../" in joined)
    if not well or max(map(len, raws)) > MAX_PATH:
        for raw in raws:
            parse_path(raw)


def unwritable_reason(path: bytes) -> str | None:
    """Why a working copy must not hold this path, or None.

    Such a path stays in history and is listed, never written: Git's own folder in any spelling that some
    file system takes for it, ours likewise, and names that no file system here can store.
    """
    if _NOTED.search(path) is None:
        return None
    for part in path.split(b"/"):
        if len(part) > MAX_COMPONENT:
            return f"a name of {len(part)} bytes; file systems take {MAX_COMPONENT}"
        if (part[:1] in _SUSPECT or part[:1] >= b"\x80") and (reason := _reserved(part)):
            return reason
    return None


def unwritable(paths: Sequence[bytes]) -> set[bytes]:
    """Those of these paths, none of which has a NUL byte, that have an `unwritable_reason`: decided by one search."""
    suspects = {path for path in paths if len(path) > MAX_COMPONENT}
    joined = b"".join((b"\0", b"\0".join(paths), b"\0"))
    for noted in _noted(joined):
        start = joined.rfind(b"\0", 0, noted + 1) + 1
        suspects.add(joined[start : joined.index(b"\0", start)])
    return {path for path in suspects if unwritable_reason(path) is not None}


def _noted(joined: bytes) -> Iterator[int]:
    """Where the names of `_NOTED_OF_MANY` begin. Most trees have but those with a dot, which are found sooner."""
    if b"~" in joined or not joined.isascii():
        yield from (found.start() for found in _NOTED_OF_MANY.finditer(joined))
        return
    for dot in (b"\0.", b"/."):
        at = joined.find(dot)
        while at >= 0:
            yield at
            at = joined.find(dot, at + 1)


@functools.lru_cache(maxsize=4096)  # the folders of many files are the same ones
def _reserved(part: bytes) -> str | None:
    name = _IGNORED.sub("", part.decode("utf-8", "replace")).lower()
    # NTFS drops trailing dots and spaces, and what follows a colon names a stream of the same file.
    name = name.split(":", 1)[0].split("\\", 1)[0].rstrip(". ")
    if name in _RESERVED:
        return f"a spelling of {name}"
    if _SHORT.match(name):
        return f"the short name of .{name[:3]} on NTFS"
    return None
