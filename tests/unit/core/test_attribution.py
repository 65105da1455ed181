"""What a session may say of its lines, and how it carries over."""

from __future__ import annotations

from typing import Any

import pytest

from mic.core.attribution import (
    MAX_NAME,
    NOTHING,
    Attribution,
    Author,
    FileLines,
    Writer,
    authors,
    moved_to,
    parse,
    runs,
    stored,
    with_names,
    without_messages,
    writer_names,
    wrote,
)
from mic.core.errors import InvalidInput
from mic.core.merge3 import lines_of_ours, merge3

H = b"h" * 32
AGENT, PERSON = Writer("agent", "claude", 3), Writer("person")
FILE = FileLines(b"f", H, ((2, 2, 0), (5, 1, 1)))


def _raw(**fields: Any) -> dict[str, Any]:
    writers = [{"kind": "agent", "name": "claude", "message": 3}, {"kind": "person"}]
    files = [{"path": b"f", "content": H, "lines": [[2, 2, 0], [5, 1, 1]]}]
    return {"lines": {"version": 1, "writers": writers, "files": files} | fields, "git-ai": b"a log"}


def test_what_is_stored_is_read_again() -> None:
    said = parse(_raw())
    assert said == Attribution((AGENT, PERSON), {b"f": FILE})
    assert parse(stored(said)) == said
    assert list(stored(said)["lines"]["files"]) == [{"path": b"f", "content": H, "lines": ((2, 2, 0), (5, 1, 1))}]
    assert (parse({}), stored(NOTHING)) == (NOTHING, {})
    assert parse(_raw(later="unknown")) == said
    assert parse({"git-ai": b"a log"}) == NOTHING
    with pytest.raises(InvalidInput, match="no map"):
        parse({"lines": b""})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"version": 2}, "version 2"),
        ({"version": None}, "version None"),
        ({"writers": [{"kind": "robot"}]}, "cannot be read"),
        ({"writers": "all"}, "cannot be read"),
        ({"writers": [{"kind": "agent"}] * 101}, "101 writers"),
        ({"writers": [{"kind": "agent", "name": "x" * (MAX_NAME + 1)}]}, "201 characters"),
        ({"writers": [{"kind": "agent", "message": -1}]}, "number of a message"),
        ({"files": [{"path": b"f", "content": b"short"}]}, "no content"),
        ({"files": [{"path": b"f", "content": H}] * 2}, "twice"),
        ({"files": [{"path": b"f", "content": H, "lines": [[0, 1, 0]]}]}, "after line 0"),
        ({"files": [{"path": b"f", "content": H, "lines": [[1, 0, 0]]}]}, "0 lines from 1"),
        ({"files": [{"path": b"f", "content": H, "lines": [[1, 2, 0], [2, 1, 0]]}]}, "after line 2"),
        ({"files": [{"path": b"f", "content": H, "lines": [[1, 1 << 31, 0], [5, 1, 0]]}]}, "after line"),
        ({"files": [{"path": b"f", "content": H, "lines": [[1, 1, 2]]}]}, "writer 2, of 2"),
        ({"files": [{"path": b"f", "content": H, "lines": [[1, 1, -1]]}]}, "writer -1"),
        ({"files": [{"path": b"f", "content": H, "lines": [[1, 1]]}]}, "cannot be read"),
        (
            {"files": [{"path": b"f", "content": H, "lines": [[2 * n + 1, 1, 0] for n in range(200_001)]}]},
            "200001 runs",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_breaks_a_rule_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse(_raw(**fields))


def test_lines_are_told_in_parts() -> None:
    assert [FILE.writer(line) for line in range(1, 8)] == [None, 0, 0, None, 1, None, None]
    assert list(FILE.parts(1, 7)) == [(1, 1, -1), (2, 2, 0), (4, 1, -1), (5, 1, 1), (6, 2, -1)]
    assert list(FILE.parts(3, 2)) == [(3, 1, 0), (4, 1, -1)]
    assert list(FILE.parts(6, 1)) == [(6, 1, -1)]
    assert list(FileLines(b"f", H).parts(2, 3)) == [(2, 3, -1)]


def test_three_authors_and_never_a_guess() -> None:
    """Said of lines; not said of lines of a file of which something is said; nothing said of the file."""
    said, whole = Attribution((AGENT, PERSON), {b"f": FILE}), Author("agent")
    assert list(authors(said, whole, b"f", 3, 3)) == [
        (3, 1, Author("agent", True, AGENT)),
        (4, 1, Author("untracked", True)),
        (5, 1, Author("person", True, PERSON)),
    ]
    assert list(authors(said, whole, b"other", 3, 3)) == [(3, 3, whole)]


def test_lines_carry_over_by_what_they_are() -> None:
    text = b"a\nb\nc\n"
    first = wrote(FileLines(b"f", b""), b"", text, H, 0)
    assert first.lines == ((1, 3, 0),)
    second = wrote(first, text, b"new\na\n  b\nother\nc\n", H, 1)
    assert second == FileLines(b"f", H, ((1, 1, 1), (2, 2, 0), (4, 1, 1), (5, 1, 0)))
    assert wrote(second, b"new\na\n  b\nother\nc\n", b"x\nnew\n", H, -1).lines == ((2, 1, 1),)
    assert runs([]) == () == runs([-1, -1])
    assert runs([-1, 0, 0, 1, -1, 1]) == ((2, 2, 0), (4, 1, 1), (6, 1, 1))
    assert moved_to(FILE, b"i" * 32, [4, -1, 1, 0]) == FileLines(b"f", b"i" * 32, ((1, 1, 1), (3, 1, 0)))


def test_a_merge_tells_which_lines_were_ours() -> None:
    """What only theirs brought is not ours; what both have, and what neither changed, is."""
    base, ours, theirs = b"a\nb\nc\nd\ne\n", b"a\nB\nX\nc\nd\ne\nz\n", b"0\na\nb\nc\ne\n"
    merged = merge3(base, ours, theirs)
    assert merged == (True, b"0\na\nB\nX\nc\ne\nz\n", 0)
    assert lines_of_ours(base, ours, theirs) == [-1, 0, 1, 2, 3, 5, 6]
    assert lines_of_ours(b"a\n", b"b\n", b"b\n") == [0]


def test_names_are_taken_out_and_put_in() -> None:
    raw = _raw(writers=[{"kind": "agent", "name": "one"}, {"kind": "person"}, {"kind": "person", "name": "two"}])
    assert writer_names(raw) == ["one", "two"]
    assert with_names(raw, iter(["1", "2"]))["lines"]["writers"] == [
        {"kind": "agent", "name": "1"}, {"kind": "person"}, {"kind": "person", "name": "2"},
    ]  # fmt: skip
    assert (
        writer_names({})
        == []
        == writer_names({"lines": {"writers": [None, {"name": 1}]}})
        == writer_names({"lines": b""})
    )
    assert with_names({}, iter(())) == {}


def test_without_messages_writers_that_only_they_told_apart_are_one() -> None:
    """Lines keep who wrote them; a gap stays untracked, and other names stay apart."""
    content = bytes(32)
    said = Attribution(
        (Writer("agent", "m", 1), Writer("person"), Writer("agent", "m", 7)),
        {b"f": FileLines(b"f", content, ((1, 2, 0), (3, 1, 2), (4, 1, 1), (6, 1, 0), (8, 1, 2)))},
    )
    assert without_messages(said) == Attribution(
        (Writer("agent", "m"), Writer("person")),
        {b"f": FileLines(b"f", content, ((1, 3, 0), (4, 1, 1), (6, 1, 0), (8, 1, 0)))},
    )
