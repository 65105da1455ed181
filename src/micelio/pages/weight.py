"""What a page weighs on the wire, measured while it is put together, so that no content can make a page heavy.

A page's lists are rendered piece by piece; each piece is weighed by compressing it behind the ones before it, as the
server will, and the page ends where its room does.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from django.utils.safestring import SafeString

from micelio.spent import part

T = TypeVar("T")

# A cold page, HTML and stylesheet compressed: the lightest forge on record needs 30 KiB.
PAGE_BUDGET = 30 * 1024
# What is left of it for contents: the stylesheet takes 6.5 KB, the frame of a project's page 2.5 KB, the random
# padding of compressed answers 0.1 KB.
ROOM = 19 * 1024
# Characters of one text among others, and of one that is looked at on its own; smaller ones when those do not fit.
SHORT_TEXTS = (3000, 1000, 300)
LONG_TEXTS = (24_000, 12_000, *SHORT_TEXTS)


class Scale:
    """Weighs pieces of one page in their order. `room` is in compressed bytes; level 6 is Django's own."""

    def __init__(self, room: int = ROOM) -> None:
        self._press = zlib.compressobj(6)
        self._room = room
        self._written = 0
        # Never below the true weight: measured now and then, and the uncompressed size of what came since.
        self._most = 0

    @property
    def left(self) -> int:
        """Bytes that are certainly left."""
        self._most = self._written + len(self._press.copy().flush())
        return self._room - self._most

    def add(self, html: str, keep: int = 0) -> bool:
        """Put a piece on the page if it fits and leaves `keep` bytes; False when it does not."""
        data = html.encode("utf-8", "replace")
        room = self._room - keep
        if self._most + len(data) <= room or len(data) <= self.left - keep:
            self._written += len(self._press.compress(data))
            self._most += len(data)
            return True
        trial = self._press.copy()
        written = self._written + len(trial.compress(data))
        whole = written + len(trial.copy().flush())
        if whole > room:
            return False
        self._press, self._written, self._most = trial, written, whole
        return True

    def take(self, pieces: Iterable[str], keep: int = 0) -> list[str]:
        """The first of the pieces, as many as fit."""
        taken = []
        for piece in pieces:
            if not self.add(piece, keep):
                break
            taken.append(piece)
        return taken

    def fill(
        self, items: Iterable[T], render: Callable[[T, int], str], keep: int = 0, texts: Sequence[int] = SHORT_TEXTS
    ) -> list[SafeString]:
        """The first of the items, rendered, as many as fit.

        `render(item, characters)` cuts long texts of the item. The first item is cut further until it fits, so that
        every page shows something and the next begins behind it.
        """
        shown: list[SafeString] = []
        for item in items:
            for characters in texts if not shown else texts[:1]:
                with part("render"):
                    html = render(item, characters)
                if self.add(html, keep):
                    shown.append(SafeString(html))
                    break
            else:
                break
        return shown

    def fit_text(self, text: str, render: Callable[[str], str], keep: int = 0) -> tuple[SafeString, int]:
        """(a text rendered as far as it fits, the characters that are left out)."""
        if not text:
            return SafeString(), 0
        shorter = [characters for characters in LONG_TEXTS if characters < len(text)]
        for characters in shorter if len(text) > LONG_TEXTS[0] else [len(text), *shorter]:
            html = render(text[:characters])
            if self.add(html, keep):
                return SafeString(html), len(text) - characters
        return SafeString(), len(text)


_LARGEST_TRIED = 96_000


def fit_document(
    scale: Scale, lines: Sequence[str], start: int, render: Callable[[str], str], keep: int = 0
) -> tuple[SafeString, int]:
    """(as much of a document from line `start`, counted from 0, as fits, the line that the rest begins at).

    It is cut at an empty line outside of fenced code, where there is one. At least one line is used up, and the
    rest of a line that alone is too much is left out.
    """
    end, size = start, 0
    while end < len(lines) and size + len(lines[end]) <= _LARGEST_TRIED:
        size += len(lines[end]) + 1
        end += 1
    while end > start + 1:
        html = render("\n".join(lines[start:end]))
        if scale.add(html, keep):
            return SafeString(html), end
        end = _break_before(lines, start, start + (end - start) * 7 // 10)
    if start >= len(lines):
        return SafeString(), start
    html, _ = scale.fit_text(lines[start], render, keep)
    return html, start + 1


def _break_before(lines: Sequence[str], start: int, end: int) -> int:
    """The last empty line outside of fences in the second half of start..end, else `end`."""
    found, fenced = end, False
    for index in range(start, end):
        line = lines[index].lstrip()
        if line.startswith(("```", "~~~")):
            fenced = not fenced
        elif not line and not fenced and index > (start + end) // 2:
            found = index
    return found
