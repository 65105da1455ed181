"""The authorship log of a landing, as far as its record says who wrote it: a function of the landing.

A session that names an agent wrote its lines with it, another one by hand; what came as a Git commit is untracked,
unless a log came with it, which then is the landing's, byte for byte (docs/formats.md, ADR 70).
"""

from __future__ import annotations

from typing import Any

from mic.core.ids import ulid_text
from mic.core.record import Record
from mic.core.session import Op, Session
from mic.git.added import Texts, added_lines
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
    if not session.agent and session.metadata.get("git"):
        return b""
    agents: dict[str, Agent] = {}
    humans: dict[str, str] = {}
    attributes: dict[str, dict[str, str]] = {}
    if session.agent:
        agent = agent_of(session)
        name = session_key(agent.tool, agent.id)
        agents[name], key = agent, f"{name}::{trace_key(f'{agent.id}:{record.position}')}"
        attributes[name] = {"micelio_session": agent.id, "micelio_position": str(record.position)}
    else:
        author = identity(session.author.name, session.author.email).decode(errors="replace")
        key = human_key(author)
        humans[key] = author
    copied = {change.path: change.copied_from for change in session.changes if change.copied_from}
    files: dict[str, list[Attested]] = {}
    for change in record.changes:
        path = sayable(change.path)
        if path is None or change.op == Op.DELETED or (new := texts.text(tree, change.path)) is None:
            continue
        base = texts.text(before, copied.get(change.path, change.path)) if before else None
        if ranges := added_lines(base or b"", new):
            files[path] = [Attested(key, ranges)]
    if not files and not agents:
        return b""
    return encode_authorship(Authorship(commit.hex(), files, agents, humans, attributes))
