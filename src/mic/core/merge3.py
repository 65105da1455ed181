"""Three-way merge of one file by lines, with the judgement of `git merge-file`.

A change of one side is taken; the same change of both sides is taken once; changes that overlap or touch without an
unchanged line between them are a conflict. Swapping the sides never changes the outcome.
"""

from __future__ import annotations

from typing import NamedTuple

from mic.core.linediff import diff_lines, is_binary, split_lines

MAX_MERGE_BYTES = 1 << 20  # of each side: larger files are seldom text that a person would merge by lines


class MergeResult(NamedTuple):
    """`merged` is the whole file when `clean`, else empty; `conflicts` counts the regions that clash."""

    clean: bool
    merged: bytes
    conflicts: int


class _Change(NamedTuple):
    """Base lines [start, end) become `lines`."""

    start: int
    end: int
    lines: list[bytes]


def merge3(base: bytes, ours: bytes, theirs: bytes) -> MergeResult:
    """Merges what `ours` and `theirs` each made of `base`.

    When one side left the file as it was, or both made it the same, the answer is clean whatever the content is.
    Otherwise binary content (NUL in the first 8,000 bytes) and files over 1 MiB are never clean.
    """
    if ours == theirs or theirs == base:
        return MergeResult(True, ours, 0)
    if ours == base:
        return MergeResult(True, theirs, 0)
    contents = (base, ours, theirs)
    if any(len(content) > MAX_MERGE_BYTES or is_binary(content) for content in contents):
        return MergeResult(False, b"", 1)
    base_lines = split_lines(base)
    merged: list[bytes] = []
    position = conflicts = 0
    for group in _groups(_changes(base_lines, ours), _changes(base_lines, theirs)):
        start = min(change.start for _, change in group)
        end = max(change.end for _, change in group)
        sides = [_side(base_lines, start, end, [c for whose, c in group if whose == side]) for side in (0, 1)]
        touched = {whose for whose, _ in group}
        merged += base_lines[position:start]
        if len(touched) == 2 and sides[0] != sides[1]:
            conflicts += 1
        merged += sides[min(touched)]
        position = end
    if conflicts:
        return MergeResult(False, b"", conflicts)
    merged += base_lines[position:]
    return MergeResult(True, b"".join(merged), 0)


def _changes(base: list[bytes], side: bytes) -> list[_Change]:
    lines = split_lines(side)
    return [
        _Change(start, end, lines[new_start:new_end])
        for tag, start, end, new_start, new_end in diff_lines(base, lines)
        if tag != "equal"
    ]


def _groups(ours: list[_Change], theirs: list[_Change]) -> list[list[tuple[int, _Change]]]:
    """The changes of both sides in order, those that overlap or touch in one group; each with its side, 0 or 1."""
    tagged = [(0, change) for change in ours] + [(1, change) for change in theirs]
    tagged.sort(key=lambda item: (item[1].start, item[1].end, item[0]))
    groups: list[list[tuple[int, _Change]]] = []
    end = -1
    for side, change in tagged:
        if change.start > end:
            groups.append([])
        groups[-1].append((side, change))
        end = max(end, change.end)
    return groups


def _side(base: list[bytes], start: int, end: int, changes: list[_Change]) -> list[bytes]:
    """Base lines [start, end) with one side's changes made."""
    lines: list[bytes] = []
    for change in changes:
        lines += base[start : change.start]
        lines += change.lines
        start = change.end
    return lines + base[start:end]
