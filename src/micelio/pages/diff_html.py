"""Rows of a difference, and lines of a file, as HTML: at most two elements a line, readable in a text browser.

Lines of one kind that follow each other share an element, and unchanged ones have none but their number's. What that
leaves of the two goes to the marks of words that differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import zip_longest

from django.utils.safestring import SafeString, mark_safe

from micelio.languages.spoken import gettext
from micelio.languages.words import number_words
from micelio.pages.diffs import Diff, Hunk, Piece, Row

_TAG_OF = {"+": "ins", "-": "del", " ": "span"}
_MOST_ELEMENTS = 2


@dataclass(frozen=True)
class RowHtml:
    """A row, safe, that begins by closing the row before it where it must; `close` ends the last row of a page."""

    html: str
    close: str


def _text(row: Row, whole: str) -> str:
    body = "".join(f"<mark>{escape(text)}</mark>" if marked else escape(text) for marked, text in row.pieces)
    if row.left_out:
        more = gettext("… {count} characters more").format(count=number_words(row.left_out))
        body += f' <a href="{escape(whole)}">{more}</a>' if whole else f" <em>{more}</em>"
    return body if row.ends else f"{body} <em>{gettext('(no line end)')}</em>"


def _widths(hunks: Collection[Hunk]) -> tuple[int, int]:
    """Columns that the largest old and new line numbers need."""
    old = max((hunk.old_start + hunk.old_lines for hunk in hunks), default=0)
    new = max((hunk.new_start + hunk.new_lines for hunk in hunks), default=0)
    return len(str(old)), len(str(new))


def diff_rows(diff: Diff, anchor: str, tags: Mapping[int, Sequence[tuple[str, str]]], whole: str = "") -> list[RowHtml]:
    """All rows of a file; a hunk's title goes with its first row. `join_taken` makes a page of the first of them.

    `tags` puts short names of decisions (`D1`) with their addresses beside new line numbers: such a line gets the id
    `{anchor}L{number}`. `whole` is where a line that is cut can be read to its end.
    """
    old_width, new_width = _widths(diff.hunks)
    one_sided = is_one_sided(diff)
    parts: list[RowHtml] = []
    kind, close = (" ", False), ""
    for index, hunk in enumerate(affordable(diff).hunks):
        head = _head(hunk, index)
        for row in hunk.rows:
            if one_sided:
                numbers = f"{row.old or row.new:>{max(old_width, new_width)}}"
            else:
                numbers = f"{row.old or '':>{old_width}} {row.new or '':>{new_width}}"
            line = _line(row, numbers, anchor, tags, whole)
            if head or (row.sign, row.moved) != kind:
                kind, before = (row.sign, row.moved), close
                open_, close = _run(row)
                line = before + head + open_ + line
            parts.append(RowHtml(line, close))
            head = ""
    return parts


def join_taken(rows: Sequence[RowHtml]) -> SafeString:
    """The first rows of `diff_rows` as one piece of HTML."""
    return join_rows([*(row.html for row in rows), rows[-1].close] if rows else [])


def _run(row: Row) -> tuple[str, str]:
    """What stands before and behind lines of this kind."""
    if row.sign == " ":
        return "", ""
    tag = _TAG_OF[row.sign]
    return f"<{tag}{' class=v' if row.moved else ''}>", f"</{tag}>"


def affordable(diff: Diff) -> Diff:
    """With as many marks as two elements a line allow: of words, else one a line around all that differs, else none."""
    rows = [row for hunk in diff.hunks for row in hunk.rows]
    kinds = [(row.sign, row.moved) for row in rows]
    runs = sum(kind[0] != " " and (n == 0 or kind != kinds[n - 1]) for n, kind in enumerate(kinds))
    heads = sum(bool(_head(hunk, index)) for index, hunk in enumerate(diff.hunks))
    left = (_MOST_ELEMENTS - 1) * len(rows) - runs - heads
    marks = [sum(marked for marked, _ in row.pieces) for row in rows]
    if sum(marks) <= left:
        return diff
    change = _around if sum(map(bool, marks)) <= left else _plain
    hunks = (
        replace(hunk, rows=tuple(replace(row, pieces=change(row.pieces)) for row in hunk.rows)) for hunk in diff.hunks
    )
    return replace(diff, hunks=tuple(hunks))


def _plain(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    return ((False, "".join(text for _, text in pieces)),)


def _around(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """One mark from the first word that differs to the last."""
    marked = [n for n, (differs, _) in enumerate(pieces) if differs]
    if not marked:
        return tuple(pieces)
    first, last = marked[0], marked[-1] + 1
    return (*pieces[:first], (True, "".join(text for _, text in pieces[first:last])), *pieces[last:])


def split_rows(
    diff: Diff, anchor: str, tags: Mapping[int, Sequence[tuple[str, str]]], whole: str = ""
) -> list[tuple[str, int]]:
    """As `diff_rows` for two columns, of a file that has both sides: (HTML of both, how many rows are in it).

    Each is two elements of a grid; `b` stands where a side has nothing, `r` marks what stands on the left as well.
    """
    old_width, new_width = _widths(diff.hunks)
    parts: list[tuple[str, int]] = []

    def left(row: Row) -> str:
        return _element(row, f"{row.old or '':>{old_width}}", anchor, {}, whole)

    def right(row: Row, kind: str = "") -> str:
        return _element(row, f"{row.new or '':>{new_width}}", anchor, tags, whole, kind)

    for index, hunk in enumerate(diff.hunks):
        head = _head(hunk, index)
        for gone, come in _pairs(hunk.rows):
            if gone is come:
                assert gone is not None
                html = left(gone) + right(gone, "r")
            else:
                html = (left(gone) if gone else "<b></b>") + (right(come) if come else "<b></b>")
            parts.append((head + html, 1 if gone is come else (gone is not None) + (come is not None)))
            head = ""
    return parts


def _pairs(rows: Sequence[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """What stands beside each other: an unchanged row beside itself, taken out ones beside those put in for them."""
    gone: list[Row] = []
    come: list[Row] = []
    for row in rows:
        if row.sign == "-" and not come:
            gone.append(row)
        elif row.sign == "+":
            come.append(row)
        else:
            yield from zip_longest(gone, come)
            gone, come = ([row], []) if row.sign == "-" else ([], [])
            if row.sign == " ":
                yield row, row
    yield from zip_longest(gone, come)


def is_one_sided(diff: Diff) -> bool:
    """A file that is wholly new or wholly gone: one column of numbers, and nothing to stand beside."""
    signs = {row.sign for hunk in diff.hunks for row in hunk.rows}
    return len(signs) == 1 and " " not in signs


def _head(hunk: Hunk, index: int) -> str:
    title = f"<span class=h>{escape(hunk.title)}\n</span>"
    return title if index or hunk.old_start > 1 or hunk.new_start > 1 else ""


# A line that lies elsewhere afterwards has an arrow for its sign: away from here, or to here.
_MOVED = {"-": "<", "+": ">"}


def _line(row: Row, numbers: str, anchor: str, tags: Mapping[int, Sequence[tuple[str, str]]], whole: str) -> str:
    """The number, the text and the names of decisions of one line."""
    names = tags.get(row.new, ()) if row.new is not None else ()
    place = f' id="{escape(anchor)}L{row.new}"' if names else ""
    sign = escape(_MOVED[row.sign]) if row.moved else row.sign
    links = "".join(f' <a class=tag href="{escape(to)}">{escape(name)}</a>' for name, to in names)
    return f"<i{place}>{numbers} {sign}</i>{_text(row, whole)}{links}\n"


def _element(
    row: Row,
    numbers: str,
    anchor: str,
    tags: Mapping[int, Sequence[tuple[str, str]]],
    whole: str,
    kind: str = "",
) -> str:
    """A line in an element of its own."""
    tag, kind = _TAG_OF[row.sign], "v" if row.moved else kind
    return f"<{tag}{f' class={kind}' if kind else ''}>{_line(row, numbers, anchor, tags, whole)}</{tag}>"


def line_rows(lines: Iterable[str], first: int = 1, marked: range = range(0)) -> Iterator[str]:
    """Lines of a file, already safe, each with its number as a link to itself; `first` is the number of the first."""
    for n, line in enumerate(lines, first):
        element = "mark" if n in marked else "span"
        yield f"<{element} id=L{n}><a href=#L{n}>{n}</a>{line}\n</{element}>"


def join_rows(rows: Iterable[str]) -> SafeString:
    """Rows made here as one piece of HTML."""
    return mark_safe("".join(rows))  # noqa: S308
