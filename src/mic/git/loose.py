"""Loose Git objects, inflated here: libgit2 1.9 never returns from one whose file was cut short.

Layout (gitrepository-layout): `objects/xx/yyyy...`, a zlib stream of `<kind> <size>` NUL and the content.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Sequence

from mic.core.errors import Corrupt

_HEADER = 64  # bytes: the longest kind, a 64-bit size and the NUL fit in half of it
_MAX_ALTERNATES = 32  # object directories; Git follows five levels


def object_directories(git_dir: str) -> list[str]:
    """The object directories of a repository, its own first, then those it borrows from (`info/alternates`)."""
    found: list[str] = []
    pending = [os.path.join(git_dir, "objects")]
    while pending and len(found) < _MAX_ALTERNATES:
        directory = os.path.realpath(pending.pop(0))
        if directory in found or not os.path.isdir(directory):
            continue
        found.append(directory)
        try:
            with open(os.path.join(directory, "info", "alternates"), "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            continue
        pending += [os.path.join(directory, os.fsdecode(line)) for line in lines if line and line[:1] != b"#"]
    return found


def loose_fans(directories: Sequence[str]) -> frozenset[int]:
    """First bytes of the ids that may have a loose object: the `xx` folders there are."""
    names = {name for directory in directories for name in os.listdir(directory) if len(name) == 2}
    return frozenset(int(name, 16) for name in names if all(digit in "0123456789abcdef" for digit in name))


def read_loose(directories: Sequence[str], oid: bytes) -> tuple[str, bytes] | None:
    """(kind, content) of a loose object, verified against its id; None when there is none. Raises Corrupt, OSError."""
    raw = _raw(directories, oid)
    if raw is None:
        return None
    inflate = zlib.decompressobj()
    try:
        kind, size, start = _header(inflate.decompress(raw, _HEADER), oid)
        content = start + inflate.decompress(inflate.unconsumed_tail, max(1, size - len(start) + 1))
    except zlib.error as error:
        raise Corrupt(f"the loose object {oid.hex()} is damaged ({error})") from error
    if len(content) != size:
        raise Corrupt(f"the loose object {oid.hex()} is damaged (its bytes are not what its name says)")
    check_name(oid, kind, content)
    return kind, content


def check_name(oid: bytes, kind: str, content: bytes) -> None:
    """Raises Corrupt when an object of this kind and content has another id."""
    digest = hashlib.sha1(b"%b %d\0" % (kind.encode(), len(content)), usedforsecurity=False)
    digest.update(content)
    if digest.digest() != oid:
        raise Corrupt(f"the object {oid.hex()} is damaged (its bytes are not what its name says)")


def read_loose_header(directories: Sequence[str], oid: bytes) -> tuple[str, int] | None:
    """(kind, size) of a loose object, unverified; None when there is none. Raises Corrupt, OSError."""
    raw = _raw(directories, oid, 256)
    if raw is None:
        return None
    try:
        kind, size, _ = _header(zlib.decompressobj().decompress(raw, _HEADER), oid)
    except zlib.error as error:
        raise Corrupt(f"the loose object {oid.hex()} is damaged ({error})") from error
    return kind, size


def _raw(directories: Sequence[str], oid: bytes, limit: int = -1) -> bytes | None:
    name = oid.hex()
    for directory in directories:
        try:
            with open(f"{directory}/{name[:2]}/{name[2:]}", "rb", buffering=0) as file:
                return file.read(limit)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return None


def _header(start: bytes, oid: bytes) -> tuple[str, int, bytes]:
    """Kind, size and the first bytes of the content."""
    head, end, rest = start.partition(b"\0")
    kind, _, size = head.partition(b" ")
    if not end or not size.isdigit() or not kind.isalpha():
        raise Corrupt(f"the loose object {oid.hex()} is damaged (its header cannot be read)")
    return kind.decode("ascii"), int(size), rest
