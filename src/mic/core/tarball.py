"""Plain tar files as streams: regular files with short ASCII names, and nothing else that tar can hold.

    ustar header (512 bytes) | content, padded with zeros to 512 | ... | two blocks of zeros

POSIX.1-1988 (ustar), so that every `tar` lists and unpacks them. A reader takes only what the writer makes: names of
up to 100 characters without a leading slash, empty, `.` or `..` parts, sizes in octal, no links, devices, folders or
extensions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mic.core.errors import Corrupt

BLOCK = 512
# Eleven octal digits.
MAX_SIZE = 8**11 - 1
NAME = re.compile(r"[A-Za-z0-9_@=+-][A-Za-z0-9._@=+-]*(?:/[A-Za-z0-9_@=+-][A-Za-z0-9._@=+-]*)*")
MAX_NAME = 100
END = bytes(2 * BLOCK)
_OCTAL = re.compile(rb"[0-7]{11}[\0 ]")

# The next so many bytes, fewer only where the file ends.
Read = Callable[[int], bytes]


def header(name: str, size: int, seconds: int) -> bytes:
    """The header of a regular file, whose content follows with `padding`. `seconds` is Unix time."""
    assert NAME.fullmatch(name)
    assert len(name) <= MAX_NAME
    assert 0 <= size <= MAX_SIZE
    made = bytearray(BLOCK)
    made[: len(name)] = name.encode("ascii")
    made[100:124] = b"".join(b"%07o\x00" % number for number in (0o644, 0, 0))
    made[124:136] = b"%011o\x00" % size
    made[136:156] = b"%011o\0" % min(max(seconds, 0), MAX_SIZE) + b" " * 8
    made[156:157] = b"0"
    made[257:265] = b"ustar\x0000"
    made[148:156] = b"%06o\0 " % sum(made)
    assert len(made) == BLOCK
    return bytes(made)


def padding(size: int) -> bytes:
    """What follows a content of this size."""
    return bytes(-size % BLOCK)


def parse_header(raw: bytes) -> tuple[str, int] | None:
    """(name, size) of a member; None for a block of zeros, with which the end begins. Raises Corrupt."""
    if raw == bytes(BLOCK):
        return None
    if len(raw) < BLOCK:
        raise Corrupt("it is cut short: a header is not whole")
    if raw[257:263] not in (b"ustar\0", b"ustar "):
        raise Corrupt("it is damaged: this is no header of a tar file")
    checksum = raw[148:156].strip(b"\0 ")
    if not re.fullmatch(rb"[0-7]{1,7}", checksum) or int(checksum, 8) != sum(raw) - sum(raw[148:156]) + 8 * 32:
        raise Corrupt("it is damaged: the checksum of a header does not match")
    name = raw[:100].rstrip(b"\0").decode("ascii", "replace")
    if raw[156:157] not in (b"0", b"\0"):
        raise Corrupt(f"it holds {name!r}, which is no plain file")
    if raw[345:500].strip(b"\0") or not NAME.fullmatch(name):
        raise Corrupt(f"it holds {name!r}, which is no name that an archive has")
    if not _OCTAL.fullmatch(raw[124:136]):
        raise Corrupt(f"it holds {name!r} with a size that is no number")
    return name, int(raw[124:135], 8)


def members(read: Read) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """(name, size, its bytes in pieces) of each member, in their order; the bytes have to be taken before the next one.

    Raises Corrupt for what is no such file, is cut short, or goes on behind its end.
    """
    while True:
        found = parse_header(read(BLOCK))
        if found is None:
            break
        name, size = found
        yield name, size, _content(read, name, size)
        if read(-size % BLOCK).strip(b"\0"):
            raise Corrupt(f"it is damaged: what pads {name!r} is not empty")
    if read(BLOCK) != bytes(BLOCK):
        raise Corrupt("it is cut short: its end is missing")
    # Programs fill tar files up to ten kilobytes.
    if read(_FILLED).strip(b"\0") or read(1):
        raise Corrupt("it goes on behind its end")


_PIECE = 1 << 20
_FILLED = 20 * BLOCK


def _content(read: Read, name: str, size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = read(min(_PIECE, left))
        if not piece:
            raise Corrupt(f"it is cut short within {name!r}")
        left -= len(piece)
        yield piece
