"""Sessions as JSON and as text: goal, decisions with the roads not taken, conversation, changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mic.cli.terminal.mode_words import mode_words
from mic.cli.terminal.output import Output, iso, path_fields, plural, when
from mic.core.answered import Answered
from mic.core.ids import ulid_text
from mic.core.paths import display
from mic.core.session import Alternative, Decision, Message, Usage, by_model
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.session import LocalSession
from mic.workspace.told import decided_in_order, in_order

# Who reads a conversation where nothing is said of it: all who read the project.
PROJECT = "project"
LETTERS = "AMD"
# Of a message that is named beside what was decided.
_FIRST_WORDS = 72
_OPS = ("added", "modified", "deleted")


def dated_ms(session: pb.Session) -> int:
    """The moment that people see of a session, in ms since 1970.

    Of a landing that is when the forge landed it: when the session began is what the clock of somebody's machine said.
    A commit that came with Git has its author date; a session that has not landed, when it began.
    """
    landed_here = session.landed_position and not session.git_commit
    return session.updated_at_ms if landed_here else session.created_at_ms


def session_fields(session: pb.Session, *, whole: bool = False) -> dict[str, Any]:
    """A session of the forge in JSON; with its words and changes when `whole`."""
    fields: dict[str, Any] = {
        "id": ulid_text(session.id),
        "state": session.state,
        "goal": session.goal,
        "author": {"name": session.author.name, "email": session.author.email},
        "owner": session.owner,
        "agent": session.agent,
        "base_position": session.base_position,
        "based_on": ulid_text(session.based_on) if session.based_on else None,
        "position": session.landed_position or None,
        "refusal": session.refusal or None,
        "created_at": iso(session.created_at_ms),
        "landed_at": iso(session.updated_at_ms) if session.landed_position else None,
        "updated_at": iso(session.updated_at_ms),
        "files": session.files,
        "pushed_at": iso(session.pushed_at_ms) if session.pushed_at_ms else None,
        "git_commit": session.git_commit.hex() or None,
    }
    if whole:
        fields["brought"] = _brought_fields(session.brought) if session.HasField("brought") else None
        fields["conversation"] = [
            {"role": item.role, "author": item.author, "text": item.text, "at": iso(item.at_ms)}
            for item in conversation_of(session)
        ]
        fields["transcript"] = transcript_words(session.transcript.seen_by)
        fields["messages"] = session.transcript.messages or len(session.conversation)
        fields["usage"] = usage_fields(session.usage)
        fields["decisions"] = answering_fields(session.decisions, conversation_of(session))
        fields["changes"] = [change_fields(item) for item in session.changes]
    return fields


def conversation_of(session: pb.Session) -> Sequence[pb.Message]:
    """The turns of a session of the forge, as far as they were sent to whoever asked."""
    return session.transcript.conversation or session.conversation


def usage_fields(usage: Iterable[Usage | pb.Usage]) -> list[dict[str, Any]]:
    """Tokens of each model in JSON; `model` is null where it is not named."""
    return [
        {"model": each.model or None, "read": each.read, "cached": each.cached, "written": each.written}
        for each in by_model(Usage(each.model, each.read, each.written, each.cached) for each in usage)
    ]


def _print_usage(out: Output, usage: Iterable[pb.Usage]) -> None:
    for each in usage_fields(usage):
        cached = f" ({each['cached']:,} from a cache)" if each["cached"] else ""
        name = each["model"] or "a model without a name"
        out.line(f"Tokens of {name}: {each['read']:,} read{cached}, {each['written']:,} written")


def transcript_words(seen_by: str) -> str:
    """Who reads a conversation, as options and documents name them."""
    return seen_by or PROJECT


def _brought_fields(brought: pb.Brought) -> dict[str, Any]:
    return {
        "forge": brought.forge,
        "project": brought.project,
        "session": brought.session,
        "position": brought.position,
    }


def change_fields(change: pb.Change) -> dict[str, Any]:
    """A change in JSON; `hash` and `mode` are null when the file was deleted."""
    deleted = change.op == pb.Change.DELETED
    return {
        **path_fields(change.path),
        # A newer forge may have others.
        "op": _OPS[change.op] if change.op < len(_OPS) else "unknown",
        "mode": None if deleted else f"{change.mode:06o}",
        "hash": None if deleted else change.hash.hex(),
        "size": change.size,
        "base_hash": change.base_hash.hex() or None,
    }


def local_fields(session: LocalSession) -> dict[str, Any]:
    """The open session of a workspace in JSON."""
    turns, numbers = in_order(session.conversation)
    return {
        "id": ulid_text(session.id),
        "state": "active",
        "goal": session.goal,
        "agent": session.agent,
        "base_position": session.base_position,
        "based_on": ulid_text(session.based_on) if session.based_on else None,
        "created_at": iso(session.started_ms),
        "transcript": transcript_words(session.transcript),
        "usage": usage_fields(session.usage),
        "conversation": [
            {"role": item.role, "author": item.author, "text": item.text, "at": iso(item.at)} for item in turns
        ],
        "decisions": answering_fields(decided_in_order(session.decisions, numbers), turns),
    }


def decision_fields(decision: Decision | pb.Decision) -> dict[str, Any]:
    """A decision in JSON."""
    at = _at(decision)
    return {
        "what": decision.what,
        "why": decision.why,
        "alternatives": [{"what": road.what, "why_not": road.why_not} for road in decision.alternatives],
        "by": decision.by,
        "evidence": decision.evidence,
        "at": iso(at) if at else None,
        "message": decision.message or None,
    }


def answering_fields(
    decisions: Iterable[Decision | pb.Decision], turns: Iterable[Message | pb.Message]
) -> list[dict[str, Any]]:
    """Decisions of one conversation in JSON, each with what a person said last before it, where it names no message."""
    answered = answered_of(turns)
    return [
        decision_fields(each) | {"said_before": answered.before(_at(each), each.message) or None} for each in decisions
    ]


def answered_of(turns: Iterable[Message | pb.Message]) -> Answered:
    """What looks up which message of a conversation a decision answers."""
    return Answered((turn.role, _at(turn)) for turn in turns)


def _at(item: Decision | Message | pb.Decision | pb.Message) -> int:
    return item.at if isinstance(item, Decision | Message) else item.at_ms


def message_pb(item: Message) -> pb.Message:
    """A turn of the conversation for the wire."""
    return pb.Message(role=item.role, author=item.author, text=item.text, at_ms=item.at)


def decision_pb(item: Decision) -> pb.Decision:
    """A decision for the wire."""
    roads = [pb.Alternative(what=road.what, why_not=road.why_not) for road in item.alternatives]
    return pb.Decision(
        what=item.what,
        why=item.why,
        alternatives=roads,
        by=item.by,
        evidence=item.evidence,
        at_ms=item.at,
        message=item.message,
    )


def decision_of(item: pb.Decision) -> Decision:
    """A decision from the wire."""
    roads = tuple(Alternative(road.what, road.why_not) for road in item.alternatives)
    return Decision(item.what, item.why, roads, item.by, item.evidence, item.at_ms, item.message)


def print_words(out: Output, conversation: list[pb.Message], decisions: list[pb.Decision]) -> None:
    """Decisions, each with the message that it answers or that came before, then the conversation."""
    answered = answered_of(conversation)
    for item in decisions:
        out.line()
        print_decision(out, item)
        told, before = answered.told(item.message), answered.before(item.at_ms, item.message)
        if told or before:
            turn = conversation[(told or before) - 1]
            out.line(f"  {'in reply to' if told else 'last said before'}: {begins(turn.text)}")
    if conversation:
        out.line()
    for turn in conversation:
        who = f"{turn.role} ({turn.author})" if turn.author and turn.author != turn.role else turn.role
        out.line(f"{out.paint(who + ':', 'cyan')} {turn.text}")


def begins(text: str) -> str:
    """How a message begins, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _FIRST_WORDS else line[: _FIRST_WORDS - 1].rstrip() + "…"


