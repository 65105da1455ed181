"""The difference of two contents as hunks of rows that a template can show.

Lines come from `mic.core.linediff`; inside a replaced line the words that differ are marked. Both are bounded,
so that no pair of contents can hold a page up.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from mic.core.linediff import diff_lines, split_lines
from micelio.pages.text import visible

CONTEXT = 3
# A content above this is not compared in a page; its page says its size and offers both versions.
LARGEST_COMPARED = 1024 * 1024
# Lines longer than this are shown cut: minified files would otherwise be one page-long line.
LONGEST_LINE = 500
# Word marks cost time in the square of the number of words.
_LONGEST_MARKED = 400
_MOST_WORDS = 120
# Below this likeness a pair of lines is two different lines, and marks would be noise.
_LIKENESS = 0.45
# Characters of the one line times those of the other, over all pairs of a difference that are marked: at worst 90 ns
# each, so 0.45 s. A rewritten file of 10,000 short lines needs 3 million. Pairs beyond it are shown without marks.
_MOST_MARKING = 5_000_000
_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Piece = tuple[bool, str]
Opcode = tuple[str, int, int, int, int]


@dataclass(frozen=True)
class Row:
    """One line: `sign` is a space, `+` or `-`; numbers start at 1; pieces are (marked, text).

    `left_out` counts the characters of a long line that the pieces do not show. `moved`: the line goes from here to
    another place of the file, or comes from there.
    """

    sign: str
    old: int | None
    new: int | None
    pieces: tuple[Piece, ...]
    ends: bool = True
    left_out: int = 0
    moved: bool = False


@dataclass(frozen=True)
class Hunk:
    """Rows that lie together, with up to `CONTEXT` unchanged lines around."""

    rows: tuple[Row, ...]
    old_start: int
    old_lines: int
    new_start: int
    new_lines: int

    @property
    def title(self) -> str:
        """`@@ -12,4 +12,6 @@`, as in a unified diff."""
        return f"@@ -{self.old_start},{self.old_lines} +{self.new_start},{self.new_lines} @@"


@dataclass(frozen=True)
class Diff:
    """Hunks of one file, and what all of it adds up to: lines, and rows of all hunks with their context."""

    hunks: tuple[Hunk, ...]
    added: int
    deleted: int
    total_rows: int

    @property
    def rows(self) -> int:
        return sum(len(hunk.rows) for hunk in self.hunks)


class _Line(NamedTuple):
    text: str
    ends: bool
    left_out: int


def _text(line: bytes) -> _Line:
    """A line without its end, made readable, whether it had an end, and the characters beyond the longest line."""
    ends = line.endswith(b"\n")
    text = line.rstrip(b"\n").removesuffix(b"\r").decode("utf-8", "replace")
    return _Line(visible(text[:LONGEST_LINE]), ends, max(0, len(text) - LONGEST_LINE))


def mark_words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both lines in pieces, with what differs marked; unmarked when they are long or hardly alike."""
    unmarked = ((False, old),), ((False, new),)
    if old == new or len(old) > _LONGEST_MARKED or len(new) > _LONGEST_MARKED:
        return unmarked
    words_old, words_new = _WORD.findall(old), _WORD.findall(new)
    if not words_old or not words_new or max(len(words_old), len(words_new)) > _MOST_WORDS:
        return unmarked
    runs = _word_runs(words_old, words_new)
    same = sum(len("".join("".join(words_old[a:b]).split())) for kind, a, b, _, _ in runs if kind == "equal")
    whole = max(len("".join(old.split())), len("".join(new.split())))
    if same < _LIKENESS * whole:
        return unmarked
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, a, b, c, d in runs:
        _add(left, kind != "equal", "".join(words_old[a:b]))
        _add(right, kind != "equal", "".join(words_new[c:d]))
    return tuple(left), tuple(right)


