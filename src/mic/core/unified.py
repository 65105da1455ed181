"""Unified diffs in the form that Git prints and `git apply` reads."""

from __future__ import annotations

from mic.core.linediff import Opcode, diff_lines, is_binary, split_lines

_NO_NEWLINE = b"\\ No newline at end of file\n"
_ESCAPES = {7: b"\\a", 8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r", 34: b'\\"', 92: b"\\\\"}


def unified(path_old: bytes | None, path_new: bytes | None, old: bytes, new: bytes, context: int = 3) -> bytes:
    """The change from `old` to `new` as a unified diff; empty when they are equal.

    A path of None stands for /dev/null: the file is added or deleted. Names are quoted as Git quotes them
    (core.quotePath). Binary contents give the one line `Binary files a/x and b/x differ`.
    """
    if old == new:
        return b""
    name_old = b"/dev/null" if path_old is None else quote_path(b"a/" + path_old)
    name_new = b"/dev/null" if path_new is None else quote_path(b"b/" + path_new)
    if is_binary(old) or is_binary(new):
        return b"Binary files " + name_old + b" and " + name_new + b" differ\n"
    a, b = split_lines(old), split_lines(new)
    pieces = [b"--- " + _ended(name_old), b"+++ " + _ended(name_new)]
    for hunk in hunks(diff_lines(a, b), context):
        pieces.append(b"@@ -%b +%b @@\n" % (line_range(hunk[0][1], hunk[-1][2]), line_range(hunk[0][3], hunk[-1][4])))
        for tag, a_from, a_to, b_from, b_to in hunk:
            if tag == "equal":
                pieces.extend(_line(b" ", line) for line in a[a_from:a_to])
                continue
            pieces.extend(_line(b"-", line) for line in a[a_from:a_to])
            pieces.extend(_line(b"+", line) for line in b[b_from:b_to])
    return b"".join(pieces)


def hunks(opcodes: list[Opcode], context: int = 3) -> list[list[Opcode]]:
    """Opcodes grouped into hunks with up to `context` equal lines around; changes closer than twice that share one."""
    groups: list[list[Opcode]] = []
    for index, (tag, a_from, a_to, b_from, b_to) in enumerate(opcodes):
        if tag != "equal":
            if not groups:
                groups.append([])
            groups[-1].append((tag, a_from, a_to, b_from, b_to))
            continue
        length = a_to - a_from
        first, last = index == 0, index == len(opcodes) - 1
        if not first and not last and length <= 2 * context:
            groups[-1].append((tag, a_from, a_to, b_from, b_to))
            continue
        kept = min(context, length)
        if not first and kept:
            groups[-1].append((tag, a_from, a_from + kept, b_from, b_from + kept))
        if not last:
            groups.append([(tag, a_to - kept, a_to, b_to - kept, b_to)] if kept else [])
    return groups


def quote_path(path: bytes) -> bytes:
    """A path as Git prints it: quoted, with C escapes, when it holds control or non-ASCII bytes, `"` or a backslash."""
    if all(32 <= byte < 127 and byte not in _ESCAPES for byte in path):
        return path
    quoted = (
        _ESCAPES[byte] if byte in _ESCAPES else bytes([byte]) if 32 <= byte < 127 else b"\\%03o" % byte for byte in path
    )
    return b'"' + b"".join(quoted) + b'"'


def _ended(name: bytes) -> bytes:
    # A tab ends a name that holds a space, so that readers do not take the rest for a time stamp.
    return name + (b"\t\n" if b" " in name else b"\n")


def line_range(start: int, end: int) -> bytes:
    """`start,count` with the first line as 1; an empty range names the line before it, a count of 1 is left out."""
    count = end - start
    if count == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + 1 if count else start, count)


def _line(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + b"\n" + _NO_NEWLINE
