"""Files that are more than lines: tables, notebooks and SVG, on their pages and as raw bytes."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.test import Client

import odd_files
import pages_story
from html_check import Document, dangers, malformed, without_data
from micelio.pages.notebooks import read_picture
from micelio.pages.stylesheet import stylesheet
from odd_files import FILES, HOSTILE_NOTEBOOK, PNG, READABLE

pytestmark = pytest.mark.django_db

FRAME = frozenset({"meta", "link", "form", "svg"})


class Reader:
    """Somebody who reads pages of the project."""

    def __init__(self) -> None:
        self.client = Client()

    def get(self, rest: str, **headers: str) -> Any:
        address = f"/acme/api/-/{rest}"
        raw = address.partition("?")[0].encode()
        return self.client.get(address, headers=headers, **{"asgi.scope": {"raw_path": raw}})

    def file(self, path: str) -> str:
        answer = self.get(f"file/head/{path}")
        assert answer.status_code == 200
        return str(answer.content.decode())


@pytest.fixture
def reader(db: None) -> Reader:
    story = pages_story.tell()
    odd_files.land(story)
    return Reader()


def rows_of(page: str) -> list[list[str]]:
    """The cells of the table on a page, row by row."""
    body = page.partition("<table>")[2].partition("</table>")[0]
    return [[cell.text for cell in Document(f"<tr{row}").all("th", "td")] for row in body.split("<tr")[1:]]


def test_a_table_is_one(reader: Reader) -> None:
    """A byte order mark, quotes, an empty line, a row that is short; the source beside it, the twin as ever."""
    page = reader.file("t/plain.csv")
    assert rows_of(page) == [
        ["Row", "name", "what, it is", "year"],
        ["1", "champignon", 'a "button"\nof two lines', "1707"],
        ["2", "morel", "spring", ""],
    ]
    assert page.count("<th scope=col>") == 4
    assert page.count("<th scope=row>") == 2
    assert "One row has another number of cells than the first." in page
    assert '<a href="?view=source">source</a>' in page
    source = reader.file("t/plain.csv?view=source")
    assert "<table" not in source
    assert '<a href="?">table</a>' in source
    twin = reader.get("file/head/t/plain.csv?format=json").json()
    assert twin["text"] == FILES[b"t/plain.csv"].decode()


def test_what_divides_the_cells(reader: Reader) -> None:
    """Semicolons, tabs; a first row of numbers names no columns."""
    assert rows_of(reader.file("t/semi.csv")) == [["Row", "größe", "preis"], ["1", "1,5", "2,5"]]
    assert rows_of(reader.file("t/tabs.tsv")) == [["Row", "a", "b"], ["1", "1,2", "3"]]
    assert rows_of(reader.file("t/numbers.csv")) == [["Row", "1", "2"], ["1", "1", "2"], ["2", "3", "4"]]


def test_a_long_table_has_pages(reader: Reader) -> None:
    """Every row stands on exactly one of them, below the names of the columns; back leads where one came from."""
    seen: list[int] = []
    address, came_from = "t/long.csv", ""
    while True:
        page = reader.file(address)
        rows = rows_of(page)
        assert rows[0] == ["Row", "n", "square"]
        assert all(int(square) == int(n) ** 2 and row == n for row, n, square in rows[1:])
        seen += [int(row[0]) for row in rows[1:]]
        if came_from:
            (before,) = (link for link in Document(page).all("a") if link.attributes.get("rel") == "prev")
            assert before.attributes["href"].lstrip("?") in ("from=1", came_from)
        after = [link.attributes["href"] for link in Document(page).all("a") if link.attributes.get("rel") == "next"]
        if not after:
            break
        came_from = address.partition("?")[2]
        address = f"t/long.csv{after[0]}"
    assert seen == list(range(1, 3001))
    assert reader.get("file/head/t/long.csv?from=3001").status_code == 404
    assert reader.get("file/head/t/long.csv?from=x").status_code == 400


def test_what_is_left_out_of_a_table_is_said(reader: Reader) -> None:
    """Columns, the rest of a cell; and what cannot be read as a table is its source."""
    assert "140 columns more" in reader.file("t/wide.csv")
    assert len(rows_of(reader.file("t/wide.csv"))[1]) == 61
    assert "… 4,700 characters more" in reader.file("t/cell.csv")
    page = reader.file("t/broken.csv")
    assert "<table" not in page
    assert "Its source stands here" in page
    assert "never closed" in page


def test_a_notebook_is_read(reader: Reader) -> None:
    """Texts rendered, code in colour with when it was run, outputs as text and pictures; HTML of outputs nowhere."""
    page = reader.file("n/readable.ipynb")
    document = Document(page)
    assert [heading.text for heading in document.all("h2")] == ["Growth", "Next"]
    assert "of <em>spores</em>" in page
    assert "<b class=k>import</b>" in page
    assert "In [7]" in page
    assert "In [ ]" in page
    pres = [element.text for element in document.all("pre")]
    assert "3.14\n100%" in pres
    assert "E: no spores\nhere" in pres
    assert "never this" not in page
    assert "nor this" not in page
    assert "An output that no page shows: text/html." in page
    (picture,) = document.all("img")
    assert picture.attributes["alt"] == "<Figure of spores>"
    answer = Client().get(picture.attributes["src"])
    assert answer.content == PNG
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert reader.get("raw/head/n/readable.ipynb?output=2", **{"If-None-Match": answer["ETag"]}).status_code == 304
    assert "nbformat" in reader.file("n/readable.ipynb?view=source")
    assert '<a href="?view=source">source</a>' in page
    assert reader.get("file/head/n/readable.ipynb?format=json").json()["text"] == READABLE.decode()


def test_a_notebook_of_old_is_read(reader: Reader) -> None:
    """Format 3: worksheets, headings, prompts, pictures beside their texts."""
    page = reader.file("n/old.ipynb")
    document = Document(page)
    assert [heading.text for heading in document.all("h2")] == ["Of old"]
    assert "In [3]" in page
    assert [pre.text for pre in document.all("pre")] == ["2 + 2", "four", "careful", "fell"]
    (picture,) = document.all("img")
    assert Client().get(picture.attributes["src"]).content == PNG


def test_what_is_no_picture_is_not_served_as_one(reader: Reader) -> None:
    """Outputs that are text, and numbers of none."""
    numbers = ("0", "1", "3", "4", "99", "1e3", "-1")
    found = [reader.get(f"raw/head/n/readable.ipynb?output={number}").status_code for number in numbers]
    assert found == [404, 404, 404, 404, 404, 400, 400]


def test_a_picture_is_one_by_its_bytes(reader: Reader) -> None:
    """Whatever a notebook calls an SVG, a page or an empty text, it is never sent as it is."""
    outputs = sum(len(cell.get("outputs", ())) for cell in json.loads(HOSTILE_NOTEBOOK)["cells"])
    pictures = [read_picture(HOSTILE_NOTEBOOK, n) for n in range(outputs + 2)]
    assert [picture for picture in pictures if picture is not None] == [("image/png", PNG)]
    assert reader.get("raw/head/s/mark.svg?output=1").status_code == 404


def test_what_is_no_notebook_is_its_source(reader: Reader) -> None:
    """With one sentence that says so."""
    for name in ("broken", "deep", "later"):
        page = reader.file(f"n/{name}.ipynb")
        assert "Its source stands here" in page
        assert "nbformat" in page


def test_a_long_notebook_has_pages(reader: Reader) -> None:
    """Every cell on one of them; what alone is too much is cut, and says so."""
    seen: list[str] = []
    address = "n/long.ipynb"
    while True:
        document = Document(reader.file(address))
        seen += [
            element.attributes["id"] for element in document.all("div") if element.attributes.get("class") == "cell"
        ]
        after = [link.attributes["href"] for link in document.all("a") if link.attributes.get("rel") == "next"]
        if not after:
            break
        address = f"n/long.ipynb{after[0]}"
    assert seen == [f"C{n}" for n in range(1, 301)]
    assert reader.get("file/head/n/long.ipynb?from=301").status_code == 404
    assert "The rest of the cell is left out" in reader.file("n/huge.ipynb")
    assert "20 outputs more" in reader.file("n/huge.ipynb?from=2")
    assert "The notebook has no cells." in reader.file("n/empty.ipynb")


def test_an_svg_is_a_picture_in_which_nothing_runs(reader: Reader) -> None:
    """The page names it as a picture, with its source beside; its bytes are in a sandbox. A name alone makes no SVG."""
    page = reader.file("s/mark.svg")
    (picture,) = Document(page).all("img")
    assert picture.attributes["src"] == "/acme/api/-/raw/head/s/mark.svg"
    assert "alert" not in page
    assert '<a href="?view=source">source</a>' in page
    assert "onload=" in reader.file("s/mark.svg?view=source")
    assert '<a href="?">picture</a>' in reader.file("s/mark.svg?view=source")
    answer = reader.get("raw/head/s/mark.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    policy = answer["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "style-src 'unsafe-inline'", "sandbox"} <= set(policy)
    assert "script-src" not in answer["Content-Security-Policy"]
    # What a browser has already takes on the policy of the answer that says so.
    again = reader.get("raw/head/s/mark.svg", **{"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert again["Content-Security-Policy"] == answer["Content-Security-Policy"]
    other = reader.get("raw/head/s/not.svg")
    again = reader.get("raw/head/s/not.svg", **{"If-None-Match": other["ETag"]})
    assert again["Content-Security-Policy"] == other["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    for name in ("not.svg", "named.txt"):
        assert reader.get(f"raw/head/s/{name}")["Content-Type"] == "text/plain; charset=utf-8"
        assert "<img" not in reader.file(f"s/{name}")
    assert reader.get("raw/head/s/paper.pdf")["Content-Disposition"].startswith("attachment")


def test_every_one_is_whole_light_and_harmless(reader: Reader) -> None:
    """No script, nothing from elsewhere, no id twice, every element closed; within the budget of a page."""
    waiting = [path.decode() + view for path in sorted(FILES) for view in ("", "?view=source")]
    looked_at = 0
    while waiting:
        address = waiting.pop()
        source = reader.file(address)
        assert dangers(without_data(source), FRAME) == [], address
        assert malformed(source.partition("<main")[2].partition("</main>")[0].partition(">")[2]) == [], address
        document = Document(source)
        ids = [element.attributes["id"] for element in document.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids)), address
        weight = len(gzip.compress(source.encode(), 6)) + len(gzip.compress(stylesheet()[1], 6))
        assert weight <= 30 * 1024, address
        after = [link.attributes["href"] for link in document.all("a") if link.attributes.get("rel") == "next"]
        waiting += [address.partition("?")[0] + link for link in after if "hostile" in address]
        looked_at += 1
    assert looked_at >= 2 * len(FILES)
