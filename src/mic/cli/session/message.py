"""The open session as it goes to the forge."""

from __future__ import annotations

from mic.cli.terminal.words import decision_pb, message_pb
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.session import LocalSession
from mic.workspace.told import decided_in_order, in_order


def session_message(session: LocalSession, changes: list[pb.Change]) -> pb.Session:
    """The open session as it goes to the forge, to be pushed or landed."""
    turns, numbers = in_order(session.conversation)
    said = [message_pb(item) for item in turns]
    # What is kept apart goes in a field of its own: a forge that does not know of it keeps nothing, and shows nothing.
    apart = pb.KeptTranscript(seen_by=session.transcript, messages=len(said), conversation=said)
    return pb.Session(
        id=session.id,
        goal=session.goal,
        agent=session.agent,
        base_position=session.base_position,
        based_on=session.based_on,
        created_at_ms=session.started_ms,
        conversation=[] if session.transcript else said,
        transcript=apart if session.transcript else None,
        decisions=[decision_pb(item) for item in decided_in_order(session.decisions, numbers)],
        changes=changes,
        usage=[
            pb.Usage(model=each.model, read=each.read, written=each.written, cached=each.cached, source=each.source)
            for each in session.usage
        ],
    )
