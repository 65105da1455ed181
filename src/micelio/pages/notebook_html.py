"""Cells of a notebook as HTML: texts rendered, code in colour, outputs as plain text and as pictures at an address."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from micelio.languages.spoken import gettext
from micelio.pages.diff_html import join_rows
from micelio.pages.highlight import highlight
from micelio.pages.markdown import Place, render_document
from micelio.pages.notebooks import Cell, Output
from micelio.pages.text import cut, one_line, visible

_LONGEST_NAME = 200


@dataclass(frozen=True)
class _Shown:
    """An output as a page shows it; `address` of a picture."""

    kind: str
    text: str
    cut: bool
    address: str


def cell_html(cell: Cell, number: int, file_name: str, place: Place, raw: str, characters: int) -> str:
    """One cell; its source and each output are cut at so many characters, and say so.

    `number` counts the cells from 1, `file_name` says the language of its code, `raw` is the address of the notebook's
    bytes.
    """
    source = cell.source[:characters]
    context = {
        "number": number,
        "kind": cell.kind,
        "count": cell.count,
        "shown": _source(cell.kind, source, file_name, place, f"c{number}-"),
        "cut": len(cell.source) > characters,
        "outputs": [_output(output, raw, characters) for output in cell.outputs],
        "left_out": cell.left_out,
    }
    return render_to_string("pages/_cell.html", context)


def _source(kind: str, source: str, file_name: str, place: Place, ids: str) -> SafeString | str:
    if kind == "markdown":
        return render_document(source, place, 2, ids=ids)
    if kind == "raw" or not source:
        return visible(source)
    data = source.encode("utf-8", "replace")
    return join_rows("\n".join(highlight(data, file_name, hashlib.sha256(data).digest())))


def _output(output: Output, raw: str, characters: int) -> _Shown:
    if output.kind == "picture":
        text = one_line(cut(output.text, _LONGEST_NAME)) or gettext("Output {number}").format(number=output.number)
        return _Shown(output.kind, text, False, f"{raw}?output={output.number}")
    if output.kind == "other":
        return _Shown(output.kind, one_line(cut(output.text, _LONGEST_NAME)), False, "")
    return _Shown(output.kind, visible(output.text[:characters]), len(output.text) > characters, "")
