import pytest

from html_check import CORPUS, Document, dangers
from mic.core.ids import content_hash
from micelio.languages.known import BY_CODE, ENGLISH
from micelio.languages.spoken import speak
from micelio.pages.diff_html import line_rows
from micelio.pages.highlight import LARGEST_COLOURED, highlight


def lines(data: bytes, name: str) -> tuple[str, ...]:
    return tuple(highlight(data, name, content_hash(data)))


def test_python_is_coloured() -> None:
    """Tokens carry one of a dozen short classes; names that say nothing carry none."""
    assert lines(b"def f():\n    return 1\n", "x.py") == (
        "<b class=k>def</b> <b class=f>f</b>():",
        "    <b class=k>return</b> <b class=m>1</b>",
    )


@pytest.mark.parametrize(
    ("data", "count"),
    [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\n\n", 2), (b"\n", 1), (b"a\r\nb\r\n", 2), (b"a\rb", 2), (b"\n\n\na", 4)],
)
def test_lines_are_counted_as_editors_do(data: bytes, count: int) -> None:
    """The line end at the end makes no line of its own, whatever the lexer."""
    assert len(lines(data, "x.txt")) == count
    assert len(lines(data, "x.py")) == count


@pytest.mark.parametrize("name", ["x.html", "x.js", "x.md", "x.py", "x.unknown", "Makefile", "x.svg"])
def test_no_source_runs(name: str) -> None:
    """Hostile text in any language is text."""
    html = "".join(line_rows(lines("\n".join(CORPUS).encode(), name)))
    assert dangers(html) == []
    assert not {element.tag for element in Document(html).elements} - {"span", "a", "b"}


def test_large_files_are_plain() -> None:
    """Above the limit colour is left out, and no line is lost."""
    data = b"x = 1\n" * (LARGEST_COLOURED // 6 + 1)
    shown = lines(data, "x.py")
    assert shown[0] == "x = 1"
    assert len(shown) == LARGEST_COLOURED // 6 + 1


def test_the_same_bytes_under_another_name_are_another_language() -> None:
    """The memory of finished results keeps languages apart."""
    data = b"def = 1\n"
    assert lines(data, "a.py") != lines(data, "a.txt")
    assert lines(data, "a.py") == lines(data, "b.py")


def test_bidi_and_broken_text_are_shown() -> None:
    """Trojan Source is seen; bytes that are no UTF-8 become replacement characters."""
    assert lines(b"a\xe2\x80\xaeb \xff", "x.txt") == ("a[U+202E]b \ufffd",)


def test_long_lines_are_cut_and_say_so() -> None:
    """A thousand characters of a line are shown, coloured or not, and the others are counted."""
    data = b"x = '" + b"y" * 3000 + b"'\nz = 1\n"
    for name in ("x.py", "x.txt"):
        first, second = lines(data, name)
        assert first.endswith(" <em>\u2026 2,006 characters more</em>")
        assert first.count("y") == 995
        assert "z" in second


def test_what_is_kept_of_one_language_is_not_shown_in_another() -> None:
    """Lines that are cut say so, and are kept by the content of their file."""
    data = b"x = '" + b"a" * 20_000 + b"'\n"
    try:
        speak(BY_CODE["de"])
        german = highlight(data, "long.py", b"h" * 32)[0]
    finally:
        speak(ENGLISH)
    assert german.endswith("noch " + german.rpartition("noch ")[2])
    assert "Zeichen" in german
    assert "characters more" in highlight(data, "long.py", b"h" * 32)[0]
