"""What the page of a file shows of it, by its kind: a document, a table, a notebook, a picture, lines, or words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.http import HttpRequest

from mic.core.errors import Erased, NotFound
from mic.core.linediff import is_binary
from mic.core.tree import CONFLICT, Entry
from micelio.languages.spoken import gettext, gettext_noop
from micelio.languages.words import size_words
from micelio.pages.asked import asked_lines, asked_number
from micelio.pages.delimited import is_table, read_table
from micelio.pages.diff_html import join_rows, line_rows
from micelio.pages.highlight import LARGEST_SHOWN, highlight
from micelio.pages.images import image_type, is_svg
from micelio.pages.listing import document_page, is_markdown
from micelio.pages.markdown import LARGEST_TEXT, Place
from micelio.pages.modes import GITLINK, SYMLINK
from micelio.pages.notebook_html import cell_html
from micelio.pages.notebooks import is_notebook, read_notebook
from micelio.pages.opened import Opened
from micelio.pages.table_html import CELL_TEXTS, MOST_ROWS, columns_shown, table_head, table_row
from micelio.pages.text import count_words, cut, display_path, one_line
from micelio.pages.weight import LONG_TEXTS, Scale

Shown = dict[str, Any]
# Of a notebook on one page, if its room holds them: each takes a millisecond.
MOST_CELLS = 40
# Lines that are meant further down than this begin a page of their own, a little above them.
_FAR_DOWN = 200


@dataclass(frozen=True)
class Asked:
    """Which part of a file a page is asked for: from a line, row or cell on, counted from 1; as what it is or as its
    source, which lines that are meant are part of. `raw` is where its bytes are."""

    first: int
    source: bool
    raw: str
    lines: tuple[int, int] | None = None
    begins: bool = False


def asked_part(request: HttpRequest, raw: str) -> Asked:
    """What `?from=`, `?lines=` and `?view=source` ask for. Raises InvalidInput."""
    begin, lines = asked_number(request, "from"), asked_lines(request)
    source = lines is not None or request.GET.get("view") == "source"
    return Asked(max(1, begin or 1), source, raw, lines, begin is not None)


def contents(opened: Opened, entry: Entry, place: Place, asked: Asked) -> tuple[Shown, str | None]:
    """What the page shows of a file, and its text where it is one. Raises NotFound behind its end."""
    if entry.kind == CONFLICT:
        return {"words": gettext("This path is an unresolved conflict.")}, None
    if entry.mode in (SYMLINK, GITLINK):
        target = opened.ledger.blob(entry.hash, 1 << 16).decode("utf-8", "replace")
        link = entry.mode == SYMLINK
        words = gettext("A symbolic link. It points to:") if link else gettext("A link to this commit elsewhere:")
        return {"words": words, "target": one_line(cut(target, 4096))}, target
    if entry.size == 0:
        return {"words": gettext("The file is empty.")}, ""
    if entry.size > LARGEST_SHOWN:
        words = gettext("{size} are too much for a page; the link “raw” has them.")
        return {"words": words.format(size=size_words(entry.size))}, None
    try:
        data = opened.ledger.blob(entry.hash, LARGEST_SHOWN)
    except Erased as erased:
        return {"words": erased.details["text"]}, None
    if image_type(data):
        return {"image": asked.raw}, None
    if is_binary(data):
        words = gettext("Binary content, {size}; the link “raw” has it.")
        return {"words": words.format(size=size_words(entry.size))}, None
    return _text(data, entry, place, asked), data.decode("utf-8", "replace")


def _text(data: bytes, entry: Entry, place: Place, asked: Asked) -> Shown:
    """A text as what its name says that it is, or as its source: when that is asked for, or when it is not so."""
    name, kind = next(((name, kind) for name, named, kind in _KINDS if named(entry.path, data)), ("", None))
    if kind is None or asked.source:
        ways = {"is_document": kind is not None, "shown_as": name, "as_source": asked.source}
        return {**_lines(data, entry, asked), **ways}
    shown = kind(data, entry, place, asked)
    if shown is None:
        said = gettext(
            "Its source stands here: the file is too large, or is not what its name says, to be shown as that."
        )
        return {**_lines(data, entry, asked), "said": said}
    return {**shown, "is_document": True}


def _document(data: bytes, entry: Entry, place: Place, asked: Asked) -> Shown | None:
    """A page of a rendered document: it begins where an earlier one ended, and where that began is not known."""
    html, end, total = document_page(Scale(), data, entry.path, place, asked.first - 1, 2)
    _require(asked, total, entry, "line")
    return {
        "document": html,
        "lines": total,
        "first_line": asked.first,
        "last_line": end,
        "earlier": 1 if asked.first > 1 else 0,
        "later": end + 1 if end < total else 0,
    }


def _require(asked: Asked, total: int, entry: Entry, what: str) -> None:
    if asked.first > max(total, 1):
        raise NotFound(f"{display_path(entry.path)} has {count_words(total, what)}, and no {what} {asked.first}.")


def _table(data: bytes, entry: Entry, place: Place, asked: Asked) -> Shown | None:
    """A page of a table: its first row stands above each page of the others."""
    table = read_table(data, entry.path)
    if table is None:
        return None
    rows, columns, first = table.rows, columns_shown(table), asked.first
    _require(asked, len(rows), entry, "row")

    def page(numbers: range) -> list[str]:
        scale = Scale()
        scale.add(head)
        return list(scale.fill(numbers, lambda n, most: table_row(rows[n - 1], n, columns, most), 0, CELL_TEXTS))

    head = table_head(table)
    shown = page(range(first, min(len(rows), first + MOST_ROWS - 1) + 1))
    # What fits backwards from here is the page before this one.
    before = page(range(first - 1, max(0, first - 1 - MOST_ROWS), -1)) if first > 1 else []
    last = first + len(shown) - 1
    return {
        "table_head": join_rows([head]),
        "table_rows": join_rows(shown),
        "rows": len(rows),
        "columns": table.width,
        "ragged": table.ragged,
        "columns_left_out": table.width - columns,
        "first_line": first,
        "last_line": last,
        "earlier": first - len(before) if first > 1 else 0,
        "later": last + 1 if last < len(rows) else 0,
    }


def _notebook(data: bytes, entry: Entry, place: Place, asked: Asked) -> Shown | None:
    """A page of a notebook: it begins with a whole cell, and where the page before it began is not known."""
    notebook = read_notebook(data)
    if notebook is None:
        return None
    _require(asked, len(notebook), entry, "cell")
    first = asked.first
    numbered = islice(enumerate(notebook.cells(first), first), MOST_CELLS)
    shown = Scale().fill(
        numbered,
        lambda item, most: cell_html(item[1], item[0], notebook.file_name, place, asked.raw, most),
        0,
        LONG_TEXTS,
    )
    last = first + len(shown) - 1
    return {
        "cells": join_rows(shown),
        "total_cells": len(notebook),
        "first_line": first,
        "last_line": last,
        "earlier": 1 if first > 1 else 0,
        "later": last + 1 if last < len(notebook) else 0,
    }


def _picture(data: bytes, entry: Entry, place: Place, asked: Asked) -> Shown | None:
    """An SVG as a picture: what a browser loads as one runs no scripts and asks nobody for anything."""
    return {"image": asked.raw}


def _lines(data: bytes, entry: Entry, asked: Asked) -> Shown:
    """A page of source lines; numbers are the file's own on every page."""
    lines = highlight(data, display_path(entry.path), entry.hash)
    first, marked = asked.first, range(0)
    _require(asked, len(lines), entry, "line")
    if asked.lines is not None:
        # What is beyond the end means the last line: the file may have been longer when somebody made the link.
        low, high = (min(max(1, end), len(lines)) for end in asked.lines)
        marked = range(low, high + 1)
        if low > _FAR_DOWN and not asked.begins:
            first = low - 10
    rows = Scale().take(line_rows((lines[n] for n in range(first - 1, len(lines))), first, marked))
    # What fits backwards from here is the page before this one.
    before = Scale().take(line_rows((lines[n] for n in range(first - 2, -1, -1)), 1)) if first > 1 else []
    last = first + len(rows) - 1
    return {
        "source": join_rows(rows),
        "marked": f"{marked[0]}-{marked[-1]}" if len(marked) > 1 else f"{marked[0]}" if marked else "",
        "mark": marked[0] if marked else 0,
        "lines": len(lines),
        "first_line": first,
        "last_line": last,
        "earlier": first - len(before) if first > 1 else 0,
        "later": last + 1 if last < len(lines) else 0,
    }


_Kind = Callable[[bytes, Entry, Place, Asked], Shown | None]
# What a kind is called in the link to it, whether a file is one by its path and its bytes, what is shown of it.
_KINDS: tuple[tuple[str, Callable[[bytes, bytes], bool], _Kind], ...] = (
    (gettext_noop("document"), lambda path, data: is_markdown(path) and len(data) <= LARGEST_TEXT, _document),
    (gettext_noop("table"), lambda path, _: is_table(path), _table),
    (gettext_noop("notebook"), lambda path, _: is_notebook(path), _notebook),
    (gettext_noop("picture"), is_svg, _picture),
)
