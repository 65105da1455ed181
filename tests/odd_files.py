"""Files that are more than lines: tables, notebooks, SVG; kind ones, broken ones and hostile ones."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pages_story
from html_check import CORPUS

PNG = pages_story.png(8, 8)
HOSTILE = [
    *CORPUS,
    "</td></tr></table><script>alert(1)</script>",
    '=HYPERLINK("javascript:alert(1)")',
    "\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x07",
    "\x1b[31m<script>alert(1)</script>\x1b[0m",
]
SVG = (
    b'<?xml version="1.0"?>\n<!-- drawn --><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8" onload="alert(1)">'
    b"<style>rect{fill:green}</style><script>alert(1)</script><rect width='8' height='8'/></svg>"
)


def code(source: object, *outputs: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": list(outputs), **fields}


def text(source: object) -> dict[str, Any]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def notebook(*cells: dict[str, Any], **fields: Any) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **fields}).encode()


def data(**kinds: object) -> dict[str, Any]:
    """An output with these media types, whose slashes are two underscores here."""
    return {"output_type": "display_data", "metadata": {}, "data": {k.replace("__", "/"): v for k, v in kinds.items()}}


PACKED = base64.encodebytes(PNG).decode()
READABLE = notebook(
    text(["# Growth\n", "of *spores*"]),
    code(
        "import math\n%matplotlib inline\nprint(math.pi)",
        {"output_type": "stream", "name": "stdout", "text": ["\x1b[1m3.14\x1b[0m\n", "10%\r100%\n"]},
        execution_count=7,
    ),
    code(
        "plot()",
        data(text__plain="<Figure of spores>", image__png=PACKED, text__html="<b>never this</b>"),
        data(text__html="<b>nor this</b>"),
        {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["\x1b[0;31mE\x1b[0m: no spores", "here"]},
        execution_count=None,
    ),
    text("## Next\n\n[up](#growth)"),
)
OLD = json.dumps(
    {
        "nbformat": 3,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "source": ["Of old"]},
                    {
                        "cell_type": "code", "input": ["2 + 2"], "language": "python", "prompt_number": 3,
                        "outputs": [
                            {"output_type": "pyout", "prompt_number": 3, "text": ["four"]},
                            {"output_type": "display_data", "png": PACKED},
                            {"output_type": "stream", "stream": "stderr", "text": "careful"},
                            {"output_type": "pyerr", "ename": "E", "evalue": "v", "traceback": ["fell"]},
                        ],
                    },
                ]
            }
        ],
    }
).encode()  # fmt: skip
HOSTILE_NOTEBOOK = notebook(
    *(text(each) for each in HOSTILE),
    *(code(each, {"output_type": "stream", "name": "stdout", "text": each}) for each in HOSTILE),
    *(code("x", {"output_type": "error", "ename": each, "evalue": each, "traceback": [each]}) for each in HOSTILE),
    *(code("x", data(text__plain=each, text__html=each, image__svg=each, image__png=each)) for each in HOSTILE),
    code("x", data(text__plain='"><script>alert(1)</script>', image__png=PACKED)),
    code("x", data(image__png=base64.b64encode(SVG).decode())),
    {"cell_type": "raw", "source": HOSTILE[0]},
)
FILES: dict[bytes, bytes] = {
    b"t/plain.csv": (
        b'\xef\xbb\xbfname,"what, it is",year\r\nchampignon,"a ""button""\nof two lines",1707\r\n\r\nmorel,spring\r\n'
    ),
    b"t/semi.csv": "größe;preis\n1,5;2,5\n".encode(),
    b"t/tabs.tsv": b"a\tb\n1,2\t3\n",
    b"t/numbers.csv": b"1,2\n3,4\n",
    b"t/long.csv": b"n,square\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(1, 3001)),
    b"t/wide.csv": b",".join(b"c%d" % n for n in range(200)) + b"\n" + b",".join(b"%d" % n for n in range(200)) + b"\n",
    b"t/cell.csv": b"a,b\n" + b"x" * 5000 + b",1\n",
    b"t/broken.csv": b'a,b\n"' + b"never closed\n" * 20_000,
    b"t/random.csv": b"k\n" + base64.b64encode(random.Random(1).randbytes(90_000)).replace(b"/", b",") + b"\n",
    b"t/hostile.csv": b"".join(b'"%s",x\n' % each.encode().replace(b'"', b'""') for each in HOSTILE),
    b"n/readable.ipynb": READABLE,
    b"n/old.ipynb": OLD,
    b"n/hostile.ipynb": HOSTILE_NOTEBOOK,
    b"n/broken.ipynb": b'{"nbformat": 4, "cells": [',
    b"n/deep.ipynb": b'{"nbformat": 4, "cells": ' + b"[" * 100_000,
    b"n/later.ipynb": notebook(nbformat=5),
    b"n/empty.ipynb": notebook(),
    b"n/long.ipynb": notebook(*(code(f"print({n})\n" * 40, execution_count=n) for n in range(1, 301))),
    b"n/huge.ipynb": notebook(
        code("y" * 60_000 + base64.b64encode(random.Random(2).randbytes(60_000)).decode()),
        code("z", *(data(text__plain=str(n)) for n in range(40))),
    ),
    b"s/mark.svg": SVG,
    b"s/not.svg": b"<html><svg></svg></html>",
    b"s/named.txt": SVG,
    b"s/paper.pdf": b"%PDF-1.4\n\x00\x01",
}  # fmt: skip


def land(story: pages_story.Story) -> None:
    """Land them all in the project of the story."""
    files = {path: (0o100644, content) for path, content in FILES.items()}
    pages_story.land_files(story.actor, story.project, "Odd files", 4, files)
