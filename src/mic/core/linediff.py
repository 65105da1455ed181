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
# Of what two texts share behind their last difference, so many lines are looked at first: a change may slide there.
_AROUND = 16
# So many lines are looked for in a text one by one; for more of them the text is taken apart.
_FEW = 32
# Bytes of two texts that are compared at once: few at first.
_FIRST_STRIDE, _STRIDE = 1 << 10, 1 << 16
# Around a difference so many lines are taken apart, or more, until so many lines in a row are alike.
_PIECE, _LARGEST_PIECE = 12, 1_000
_ALIKE = 4
# Differences that are tried first, in lines of both texts, and how many bytes behind them must be alike.
_SMALL = ((1, 1), (0, 1), (1, 0), (1, 2), (2, 1), (2, 2), (0, 2), (2, 0))
_SURE = 64

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
    return _diffed(a, b, set(a) & set(b))


def _diffed(a: list[bytes], b: list[bytes], both: set[bytes]) -> list[Opcode]:
    """As `diff_lines`; `both`: the lines of `a` and `b` that stand anywhere in both of the whole texts."""
    numbers: dict[bytes, int] = {}
    left = [numbers.setdefault(line, len(numbers)) for line in a]
    right = [numbers.setdefault(line, len(numbers)) for line in b]
    changed_left, changed_right = _changed_lines(left, right, {numbers[line] for line in both})
    _slide(left, changed_left, _gaps(changed_right))
    _slide(right, changed_right, _gaps(changed_left))
    return _opcodes(changed_left, changed_right)


def diff_texts(old: bytes, new: bytes) -> list[Opcode]:
    """What `diff_lines` says of the lines of two texts, quickly where the two begin and end alike.

    Of 10,000 lines in which a few changed, those few are taken apart and the others are only compared: 0.3 ms, not 10.
    """
    if old == new:
        lines = count_lines(new)
        return [("equal", 0, lines, 0, lines)] if lines else []
    begin, end_old, end_new = _differing(old, new)
    before = new.count(b"\n", 0, begin)
    around = _AROUND
    while True:
        behind = _behind(new, end_new, around)
        a = split_lines(old[begin : end_old + behind - end_new])
        b = split_lines(new[begin:behind])
        opcodes = _diffed(a, b, _in_both(a, b, (new[:begin], new[behind:])))
        # A change that lies against the end of what was taken apart might slide further down.
        if behind == len(new) or (opcodes and opcodes[-1][0] == "equal"):
            break
        around *= 16
    rest = count_lines(new[behind:])
    shifted = [(tag, a1 + before, a2 + before, b1 + before, b2 + before) for tag, a1, a2, b1, b2 in opcodes]
    if before:
        if shifted and shifted[0][0] == "equal":
            shifted[0] = ("equal", 0, shifted[0][2], 0, shifted[0][4])
        else:
            shifted.insert(0, ("equal", 0, before, 0, before))
    if rest:
        _, a1, a2, b1, b2 = shifted.pop()
        shifted.append(("equal", a1, a2 + rest, b1, b2 + rest))
    return shifted


def _in_both(a: list[bytes], b: list[bytes], around: tuple[bytes, bytes]) -> set[bytes]:
    """The lines of either list that stand in the other, too, or in what the two texts have `around` them."""
    left, right = set(a), set(b)
    both = left & right
    if not both:
        # Nothing can match, whatever stands elsewhere.
        return both
    alone = {line for line in left ^ right if line.endswith(b"\n")}
    if len(alone) <= _FEW:
        return both | {
            line for line in alone for part in around if part.startswith(line) or part.find(b"\n" + line) >= 0
        }
    return both.union(*(alone.intersection(split_lines(part)) for part in around))


class Versions:
    """The versions of a text, compared newest to oldest, each with the one before it.

    Says what `diff_texts` does. Where many places differ, what is alike between them is only compared as bytes: 0.5 ms
    for 10,000 lines, not 7. That is the answer when no changed line stands anywhere in the other text. For then what
    is left of both is one and the same, and nothing else could be matched with anything.
    """

    def __init__(self, text: bytes) -> None:
        lines = split_lines(text)
        self.text = text
        self.lines = len(lines)
        self._count = Counter(lines)

    def older(self, old: bytes) -> list[Opcode]:
        """How to turn the version before this one into it; from now on that is the one that is compared."""
        gone: list[bytes] = []
        come: list[bytes] = []
        opcodes = _piece_by_piece(old, self.text, self.lines, self._count, gone, come)
        self._count.subtract(come)
        if opcodes is None or any(map(self._count.__getitem__, come)):
            self._count.update(come)
            opcodes = diff_texts(old, self.text)
            a, b = split_lines(old), split_lines(self.text)
            changes = [opcode for opcode in opcodes if opcode[0] != "equal"]
            gone = [line for _, a1, a2, _, _ in changes for line in a[a1:a2]]
            self._count.subtract([line for _, _, _, b1, b2 in changes for line in b[b1:b2]])
        self._count.update(gone)
        self.text = old
        self.lines = opcodes[-1][2] if opcodes else 0
        return opcodes


