"""Rows of a difference, and lines of a file, as HTML: at most two elements a line, readable in a text browser."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape

from django.utils.safestring import SafeString, mark_safe

from micelio.pages.diffs import Diff, Hunk, Row

_TAG_OF = {"+": "ins", "-": "del", " ": "span"}


def _text(row: Row) -> str:
    body = "".join(f"<mark>{escape(text)}</mark>" if marked else escape(text) for marked, text in row.pieces)
    return body if row.ends else f"{body} <em>(no line end)</em>"


def _widths(hunks: Collection[Hunk]) -> tuple[int, int]:
    """Columns that the largest old and new line numbers need."""
    old = max((hunk.old_start + hunk.old_lines for hunk in hunks), default=0)
    new = max((hunk.new_start + hunk.new_lines for hunk in hunks), default=0)
    return len(str(old)), len(str(new))


def diff_html(diff: Diff, anchor: str, tags: Mapping[int, Sequence[str]]) -> SafeString:
    """All hunks of a file. `tags` puts short names of decisions (`D1`) beside new line numbers.

    A line with a tag gets the id `{anchor}L{number}`; a tag links to `#d1`.
    """
    old_width, new_width = _widths(diff.hunks)
    # A file that is wholly new or wholly gone needs one column of numbers only.
    one_sided = len({row.sign for hunk in diff.hunks for row in hunk.rows} - {" "}) == 1 and not any(
        row.sign == " " for hunk in diff.hunks for row in hunk.rows
    )
    parts: list[str] = []
    for index, hunk in enumerate(diff.hunks):
        if index or hunk.old_start > 1 or hunk.new_start > 1:
            parts.append(f"<span class=h>{escape(hunk.title)}\n</span>")
        for row in hunk.rows:
            tag = _TAG_OF[row.sign]
            if one_sided:
                numbers = f"{row.old or row.new:>{max(old_width, new_width)}}"
            else:
                numbers = f"{row.old or '':>{old_width}} {row.new or '':>{new_width}}"
            names = tags.get(row.new, ()) if row.new is not None else ()
            place = f' id="{escape(anchor)}L{row.new}"' if names else ""
            links = "".join(f' <a class=tag href="#{escape(name.lower())}">{escape(name)}</a>' for name in names)
            parts.append(f"<{tag}{place}><i>{numbers} {row.sign}</i>{_text(row)}{links}\n</{tag}>")
    return mark_safe("".join(parts))  # noqa: S308


def lines_html(lines: Sequence[str]) -> SafeString:
    """Lines of a file, already safe, each with its number as a link to itself."""
    return mark_safe(  # noqa: S308
        "".join(f"<span id=L{n}><a href=#L{n}>{n}</a>{line}\n</span>" for n, line in enumerate(lines, 1))
    )
