"""Git's pkt-lines: four hexadecimal digits of length, then so many bytes less four.

Layout: gitprotocol-common. Three lengths are no lines but marks: 0000 flush, 0001 delimiter, 0002 end of response.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import BinaryIO

from mic.core.errors import InvalidInput, TooLarge

# The longest line, its length included, and the longest text in one (gitprotocol-common: LARGE_PACKET_MAX).
LONGEST = 65_520
LONGEST_TEXT = LONGEST - 4
# An ERR line is for a person; what they need is at its beginning.
_LONGEST_ERROR = 1_000

FLUSH_LINE, DELIM_LINE, END_LINE = b"0000", b"0001", b"0002"

_LENGTH = re.compile(rb"[0-9a-fA-F]{4}")


class Mark(Enum):
    """What is no line: the end of a part, of a section, of a response; and the end of the bytes."""

    FLUSH = "flush"
    DELIM = "delimiter"
    END = "end of the response"
    EOF = "end of the input"


# Most of a large request is lines of this form, each of 50 bytes.
_ID_LINE = 50
_ID_LINES = re.compile(rb"(?:0032(?:want|have) [0-9a-f]{40}\n)+")
_AHEAD = 1 << 16

_MARKS = {0: Mark.FLUSH, 1: Mark.DELIM, 2: Mark.END}


def line(text: bytes) -> bytes:
    """`text` as one pkt-line; of at most LONGEST_TEXT bytes."""
    assert len(text) <= LONGEST_TEXT, "a pkt-line has a limit"
    return b"%04x" % (len(text) + 4) + text


def error_line(message: str) -> bytes:
    """A pkt-line that a client shows as the server's error, and ends: one line of `message`, cut where it is long."""
    return line(b"ERR " + one_line(message))


def one_line(message: str) -> bytes:
    """A message as one line of UTF-8 without control characters, at most 1,000 bytes: it ends up in a terminal."""
    words = "".join(letter if letter.isprintable() else " " for letter in message)
    data = " ".join(words.split()).encode("utf-8", "replace")
    return data[:_LONGEST_ERROR].decode("utf-8", "ignore").encode()


class PktReader:
    """Reads pkt-lines from a file, never more than `limit` bytes of them. Bytes that follow them stay unread.

    With `ahead` nothing follows them: the file is read in blocks, which a request of a thousand wants is quicker by.
    """

    def __init__(self, file: BinaryIO, limit: int, *, ahead: bool = False) -> None:
        self._file = file
        self._ahead, self._block, self._at = ahead, b"", 0
        self._left = limit
        self._limit = limit

    def read(self) -> bytes | Mark:
        """The next line without its end of line, or a mark.

        Raises InvalidInput for what is no pkt-line or ends within one, TooLarge beyond the limit.
        """
        head = self._exactly(4)
        if not head:
            return Mark.EOF
        if _LENGTH.fullmatch(head) is None:
            raise InvalidInput(f"The request holds {head!r} where the length of a pkt-line should be.")
        length = int(head, 16)
        if length in _MARKS:
            return _MARKS[length]
        if length < 4 or length > LONGEST:
            raise InvalidInput(f"The request holds a pkt-line of length {length}; they have 4 to {LONGEST:,} bytes.")
        text = self._exactly(length - 4)
        if len(text) != length - 4:
            raise InvalidInput("The request ends within a pkt-line.")
        return text.removesuffix(b"\n")

    def lines(self, *ends: Mark) -> Iterator[bytes]:
        """The lines up to one of the marks. Raises InvalidInput when another mark comes first."""
        while True:
            if self._ahead:
                yield from self._ids()
            text = self.read()
            if isinstance(text, Mark):
                break
            yield text
        if text not in ends:
            raise InvalidInput(f"The request has the {text.value} where there should be another line.")

    def bands(self) -> Iterator[tuple[int, bytes]]:
        """(band, bytes) of each line up to a flush: bytes of band 1 may end as they like."""
        while True:
            head = self._exactly(4)
            length = int(head, 16) if _LENGTH.fullmatch(head) else 1
            if not length:
                return
            if length < 5 or length > LONGEST:
                raise InvalidInput(f"A pkt-line of length {length} has no band.")
            text = self._exactly(length - 4)
            if len(text) != length - 4:
                raise InvalidInput("The bytes end within a pkt-line.")
            yield text[0], text[1:]

    def _ids(self) -> list[bytes]:
        """The lines that name an object to want or to have, as far as nothing else is between them in the block."""
        self._fill(_ID_LINE)
        found = _ID_LINES.match(self._block, self._at, self._at + self._left)
        if found is None:
            return []
        start, self._at = found.span()
        self._left -= self._at - start
        return [self._block[at + 4 : at + _ID_LINE - 1] for at in range(start, self._at, _ID_LINE)]

    def _fill(self, size: int) -> None:
        """Have so many bytes in the block, unless the file ends before."""
        while len(self._block) - self._at < size and (more := self._file.read(_AHEAD)):
            self._block, self._at = self._block[self._at :] + more, 0

    def _taken(self, size: int) -> bytes:
        if self._ahead:
            self._fill(size)
            data = self._block[self._at : self._at + size]
            self._at += len(data)
            return data
        data = self._file.read(size)
        while len(data) < size and (more := self._file.read(size - len(data))):
            data += more
        return data

    def _exactly(self, size: int) -> bytes:
        if size > self._left:
            raise TooLarge(f"The request holds more than {self._limit:,} bytes of pkt-lines.")
        data = self._taken(size)
        self._left -= len(data)
        if 0 < len(data) < size and size == 4:
            raise InvalidInput("The request ends within a pkt-line.")
        return data
