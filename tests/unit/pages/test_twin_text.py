"""The data of a page as Markdown. What a reader makes of it is asked of a parser that we did not write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from html_check import CORPUS
from mic.core.session import Alternative, Decision, Message, Session, Usage
from mic.core.tree import Entry
from micelio.pages.claim_parts import said_and_done
from micelio.pages.found import FoundPart, Result, as_markdown
from micelio.pages.path_change import PathChange
from micelio.pages.session_twin import session_markdown
from micelio.pages.twin_text import as_text
from micelio.search.matching import Line, Part
from micelio.search.queries import Code, Owner, Said
from micelio.sessions.queries import LandingRow, LandingView

# As CommonMark says, with HTML let through, tables and struck words.
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

HOSTILE = (
    "<script>alert(1)</script>",
    "<!-- ",
    "[click](javascript:alert(1))",
    "![](https://elsewhere.example/x.png)",
    "*a* **b** _c_ __d__ ~~e~~ a_b_c",
    "`code` ``` and ````",
    "a | b || c",
    "&lt;b&gt; &#60;",
    "ends with \\",
    "\\| \\\\| \\`",
    "# heading #",
    "- item",
    "+ item",
    "1. item",
    "12) item",
    "---",
    "===",
    "> quote",
    "    code",
    "[a]: https://elsewhere.example",
    "line\nline",
    "line\r\n\r\n# line",
    "a\u2028b\x00c\x1b[31m",
    "$x$",
    "café: 100 %",
)


def shape(text: str) -> list[tuple[str, str]]:
    """The kinds of everything in a text with its marks, without what is said in it."""
    found = []
    for token in READER.parse(text):
        inner = [
            (child.type, child.markup) for child in token.children or () if child.type not in ("text", "text_special")
        ]
        found += [(token.type, token.tag), *inner]
    return found


def said(text: str) -> list[str]:
    """What every line, cell and block says to a reader."""
    return [token.content if token.type == "fence" else "".join(child.content for child in token.children or ())
            for token in READER.parse(text) if token.type in ("inline", "fence")]  # fmt: skip


def test_what_it_looks_like() -> None:
    """Lines, objects, tables of objects with those within them, lists, texts of several lines, nothing."""
    data = {
        "project": "acme/api",
        "stars": 3,
        "fork": None,
        "archived": False,
        "topics": ["forge", "why"],
        "head": {"position": 4},
        "landings": [
            {"position": 4, "goal": "Say how long", "by": {"handle": "ada", "agent": None}, "git": None},
            {"position": 3, "goal": "One | two", "by": {"handle": "", "agent": "claude_code"}, "files": ["a.txt", "b"]},
        ],
        "none": [],
        "readme": "# Hello\n```\ncode\n```\n",
        "posts": [{"title": "First", "text": "One\ntwo " + 300 * "x"}],
    }
    assert as_text("/acme/api", data, "https://forge.example/acme/api?format=json") == (
        "# /acme/api\n\n"
        "- project: acme/api\n- stars: 3\n- fork: none\n- archived: no\n- none: none\n\n"
        "## topics\n\n- forge\n- why\n\n"
        "## head\n\n- position: 4\n\n"
        "## landings\n\n"
        "| position | goal | by.handle | by.agent | files |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| 4 | Say how long | ada |  |  |\n"
        "| 3 | One \\| two |  | claude_code | a.txt; b |\n\n"
        "## readme\n\n````\n# Hello\n```\ncode\n```\n````\n\n"
        "## posts\n\n### posts 1\n\n- title: First\n\n#### text\n\n```\nOne\ntwo " + 300 * "x" + "\n```\n"
    )


def harmless(text: str) -> list[tuple[str, str]]:
    """The shape with a word in place of a text; one of several lines has another place than one of a single line."""
    word = "word\nword" if "\n" in text.rstrip() else "word"
    return shape(as_text("word", placed(word), "w"))


def placed(text: str) -> dict[str, object]:
    """A text in every place that a text can have."""
    return {
        "line": text,
        "items": [text, text],
        "deep": {"deeper": {"deepest": {"down": {"below": text}}}},
        "rows": [{"one": text, "two": {"three": text, "list": [text]}}],
        "long": [{"text": f"{text} {2000 * 'x'}", "name": text}],
        text: text,
        "named": [{text: "x"}],
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_what_somebody_wrote_is_a_text(text: str) -> None:
    """It leaves the shape of the page as a word does, wherever it stands, and says itself."""
    assert shape(as_text(text, placed(text), "w")) == harmless(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_any_text_is_a_text(text: str) -> None:
    """The same of whatever somebody may write."""
    assert shape(as_text(text, placed(text + "."), "w")) == harmless(text + ".")


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.isprintable() and text == text.strip()])
def test_a_reader_reads_what_was_written(text: str) -> None:
    """Nothing is lost by making it harmless."""
    assert said(as_text("t", {"a": text, "b": [text], "c": [{"d": text}]}, "w")) == [
        "t", f"a: {text}", "b", text, "c", "d", text,
    ]  # fmt: skip


def test_a_long_one_ends_and_says_so() -> None:
    """At a whole line, in a table and in a text, with the address of all of it."""
    rows = [{"n": number} for number in range(1000)]
    text = as_text("t", {"rows": rows, "more": "x"}, "https://forge.example/t?format=json", 100)
    assert text.endswith(
        "| 6 |\n| 7 |\n| 8 |\n| 9 |\n\nThe rest is left out here. All of it: https://forge.example/t?format=json\n"
    )
    assert len(text) < 200
    text = as_text("t", {"words": "line\n" * 100}, "https://forge.example/t?format=json", 35)
    assert text == (
        "# t\n\n## words\n\n```\nline\nline\nline\nline\n```\n\n"
        "The rest is left out here. All of it: https://forge.example/t?format=json\n"
    )


def session_text(text: str) -> str:
    """A session in which everything that somebody may write is this."""
    decision = Decision(text, text, (Alternative(text, text), Alternative(text, "")), text, text)
    session = Session(
        id=bytes(16), goal=f"{text}\n{text}", conversation=(Message("agent", text, text, 0),),
        decisions=(decision,), usage=(Usage(text, 1, 2, 3),), claims=(text,),
    )  # fmt: skip
    now = datetime(2026, 11, 3, tzinfo=UTC)
    row = LandingRow(3, bytes(16), text, text, "", "", text, now, now, 1, 1, 1, None)
    path = text.replace("\n", " ").encode()
    entry = Entry(path, 0o100644, 0, 1, bytes(32))
    changes = [PathChange(path, entry, entry, 1), PathChange(b"b", None, entry, 2, source=entry, renamed=True)]
    return session_markdown(LandingView(row, session, b"", b""), "Landed as @3", changes, None)


def found_text(text: str) -> str:
    """A page of results in which everything is this."""
    line = " ".join(text.split())
    part = (Part(line, found=True),)
    rows: list[Result] = [
        Code("1", UUID(int=0), "acme", "api", b"a", "", part, [Line(3, part)], False),
        Said("2", UUID(int=0), "acme", "api", 3, 1, "", "", datetime(2026, 11, 3, tzinfo=UTC), part, [], text),
        Owner("ada", "ada", line, person=True),
    ]
    return as_markdown(text, [FoundPart("code", rows, [], "")])


@pytest.mark.parametrize("write", [session_text, found_text])
@pytest.mark.parametrize("text", [*HOSTILE, *CORPUS])
def test_what_stands_in_a_text_of_a_page_is_a_text(write: Callable[[str], str], text: str) -> None:
    """In what was written for one page too: shaped as if everybody had said a word."""
    word = "word\nword" if "\n" in text.strip("\r\n") else "word"
    assert shape(write(text)) == shape(write(word))


@pytest.mark.parametrize("text", [*HOSTILE, *CORPUS])
def test_what_is_claimed_is_a_text(text: str) -> None:
    """Each claim and each fact is an item of one list, which holds nothing but words."""
    entry = Entry(" ".join(text.split()).encode(), 0o100644, 0, 1, bytes(32))
    session = Session(id=bytes(16), goal=text, claims=(text, f"Only touch `src/`. {text}"))
    found = shape(said_and_done(session, [PathChange(entry.path, None, entry, 1)], "/x").markdown())
    assert {kind for kind, _ in found} == {
        "bullet_list_open", "list_item_open", "paragraph_open", "inline", "paragraph_close", "list_item_close",
        "bullet_list_close",
    }  # fmt: skip


def test_a_reader_reads_the_session() -> None:
    """Its words are all there."""
    words = said(session_text("1. *a* <b>"))
    assert words[0] == "1. *a* <b>"
    assert words.count("1. *a* <b>") >= 3
    assert "not: 1. *a* <b> (1. *a* <b>)" in words
