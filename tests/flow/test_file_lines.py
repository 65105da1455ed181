"""Lines of a file that somebody means, and the address under which the file stays as it is."""

from __future__ import annotations

import re

import pytest
from django.test import Client

import pages_story
from html_check import Document, malformed

pytestmark = pytest.mark.django_db

FILE = "/acme/api/-/file/head/src/auth/tokens.py"


def _page(address: str) -> str:
    answer = Client().get(address)
    assert answer.status_code == 200, address
    source = answer.content.decode()
    assert malformed(source) == []
    return source


@pytest.mark.parametrize(
    ("asked", "marked"),
    [
        ("5-9", [5, 6, 7, 8, 9]),
        ("9-5", [5, 6, 7, 8, 9]),
        ("7", [7]),
        ("0-2", [1, 2]),
        ("19-999999999999", [19, 20, 21]),
        ("400-500", [21]),
    ],
)
def test_lines_are_marked(db: None, asked: str, marked: list[int]) -> None:
    """Whichever way round, as far as the file has them; each keeps its anchor, and the permalink marks them too."""
    pages_story.tell()
    page = Document(_page(f"{FILE}?lines={asked}"))
    assert [mark.attributes["id"] for mark in page.all("mark")] == [f"L{n}" for n in marked]
    said = f"{marked[0]}-{marked[-1]}" if len(marked) > 1 else f"{marked[0]}"
    links = {a.text: a.attributes["href"] for a in page.all("a")}
    assert links[f"marked: {said}"] == f"?lines={said}#L{marked[0]}"
    assert links["permalink"] == f"/acme/api/-/file/@4/src/auth/tokens.py?lines={asked}"
    twin = Client().get(f"{FILE}?lines={asked}&format=json").json()
    assert (twin["lines"], twin["permalink"]) == (said, links["permalink"])


def test_a_page_is_the_source_at_the_lines(db: None) -> None:
    """A document is shown as its source then; what is fixed already has no other permalink; nonsense is refused."""
    pages_story.tell()
    page = Document(_page("/acme/api/-/file/head/README.md?lines=3"))
    assert [mark.text for mark in page.all("mark")] == [
        "3The public face of acme: accounts, sign-in and billing behind one small service. It keeps **no state of its "
        "own**, so\n"
    ]
    fixed = _page("/acme/api/-/file/@4/src/auth/tokens.py?lines=5-9")
    assert "permalink" not in fixed
    assert len(re.findall("<mark id=L", fixed)) == 5
    for nonsense in ("a", "5-", "-5", "5-9-12", "1" * 19, "5;9"):
        assert Client().get(f"{FILE}?lines={nonsense}").status_code == 400
    # What has no lines is shown as it is.
    assert Client().get("/acme/api/-/file/head/data/seed.bin?lines=5-9").status_code == 200


def test_lines_far_down_begin_a_page(db: None) -> None:
    """So that they are seen without scrolling through what comes before; going on keeps them."""
    story = pages_story.tell()
    text = b"".join(b"line %d of many that nobody reads\n" % n for n in range(1, 5001))
    pages_story.land_files(story.actor, story.project, "Long", 4, {b"long.txt": (0o100644, text)})
    source = _page("/acme/api/-/file/head/long.txt?lines=3000-3001")
    assert re.findall("<(?:span|mark) id=(L[0-9]+)", source)[0] == "L2990"
    assert [mark.attributes["id"] for mark in Document(source).all("mark")] == ["L3000", "L3001"]
    assert re.search('rel="prev" href="[?]view=source&amp;lines=3000-3001&amp;from=[0-9]+"', source)
    assert "<mark" not in _page("/acme/api/-/file/head/long.txt?lines=3000-3001&from=1")
