"""Line differences: shortest edit scripts for ordinary files, bounded work for hostile ones.

Myers' divide and conquer ("An O(ND) Difference Algorithm and Its Variations", 1986, section 4b) over interned lines.
A region that costs more than its share is split at lines that occur once on each side (patience diff), or where the
search has come farthest; what is left when the budget is spent becomes one replacement. Runs of changes then slide as
Git's do, so that hunks look alike.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

# One step is about 0.25 microseconds in CPython 3.11: at most 0.4 s for one file.
_MAX_STEPS = 1_500_000
# Edit distance, counted from one end, that one split may search: 300 * 300 steps.
_MAX_DEPTH = 300
# Times that a region may be split again at unique lines; each round reads the region once.
_MAX_ROUNDS = 24
_INFINITY = 1 << 62

Opcode = tuple[str, int, int, int, int]
_Box = tuple[int, int, int, int, int]


def split_lines(data: bytes) -> list[bytes]:
    """Lines of `data` with their LF; only LF ends a line, and the last line may lack one. Joined, they are `data`."""
    parts = data.split(b"\n")
    last = parts.pop()
    lines = [part + b"\n" for part in parts]
    if last:
        lines.append(last)
    return lines


def is_binary(data: bytes) -> bool:
    """Whether `data` is shown and merged as binary: a NUL in the first 8,000 bytes, Git's rule."""
    return b"\0" in data[:8000]


def count_changes(old: bytes, new: bytes) -> tuple[int, int]:
    """(lines added, lines deleted) between two contents; (0, 0) when either is binary."""
    if old == new or is_binary(old) or is_binary(new):
        return 0, 0
    added = deleted = 0
    for tag, a_from, a_to, b_from, b_to in diff_lines(split_lines(old), split_lines(new)):
        if tag != "equal":
            added += b_to - b_from
            deleted += a_to - a_from
    return added, deleted


def diff_lines(a: list[bytes], b: list[bytes]) -> list[Opcode]:
    """How to turn `a` into `b`: `(tag, a_from, a_to, b_from, b_to)` with difflib's tags, in order, without gaps.

    Tags are equal, replace, delete, insert; no two neighbours are both changes. Never longer than 1 s or so for any
    two files of 50,000 lines: past the budget a region becomes one replace.
    """
    return diff_parts(a, b, set(a) & set(b))


def diff_parts(a: list[bytes], b: list[bytes], both: set[bytes]) -> list[Opcode]:
    """As `diff_lines`; `both`: the lines of `a` and `b` that stand anywhere in both of the whole texts."""
    numbers: dict[bytes, int] = {}
    left = [numbers.setdefault(line, len(numbers)) for line in a]
    right = [numbers.setdefault(line, len(numbers)) for line in b]
    changed_left, changed_right = _changed_lines(left, right, {numbers[line] for line in both})
    _slide(left, changed_left, _gaps(changed_right))
    _slide(right, changed_right, _gaps(changed_left))
    return _opcodes(changed_left, changed_right)


def _changed_lines(left: list[int], right: list[int], shared: set[int]) -> tuple[bytearray, bytearray]:
    """One flag a line: 1 where it is not part of the common subsequence. Each array ends with a 0 for no line.

    `shared`: the lines that both sides have.
    """
    flags_left, flags_right = bytearray(len(left) + 1), bytearray(len(right) + 1)
    start, _, end_left, end_right = _trim(left, right, 0, len(left), 0, len(right))
    # Lines that the other side lacks can match nothing: the search goes over the others only. As in Git, a line that
    # the other side has in what was trimmed is not left out: of several shortest scripts, another would be found.
    kept_left = [index for index in range(start, end_left) if left[index] in shared]
    kept_right = [index for index in range(start, end_right) if right[index] in shared]
    flags_left[start:end_left] = b"\1" * (end_left - start)
    flags_right[start:end_right] = b"\1" * (end_right - start)
    search = _Search([left[index] for index in kept_left], [right[index] for index in kept_right])
    for at_left, at_right, length in search.matches():
        for offset in range(length):
            flags_left[kept_left[at_left + offset]] = 0
            flags_right[kept_right[at_right + offset]] = 0
    return flags_left, flags_right


