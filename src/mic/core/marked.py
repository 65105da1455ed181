"""Files with marked lines: the places where two sides clash, found again by their markers, and settled one by one."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal, NamedTuple

from mic.core.linediff import diff_lines, split_lines
from mic.core.merge3 import Clash

Choice = Literal["ours", "theirs", "both", "base"]
CHOICES: tuple[Choice, ...] = ("ours", "theirs", "both", "base")


class Place(NamedTuple):
    """A clash in a marked file: lines [start, stop) of it, markers included, from 0."""

    start: int
    stop: int
    clash: Clash


def places(marked: bytes, labels: tuple[bytes, bytes, bytes]) -> list[Place]:
    """The clashes in a file, by the markers that bear these labels, in order.

    What somebody has edited between markers counts as it stands; where a marker of one is missing, there is none.
    """
    lines = split_lines(marked)
    bare = [line.removesuffix(b"\n").removesuffix(b"\r") for line in lines]
    begin, middle, end = b"<<<<<<< " + labels[0], b"||||||| " + labels[1], b">>>>>>> " + labels[2]
    found, at = [], 0
    while at < len(lines):
        if bare[at] != begin:
            at += 1
            continue
        marks = [at]
        for wanted in (middle, b"=======", end):
            place = _next(bare, marks[-1] + 1, wanted, begin)
            if place is None:
                break
            marks.append(place)
        if len(marks) == 4:
            parts = [b"".join(lines[a + 1 : b]) for a, b in pairwise(marks)]
            found.append(Place(marks[0], marks[3] + 1, Clash(parts[1], parts[0], parts[2])))
            at = marks[3]
        at += 1
    return found


def _next(lines: list[bytes], at: int, wanted: bytes, begin: bytes) -> int | None:
    while at < len(lines) and lines[at] != begin:
        if lines[at] == wanted:
            return at
        at += 1
    return None


def chosen(clash: Clash, choice: Choice) -> bytes:
    """The lines of a choice; of both, ours stand first."""
    if choice == "both":
        ours = clash.ours if clash.ours.endswith(b"\n") or not clash.ours else clash.ours + b"\n"
        return ours + clash.theirs
    return {"ours": clash.ours, "theirs": clash.theirs, "base": clash.base}[choice]


def settle(marked: bytes, labels: tuple[bytes, bytes, bytes], lines: Mapping[int, bytes]) -> bytes:
    """The file with these lines in the places with these numbers, from 1; other places stay marked."""
    all_lines = split_lines(marked)
    out: list[bytes] = []
    at = 0
    for number, place in enumerate(places(marked, labels), 1):
        out += all_lines[at : place.start]
        out += [lines[number]] if number in lines else all_lines[place.start : place.stop]
        at = place.stop
    return b"".join([*out, *all_lines[at:]])


def settled_by_hand(marked: bytes, labels: tuple[bytes, bytes, bytes], now: bytes) -> list[tuple[Clash, bytes]]:
    """What somebody wrote in the places of a marked file that is without its markers now.

    Only where the lines around a place are as they were: else nobody can tell what belongs to it.
    """
    before, after = split_lines(marked), split_lines(now)
    where: dict[int, int] = {-1: -1, len(before): len(after)}
    for tag, a_from, a_to, b_from, _ in diff_lines(before, after):
        if tag == "equal":
            where.update((a_from + step, b_from + step) for step in range(a_to - a_from))
    found = []
    for place in places(marked, labels):
        above, below = where.get(place.start - 1), where.get(place.stop)
        if above is None or below is None:
            continue
        wrote = b"".join(after[above + 1 : below])
        if not places(wrote, labels) and b"<<<<<<< " + labels[0] not in wrote:
            found.append((place.clash, wrote))
    return found