def _word_runs(old: list[str], new: list[str]) -> list[Opcode]:
    """Opcodes over words: what both lines begin and end with is the same, and only what is between is matched."""
    most, begin, end = min(len(old), len(new)), 0, 0
    while begin < most and old[begin] == new[begin]:
        begin += 1
    while end < most - begin and old[-1 - end] == new[-1 - end]:
        end += 1
    runs: list[Opcode] = [("equal", 0, begin, 0, begin)] if begin else []
    a, b, c, d = begin, len(old) - end, begin, len(new) - end
    if a == b or c == d or (b - a == 1 and d - c == 1):
        runs += [("replace", a, b, c, d)] if b > a or d > c else []
    else:
        inner = difflib.SequenceMatcher(None, old[a:b], new[c:d], autojunk=False).get_opcodes()
        runs += [(kind, a + i, a + j, c + k, c + m) for kind, i, j, k, m in inner]
    return runs + ([("equal", b, len(old), d, len(new))] if end else [])


class _Side:
    """The lines of one content, each read once."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._read: dict[int, _Line] = {}

    def __getitem__(self, index: int) -> _Line:
        found = self._read.get(index)
        if found is None:
            found = self._read[index] = _text(self._lines[index])
        return found


class _Marks:
    """The marks of pairs of lines, by their indexes: each pair is compared once, and only as many as may be."""

    def __init__(self, old: _Side, new: _Side) -> None:
        self._old, self._new = old, new
        self._left = _MOST_MARKING
        self._made: dict[tuple[int, int], tuple[tuple[Piece, ...], tuple[Piece, ...]]] = {}

    def of(self, old: int, new: int) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        """(pieces of the old line, of the new one)."""
        found = self._made.get((old, new))
        if found is None:
            before, after = self._old[old].text, self._new[new].text
            self._left -= len(before) * len(after)
            found = mark_words(before, after) if self._left >= 0 else (((False, before),), ((False, after),))
            self._made[old, new] = found
        return found


def _add(pieces: list[Piece], marked: bool, text: str) -> None:
    if not text:
        return
    if pieces and pieces[-1][0] == marked:
        pieces[-1] = (marked, pieces[-1][1] + text)
    else:
        pieces.append((marked, text))


def _groups(opcodes: list[Opcode]) -> Iterator[list[Opcode]]:
    """Opcodes in hunks: equal runs longer than twice the context are cut."""
    group: list[Opcode] = []
    last = len(opcodes) - 1
    for index, (kind, a, b, c, d) in enumerate(opcodes):
        if kind != "equal":
            group.append((kind, a, b, c, d))
            continue
        head = 0 if index == 0 else min(CONTEXT, b - a)
        tail = 0 if index == last else min(CONTEXT, b - a)
        if group and head + tail >= b - a:
            group.append((kind, a, b, c, d))
            continue
        if group:
            yield [*group, (kind, a, a + head, c, c + head)]
        group = [(kind, b - tail, b, d - tail, d)] if tail else []
    if any(kind != "equal" for kind, *_ in group):
        yield group


class _Place(NamedTuple):
    """Where a row comes from: indexes of its old line, its new line and the one it is marked against; -1 for none."""

    sign: str
    old: int
    new: int
    pair: int


def _places(group: list[Opcode]) -> Iterator[_Place]:
    """The rows of a hunk in order, before any is decoded."""
    for kind, a, b, c, d in group:
        if kind == "equal":
            yield from (_Place(" ", a + offset, c + offset, -1) for offset in range(b - a))
            continue
        paired = min(b - a, d - c)
        yield from (_Place("-", a + n, -1, c + n if n < paired else -1) for n in range(b - a))
        yield from (_Place("+", -1, c + n, a + n if n < paired else -1) for n in range(d - c))


class _Moved(NamedTuple):
    """Lines that lie elsewhere afterwards, by their index before and after."""

    old: frozenset[int]
    new: frozenset[int]


_STILL = _Moved(frozenset(), frozenset())
# A run of fewer lines, or of fewer letters, stands in two places by chance.
_LEAST_MOVED_LINES, _LEAST_MOVED_LETTERS = 3, 30
# Lines looked at, and places tried for each: what is beyond is shown as taken out and put in.
_MOST_MOVED, _MOST_TRIED = 20_000, 4


def _moved(changed: list[Opcode], old: list[bytes], new: list[bytes]) -> _Moved:
    """Runs of lines that were taken out in one place and put in at another, however they are indented."""
    if sum(b - a + d - c for _, a, b, c, d in changed) > _MOST_MOVED or len(changed) < 2:
        return _STILL
    gone = {n: old[n].strip() for _, a, b, _, _ in changed for n in range(a, b)}
    places: dict[bytes, list[int]] = {}
    for number, text in gone.items():
        if text:
            places.setdefault(text, []).append(number)
    old_found: set[int] = set()
    new_found: set[int] = set()
    for _, _, _, c, d in changed:
        at = c
        while at < d:
            run, begin = 0, 0
            for number in [n for n in places.get(new[at].strip(), ()) if n not in old_found][:_MOST_TRIED]:
                length = 0
                while at + length < d and gone.get(number + length) == new[at + length].strip():
                    length += 1
                run, begin = max((run, begin), (length, number))
            letters = sum(len(gone[begin + n]) for n in range(run))
            if run >= _LEAST_MOVED_LINES and letters >= _LEAST_MOVED_LETTERS:
                old_found.update(range(begin, begin + run))
                new_found.update(range(at, at + run))
            at += max(1, run)
    return _Moved(frozenset(old_found), frozenset(new_found))


def _row(place: _Place, old: _Side, new: _Side, moved: _Moved, marks: _Marks) -> Row:
    line = new[place.new] if place.new >= 0 else old[place.old]
    pieces: tuple[Piece, ...] = ((False, line.text),)
    numbers = (place.old + 1 if place.old >= 0 else None, place.new + 1 if place.new >= 0 else None)
    goes = place.old in moved.old if place.sign == "-" else place.sign == "+" and place.new in moved.new
    if place.pair >= 0 and not goes:
        gone = place.sign == "-"
        pieces = marks.of(place.old, place.pair)[0] if gone else marks.of(place.pair, place.new)[1]
    return Row(place.sign, *numbers, pieces, line.ends, line.left_out, goes)


def _hunk(group: list[Opcode], old: _Side, new: _Side, skip: int, most: int, moved: _Moved, marks: _Marks) -> Hunk:
    rows = tuple(_row(place, old, new, moved, marks) for place in islice(_places(group), skip, skip + most))
    _, a, _, c, _ = group[0]
    _, _, b, _, d = group[-1]
    if skip:
        # The rest of a hunk that began on an earlier page is titled by its own rows.
        olds, news = [row.old for row in rows if row.old], [row.new for row in rows if row.new]
        a, b = (olds[0] - 1, olds[-1]) if olds else (a, a)
        c, d = (news[0] - 1, news[-1]) if news else (c, c)
    return Hunk(rows, a + 1 if b > a else a, b - a, c + 1 if d > c else c, d - c)


def _length(group: list[Opcode]) -> int:
    return sum(b - a if kind == "equal" else b - a + d - c for kind, a, b, c, d in group)


def diff_contents(
    old: bytes | None, new: bytes | None, most_rows: int = 3000, skip: int = 0, ignore_space: bool = False
) -> Diff:
    """The difference of two text contents; None stands for a file that is not there.

    The first `skip` rows and those beyond `most_rows` more are left out, while the totals count them all. With
    `ignore_space` lines that differ in nothing but spaces are the same, and shown as they are now.
    """
    before = split_lines(old or b"")
    after = split_lines(new or b"")
    compared = [[b" ".join(line.split()) for line in side] if ignore_space else side for side in (before, after)]
    opcodes = [(kind, a, b, c, d) for kind, a, b, c, d in diff_lines(*compared)]
    changed = [opcode for opcode in opcodes if opcode[0] != "equal"]
    moved = _moved(changed, before, after) if most_rows else _STILL
    left, right = _Side(before), _Side(after)
    marks = _Marks(left, right)
    hunks: list[Hunk] = []
    room, total = most_rows, 0
    for group in _groups(opcodes):
        length = _length(group)
        start = max(0, skip - total)
        total += length
        if start < length and room > 0:
            hunks.append(_hunk(group, left, right, start, room, moved, marks))
            room -= len(hunks[-1].rows)
    added = sum(d - c for _, _, _, c, d in changed)
    return Diff(tuple(hunks), added, sum(b - a for _, a, b, _, _ in changed), total)
