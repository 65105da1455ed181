"""Rows of a difference, and lines of a file, as HTML: at most two elements a line, readable in a text browser."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import zip_longest

from django.utils.safestring import SafeString, mark_safe

from micelio.languages.spoken import gettext
from micelio.languages.words import number_words
from micelio.pages.diffs import Diff, Hunk, Row

_TAG_OF = {"+": "ins", "-": "del", " ": "span"}


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


def diff_rows(diff: Diff, anchor: str, tags: Mapping[int, Sequence[tuple[str, str]]], whole: str = "") -> list[str]:
    """All rows of a file, safe, one string each; a hunk's title goes with its first row.

    `tags` puts short names of decisions (`D1`) with their addresses beside new line numbers: such a line gets the id
    `{anchor}L{number}`. `whole` is where a line that is cut can be read to its end.
    """
    old_width, new_width = _widths(diff.hunks)
    one_sided = is_one_sided(diff)
    parts: list[str] = []
    for index, hunk in enumerate(diff.hunks):
        head = _head(hunk, index)
        for row in hunk.rows:
            if one_sided:
                numbers = f"{row.old or row.new:>{max(old_width, new_width)}}"
            else:
                numbers = f"{row.old or '':>{old_width}} {row.new or '':>{new_width}}"
            parts.append(head + _element(row, numbers, anchor, tags, whole))
            head = ""
    return parts


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


def _element(
    row: Row,
    numbers: str,
    anchor: str,
    tags: Mapping[int, Sequence[tuple[str, str]]],
    whole: str,
    kind: str = "",
) -> str:
    tag = _TAG_OF[row.sign]
    names = tags.get(row.new, ()) if row.new is not None else ()
    place = f' id="{escape(anchor)}L{row.new}"' if names else ""
    kind = "v" if row.moved else kind
    place += f" class={kind}" if kind else ""
    sign = escape(_MOVED[row.sign]) if row.moved else row.sign
    links = "".join(f' <a class=tag href="{escape(to)}">{escape(name)}</a>' for name, to in names)
    return f"<{tag}{place}><i>{numbers} {sign}</i>{_text(row, whole)}{links}\n</{tag}>"


def line_rows(lines: Iterable[str], first: int = 1) -> Iterator[str]:
    """Lines of a file, already safe, each with its number as a link to itself; `first` is the number of the first."""
    return (f"<span id=L{n}><a href=#L{n}>{n}</a>{line}\n</span>" for n, line in enumerate(lines, first))


def join_rows(rows: Iterable[str]) -> SafeString:
    """Rows made here as one piece of HTML."""
    return mark_safe("".join(rows))  # noqa: S308
