"""Jupyter notebooks, format 3 and 4, read as cells: what was written, and what came out of it.

Nothing of an output is taken but plain text and pictures that are PNG or JPEG by their own bytes. HTML, SVG and scripts
are passed over without being read.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from micelio.pages.images import image_type

_FORMATS = (3, 4)
_PICTURES = ("image/png", "image/jpeg")
# Characters of base64 that tell what a picture is, however it is broken into lines.
_TELLING = 64
# Outputs of one cell that are shown, and characters of each that are looked at.
MOST_OUTPUTS = 20
_LONGEST = 100_000
_MOST_RUNS = 1_000_000_000
# What terminals take as colours and the like, and links of theirs.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_EXTENSION = re.compile(r"\.[A-Za-z0-9_+]{1,12}\Z")

Text: TypeAlias = str | list[str]


_NOTHING = msgspec.Raw()


class _Output(msgspec.Struct):
    """One output, of both formats: in 3 what 4 has in `data` stands beside `output_type` under short names."""

    output_type: str = ""
    name: str = ""
    stream: str = ""
    data: dict[str, msgspec.Raw] = {}
    text: Text = ""
    png: msgspec.Raw = _NOTHING
    jpeg: msgspec.Raw = _NOTHING
    ename: str = ""
    evalue: str = ""
    traceback: Text = ""


class _Cell(msgspec.Struct):
    cell_type: str = ""
    source: Text = ""
    input: Text = ""
    level: int = 1
    execution_count: int | None = None
    prompt_number: int | None = None
    outputs: list[_Output] = []


class _Worksheet(msgspec.Struct):
    cells: list[_Cell] = []


class _Language(msgspec.Struct):
    name: str = ""
    file_extension: str = ""


class _Kernel(msgspec.Struct):
    language: str = ""


class _Metadata(msgspec.Struct):
    language_info: _Language | None = None
    kernelspec: _Kernel | None = None


class _Notebook(msgspec.Struct):
    nbformat: int
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    cells: list[_Cell] = []
    worksheets: list[_Worksheet] = []


_decoder = msgspec.json.Decoder(_Notebook)
_texts: msgspec.json.Decoder[Text] = msgspec.json.Decoder(Text)


@dataclass(frozen=True)
class Output:
    """What came out of a cell. `number` counts all outputs of the notebook from 1.

    `kind` is `text`, `stderr`, `error` or `picture`; of a picture `text` stands in its place for those who do not see
    it. `kind` is `other` for what no page shows, and `text` names it.
    """

    number: int
    kind: str
    text: str


@dataclass(frozen=True)
class Cell:
    """One cell: `kind` is `code`, `markdown` or `raw`; `count` says as which one it was run, None when it was not.

    `left_out` counts the outputs that are not among `outputs`.
    """

    kind: str
    source: str
    count: int | None
    outputs: tuple[Output, ...]
    left_out: int


class Notebook:
    """The cells of a notebook, each made when it is looked at; and a file name whose ending is that of its language."""

    def __init__(self, found: _Notebook) -> None:
        self._cells = list(_cells(found))
        self.file_name = _file_name(found.metadata)

    def __len__(self) -> int:
        return len(self._cells)

    def cells(self, first: int) -> Iterator[Cell]:
        """The cells from this one on, counted from 1."""
        number = sum(len(cell.outputs) for cell in self._cells[: first - 1])
        for cell in self._cells[first - 1 :]:
            outputs = tuple(_output(item, number + at) for at, item in enumerate(cell.outputs[:MOST_OUTPUTS], 1))
            left_out = len(cell.outputs) - len(outputs)
            yield Cell(_kind(cell), _source(cell), _count(cell), outputs, left_out)
            number += len(cell.outputs)


def is_notebook(path: bytes) -> bool:
    """Whether a path is named as a notebook."""
    return path.lower().endswith(b".ipynb")


def read_notebook(data: bytes) -> Notebook | None:
    """The notebook that a file holds; None when it is no notebook of a known format."""
    found = _decoded(data)
    return Notebook(found) if found is not None else None


def read_picture(data: bytes, number: int) -> tuple[str, bytes] | None:
    """(media type, bytes) of the picture that an output of a notebook is; None when it is none."""
    found = _decoded(data)
    if found is None or number < 1:
        return None
    outputs = (output for cell in _cells(found) for output in cell.outputs)
    output = next((item for at, item in enumerate(outputs, 1) if at == number), None)
    for text in _pictures(output) if output is not None else ():
        picture = _unpacked(text)
        kind = image_type(picture)
        if kind in _PICTURES:
            return kind, picture
    return None


def _decoded(data: bytes) -> _Notebook | None:
    try:
        found = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return found if found.nbformat in _FORMATS else None


def _cells(notebook: _Notebook) -> Iterator[_Cell]:
    yield from notebook.cells
    for sheet in notebook.worksheets:
        yield from sheet.cells


def _kind(cell: _Cell) -> str:
    if cell.cell_type in ("markdown", "heading"):
        return "markdown"
    return "code" if cell.cell_type == "code" else "raw"


def _source(cell: _Cell) -> str:
    source = _joined(cell.source or cell.input)
    return f"{'#' * min(max(cell.level, 1), 6)} {source}" if cell.cell_type == "heading" else source


def _count(cell: _Cell) -> int | None:
    count = cell.execution_count if cell.execution_count is not None else cell.prompt_number
    return count if count is not None and 0 <= count < _MOST_RUNS else None


def _joined(text: Text) -> str:
    return text if isinstance(text, str) else "".join(text)


def _output(output: _Output, number: int) -> Output:
    if output.output_type == "stream":
        name = output.name or output.stream
        return Output(number, "stderr" if name == "stderr" else "text", plain_text(_joined(output.text)))
    if output.output_type in ("error", "pyerr"):
        lines = output.traceback if isinstance(output.traceback, list) else [output.traceback]
        return Output(number, "error", plain_text("\n".join(lines)) or f"{output.ename}: {output.evalue}")
    text = plain_text(_joined(output.text or _text_of(output.data.get("text/plain", _NOTHING))))
    if any(image_type(_unpacked(_beginning(packed))) in _PICTURES for packed in _pictures(output)):
        return Output(number, "picture", text)
    if text:
        return Output(number, "text", text)
    return Output(number, "other", ", ".join(sorted(output.data)[:8]) or output.output_type)


def _pictures(output: _Output) -> Iterator[str]:
    """The base64 of pictures that an output says it has."""
    for raw in (*(output.data.get(kind, _NOTHING) for kind in _PICTURES), output.png, output.jpeg):
        if raw != _NOTHING:
            yield _joined(_text_of(raw))


def _text_of(raw: msgspec.Raw) -> Text:
    """A value that should be a text; "" for another, and for none."""
    try:
        return _texts.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def _unpacked(text: str) -> bytes:
    """Bytes from base64, whose lines may be broken; b"" when it is something else."""
    try:
        return base64.b64decode("".join(text.split()))
    except (binascii.Error, ValueError):
        return b""


def _beginning(packed: str) -> str:
    return "".join(packed[: 2 * _TELLING].split())[:_TELLING]


def plain_text(text: str) -> str:
    """What a terminal would show at the end: without colours, and of a line that was written over the last version.

    A text of more than 100,000 characters is cut, and ends with `…`.
    """
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    bare = _ESCAPES.sub("", text).replace("\r\n", "\n")
    if "\r" not in bare:
        return bare.rstrip("\n")
    return "\n".join(_last(line) for line in bare.split("\n")).rstrip("\n")


def _last(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part), "")


def _file_name(metadata: _Metadata) -> str:
    """A name for what the code is written in. Notebooks of old say nothing and are Python."""
    told, kernel = metadata.language_info or _Language(), metadata.kernelspec or _Kernel()
    if _EXTENSION.match(told.file_extension):
        return f"cell{told.file_extension}"
    language = (told.name or kernel.language).lower()
    return _NAMES.get(language, "cell.txt") if language else "cell.py"


_NAMES = {"python": "cell.py", "python3": "cell.py", "ipython": "cell.py", "r": "cell.r", "julia": "cell.jl"}
