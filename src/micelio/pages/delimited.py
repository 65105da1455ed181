"""Files of values between commas, semicolons or tabs, read as a table: rows of cells, however ragged they are."""

from __future__ import annotations

import csv
import io
import posixpath
import re
from dataclasses import dataclass

# Above this a file is shown as its source: reading 1 MiB takes 20 ms, on each of its pages.
LARGEST_READ = 1024 * 1024
_NAMES = (b".csv", b".tsv", b".tab")
_SEPARATORS = ",;\t|"
_QUOTED = re.compile(r'"[^"]*"')
_NUMBER = re.compile(r"\s*[-+]?[\d.,]*\d[\d.,]*(?:[eE][-+]?\d+)?\s*%?\s*\Z")


@dataclass(frozen=True)
class Table:
    """Cells as they stand in the file. `head` is empty when the first row is one of numbers, as all others are.

    `width` is the number of columns of the widest row; `ragged` counts rows of another width than the first.
    """

    head: tuple[str, ...]
    rows: tuple[list[str], ...]
    width: int
    ragged: int


def is_table(path: bytes) -> bool:
    """Whether a path is named as a file of delimited values."""
    return posixpath.splitext(path.lower())[1] in _NAMES


def read_table(data: bytes, path: bytes) -> Table | None:
    """The table of a file; None when it is too large, or has a cell that no reader takes (128 Ki characters)."""
    if len(data) > LARGEST_READ:
        return None
    text = data.decode("utf-8-sig", "replace")
    separator = "\t" if not path.lower().endswith(b".csv") else _separator(text)
    try:
        # Lines without anything in them are no rows.
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    except csv.Error:
        return None
    if not rows:
        return None
    first = len(rows[0])
    headed = not all(_NUMBER.match(cell) for cell in rows[0])
    return Table(
        tuple(rows[0]) if headed else (),
        tuple(rows[1:] if headed else rows),
        max(map(len, rows)),
        sum(len(row) != first for row in rows),
    )


def _separator(text: str) -> str:
    """What the first line is divided by: what it holds most of, outside of quotes; a comma when it holds none."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    bare = _QUOTED.sub("", line[:100_000])
    return max(_SEPARATORS, key=bare.count)