def _trim(
    left: list[int], right: list[int], from_left: int, to_left: int, from_right: int, to_right: int
) -> tuple[int, int, int, int]:
    """The region without its common beginning and end: (from_left, from_right, to_left, to_right)."""
    while from_left < to_left and from_right < to_right and left[from_left] == right[from_right]:
        from_left += 1
        from_right += 1
    while from_left < to_left and from_right < to_right and left[to_left - 1] == right[to_right - 1]:
        to_left -= 1
        to_right -= 1
    return from_left, from_right, to_left, to_right


class _Search:
    """Finds the common lines of two lists, region by region."""

    def __init__(self, left: list[int], right: list[int]) -> None:
        self._left = left
        self._right = right
        self._steps = _MAX_STEPS
        self._found: list[tuple[int, int, int]] = []

    def matches(self) -> list[tuple[int, int, int]]:
        """(index left, index right, length) of each run of common lines, in no particular order."""
        pending: list[_Box] = [(0, len(self._left), 0, len(self._right), _MAX_ROUNDS)]
        while pending:
            from_left, to_left, from_right, to_right, rounds = pending.pop()
            start, start_right, end, end_right = _trim(
                self._left, self._right, from_left, to_left, from_right, to_right
            )
            self._found.append((from_left, from_right, start - from_left))
            self._found.append((end, end_right, to_left - end))
            if start == end or start_right == end_right:
                continue
            split, shortest = self._middle(start, end, start_right, end_right)
            if not shortest and rounds:
                anchored = self._anchored(start, end, start_right, end_right, rounds - 1)
                pending += anchored
                split = None if anchored else split
            if split is not None:
                pending.append((start, split[0], start_right, split[1], rounds))
                pending.append((split[0], end, split[1], end_right, rounds))
        return self._found

    def _middle(
        self, from_left: int, to_left: int, from_right: int, to_right: int
    ) -> tuple[tuple[int, int] | None, bool]:
        """A point on a shortest edit path through the region and True, searched from both ends.

        Past the depth of one search: the farthest point reached from the start, and False. Past the budget of the
        whole file: None and False. Diagonal d holds the points with left - right == d; `ahead[d]` is how far the
        search from the start has come on it, `back[d]` the one from the end.
        """
        left, right = self._left, self._right
        lowest, highest = from_left - to_right, to_left - from_right
        size = highest - lowest + 3
        shift = 1 - lowest
        ahead, back = [-1] * size, [_INFINITY] * size
        first, last = from_left - from_right, to_left - to_right
        ahead[first + shift], back[last + shift] = from_left, to_left
        ahead_low = ahead_high = first
        back_low = back_high = last
        odd = (first - last) & 1
        for depth in range(1, _MAX_DEPTH + 1):
            self._steps -= 2 * depth
            if self._steps < 0:
                return None, False
            ahead_low, ahead_high = _widen(ahead, ahead_low, ahead_high, lowest, highest, shift, -1)
            for diagonal in range(ahead_high, ahead_low - 1, -2):
                at = diagonal + shift
                x = ahead[at - 1] + 1 if ahead[at - 1] >= ahead[at + 1] else ahead[at + 1]
                y = x - diagonal
                while x < to_left and y < to_right and left[x] == right[y]:
                    x += 1
                    y += 1
                ahead[at] = x
                if odd and back_low <= diagonal <= back_high and back[at] <= x:
                    return (x, y), True
            back_low, back_high = _widen(back, back_low, back_high, lowest, highest, shift, _INFINITY)
            for diagonal in range(back_high, back_low - 1, -2):
                at = diagonal + shift
                x = back[at - 1] if back[at - 1] < back[at + 1] else back[at + 1] - 1
                y = x - diagonal
                while x > from_left and y > from_right and left[x - 1] == right[y - 1]:
                    x -= 1
                    y -= 1
                back[at] = x
                if not odd and ahead_low <= diagonal <= ahead_high and x <= ahead[at]:
                    return (x, y), True
        reached = [
            (ahead[diagonal + shift], ahead[diagonal + shift] - diagonal)
            for diagonal in range(ahead_low, ahead_high + 1, 2)
        ]
        return max((p for p in reached if p[0] <= to_left and from_right <= p[1] <= to_right), key=sum), False

    def _anchored(self, from_left: int, to_left: int, from_right: int, to_right: int, rounds: int) -> list[_Box]:
        """The regions between the lines that occur once on each side, taken as common where their order agrees."""
        count_left = Counter(self._left[from_left:to_left])
        count_right = Counter(self._right[from_right:to_right])
        where = {
            self._right[index]: index for index in range(from_right, to_right) if count_right[self._right[index]] == 1
        }
        pairs = [
            (index, where[self._left[index]])
            for index in range(from_left, to_left)
            if count_left[self._left[index]] == 1 and self._left[index] in where
        ]
        regions: list[_Box] = []
        for at_left, at_right in _longest_increasing(pairs):
            self._found.append((at_left, at_right, 1))
            regions.append((from_left, at_left, from_right, at_right, rounds))
            from_left, from_right = at_left + 1, at_right + 1
        if regions:
            regions.append((from_left, to_left, from_right, to_right, rounds))
        return regions


