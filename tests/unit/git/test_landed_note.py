"""The note of a landing whose session says who wrote which lines."""

from __future__ import annotations

from typing import Any, cast

from mic.core.attribution import Attribution, FileLines, Writer, stored
from mic.core.record import PathChange, Record
from mic.core.session import Author, Op, Session
from mic.core.tree import Entry
from mic.git.added import Texts
from mic.git.authorship import decode_authorship
from mic.git.landed_note import landed_note

H = bytes(32)
OLD, NEW = b"a\nb\n", b"1\n2\na\n3\nb\n4\n5\n"


class _Texts:
    def text(self, tree: bytes, path: bytes) -> bytes | None:
        return NEW if tree == b"new" else OLD


def _note(attribution: dict[str, Any], agent: str = "claude:opus", **metadata: Any) -> bytes:
    change = PathChange(b"f", int(Op.MODIFIED), Entry(b"f", 0o100644, 0, len(NEW), H))
    record = Record(7, b"s" * 16, H, 6, 0, H, (change,))
    session = Session(
        b"s" * 16, "Goal", author=Author("Ada", "ada@example.org"), agent=agent, attribution=attribution,
        metadata=metadata,
    )  # fmt: skip
    return landed_note(record, session, bytes(20), b"new", b"old", cast(Texts, _Texts()))


def _told(note: bytes) -> list[tuple[str, tuple[tuple[int, int], ...]]]:
    log = decode_authorship(note)
    told = []
    for item in log.files.get("f", ()):
        agent = log.agent_of(item.key)
        told.append((log.humans[item.key] if agent is None else f"{agent.tool}:{agent.model}", item.ranges))
    return sorted(told)


def test_lines_have_the_keys_of_their_writers() -> None:
    """An agent's, another agent's, a person's; line 5 was there, line 7 is untracked and has none."""
    writers = (Writer("agent"), Writer("agent", "codex"), Writer("person"), Writer("person", "Eve"))
    lines = FileLines(b"f", H, ((1, 1, 0), (2, 1, 1), (4, 2, 2), (6, 1, 3)))
    assert _told(_note(stored(Attribution(writers, {b"f": lines})))) == [
        ("Ada <ada@example.org>", ((4, 4),)),
        ("Eve <>", ((6, 6),)),
        ("claude:opus", ((1, 1),)),
        ("codex:unknown", ((2, 2),)),
    ]


def test_where_nothing_is_said_the_session_tells() -> None:
    added = ((1, 2), (4, 4), (6, 7))
    assert _told(_note({})) == [("claude:opus", added)]
    assert _told(_note({}, "")) == [("Ada <ada@example.org>", added)]
    assert _note({}, "", git={"commit": bytes(20)}) == b""
    other = stored(Attribution((Writer("person"),), {b"g": FileLines(b"g", H, ((1, 1, 0),))}))
    assert _told(_note(other)) == [("claude:opus", added)]
    assert _note(other, "", git={"commit": bytes(20)}) == b""


def test_a_log_that_came_along_is_the_note() -> None:
    lines = stored(Attribution((Writer("person"),), {b"f": FileLines(b"f", H, ((1, 7, 0),))}))
    assert _note(lines | {"git-ai": b"as it came"}) == b"as it came"
