"""The scale never lets a page grow over its room, and never leaves a page empty."""

import hashlib
import zlib

import pytest

from micelio.pages.weight import LONG_TEXTS, SHORT_TEXTS, Scale, fit_document


def noise(name: str, characters: int) -> str:
    return "".join(hashlib.sha256(f"{name}{n}".encode()).hexdigest() for n in range(characters // 64 + 1))[:characters]


@pytest.mark.parametrize("piece", [lambda n: noise(str(n), 300), lambda n: f"<p>the same {n}</p>", lambda n: "é" * 100])
@pytest.mark.parametrize("keep", [0, 700])
def test_what_is_taken_weighs_no_more_than_the_room(piece: object, keep: int) -> None:
    """Compressed as one text, the pieces fit; with the next one they would not."""
    assert callable(piece)
    pieces = [piece(n) for n in range(5000)]
    taken = Scale(2000).take(pieces, keep)
    assert len(zlib.compress("".join(taken).encode(), 6)) <= 2000 - keep + 8
    if len(taken) < len(pieces):
        assert len(zlib.compress("".join(pieces[: len(taken) + 1]).encode(), 6)) > 2000 - keep - 8


def test_the_first_item_is_cut_until_it_fits() -> None:
    """However long its text, an item is shown in part; those behind it wait for the next page."""
    texts = [noise("a", 100_000), noise("b", 100_000)]
    shown = Scale(1500).fill(texts, lambda text, characters: text[:characters])
    assert [len(html) for html in shown] == [SHORT_TEXTS[1]]


def test_a_text_is_cut_at_the_longest_length_that_fits() -> None:
    """Lengths are tried from the whole down; the characters left out are counted."""
    text = noise("t", 50_000)
    html, left = Scale().fit_text(text, lambda part: part)
    assert (len(html), left) == (LONG_TEXTS[0], 26_000)
    assert Scale(10).fit_text(text, lambda part: part) == ("", 50_000)
    assert Scale(10).fit_text("", lambda part: part) == ("", 0)


def test_documents_are_cut_between_paragraphs() -> None:
    """Never inside a fence while an empty line outside of one is near; pages together are the document."""
    lines: list[str] = []
    for n in range(40):
        lines += [noise(f"p{n}", 200), "", "```", noise(f"c{n}", 60), "", noise(f"d{n}", 60), "```", ""]
    start, pages = 0, []
    while start < len(lines):
        html, end = fit_document(Scale(3000), lines, start, lambda text: text)
        pages.append(html)
        assert html.count("```") % 2 == 0
        assert end > start
        start = end
    assert len(pages) > 2
    assert "\n".join(pages) == "\n".join(lines)


def test_a_line_that_is_too_much_is_cut_and_passed() -> None:
    """One endless line takes one page."""
    html, end = fit_document(Scale(3000), [noise("x", 500_000), "next"], 0, lambda text: text)
    assert (len(html), end) == (SHORT_TEXTS[0], 1)
