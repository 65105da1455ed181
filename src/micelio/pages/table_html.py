"""Rows of a table of values as HTML, each with its number as a link to itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from micelio.pages.delimited import Table
from micelio.pages.text import visible

# On one page, if its room holds them.
MOST_ROWS, MOST_COLUMNS = 500, 60
# Characters of a cell; fewer where a single row would not fit on its page.
CELL_TEXTS = (300, 100, 20)
_LONGEST_HEAD = 100


def columns_shown(table: Table) -> int:
    """How many columns a page shows."""
    return min(table.width, MOST_COLUMNS)


def table_head(table: Table) -> str:
    """The row of names; a column without a name has its number."""
    names = [*table.head, *[""] * (columns_shown(table) - len(table.head))][:MOST_COLUMNS]
    cells = (f"<th scope=col>{_cell(name, _LONGEST_HEAD) or n}</th>" for n, name in enumerate(names, 1))
    return f"<tr><th scope=col>Row</th>{''.join(cells)}</tr>"


def table_row(row: Sequence[str], number: int, columns: int, characters: int) -> str:
    """One row; cells that it does not have are empty. Each cell is cut at so many characters, and says so."""
    cells = "".join(f"<td>{_cell(cell, characters)}</td>" for cell in row[:columns])
    cells += "<td></td>" * (columns - len(row))
    return f"<tr id=R{number}><th scope=row><a href=#R{number}>{number}</a></th>{cells}</tr>\n"


def _cell(text: str, most: int) -> str:
    more = len(text) - most
    shown = escape(visible(text[:most].strip()))
    return shown if more <= 0 else f"{shown} <em>… {more:,} characters more</em>"
