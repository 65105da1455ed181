"""What a service sends back: pkt-lines in turn, a pack in bands between them, and a word that it is still at work.

Bands (gitprotocol-pack, "side-band"): 1 holds the answer itself, 2 lines for a person, 3 an error that ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, cast

from mic.git.pktline import LONGEST_TEXT, error_line, line, one_line

if TYPE_CHECKING:
    from collections.abc import Generator

DATA, PROGRESS, ERROR = b"\x01", b"\x02", b"\x03"
# A line of band 2 without text: clients pass over it.
KEEPALIVE = b"0005\x02"

# Text of one band that a client of `side-band` takes at once, and one of `side-band-64k`.
SMALL, LARGE = 995, LONGEST_TEXT - 1
# What is handed on at once: each piece costs its receiver a change of threads.
_PIECE = 1 << 19


class Form(Enum):
    """How what comes next reaches the client: as lines, as lines of bands, or as bytes of a pack without either."""

    LINES = "lines"
    BANDS = "bands"
    RAW = "raw"


class Reply:
    """The answer to one request, iterated once. Every piece is whole pkt-lines, or bytes of a pack without bands.

    `make` is given the reply, so that it can change the `form`.
    """

    def __init__(self, make: Callable[[Reply], Iterator[bytes]]) -> None:
        self.form = Form.LINES
        self.last = False  # set before the last piece is given: nobody needs to ask for another
        self._parts = make(self)

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def next_piece(self) -> bytes | None:
        """The next piece, None at the end: StopIteration does not pass from thread to thread."""
        return next(self._parts, None)

    @property
    def keepalive(self) -> bytes:
        """What may be sent while the next piece is waited for; b"" where nothing may."""
        return KEEPALIVE if self.form is Form.BANDS else b""

    def failure(self, message: str) -> bytes:
        """What tells the client, at this point, that it fails, in one line; b"" where there is no way to."""
        if self.form is Form.RAW:
            return b""
        return line(ERROR + one_line(message) + b"\n") if self.form is Form.BANDS else error_line(message)

    def close(self) -> None:
        """Stop the work behind it; nothing more comes. Not while another thread waits for a piece."""
        cast("Generator[bytes]", self._parts).close()


def banded(band: bytes, text: bytes | memoryview, size: int = LARGE) -> bytes:
    """`text` in as many lines of a band as it takes."""
    if len(text) <= size:
        return line(band + bytes(text))
    whole = memoryview(text)
    parts: list[bytes | memoryview] = []
    for at in range(0, len(text), size):
        part = whole[at : at + size]
        parts += (b"%04x" % (len(part) + 5), band, part)
    return b"".join(parts)


def pack_in_bands(data: Iterable[bytes | memoryview], size: int = LARGE) -> Iterator[bytes]:
    """A pack in lines of band 1, full ones as far as it goes, some half a megabyte at once."""
    held: list[memoryview] = []
    have, whole = 0, max(_PIECE // size, 1) * size
    for piece in data:
        held.append(memoryview(piece))
        have += len(piece)
        while have >= whole:
            yield _lines(held, whole, size)
            have -= whole
    if have:
        yield _lines(held, have, size)


def _lines(held: list[memoryview], count: int, size: int) -> bytes:
    """The first `count` bytes of what is held, as lines of band 1, and taken from there.

    They are copied once, from where they lie: a pack of gigabytes is nothing but this.
    """
    parts: list[bytes | memoryview] = []
    room, at = 0, 0
    while count:
        if not room:
            room = min(size, count)
            parts.append(b"%04x%b" % (room + 5, DATA))
        piece = held[at]
        if len(piece) <= room:
            at += 1
        else:
            held[at], piece = piece[room:], piece[:room]
        parts.append(piece)
        room -= len(piece)
        count -= len(piece)
    del held[:at]
    return b"".join(parts)


def in_pieces(data: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Bytes as they are, in pieces of some half a megabyte."""
    held = bytearray()
    for piece in data:
        held += piece
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
