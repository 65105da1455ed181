"""The authorship log of a landing, as far as its record says who wrote it: a function of the landing.

Lines are whose the session says they are. Where it says nothing of a file, a session that names an agent wrote its
lines with it, another one by hand; what came as a Git commit is untracked, unless a log came with it, which then is the
landing's, byte for byte (docs/formats.md, ADR 70).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mic.core.attribution import Attribution, Author, authors, parse
from mic.core.ids import ulid_text
from mic.core.record import Record
from mic.core.session import Op, Session
from mic.git.added import Range, Texts, added_lines
from mic.git.authorship import (
    Agent,
    Attested,
    Authorship,
    encode_authorship,
    human_key,
    sayable,
    session_key,
    trace_key,
)
from mic.git.native import identity

# Where a session keeps the log that came with its commit.
ATTRIBUTION = "git-ai"


def brought_note(session: Session) -> bytes:
    """The log that came with the landing's commit, b"" for none."""
    text: Any = session.attribution.get(ATTRIBUTION)
    return text if isinstance(text, bytes) else b""


def agent_of(session: Session) -> Agent:
    """The agent of a session as a log names it: `NAME` or, as `Assisted-by` has it, `NAME:MODEL`."""
    tool, _, model = session.agent.strip().partition(":")
    directed = identity(session.author.name, session.author.email).decode(errors="replace")
    return Agent(tool.strip() or "unknown", ulid_text(session.id), model.strip() or "unknown", directed)


def landed_note(record: Record, session: Session, commit: bytes, tree: bytes, before: bytes, texts: Texts) -> bytes:
    """The note of the commit of a landing; `before` is the tree that it landed on, b"" for none. b"" for no note."""
    if brought := brought_note(session):
        return brought
    said = parse(session.attribution)
    if not session.agent and session.metadata.get("git") and not said.files:
        return b""
    keys = _Keys(record, session)
    copied = {change.path: change.copied_from for change in session.changes if change.copied_from}
    files: dict[str, list[Attested]] = {}
    for change in record.changes:
        path = sayable(change.path)
        if path is None or change.op == Op.DELETED or (new := texts.text(tree, change.path)) is None:
            continue
        base = texts.text(before, copied.get(change.path, change.path)) if before else None
        if attested := keys.attested(said, change.path, added_lines(base or b"", new)):
            files[path] = attested
    if not files and not keys.agents:
        return b""
    return encode_authorship(Authorship(commit.hex(), files, keys.agents, keys.humans, keys.attributes))


class _Keys:
    """The keys of one landing, with who stands behind them."""

    def __init__(self, record: Record, session: Session) -> None:
        self._record, self._session = record, session
        self.agents: dict[str, Agent] = {}
        self.humans: dict[str, str] = {}
        self.attributes: dict[str, dict[str, str]] = {}
        self._whole = Author("agent" if session.agent else "untracked" if session.metadata.get("git") else "person")
        if session.agent:
            self._agent("")

    def attested(self, said: Attribution, path: bytes, added: Iterable[Range]) -> list[Attested]:
        """The added lines of a file by key. What is untracked has none."""
        found: dict[str, list[Range]] = {}
        for first, last in added:
            for start, lines, author in authors(said, self._whole, path, first, last - first + 1):
                if author.kind != "untracked":
                    name = author.writer.name if author.writer is not None else ""
                    key = self._agent(name) if author.kind == "agent" else self._human(name)
                    found.setdefault(key, []).append((start, start + lines - 1))
        return [Attested(key, tuple(ranges)) for key, ranges in found.items()]

    def _agent(self, name: str) -> str:
        """The key of the session's agent, or of one that it names for lines: a conversation of its own."""
        agent = agent_of(self._session)
        if name:
            tool, _, model = name.partition(":")
            agent = agent._replace(
                tool=tool.strip() or "unknown", model=model.strip() or "unknown", id=f"{agent.id}:{name}"
            )
        key = session_key(agent.tool, agent.id)
        self.agents[key] = agent
        session, position = ulid_text(self._session.id), str(self._record.position)
        self.attributes[key] = {"micelio_session": session, "micelio_position": position}
        return f"{key}::{trace_key(f'{agent.id}:{position}')}"

    def _human(self, name: str) -> str:
        directed = identity(name or self._session.author.name, "" if name else self._session.author.email)
        author = directed.decode(errors="replace")
        self.humans[human_key(author)] = author
        return human_key(author)
