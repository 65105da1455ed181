"""Whether a text really holds what was asked for, and the lines of it that people are shown."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass, field

from micelio.search.asked import Asked

# Characters of a line that are shown, and of them before the first thing found.
WIDTH = 240
_BEFORE = 60
# Things found in one text that are looked at before the lines of a page are full.
_MOST_FOUND = 200


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a line; `found` is what was looked for."""

    text: str
    found: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text, counted from 1, in parts; 0 is a path."""

    number: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Matched:
    """The first lines with what was looked for; `more` when there are others."""

    lines: list[Line] = field(default_factory=list)
    more: bool = False


def holds(asked: Asked, text: str) -> bool:
    """Whether all of it is in the text."""
    lower = text.lower()
    if not all(word in lower for word in asked.words):
        return False
    return asked.pattern is None or asked.pattern.compiled.search(text) is not None


def lines_of(asked: Asked, text: str, most: int) -> Matched:
    """The first `most` lines of a text that have something of what was looked for, the expression's first."""
    found = _places(asked, text)
    if not found:
        return Matched()
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    by_line: dict[int, list[tuple[int, int]]] = {}
    for start, stop in sorted(found):
        number = bisect.bisect_right(starts, start) - 1
        by_line.setdefault(number, []).append((start - starts[number], stop - starts[number]))
    shown = []
    for number in sorted(by_line)[:most]:
        end = starts[number + 1] - 1 if number + 1 < len(starts) else len(text)
        shown.append(Line(number + 1, marked(text[starts[number] : end].rstrip("\r"), by_line[number])))
    return Matched(shown, len(by_line) > most)


def path_of(asked: Asked, name: str) -> tuple[Part, ...]:
    """A path with what was looked for in it; as it is when that stands only in the text."""
    return marked(name, sorted(_places(asked, name)), width=len(name) + 1)


def _places(asked: Asked, text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    lower = text.lower()
    if len(lower) != len(text):
        # One letter that is two in lower case would put all marks behind it in the wrong place.
        lower = "".join(one if len(one) == 1 else letter for letter in text for one in (letter.lower(),))
    for word in asked.words:
        at = lower.find(word)
        while at >= 0 and len(found) < _MOST_FOUND:
            found.append((at, at + len(word)))
            at = lower.find(word, at + len(word))
    if asked.pattern is not None:
        for match in asked.pattern.compiled.finditer(text):
            if match.end() > match.start():
                found.append((match.start(), match.end()))
            if len(found) >= _MOST_FOUND:
                break
    return found


def marked(line: str, places: list[tuple[int, int]], width: int = WIDTH) -> tuple[Part, ...]:
    """A line in parts, cut around the first place when it is long."""
    begin = 0
    if len(line) > width:
        first = places[0][0] if places else 0
        begin = max(0, min(first - _BEFORE, len(line) - width))
    end = min(len(line), begin + width)
    parts: list[Part] = [Part("…", False)] if begin else []
    at = begin
    for start, stop in places:
        start, stop = max(start, at), min(stop, end)
        if start >= stop:
            continue
        if start > at:
            parts.append(Part(line[at:start], False))
        parts.append(Part(line[start:stop], True))
        at = stop
    if at < end:
        parts.append(Part(line[at:end], False))
    if end < len(line):
        parts.append(Part("…", False))
    return tuple(parts)
