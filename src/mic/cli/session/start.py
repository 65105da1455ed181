"""`mic session start`: a session with a goal, opened here and told to the forge."""

from __future__ import annotations

import click

from mic.cli.context.open_session import address_of, require_complete
from mic.cli.forge.connection import connect
from mic.cli.landing.queued import settle_first
from mic.cli.session.hooks import PRE_SESSION, run_hook
from mic.cli.session.transcript_option import seen_by, transcript_option
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output
from mic.cli.terminal.words import local_fields
from mic.core.errors import Unavailable
from mic.core.ids import ulid_text
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.operations import forget, record
from mic.workspace.queued import queued
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace


@click.command("start", short_help="Open a session with a goal.")
@click.argument("words", nargs=-1, required=True, metavar="[ORG PROJECT] GOAL")
@click.option(
    "--agent", default="", envvar="MIC_AGENT", show_envvar=True, help="The agent that works in it, if one does."
)
@click.option("--on", metavar="ID", default="", help="Begin on the work of another session, which has not landed yet.")
@transcript_option
@json_option
def start(out: Output, words: tuple[str, ...], agent: str, on: str, transcript: str | None) -> None:
    """Open a session with a goal: what is to be reached, in one line.

    With ORG PROJECT (or ORG/PROJECT) before it, outside of a working copy, it is one of that project, which is cloned
    into a folder of its name when it is not there.

    With --on, it begins where another session of yours is: the one that is open here, which is pushed first, or one
    that was pushed. It lands after that one, and brings only what was changed since.
    """
    goal = words[-1]
    if not goal.strip():
        raise WrongCommandLine("A session needs a goal.", hint='For example: `mic session start "Water at dawn"`.')
    if len(words) == 1:
        ws = Workspace.find()
        session, announced = _opened(ws, goal, agent, on, out, transcript)
    else:
        from mic.cli.session.start_elsewhere import workspace_for  # with all that clones

        local.checked_goal(goal)
        with workspace_for(words, out) as ws:
            session, announced = _opened(ws, goal, agent, on, out, transcript)
    out.document({"session": local_fields(session), "announced": announced, "directory": ws.root})


def _opened(
    ws: Workspace, goal: str, agent: str, on: str, out: Output, transcript: str | None
) -> tuple[LocalSession, bool]:
    if on:
        from mic.cli.session.stack import open_on  # with all that pushes and resumes

        return open_on(ws, goal, agent, on, out, transcript)
    return open_session(ws, goal, agent, out, transcript)


def open_session(
    ws: Workspace, goal: str, agent: str, out: Output, transcript: str | None = None
) -> tuple[LocalSession, bool]:
    """Open a session, with the hook before it, and say so; also whether the forge was told."""
    goal = local.checked_goal(goal)
    local.require_none(ws)
    run_hook(ws, PRE_SESSION, goal, None)
    with ws.lock():
        require_complete(ws)
        if (item := queued(ws)) is not None:
            with connect(ws.config.instance, signed_in=True) as client:
                settle_first(client, ws, item, out)
        local.require_none(ws)
        begun = record(ws, "mic session start", files=False)
        session = local.start(ws, goal, agent, seen_by(transcript))
        try:
            announced = _announce(ws, session)
        except BaseException:
            local.clear(ws)
            forget(ws, begun)
            raise
    out.line(f"Started: {session.goal}")
    out.line(f"session {ulid_text(session.id)}, base @{session.base_position}")
    if not announced:
        out.note("The forge cannot be reached; it hears of this session when you land it.")
    return session, announced


def _announce(ws: Workspace, session: LocalSession) -> bool:
    """Tell the forge that somebody works on this; False when it does not answer, which stops nobody's work."""
    request = pb.StartSessionRequest(
        project=address_of(ws).ref,
        session_id=session.id,
        goal=session.goal,
        base_position=session.base_position,
        agent=session.agent,
    )
    try:
        with connect(ws.config.instance, signed_in=True) as client:
            client.call(client.sessions.StartSession, request, seconds=10)
    except Unavailable:
        return False
    return True