def print_decision(out: Output, decision: pb.Decision, indent: str = "") -> None:
    """What was decided, why, instead of what."""
    out.line(f"{indent}{out.paint('Decided:', 'bold')} {decision.what}")
    if decision.why:
        out.line(f"{indent}  because {decision.why}")
    for road in decision.alternatives:
        out.line(f"{indent}  not {road.what}" + (f": {road.why_not}" if road.why_not else ""))
    if decision.by:
        out.line(f"{indent}  by {decision.by}")
    if decision.evidence:
        out.line(f"{indent}  evidence: {decision.evidence}")


def print_landing(out: Output, session: pb.Session) -> None:
    """A session whole, for people."""
    title, _, rest = session.goal.strip().partition("\n")
    place = f"@{session.landed_position}" if session.landed_position else session.state
    out.line(f"{out.paint(place, 'yellow')} {out.paint(title, 'bold')}")
    if rest.strip():
        out.line("\n" + rest.strip("\n") + "\n")
    author = session.author.name or session.owner
    with_agent = f" with {session.agent}" if session.agent else ""
    out.line(f"{author}{with_agent}, {when(dated_ms(session))}")
    out.line(f"session {ulid_text(session.id)}, base @{session.base_position}")
    if session.HasField("brought"):
        before = session.brought
        out.line(
            f"It landed as @{before.position} of {before.project} at {before.forge} before, as whoever pushed it says."
        )
    if session.based_on:
        out.line(f"It stands on session {ulid_text(session.based_on)}.")
    if session.state == "queued":
        out.line("Accepted by the forge, which lands it in turn.")
    if session.pushed_at_ms and not session.landed_position:
        out.line(f"Pushed {when(session.pushed_at_ms)}, not landed.")
    if session.refusal:
        out.line(f"Not landed: {session.refusal}")
    if session.git_commit:
        out.line(f"Git commit {session.git_commit.hex()}")
    said = list(conversation_of(session))
    _print_usage(out, session.usage)
    print_words(out, said, list(session.decisions))
    if session.HasField("transcript"):
        kept = session.transcript
        out.line()
        lacking = "" if said or not kept.messages else ", and not sent to you"
        out.line(f"The conversation ({plural(kept.messages, 'message')}) is kept to {kept.seen_by}{lacking}.")
    if session.changes:
        out.line()
        out.line(plural(len(session.changes), "file") + ":")
    for change in session.changes:
        out.line(f"  {letter(out, change.op)} {display(change.path)}{mode_words(change.base_mode, change.mode)}")


def letter(out: Output, op: int) -> str:
    """A, M or D, in colour."""
    if op >= len(LETTERS):
        return "?"  # of a newer forge
    return out.paint(LETTERS[op], ("green", "yellow", "red")[op])
