"""Three-way merge of one file by lines, with the judgement of `git merge-file`.

A change of one side is taken; the same change of both sides is taken once; changes that overlap or touch without an
unchanged line between them are a conflict. Swapping the sides never changes the outcome. `merge3_with_markers` writes
conflicts into the file, as `git merge-file --diff3` does, but for those that were settled before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mic.core.linediff import diff_lines, is_binary, split_lines

MAX_MERGE_BYTES = 1 << 20  # of each side: larger files are seldom text that a person would merge by lines


class MergeResult(NamedTuple):
    """`merged` is the whole file when `clean`, else empty; `conflicts` counts the regions that clash."""

    clean: bool
    merged: bytes
    conflicts: int


class Clash(NamedTuple):
    """A place where the sides clash: the lines of the base there, and what each side made of them."""

    base: bytes
    ours: bytes
    theirs: bytes

    def name(self, path: bytes) -> bytes:
        """32 bytes by which it is known when it comes back in the same file, whichever of the two sides is ours.

        The end of a last line does not count: between markers every line has one.
        """
        digest = hashlib.sha256(b"micelio clash 1\x00")
        ours, theirs = sorted(_without_end(side) for side in (self.ours, self.theirs))
        for part in (path, _without_end(self.base), ours, theirs):
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()


def _without_end(lines: bytes) -> bytes:
    """The lines without the end of the last; marked, so that one empty line is not none."""
    return b"\x01" + lines.removesuffix(b"\n").removesuffix(b"\r") if lines else b""


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
    if not has_mergeable_lines(base, ours, theirs):
        return MergeResult(False, b"", 1)
    merged: list[bytes] = []
    conflicts = 0
    for region in _regions(base, ours, theirs):
        conflicts += region.clash
        merged += region.ours
    if conflicts:
        return MergeResult(False, b"", conflicts)
    return MergeResult(True, b"".join(merged), 0)


def lines_of_ours(base: bytes, ours: bytes, theirs: bytes) -> list[int]:
    """For each line of a merge that is clean the line of `ours` that it is, from 0; -1 for one that `theirs` brought.

    What both have is a line of `ours`.
    """
    found: list[int] = []
    at = 0
    for region in _regions(base, ours, theirs):
        found += range(at, at + len(region.ours)) if region.from_ours else [-1] * len(region.ours)
        at += region.in_ours
    return found


def has_mergeable_lines(*contents: bytes) -> bool:
    """Whether all of these are text of a size that is merged by lines."""
    return not any(len(content) > MAX_MERGE_BYTES or is_binary(content) for content in contents)


def clashes(base: bytes, ours: bytes, theirs: bytes) -> list[Clash]:
    """Where the sides of three texts clash, in order."""
    return [_clash(region) for region in _regions(base, ours, theirs) if region.clash]


def merge3_with_markers(
    base: bytes,
    ours: bytes,
    theirs: bytes,
    labels: tuple[bytes, bytes, bytes],
    settled: Mapping[Clash, bytes] | None = None,
) -> bytes:
    """The merged file with what clashes between marker lines, as `git merge-file --diff3 -p` writes it.

    `labels` stand behind the markers of ours, base and theirs. The contents are texts (`has_mergeable_lines`). A line
    that lacks its end gets one before a marker; markers end in CRLF where the first line of `ours` does. In the place
    of a clash that is `settled` stand the lines that it was settled with.
    """
    assert has_mergeable_lines(base, ours, theirs)
    end = b"\r\n" if ours.partition(b"\n")[0].endswith(b"\r") else b"\n"
    merged: list[bytes] = []
    for region in _regions(base, ours, theirs):
        known = settled.get(_clash(region)) if region.clash and settled else None
        if not region.clash or known is not None:
            merged += region.ours if known is None else [known]
            continue
        marks = [b"<<<<<<< " + labels[0], b"||||||| " + labels[1], b"======="]
        for mark, lines in zip(marks, (region.ours, region.base, region.theirs), strict=True):
            merged += [mark + end, *lines]
            if lines and not lines[-1].endswith(b"\n"):
                merged.append(end)
        merged.append(b">>>>>>> " + labels[2] + end)
    return b"".join(merged)


class _Region(NamedTuple):
    """Lines of the merged file, in order. Without a clash `ours` is what both agree on, or what `theirs` alone made.

    `in_ours` is how many lines of our side it takes up; `from_ours` says that they are those that are merged.
    """

    clash: bool
    base: list[bytes]
    ours: list[bytes]
    theirs: list[bytes]
    in_ours: int
    from_ours: bool = True


def _clash(region: _Region) -> Clash:
    return Clash(b"".join(region.base), b"".join(region.ours), b"".join(region.theirs))


def _regions(base: bytes, ours: bytes, theirs: bytes) -> Iterator[_Region]:
    lines = split_lines(base)
    position = 0
    for group in _groups(_changes(lines, ours), _changes(lines, theirs)):
        start = min(change.start for _, change in group)
        end = max(change.end for _, change in group)
        sides = [_side(lines, start, end, [c for whose, c in group if whose == side]) for side in (0, 1)]
        touched = {whose for whose, _ in group}
        yield _Region(False, [], lines[position:start], [], start - position)
        if len(touched) == 2 and sides[0] != sides[1]:
            yield _Region(True, lines[start:end], sides[0], sides[1], len(sides[0]))
        else:
            yield _Region(False, [], sides[min(touched)], [], len(sides[0]), 0 in touched)
        position = end
    yield _Region(False, [], lines[position:], [], len(lines) - position)


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
