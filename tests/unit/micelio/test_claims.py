"""Claims beside facts: what the changes decide, and nothing else."""

from __future__ import annotations

import time

import pytest

from mic.core.session import Decision, Message, Op, Session
from micelio.sessions.claims import Facts, Verdict, Where, check, evidence_elsewhere, unmentioned

TOKENS, KEYS, TEST, DOCS = b"src/auth/tokens.py", b"src/auth/keys.py", b"tests/auth/test_tokens.py", b"docs/keys.md"
FACTS = Facts(((TOKENS, Op.MODIFIED), (KEYS, Op.ADDED), (TEST, Op.ADDED), (DOCS, Op.MODIFIED)))
HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN


def _say(text: str, facts: Facts = FACTS) -> list[tuple[Verdict, str, tuple[bytes, ...]]]:
    session = Session(id=bytes(16), goal="Goal", conversation=(Message("agent", "claude", text),))
    return [(each.verdict, each.fact, each.paths) for each in check(session, facts)]


@pytest.mark.parametrize(
    ("text", "verdict", "fact", "paths"),
    [
        ("Only touches `src/auth/`", FAILS, "2 files elsewhere", (TEST, DOCS)),
        ("It only touches src/auth, tests and docs.", HOLDS, "all of 4 files", ()),
        ("Changed only tokens.py and keys.py", FAILS, "2 files elsewhere", (TEST, DOCS)),
        ("Nothing outside src/ is changed here", FAILS, "2 files elsewhere", (TEST, DOCS)),
        ("This does not touch the tests", FAILS, "1 file changed there", (TEST,)),
        ("We don't touch docs or tests", FAILS, "2 files changed there", (DOCS, TEST)),
        ("I left `docs/keys.md` alone", FAILS, "1 file changed there", (DOCS,)),
        ("It leaves `docs/other.md` alone", HOLDS, "no file changed there", ()),
        ("src/auth/tokens.py stays unchanged", FAILS, "1 file changed there", (TOKENS,)),
        ("No changes to `migrations/`", HOLDS, "no file changed there", ()),
        ("Adds tests for expiry", HOLDS, "1 file of tests, by the name", (TEST,)),
        ("No new dependency", HOLDS, "no list of dependencies changed", ()),
        ("I changed 4 files", HOLDS, "4 files changed", ()),
        ("Touches three files", FAILS, "4 files changed", ()),
        ("Adds `src/auth/keys.py`", HOLDS, "was added", (KEYS,)),
        ("Adds `src/auth/tokens.py`", FAILS, "no such file was added", (TOKENS,)),
        ("Deletes `src/auth/old.py`", FAILS, "no such file was deleted", ()),
        ("All tests pass", OPEN, "the forge has run no tests", ()),
        ("No API changes", OPEN, "which files are the API, nothing here says", ()),
        ("Works without touching `issue()`", OPEN, "`issue()` is no path, so the changes do not decide this", ()),
    ],
)
def test_what_is_said_is_judged_by_what_changed(
    text: str, verdict: Verdict, fact: str, paths: tuple[bytes, ...]
) -> None:
    """Paths as gitignore has them, kinds of files by their names; what no change decides is open."""
    assert _say(text) == [(verdict, fact, paths)]


@pytest.mark.parametrize(
    "text",
    [
        "This is nice work",
        "Does it only touch docs?",
        "The cache never changes docs/",
        "Only for refresh",
        "Ünïcode only",
    ],
)
def test_what_is_no_claim_is_left_alone(text: str) -> None:
    """Questions, and sentences about the program instead of the session."""
    assert _say(text) == []


def test_dependencies_that_may_be_new_are_left_open() -> None:
    """A lock file says something changed, not what."""
    (found,) = _say("No new dependency", Facts(((b"uv.lock", Op.MODIFIED),)))
    assert found[0] is OPEN
    assert found[2] == (b"uv.lock",)


def test_each_claim_says_where_it_is_from() -> None:
    """The session's own list first, then goal, decisions, messages; what a person asked for is marked; once each."""
    session = Session(
        id=bytes(16),
        goal="Rotate keys. Only touch src/auth/",
        claims=("Faster than before", "Adds tests for it"),
        decisions=(Decision("Keep it small", "We touch only src/auth/ here"),),
        conversation=(
            Message("human", "ada", "Do not touch the docs."),
            Message("system", "", "all tests pass"),
            Message("agent", "claude", "Done. Adds tests for it. All tests pass."),
        ),
    )
    found = [(each.source.where, each.source.number, each.source.asked, each.verdict) for each in check(session, FACTS)]
    assert found == [
        (Where.LISTED, 0, False, OPEN),
        (Where.LISTED, 0, False, HOLDS),
        (Where.GOAL, 0, True, FAILS),
        (Where.DECISION, 1, False, FAILS),
        (Where.MESSAGE, 1, True, FAILS),
        (Where.MESSAGE, 3, False, OPEN),
    ]


def test_facts_beside_the_claims() -> None:
    """Evidence that did not change; files that nobody spoke of."""
    session = Session(
        id=bytes(16),
        goal="g",
        decisions=(Decision("Sign in tokens.py", evidence="src/auth/tokens.py:20, src/old/a.py:3-9 https://x.org/a"),),
        conversation=(Message("agent", "c", "keys.py and test_tokens.py"),),
    )
    assert evidence_elsewhere(session, FACTS) == [(1, b"src/old/a.py")]
    assert unmentioned(session, FACTS) == (DOCS,)
    assert unmentioned(Session(id=bytes(16), goal="g"), FACTS) == ()


@pytest.mark.parametrize("piece", ["only touch a, ", "`" * 50, "a/" * 100, "not touch " * 3, "add tests ", "x, x and "])
def test_long_words_are_read_in_bounded_time(piece: str) -> None:
    """A conversation of a megabyte made of the beginnings of claims."""
    text = ". ".join(piece * (380 // len(piece)) for _ in range(2000))
    session = Session(
        id=bytes(16), goal=text, conversation=tuple(Message("agent", "c", text[:40_000]) for _ in range(20))
    )
    begin = time.process_time()
    check(session, Facts(tuple((b"d/%d.py" % n, Op.ADDED) for n in range(2000))))
    assert time.process_time() - begin < 2
