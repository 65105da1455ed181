"""Lines that stay the same although a difference calls them gone and come: re-indented ones, and ones that moved.

Who wrote a line does not change when it is indented otherwise, nor when it stands elsewhere in its file. What is said
here is never likely, only the case: the text of two such lines is the same but for white space.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Sequence

from mic.core.linediff import Opcode, diff_lines, split_lines
from mic.core.textdiff import diff_texts

_NONE = -1


def without_space(line: bytes) -> bytes:
    """A line without its white space (of ASCII), which includes its end."""
    return b"".join(line.split())


def carried(
    opcodes: Sequence[Opcode], gone: Sequence[bytes], come: Sequence[bytes], in_old: Callable[[bytes], int]
) -> list[tuple[int, int]]:
    """(line in the old text, line in the new one) of each line that is gone and come and yet the same.

    `opcodes` turn the old text into the new one; `gone` and `come` are the lines of those that are not equal, in their
    order; `in_old` is how often a line stands in the whole old text.

    A line is the same, first, when it stands in the place of one that differs in white space alone. Of what is left a
    line has moved when both texts have it once, where what tells is its text without white space among the lines that
    are gone and come, and it has a letter or a digit: a brace that went and one that came are not one brace.
    """
    if not gone or not come:
        return []
    texts_gone, texts_come = list(map(without_space, gone)), list(map(without_space, come))
    if set(texts_gone).isdisjoint(texts_come):
        return []
    pairs: list[tuple[int, int]] = []
    old: list[tuple[int, int]] = []  # line, and number in `gone`; of those that are in no pair
    new: list[tuple[int, int]] = []
    at_gone = at_come = 0
    for tag, a1, a2, b1, b2 in opcodes:
        if tag == "equal":
            continue
        left, right = texts_gone[at_gone : at_gone + a2 - a1], texts_come[at_come : at_come + b2 - b1]
        for same, from_old, to_old, from_new, to_new in _alike(left, right):
            if same == "equal":
                pairs += zip(range(a1 + from_old, a1 + to_old), range(b1 + from_new, b1 + to_new), strict=True)
            else:
                old += [(a1 + at, at_gone + at) for at in range(from_old, to_old)]
                new += [(b1 + at, at_come + at) for at in range(from_new, to_new)]
        at_gone, at_come = at_gone + a2 - a1, at_come + b2 - b1
    return pairs + _moved(old, new, (gone, come), (texts_gone, texts_come), in_old)


def _alike(left: list[bytes], right: list[bytes]) -> list[Opcode]:
    if set(left).isdisjoint(right):
        return [("replace", 0, len(left), 0, len(right))]
    return diff_lines(left, right)


def _moved(
    old: list[tuple[int, int]],
    new: list[tuple[int, int]],
    lines: tuple[Sequence[bytes], Sequence[bytes]],
    texts: tuple[list[bytes], list[bytes]],
    in_old: Callable[[bytes], int],
) -> list[tuple[int, int]]:
    gone, come = lines
    once_gone = Counter(texts[0][number] for _, number in old)
    once_come = Counter(texts[1][number] for _, number in new)
    where = {texts[0][number]: (line, number) for line, number in old}
    all_gone: Counter[bytes] | None = None
    all_come: Counter[bytes] | None = None
    pairs = []
    for line, number in new:
        text = texts[1][number]
        if once_gone[text] != 1 or once_come[text] != 1 or not _tells(text):
            continue
        before, other = where[text]
        if all_gone is None or all_come is None:
            all_gone, all_come = Counter(gone), Counter(come)
        here = come[number]
        if in_old(gone[other]) == 1 and in_old(here) - all_gone[here] + all_come[here] == 1:
            pairs.append((before, line))
    return pairs


def _tells(text: bytes) -> bool:
    """Whether a text has a letter or a digit; bytes that are not ASCII count as letters."""
    return any(byte >= 128 or chr(byte).isalnum() for byte in text)


def followed(old: bytes, new: bytes) -> array[int]:
    """For each line of a text the line of an older one that it is, -1 where it is none of them."""
    opcodes = diff_texts(old, new)
    a, b = split_lines(old), split_lines(new)
    here = array("i", [_NONE]) * len(b)
    gone: list[bytes] = []
    come: list[bytes] = []
    for tag, a1, a2, b1, b2 in opcodes:
        if tag == "equal":
            here[b1:b2] = array("i", range(a1, a2))
        else:
            gone += a[a1:a2]
            come += b[b1:b2]
    counted: list[Counter[bytes]] = []

    def in_old(line: bytes) -> int:
        if not counted:
            counted.append(Counter(a))
        return counted[0][line]

    for before, line in carried(opcodes, gone, come, in_old):
        here[line] = before
    return here