def _piece_by_piece(
    old: bytes, new: bytes, lines: int, count: Counter[bytes], gone: list[bytes], come: list[bytes]
) -> list[Opcode] | None:
    """A way to turn `old` into `new`, of so many lines, counted. The lines that go and come are appended to the lists.

    None when too much differs in one place, or a line that goes stands in `new`.
    """
    opcodes: list[Opcode] = []
    at_old = at_new = line_old = line_new = 0
    while True:
        same = _alike(old, new, at_old, at_new)
        if at_old + same == len(old) and at_new + same == len(new):
            _put_equal(opcodes, line_old, line_new, lines - line_new)
            return opcodes
        same = max(old.rfind(b"\n", at_old, at_old + same) + 1 - at_old, 0)
        alike = new.count(b"\n", at_new, at_new + same)
        _put_equal(opcodes, line_old, line_new, alike)
        at_old, at_new, line_old, line_new = at_old + same, at_new + same, line_old + alike, line_new + alike
        found = _piece(old, new, at_old, at_new)
        if found is None:
            return None
        a, b, piece = found
        for tag, a1, a2, b1, b2 in piece:
            if tag == "equal":
                _put_equal(opcodes, line_old + a1, line_new + b1, a2 - a1)
            else:
                if any(map(count.__getitem__, a[a1:a2])):
                    return None
                opcodes.append((tag, line_old + a1, line_old + a2, line_new + b1, line_new + b2))
                gone += a[a1:a2]
                come += b[b1:b2]
        _, _, stop_old, _, stop_new = piece[-1]
        at_old += sum(map(len, a[:stop_old]))
        at_new += sum(map(len, b[:stop_new]))
        line_old, line_new = line_old + stop_old, line_new + stop_new


def _piece(old: bytes, new: bytes, at_old: int, at_new: int) -> tuple[list[bytes], list[bytes], list[Opcode]] | None:
    """The lines from two places on up to some that are alike again, or to the end, and how they differ."""
    small = _small(old, new, at_old, at_new)
    if small is not None:
        return small
    size = _PIECE
    while size <= _LARGEST_PIECE:
        end_old, end_new = _behind(old, at_old, size), _behind(new, at_new, size)
        a, b = split_lines(old[at_old:end_old]), split_lines(new[at_new:end_new])
        piece = diff_lines(a, b)
        if end_old < len(old) or end_new < len(new):
            while piece and (piece[-1][0] != "equal" or piece[-1][2] - piece[-1][1] < _ALIKE):
                piece.pop()
        if piece:
            return a, b, piece
        size *= 8
    return None


def _small(old: bytes, new: bytes, at_old: int, at_new: int) -> tuple[list[bytes], list[bytes], list[Opcode]] | None:
    """A difference of one or two lines, by a look at what follows them: a tenth of what it takes to search for it."""
    ends_old, ends_new = _ends(old, at_old), _ends(new, at_new)
    for lines_old, lines_new in _SMALL:
        end_old, end_new = ends_old[lines_old], ends_new[lines_new]
        rest = old[end_old : end_old + _SURE]
        if rest == new[end_new : end_new + _SURE] and b"\n" in rest:
            tag = "replace" if lines_old and lines_new else "delete" if lines_old else "insert"
            a, b = split_lines(old[at_old:end_old]), split_lines(new[at_new:end_new])
            return a, b, [(tag, 0, len(a), 0, len(b))]
    return None


def _ends(text: bytes, at: int) -> tuple[int, int, int]:
    """A place, and where the line that begins there ends, and the next."""
    first = text.find(b"\n", at) + 1 or len(text)
    return at, first, text.find(b"\n", first) + 1 or len(text)


def _put_equal(opcodes: list[Opcode], line_old: int, line_new: int, lines: int) -> None:
    """More lines that are alike, as one with those before them."""
    if not lines:
        return
    if opcodes and opcodes[-1][0] == "equal":
        _, line_old, _, line_new, end = opcodes.pop()
        lines += end - line_new
    opcodes.append(("equal", line_old, line_old + lines, line_new, line_new + lines))


def count_lines(text: bytes) -> int:
    """How many lines `split_lines` makes of a text."""
    return text.count(b"\n") + (not text.endswith(b"\n") and text != b"")


def _differing(old: bytes, new: bytes) -> tuple[int, int, int]:
    """Where the lines begin that differ, in both texts, and where they end, in each. The texts are not equal."""
    begin = _alike(old, new)
    begin = old.rfind(b"\n", 0, begin) + 1
    most = min(len(old), len(new)) - begin
    same = _alike_at_end(old, new, most)
    for text in (old, new):
        at = len(text) - same
        if at > begin and text[at - 1] != 10:
            line_end = text.find(b"\n", at)
            same = len(text) - line_end - 1 if line_end >= 0 else 0
    return begin, len(old) - same, len(new) - same


def _alike(a: bytes, b: bytes, from_a: int = 0, from_b: int = 0) -> int:
    """How many bytes two texts have in common from two places on."""
    most, low, stride = min(len(a) - from_a, len(b) - from_b), 0, _FIRST_STRIDE
    while low < most and a[from_a + low : from_a + low + stride] == b[from_b + low : from_b + low + stride]:
        low += stride
        stride = min(stride * 2, _STRIDE)
    if low >= most:
        return most
    high = min(low + stride, most)
    while low < high:
        middle = (low + high + 1) // 2
        if a[from_a + low : from_a + middle] == b[from_b + low : from_b + middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _alike_at_end(a: bytes, b: bytes, most: int) -> int:
    """How many bytes two texts have in common at their end, at most so many."""
    low, end_a, end_b = 0, len(a), len(b)

    def same(first: int, last: int) -> bool:
        return a[end_a - last : end_a - first] == b[end_b - last : end_b - first]

    while low + _STRIDE <= most and same(low, low + _STRIDE):
        low += _STRIDE
    high = min(low + _STRIDE, most)
    while low < high:
        middle = (low + high + 1) // 2
        if same(low, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _behind(text: bytes, at: int, lines: int) -> int:
    """Where so many lines end that begin at a place."""
    for _ in range(lines):
        at = text.find(b"\n", at) + 1 or len(text)
        if at == len(text):
            break
    return at


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
