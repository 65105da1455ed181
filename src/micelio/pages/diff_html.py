"""Rows of a difference, and lines of a file, as HTML: at most two elements a line, readable in a text browser."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from html import escape

from django.utils.safestring import SafeString, mark_safe

from micelio.pages.diffs import Diff, Hunk, Row

_TAG_OF = {"+": "ins", "-": "del", " ": "span"}


def _text(row: Row, whole: str) -> str:
    body = "".join(f"<mark>{escape(text)}</mark>" if marked else escape(text) for marked, text in row.pieces)
    if row.left_out:
        more = f"… {row.left_out:,} characters more"
        body += f' <a href="{escape(whole)}">{more}</a>' if whole else f" <em>{more}</em>"
    return body if row.ends else f"{body} <em>(no line end)</em>"


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
    # A file that is wholly new or wholly gone needs one column of numbers only.
    signs = {row.sign for hunk in diff.hunks for row in hunk.rows}
    one_sided = len(signs) == 1 and " " not in signs
    parts: list[str] = []
    for index, hunk in enumerate(diff.hunks):
        title = f"<span class=h>{escape(hunk.title)}\n</span>"
        head = title if index or hunk.old_start > 1 or hunk.new_start > 1 else ""
        for row in hunk.rows:
            tag = _TAG_OF[row.sign]
            if one_sided:
                numbers = f"{row.old or row.new:>{max(old_width, new_width)}}"
            else:
                numbers = f"{row.old or '':>{old_width}} {row.new or '':>{new_width}}"
            names = tags.get(row.new, ()) if row.new is not None else ()
            place = f' id="{escape(anchor)}L{row.new}"' if names else ""
            links = "".join(f' <a class=tag href="{escape(to)}">{escape(name)}</a>' for name, to in names)
            parts.append(f"{head}<{tag}{place}><i>{numbers} {row.sign}</i>{_text(row, whole)}{links}\n</{tag}>")
            head = ""
    return parts


def line_rows(lines: Iterable[str], first: int = 1) -> Iterator[str]:
    """Lines of a file, already safe, each with its number as a link to itself; `first` is the number of the first."""
    return (f"<span id=L{n}><a href=#L{n}>{n}</a>{line}\n</span>" for n, line in enumerate(lines, first))


def join_rows(rows: Iterable[str]) -> SafeString:
    """Rows made here as one piece of HTML."""
    return mark_safe("".join(rows))  # noqa: S308
