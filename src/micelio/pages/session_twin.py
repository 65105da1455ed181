"""A session for machines: the same session as its page, as data and as Markdown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mic.core.ids import ulid_text
from mic.core.session import Decision, Message, Session, State
from mic.core.tree import Entry
from micelio.pages.answers import path_data
from micelio.pages.changes import PathChange, ShownChanges
from micelio.pages.landing_items import landing_data
from micelio.pages.text import full_time, headline
from micelio.sessions.queries import LandingView


def session_data(view: LandingView, changes: list[PathChange]) -> dict[str, Any]:
    """Everything but the contents. E-mail addresses stay out."""
    session = view.session
    return {
        **landing_data(view.row),
        "position": view.row.position or None,
        "state": State(session.state).name.lower(),
        "base_position": session.base_position,
        "tree": view.tree.hex(),
        "decisions": [_decision(decision) for decision in session.decisions],
        "conversation": [_message(message) for message in session.conversation],
        "claims": list(session.claims),
        "changes": [_change(change) for change in changes],
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "what": decision.what,
        "why": decision.why,
        "alternatives": [{"what": road.what, "why_not": road.why_not} for road in decision.alternatives],
        "by": decision.by,
        "evidence": decision.evidence,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "role": message.role,
        "author": message.author,
        "text": message.text,
        "at": datetime.fromtimestamp(message.at / 1000, UTC) if message.at else None,
        "redactions": message.redactions,
    }


def _side(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    return {"mode": f"{entry.mode:06o}", "size": entry.size, "hash": entry.hash.hex()}


def _change(change: PathChange) -> dict[str, Any]:
    return {**path_data(change.path), "old": _side(change.old), "new": _side(change.new)}


def session_markdown(view: LandingView, state: str, shown: ShownChanges) -> str:
    """The session as a text to read: goal, why, conversation, changed files."""
    session, row = view.session, view.row
    first, more = headline(session.goal)
    who = row.author_name or row.owner_handle or "somebody"
    parts = [f"# {first or '(no goal was given)'}", f"{state}, by {who}, {full_time(row.landed_at)}."]
    parts += [f"Session {ulid_text(session.id)}, base @{session.base_position}."]
    if row.git_commit:
        parts.append(f"Git commit {row.git_commit.hex()}.")
    if more:
        parts.append(more)
    parts += _why(session)
    if session.conversation:
        parts.append("## Conversation")
        parts += [f"**{said.author or said.role}** ({said.role}): {said.text}" for said in session.conversation]
    parts.append(f"## Changes: {shown.total} files")
    names = [f"- {file.name} ({file.summary})" for file in (*shown.files, *shown.rest)]
    if shown.unlisted:
        names.append(f"- and {shown.unlisted} more")
    parts.append("\n".join(names))
    return "\n\n".join(part for part in parts if part) + "\n"


def _why(session: Session) -> list[str]:
    if not session.decisions:
        return []
    parts = ["## Why"]
    for number, decision in enumerate(session.decisions, 1):
        parts.append(f"### D{number}. {decision.what}")
        parts.append(decision.why)
        roads = [
            f"- not: {road.what}" + (f" ({road.why_not})" if road.why_not else "") for road in decision.alternatives
        ]
        parts.append("\n".join(roads))
        parts.append(", ".join(part for part in (decision.by, decision.evidence) if part))
    return parts
