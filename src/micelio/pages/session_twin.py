"""A session for machines: the same session as its page, as data and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mic.core.brought import brought_from
from mic.core.ids import ulid_text
from mic.core.session import Alternative, Decision, Message, Session, by_model
from mic.core.tree import Entry
from micelio.pages.answering import answered_of, first_words
from micelio.pages.answers import path_data
from micelio.pages.changes import ShownChanges, op_words
from micelio.pages.landing_items import landing_data
from micelio.pages.path_change import PathChange
from micelio.pages.text import count_words, display_path, full_time
from micelio.pages.twin_text import escaped, opening, passage
from micelio.sessions.queries import LandingView


def session_data(view: LandingView, changes: list[PathChange]) -> dict[str, Any]:
    """Everything but the contents. E-mail addresses stay out."""
    session = view.session
    return {
        **landing_data(view.row),
        "position": view.row.position or None,
        "state": view.state,
        "base_position": session.base_position,
        "tree": view.tree.hex(),
        "brought": brought_from(session) or None,
        "decisions": _decisions(session),
        "transcript": session.transcript or "project",
        "conversation": [_message(message) for message in session.conversation],
        "claims": list(session.claims),
        "usage": [
            {"model": each.model or None, "read": each.read, "cached": each.cached, "written": each.written}
            for each in by_model(session.usage)
        ],
        "changes": [change_data(change) for change in changes],
    }


def decision_data(decision: Decision) -> dict[str, Any]:
    """One decision for machines."""
    return {
        "what": decision.what,
        "why": decision.why,
        "alternatives": [{"what": road.what, "why_not": road.why_not} for road in decision.alternatives],
        "by": decision.by,
        "evidence": decision.evidence,
        "at": datetime.fromtimestamp(decision.at / 1000, UTC) if decision.at else None,
        "message": decision.message or None,
    }


def _decisions(session: Session) -> list[dict[str, Any]]:
    answered = answered_of(session)
    return [
        decision_data(each) | {"said_before": answered.before(each.at, each.message) or None}
        for each in session.decisions
    ]


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


def change_data(change: PathChange) -> dict[str, Any]:
    """One changed path for machines."""
    source = path_data(change.source.path) | {"renamed": change.renamed} if change.source is not None else None
    return {**path_data(change.path), "old": _side(change.old), "new": _side(change.new), "source": source}


def session_markdown(
    view: LandingView, state: str, changes: list[PathChange], shown: ShownChanges | None, checks: str = ""
) -> str:
    """The session as a text to read, whole: goal, why, conversation, changed files with counts where there are any.

    What somebody wrote is no markup here; of several lines it stands between fences.
    """
    session, row = view.session, view.row
    first, _, more = session.goal.strip("\r\n").partition("\n")
    who = row.author_name or row.owner_handle or "somebody"
    parts = [f"# {escaped(first.strip()) or '(no goal was given)'}"]
    parts += [f"{state}, by {escaped(who)}, {full_time(row.landed_at)}."]
    parts += [f"Session {ulid_text(session.id)}, base @{session.base_position}."]
    if row.git_commit:
        parts.append(f"Git commit {row.git_commit.hex()}.")
    if brought := brought_from(session):
        project, forge = escaped(str(brought["project"])), escaped(str(brought["forge"]))
        parts.append(f"Before, it landed as @{brought['position']} of {project} at {forge}.")
    parts.append(passage(more))
    parts += _why(session)
    if checks:
        parts += ["## What it says, and what it changed", checks]
    if session.conversation:
        parts.append("## Conversation")
        for said in session.conversation:
            parts += [f"**{escaped(said.author.strip() or said.role)}** ({escaped(said.role)}):", passage(said.text)]
    if session.transcript and session.turns:
        parts.append(f"The conversation ({count_words(session.turns, 'message')}) is kept to {session.transcript}.")
    if session.usage:
        parts.append("## Tokens")
        parts.append(
            "\n".join(
                f"- {opening(each.model) or 'a model without a name'}: {each.read:,} read, "
                f"{each.cached:,} of them from a cache, {each.written:,} written"
                for each in by_model(session.usage)
            )
        )
    parts.append(f"## Changes: {len(changes)} files")
    counted = {file.path: file.summary for file in (*shown.files, *shown.rest)} if shown else {}
    names = [(change.path, _summary(change, counted)) for change in changes]
    parts.append("\n".join(f"- {opening(display_path(path))} ({escaped(summary)})" for path, summary in names))
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(change: PathChange, counted: Mapping[bytes, str]) -> str:
    said = counted.get(change.path) or op_words(change)
    if change.source is None:
        return said
    source = f"{op_words(change)} from {display_path(change.source.path)}"
    return source if said == op_words(change) else f"{said}, {source}"


def _why(session: Session) -> list[str]:
    if not session.decisions:
        return []
    answered = answered_of(session)
    parts = ["## Why"]
    for number, decision in enumerate(session.decisions, 1):
        parts += [f"### D{number}. {escaped(decision.what)}", passage(decision.why)]
        parts.append("\n".join(_road(road) for road in decision.alternatives))
        parts.append(opening(", ".join(part for part in (decision.by, decision.evidence) if part)))
        if told := answered.told(decision.message):
            words = first_words(session.conversation[told - 1].text)
            parts.append(f"In reply to message {told}: {escaped(words)}")
        elif before := answered.before(decision.at, decision.message):
            words = first_words(session.conversation[before - 1].text)
            parts.append(f"Last said before, message {before}: {escaped(words)}")
    return parts


def _road(road: Alternative) -> str:
    return f"- not: {escaped(road.what)}" + (f" ({escaped(road.why_not)})" if road.why_not else "")