def _widen(
    reached: list[int], low: int, high: int, lowest: int, highest: int, shift: int, nothing: int
) -> tuple[int, int]:
    """The diagonals of the next depth, kept inside the region; new neighbours hold `nothing`."""
    if low > lowest:
        low -= 1
        reached[low - 1 + shift] = nothing
    else:
        low += 1
    if high < highest:
        high += 1
        reached[high + 1 + shift] = nothing
    else:
        high -= 1
    return low, high


def _longest_increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest subsequence of pairs (sorted by their first) whose seconds increase, by patience sorting."""
    tops: list[int] = []
    piles: list[int] = []
    before = [-1] * len(pairs)
    for index, (_, second) in enumerate(pairs):
        pile = bisect_left(tops, second)
        if pile:
            before[index] = piles[pile - 1]
        if pile == len(tops):
            tops.append(second)
            piles.append(index)
        else:
            tops[pile] = second
            piles[pile] = index
    chain = []
    index = piles[-1] if piles else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _gaps(flags: bytearray) -> set[int]:
    """Where changed lines stand, each run as the number of unchanged lines before it."""
    gaps = set()
    unchanged = end = 0
    while (start := flags.find(1, end)) >= 0:
        unchanged += start - end
        gaps.add(unchanged)
        end = flags.find(0, start)
    return gaps


def _slide(lines: list[int], flags: bytearray, others: set[int]) -> None:
    """Moves each run of changes to where Git shows it, in place.

    A run may move down past an equal line, and joins the runs it touches. It goes as far down as it can, or to the
    last place where the other side has a change too, so that a replacement stays one. `others`: `_gaps` of that side.
    """
    unchanged = end = 0
    while (start := flags.find(1, end)) >= 0:
        unchanged += start - end
        end = flags.find(0, start)
        size = -1
        while end - start != size:
            size = end - start
            while start > 0 and lines[start - 1] == lines[end - 1]:
                start, end, unchanged = start - 1, end - 1, unchanged - 1
                flags[start], flags[end] = 1, 0
                while start > 0 and flags[start - 1]:
                    start -= 1
            aligned = end if unchanged in others else -1
            while end < len(lines) and lines[start] == lines[end]:
                flags[start], flags[end] = 0, 1
                start, end, unchanged = start + 1, end + 1, unchanged + 1
                while flags[end]:
                    end += 1
                if unchanged in others:
                    aligned = end
        while aligned >= 0 and end > aligned:
            start, end, unchanged = start - 1, end - 1, unchanged - 1
            flags[start], flags[end] = 1, 0


def _opcodes(flags_left: bytearray, flags_right: bytearray) -> list[Opcode]:
    """The opcodes that two flag arrays describe."""
    opcodes: list[Opcode] = []
    at_left = at_right = 0
    size_left, size_right = len(flags_left) - 1, len(flags_right) - 1
    while at_left < size_left or at_right < size_right:
        next_left = flags_left.find(1, at_left)
        next_right = flags_right.find(1, at_right)
        equal = min(
            (next_left if next_left >= 0 else size_left) - at_left,
            (next_right if next_right >= 0 else size_right) - at_right,
        )
        if equal:
            opcodes.append(("equal", at_left, at_left + equal, at_right, at_right + equal))
            at_left, at_right = at_left + equal, at_right + equal
        end_left, end_right = flags_left.find(0, at_left), flags_right.find(0, at_right)
        if end_left > at_left or end_right > at_right:
            tag = "replace" if end_left > at_left and end_right > at_right else "delete"
            tag = "insert" if end_left == at_left else tag
            opcodes.append((tag, at_left, end_left, at_right, end_right))
            at_left, at_right = end_left, end_right
    return opcodes
