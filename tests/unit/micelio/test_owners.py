"""The list of owners: what a line says, which line decides, and what is no line."""

from __future__ import annotations

import time

import pytest

from mic.core import patterns
from mic.core.errors import InvalidOwners
from mic.core.patterns import MAX_PATTERN, Patterns, translate
from micelio.owners.refuse import require_readable
from micelio.owners.rules import MAX_BYTES, MAX_PROBLEMS, NONE, Rule, parse_owners, read_owners, remembered

LIST = b"""\
# Whoever is here lands here.
*                @acme

/docs/           @Ada grace@Example.org   # writers
/docs/drafts/
!*.generated.py
with\\ blank      @ada
\\#hash           @ada
"""


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (b"a.txt", Rule(2, b"*", ("@acme",))),
        (b"src/deep/a.txt", Rule(2, b"*", ("@acme",))),
        (b"docs/a.md", Rule(4, b"/docs/", ("@ada", "grace@example.org"))),
        (b"src/docs/a.md", Rule(2, b"*", ("@acme",))),
        (b"docs/drafts/a.md", Rule(5, b"/docs/drafts/", ())),
        (b"docs/drafts", Rule(4, b"/docs/", ("@ada", "grace@example.org"))),
        (b"docs/x.generated.py", Rule(6, b"!*.generated.py", ())),
        (b"with blank", Rule(7, b"with\\ blank", ("@ada",))),
        (b"#hash", Rule(8, b"\\#hash", ("@ada",))),
        (b"\xff/a\nb", Rule(2, b"*", ("@acme",))),
    ],
)
def test_the_last_line_that_matches_decides(path: bytes, rule: Rule) -> None:
    """Whether it names owners or nobody."""
    owners = parse_owners(LIST)
    assert owners.problems == ()
    assert owners.rule_for(path) == rule


def test_no_line_is_no_owner() -> None:
    """An empty list says nothing of any path."""
    assert NONE.rule_for(b"a") is None
    assert parse_owners(b"\xef\xbb\xbf\r\n  \t\n# x\r\n").rules == ()
    assert parse_owners(b"/a @ada\r\n").rule_for(b"b") is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"[ @a", "The pattern `[` matches nothing."),
        (b"/ @a", "The pattern `/` matches nothing."),
        (b"a\\", "The pattern `a\\` matches nothing."),
        (b"!", "The pattern `!` matches nothing."),
        (b"[[:odd:]] @a", "The pattern `[[:odd:]]` matches nothing."),
        (b"!a @ada", "`!a` says that nobody owns what it matches, and names owners."),
        (b"a @acme/team", "`@acme/team` names a team, and there are none: name an organization or a person."),
        (b"a ada", "`ada` is no owner: use @handle, @organization or an e-mail address."),
        (b"a @", "`@` is no owner: use @handle, @organization or an e-mail address."),
        (b"a @-a", "`@-a` is no owner: use @handle, @organization or an e-mail address."),
        ("a @\u0430da".encode(), "`@\u0430da` is no owner: use @handle, @organization or an e-mail address."),
        ("a @ad\u202ea".encode(), "'@ad\\u202ea' is no owner: use @handle, @organization or an e-mail address."),
        (b"a\x00b @ada", "The pattern holds a NUL byte, which no path does."),
        (b"a" * 501, "The pattern has 501 bytes; the most are 500."),
        (b"a" + b" @ada" * 51, "The line names 51 owners; the most are 50."),
    ],
)
def test_a_line_that_cannot_be_read(line: bytes, message: str) -> None:
    """It is told with its number, and the list has no rules: half a list would let in whom the rest keeps out."""
    owners = parse_owners(b"* @acme\n\n" + line + b"\n")
    assert [(problem.line, problem.message) for problem in owners.problems] == [(3, message)]
    assert owners.rules == ()
    assert owners.rule_for(b"a") is None


def test_a_list_that_is_too_much() -> None:
    """Too large, too many rules, too many problems: said once, and in bounded time."""
    assert [p.line for p in parse_owners(b"#" * (MAX_BYTES + 1)).problems] == [0]
    assert parse_owners(b"a @ada\n" * 1001).problems[0] == (1001, "The list has more than 1,000 rules.")
    assert len(parse_owners(b"a ada\n" * 10_000).problems) == MAX_PROBLEMS
    assert [p.line for p in parse_owners((b"x" * 400 + b" @ada\n") * 200).problems] == [0]


def test_what_is_refused_names_each_line() -> None:
    """In words the first, for programs all of them."""
    require_readable(LIST)
    with pytest.raises(InvalidOwners) as refused:
        require_readable(b"a ada\nb @ada\nc @x/y\n[ @z\n")
    assert refused.value.message == (
        ".micelio/OWNERS cannot be read, so nothing landed; line 1: `ada` is no owner: use @handle, @organization or an"
        " e-mail address. 2 more lines are wrong."
    )
    document = refused.value.details["document"]
    assert ([row["line"] for row in document["problems"]], document["count"]) == ([1, 3, 4], 3)


def test_a_list_is_read_once() -> None:
    """It is remembered by the hash of its bytes."""
    name = bytes(range(32))
    assert remembered(name) is None
    first = read_owners(name, LIST)
    assert remembered(name) is first
    assert read_owners(name, b"") is first


@pytest.mark.parametrize(
    "evil",
    [
        [b"*a" * 240 + b"b"],
        [b"**/a/" * 90 + b"**"],
        [b"*?" * 240] * 20,
        [b"*a*b*c*%d" % number for number in range(1000)],
        [b"?" * MAX_PATTERN] * 100,
    ],
)
def test_no_pattern_takes_long(evil: list[bytes]) -> None:
    """Ones that make a backtracking matcher run for years are asked about the longest path in a moment."""
    begun = time.process_time()
    known = Patterns(evil)
    for path in (b"a" * 16_384, b"a/" * 8_191 + b"a", b"abc" * 5_000):
        known.last(path)
    assert time.process_time() - begun < 5


def test_a_set_that_gives_up_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """RE2 says nothing at all when a set runs out of memory; then each pattern is asked for itself."""
    known = Patterns([b"*.py", b"/docs/"])

    class Silent:
        def Match(self, path: bytes) -> list[int]:
            return []

    monkeypatch.setattr(known, "_set", Silent())
    assert [known.last(path) for path in (b"a.py", b"docs/a.py", b"a")] == [0, 1, None]


def test_what_matches_nothing_has_no_expression() -> None:
    """So it cannot be taken for a rule that matches nothing yet."""
    for pattern in (b"", b"/", b"[", b"[a", b"a\\", b"\x00", b"[[:odd:]]", b"a" * (MAX_PATTERN + 1)):
        assert translate(pattern) is None
    assert patterns.MAX_TOGETHER == 65_536
