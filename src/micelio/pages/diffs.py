"""The difference of two contents as hunks of rows that a template can show.

Lines come from `mic.core.linediff`; inside a replaced line the words that differ are marked. Both are bounded,
so that no pair of contents can hold a page up.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mic.core.linediff import diff_lines, split_lines
from micelio.pages.text import visible

CONTEXT = 3
# A content above this is not compared in a page; its page says its size and offers both versions.
LARGEST_COMPARED = 1024 * 1024
# Lines longer than this are shown cut: minified files would otherwise be one page-long line.
LONGEST_LINE = 2000
# Word marks cost time in the square of the number of words.
_LONGEST_MARKED = 400
_MOST_WORDS = 120
# Below this likeness a pair of lines is two different lines, and marks would be noise.
_LIKENESS = 0.45
_WORD = re.compile(r"\w+|\s+|[^\w\s]")

Piece = tuple[bool, str]


@dataclass(frozen=True)
class Row:
    """One line: `sign` is a space, `+` or `-`; numbers start at 1; pieces are (marked, text)."""

    sign: str
    old: int | None
    new: int | None
    pieces: tuple[Piece, ...]
    ends: bool = True

    @property
    def numbers(self) -> str:
        """Both line numbers in fixed columns, as a text browser should print them."""
        return f"{self.old or '':>5} {self.new or '':>5} "


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
    """All hunks of one file and what they add up to."""

    hunks: tuple[Hunk, ...]
    added: int
    deleted: int

    @property
    def rows(self) -> int:
        return sum(len(hunk.rows) for hunk in self.hunks)


def _text(line: bytes) -> tuple[str, bool]:
    """A line without its end, made readable, and whether it had an end."""
    ends = line.endswith(b"\n")
    text = visible(line.rstrip(b"\n").removesuffix(b"\r").decode("utf-8", "replace"))
    if len(text) > LONGEST_LINE:
        text = f"{text[:LONGEST_LINE]} … and {len(text) - LONGEST_LINE:,} characters more"
    return text, ends


def mark_words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both lines in pieces, with what differs marked; unmarked when they are long or hardly alike."""
    unmarked = ((False, old),), ((False, new),)
    if old == new or len(old) > _LONGEST_MARKED or len(new) > _LONGEST_MARKED:
        return unmarked
    words_old, words_new = _WORD.findall(old), _WORD.findall(new)
    if not words_old or not words_new or max(len(words_old), len(words_new)) > _MOST_WORDS:
        return unmarked
    matcher = difflib.SequenceMatcher(None, words_old, words_new, autojunk=False)
    same = sum(
        len(word)
        for block in matcher.get_matching_blocks()
        for word in words_old[block.a : block.a + block.size]
        if not word.isspace()
    )
    whole = max(len("".join(old.split())), len("".join(new.split())))
    if same < _LIKENESS * whole:
        return unmarked
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        _add(left, kind != "equal", "".join(words_old[a:b]))
        _add(right, kind != "equal", "".join(words_new[c:d]))
    return tuple(left), tuple(right)


def _add(pieces: list[Piece], marked: bool, text: str) -> None:
    if not text:
        return
    if pieces and pieces[-1][0] == marked:
        pieces[-1] = (marked, pieces[-1][1] + text)
    else:
        pieces.append((marked, text))


Opcode = tuple[str, int, int, int, int]


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


def _rows(opcode: Opcode, old: list[bytes], new: list[bytes]) -> Iterator[Row]:
    kind, a, b, c, d = opcode
    if kind == "equal":
        for offset in range(b - a):
            text, ends = _text(new[c + offset])
            yield Row(" ", a + offset + 1, c + offset + 1, ((False, text),), ends)
        return
    before = [_text(line) for line in old[a:b]]
    after = [_text(line) for line in new[c:d]]
    pairs = [mark_words(x, y) for (x, _), (y, _) in zip(before, after, strict=False)]
    for index, (text, ends) in enumerate(before):
        pieces = pairs[index][0] if index < len(pairs) else ((False, text),)
        yield Row("-", a + index + 1, None, pieces, ends)
    for index, (text, ends) in enumerate(after):
        pieces = pairs[index][1] if index < len(pairs) else ((False, text),)
        yield Row("+", None, c + index + 1, pieces, ends)


def _hunk(group: list[Opcode], old: list[bytes], new: list[bytes], most: int) -> Hunk:
    rows: list[Row] = []
    for opcode in group:
        for row in _rows(_first_lines(opcode, most - len(rows)), old, new):
            if len(rows) >= most:
                break
            rows.append(row)
    _, a, _, c, _ = group[0]
    _, _, b, _, d = group[-1]
    return Hunk(tuple(rows), a + 1 if b > a else a, b - a, c + 1 if d > c else c, d - c)


def _first_lines(opcode: Opcode, most: int) -> Opcode:
    """The opcode cut to what can be shown, so that a file of a million new lines is not decoded for its first rows."""
    kind, a, b, c, d = opcode
    return kind, a, min(b, a + most), c, min(d, c + most)


def diff_contents(old: bytes | None, new: bytes | None, most_rows: int = 3000) -> Diff:
    """The difference of two text contents; None stands for a file that is not there.

    Rows beyond `most_rows` are left out, while `added` and `deleted` count them all.
    """
    before = split_lines(old or b"")
    after = split_lines(new or b"")
    opcodes = [(kind, a, b, c, d) for kind, a, b, c, d in diff_lines(before, after)]
    changed = [opcode for opcode in opcodes if opcode[0] != "equal"]
    hunks: list[Hunk] = []
    room = most_rows
    for group in _groups(opcodes):
        if room <= 0:
            break
        hunk = _hunk(group, before, after, room)
        room -= len(hunk.rows)
        hunks.append(hunk)
    return Diff(tuple(hunks), sum(d - c for _, _, _, c, d in changed), sum(b - a for _, a, b, _, _ in changed))
