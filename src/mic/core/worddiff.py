"""Differences word by word, for people: `[-old-]{+new+}` within the lines, as `git diff --word-diff` marks them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mic.core.linediff import diff_lines, split_lines
from mic.core.unified import hunks, line_range

# A name or number, with whatever is not ASCII; a run of blanks; any other sign alone.
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+|[ \t]+|\n|.", re.DOTALL)
# Beyond so many words one replaced block is shown as one: nobody reads further, and the search costs time.
_MOST_WORDS = 20_000
Mark = Callable[[str, bytes], bytes]


def word_hunks(old: bytes, new: bytes, mark: Mark, context: int = 3) -> bytes:
    """The hunks between two texts, changed words wrapped by `mark("delete" or "insert", words)`; b"" for equal ones.

    A mark never spans the end of a line.
    """
    a, b = split_lines(old), split_lines(new)
    pieces = []
    for hunk in hunks(diff_lines(a, b), context):
        pieces.append(b"@@ -%b +%b @@\n" % (line_range(hunk[0][1], hunk[-1][2]), line_range(hunk[0][3], hunk[-1][4])))
        for tag, a_from, a_to, b_from, b_to in hunk:
            before, after = b"".join(a[a_from:a_to]), b"".join(b[b_from:b_to])
            text = before if tag == "equal" else b"".join(_marked(before, after, mark))
            pieces.append(text if text.endswith(b"\n") else text + b"\n")
    return b"".join(pieces)


def plain_mark(tag: str, words: bytes) -> bytes:
    """`[-words-]` or `{+words+}`."""
    return b"[-" + words + b"-]" if tag == "delete" else b"{+" + words + b"+}"


def _marked(before: bytes, after: bytes, mark: Mark) -> Iterator[bytes]:
    a, b = _WORD.findall(before), _WORD.findall(after)
    if len(a) + len(b) > _MOST_WORDS:
        yield from _lines("delete", before, mark)
        yield from _lines("insert", after, mark)
        return
    for tag, a_from, a_to, b_from, b_to in diff_lines(a, b):
        if tag == "equal":
            yield _text(a, a_from, a_to)
            continue
        yield from _lines("delete", _text(a, a_from, a_to), mark)
        yield from _lines("insert", _text(b, b_from, b_to), mark)


def _text(words: list[bytes], start: int, stop: int) -> bytes:
    return b"".join(words[start:stop])


def _lines(tag: str, text: bytes, mark: Mark) -> Iterator[bytes]:
    for line in split_lines(text):
        words = line.removesuffix(b"\n")
        yield (mark(tag, words) if words else b"") + line[len(words) :]
