"""`mic land`: what changed here becomes the project's next landing, with goal, conversation and decisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from mic.cli.context.open_session import add_note, address_of, require_complete
from mic.cli.forge.connection import connect
from mic.cli.forge.found_secrets import secret_error
from mic.cli.landing.advance import advance
from mic.cli.landing.clashes import clash_error
from mic.cli.landing.conflict_story import Stories, settled_all
from mic.cli.landing.last_landing import last as last_landing
from mic.cli.landing.last_landing import remember
from mic.cli.landing.outcome import no_change, report_landed, report_nothing_new, report_queued, report_settled
from mic.cli.landing.queued import PATIENCE, kept_change, settle, still_waiting, tell_settled
from mic.cli.landing.send_waiting import Sending, send_waiting, sent_line
from mic.cli.landing.unresolved import require_resolved
from mic.cli.landing.waiting import on_top, report_waiting, wait_to_land, waiting
from mic.cli.session.agent_file import refuse_paths
from mic.cli.session.attaching import attach_by_itself
from mic.cli.session.ended_elsewhere import ended, go_on
from mic.cli.session.hooks import PRE_LAND, PRE_SESSION, after_landing, has_hook, run_hook
from mic.cli.session.message import session_message
from mic.cli.session.push import require_here
from mic.cli.session.stack import require_below_landed
from mic.cli.session.transcript_option import seen_by, transcript_option
from mic.cli.session.unlanded_words import close as close_landed
from mic.cli.session.wrote import say_who_wrote
from mic.cli.terminal import voice
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output
from mic.cli.transfer.sending import Sent, send
from mic.core.errors import BaseMismatch, InvalidInput, MicError, NothingToLand, SecretFound
from mic.core.session import Op
from mic.rpc.client import Client
from mic.rpc.unreached import Unreached
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.files import hash_file
from mic.workspace.operations import record
from mic.workspace.pending import Pending, pushes_of, remove
from mic.workspace.pending import last_landing as last_waiting
from mic.workspace.pushed import forget_push, last_push
from mic.workspace.queued import Queued, put_aside, queued
from mic.workspace.session import LocalSession
from mic.workspace.stacked import drop as drop_below
from mic.workspace.status import LocalChange, status_of
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace

# Landing 100,000 files writes several packs; the forge answers when they are durable.
_SECONDS = 600.0
# Why `mic undo` stops there.
_GIVEN = "the forge has it, and `mic land --wait` says what became of it."


@click.command(short_help="Land what changed here, with its goal and decisions")
@click.argument("goal", required=False, default="")
@click.option(
    "--agent", default="", envvar="MIC_AGENT", show_envvar=True, help="The agent that did it, when no session is open."
)
@click.option("--async", "later", is_flag=True, help="Do not wait: the forge accepts it now and lands it in turn.")
@click.option("--wait", is_flag=True, help="Wait for what was landed with --async, and say where it landed.")
@transcript_option
@json_option
def land(out: Output, goal: str, agent: str, later: bool, wait: bool, transcript: str | None) -> int:
    """Land what changed here, with the open session's goal, conversation and decisions.

    Without an open session, GOAL starts one and lands it at once. When one is open it keeps its goal, and GOAL is
    added to its conversation as a note.

    When it clashes with what landed since your base, nothing lands and nothing here changes (exit code 3): `mic sync`
    takes in what landed. While a file has lines that it marked, nothing lands either. Landing what has landed already
    gives its position again.

    With --async, the forge answers as soon as it has written down what is to land, and whatever happens to it after
    that, nothing is lost. Go on working; the next `mic land`, `mic sync` or `mic session start` here takes the outcome
    in first. After a clash the session is open here again.

    Where the forge is not reached, the landing waits here, as it is now, and the exit code is 6. Go on working;
    `mic sync`, or the next `mic land`, sends what waits, in order. Nothing lands twice.
    """
    if wait and (later or goal):
        raise click.UsageError("--wait goes alone: it says what became of the landing that was sent with --async.")
    return run_wait(out) if wait else run_land(out, goal, agent, later, transcript)


def run_wait(out: Output) -> int:
    """Wait for the queued landing of this working copy; the exit code."""
    ws = Workspace.find()
    with ws.lock():
        item = queued(ws)
        if item is None:
            if last_landing(ws) is None:
                raise NothingToLand("No landing of this working copy waits.", hint="`mic land --async` sends one.")
            return report_nothing_new(out, ws, "")
        with connect(ws.config.instance, signed_in=True) as client:
            settled = settle(client, ws, item, _SECONDS)
        if settled is None:
            raise still_waiting(item.session)
    return report_settled(out, settled)


def run_land(out: Output, goal: str, agent: str = "", later: bool = False, transcript: str | None = None) -> int:
    """Land; the exit code."""
    ws = Workspace.find()
    hooked = _before(ws, goal)
    with ws.lock():
        require_complete(ws)
        if (item := queued(ws)) is not None:
            done_with = _settle_queued(out, ws, item, goal, later)
            if done_with is not None:
                return done_with
        away: Unreached | None = None
        if items := waiting(ws):
            sent_before, away = _send_waiting(ws)
            code = _after_waiting(ws, out, sent_before, goal) if sent_before else None
            if code is not None:
                return code
            items = waiting(ws)
        require_resolved(ws)
        index = ws.index()
        changes = status_of(ws, index).changes
        session, noted = local.current(ws), ""
        if session is None and not changes:
            return report_nothing_new(out, ws, goal, hooked)
        if session is not None:
            require_here(session)
        below = last_waiting(items)
        if away is not None and session is None and below is not None and not on_top(ws, items):
            return report_waiting(out, below, away)
        refuse_paths(ws, session, agent, changes)
        started = session is None
        if session is None:
            session = local.start(ws, goal, agent)
        elif goal.strip() and goal.strip() != session.goal:
            noted = goal.strip()
            if noted not in _notes(session):
                add_note(ws, session, goal, "agent" if session.agent else "human")
                local.save(ws, session)
        if transcript is not None and session.transcript != seen_by(transcript):
            session.transcript = seen_by(transcript)
            local.save(ws, session)
        attach_by_itself(ws, session, out)
        try:
            if away is not None:
                raise away
            with _stays_open(started), connect(ws.config.instance, signed_in=True) as client:
                require_below_landed(client, ws, session, out)
                if changes:
                    session, sent, answer = _send_open(client, ws, out, session, changes, later)
                else:
                    sent, answer = Sent([], {}, {}), _landed_without_a_word(client, ws, session)
                if answer.clashes:
                    raise clash_error(session, list(answer.clashes), Stories(client, address_of(ws).ref))
                if answer.queued:
                    # What stood here before it went is not to come back under it, nor when it has landed.
                    record(ws, "mic land", files=False, final=_GIVEN)
                    put_aside(ws, session, [kept_change(change) for change in sent.changes])
                    remove(ws, *pushes_of(ws, session.id))
                    return report_queued(out, session, len(sent.changes), noted)
                # Written first: whatever stops the rest, the next `mic land` knows that this session has landed.
                remember(ws, session, answer.position)
                final = f"it landed @{answer.position}, and others may have built on it."
                record(ws, "mic land", files=False, final=final)
                before = _landed_before(client, ws, answer.position) if answer.already_landed else None
                landed = sent.changes if before is None else list(before.changes)
                done = advance(client, ws, address_of(ws).ref, answer, sent, landed, index)
        except Unreached as error:
            return _wait(ws, out, session, items, error)
        settled_all(ws, answer.position)
        if before is None:
            local.clear(ws)
        else:
            close_landed(ws, session, before, out)
        if session.based_on:
            drop_below(ws, session.id)
        forget_push(ws)
        remove(ws, *pushes_of(ws, session.id))
    left = len(working_status(ws).changes) if answer.already_landed else 0
    code = report_landed(out, session, answer, done, len(landed), "" if answer.already_landed else noted, left)
    after_landing(ws, out, session, answer.position)
    return code


def _send_waiting(ws: Workspace) -> tuple[list[Sending], Unreached | None]:
    """Send what waits; what was sent, and why the forge is not reached."""
    try:
        with connect(ws.config.instance, signed_in=True) as client:
            here = local.current(ws)
            # What lands needs no push; one that is being put aside does not land.
            but = here.id if here is not None and not here.left else b""
            return send_waiting(client, ws, lambda each: None, but), None
    except Unreached as error:
        return [], error


def _after_waiting(ws: Workspace, out: Output, sent: list[Sending], goal: str) -> int | None:
    """What had waited was sent: say so. The exit code when that is all that there was to land, else None."""
    last = sent[-1]
    done = last.done if goal.strip() in ("", last.item.session.goal) else None
    if done is None or local.current(ws) is not None or working_status(ws).changes:
        done = None
    for each in sent if done is None and last.error is None else sent[:-1]:
        out.note(sent_line(each))
    if last.error is not None:
        raise last.error
    if done is None:
        return None
    answer = pb.LandSessionResponse(position=last.position, tree=bytes.fromhex(ws.config.tree))
    report_landed(out, last.item.session, answer, done, len(last.item.changes), "")
    return 0


def _wait(ws: Workspace, out: Output, session: LocalSession, items: list[Pending], error: Unreached) -> int:
    """The forge is not reached: the landing waits here."""
    if session.below:
        # Whether what it stands on has landed is the forge's to say.
        raise error
    item = wait_to_land(ws, session, items)
    if item is None and last_waiting(items) is None:
        raise no_change(ws)
    if item is None:
        raise NothingToLand(
            "No file has changed on top of what waits to be landed.", hint="`mic pending list` lists what waits."
        )
    return report_waiting(out, item, error)


def _before(ws: Workspace, goal: str) -> bool:
    """The hooks before a landing, where anything would land; whether one of them has landed something.

    They may change files: those are looked at after it.
    """
    if not (has_hook(ws, PRE_SESSION) or has_hook(ws, PRE_LAND)):
        return False
    landed = last_landing(ws)
    session = local.current(ws)
    if not ws.incomplete() and queued(ws) is None and (session is not None or working_status(ws).changes):
        if session is None and goal.strip():
            run_hook(ws, PRE_SESSION, goal.strip(), None)  # one will be opened for this landing
        run_hook(ws, PRE_LAND, goal.strip(), session)
    return last_landing(ws) != landed


@contextmanager
def _stays_open(started: bool) -> Iterator[None]:
    """What keeps a session from landing also says, of one that `mic land` itself has started, that it stays open."""
    try:
        yield
    except MicError as error:
        if started:
            stays = "The session stays open: `mic land` tries again, `mic session abandon` gives it up."
            error.hint = f"{voice.hint(error.hint)} {stays}".lstrip()
        raise


def _settle_queued(out: Output, ws: Workspace, item: Queued, goal: str, later: bool) -> int | None:
    """Before another landing, the one that waits; None to go on, else the exit code of a command that is done."""
    goal = goal.strip()
    same = goal in ("", item.session.goal) and _as_sent(ws, item)
    with connect(ws.config.instance, signed_in=True) as client:
        settled = settle(client, ws, item, 0.0 if later and same else PATIENCE)
    if settled is None:
        if later and same:
            return report_queued(out, item.session, len(item.changes), "")
        raise still_waiting(item.session)
    if settled.error is not None:
        raise settled.error
    if goal in ("", item.session.goal) and not working_status(ws).changes:
        return report_settled(out, settled)
    tell_settled(out, settled)
    return None


def _as_sent(ws: Workspace, item: Queued) -> bool:
    """Whether the working copy still holds exactly what was sent."""
    changes = {change.path: change for change in working_status(ws).changes}
    if changes.keys() != {change.path for change in item.changes}:
        return False
    for sent in item.changes:
        now = changes[sent.path]
        if now.op != sent.op or (now.op != Op.DELETED and hash_file(ws, now.path, now.mode)[0] != sent.hash):
            return False
    return True


def _notes(session: LocalSession) -> list[str]:
    return [item.text for item in session.conversation]


def _send_open(
    client: Client, ws: Workspace, out: Output, session: LocalSession, changes: list[LocalChange], later: bool
) -> tuple[LocalSession, Sent, pb.LandSessionResponse]:
    """As `_send`, and the session that was sent: a new one where the open one was given up from elsewhere."""
    try:
        return session, *_send(client, ws, session, changes, later)
    except InvalidInput as error:
        left = go_on(client, ws, out, session, error) or session
    return left, *_send(client, ws, left, changes, later)


def _send(
    client: Client, ws: Workspace, session: LocalSession, changes: list[LocalChange], later: bool
) -> tuple[Sent, pb.LandSessionResponse]:
    project = address_of(ws).ref
    pushed = last_push(ws, session) is not None
    sent, frames, packs = send(client, ws, project, changes, session.id if pushed else b"")
    message = session_message(session, sent.changes)
    say_who_wrote(message, ws, session, sent)
    request = pb.LandSessionRequest(
        project=project,
        session=message,
        frames=frames,
        packs=packs,
        asynchronous=later,
        pushed=pushed,
    )
    try:
        answer: pb.LandSessionResponse = client.call(client.sessions.LandSession, request, seconds=_SECONDS)
    except SecretFound as error:
        raise secret_error(ws, error) from error
    except BaseMismatch as error:
        # A file was edited while an earlier landing brought it up to date, and is still recorded with its old base.
        raise BaseMismatch(error.message, hint="Run `mic sync`, then land again.") from error
    return sent, answer


def _landed_without_a_word(client: Client, ws: Workspace, session: LocalSession) -> pb.LandSessionResponse:
    """The answer for an open session without changes that landed: from elsewhere, or it was stopped before it was put
    away.

    Raises NothingToLand for any other.
    """
    last = last_landing(ws)
    position = last[1] if last is not None and last[0] == session.id else 0
    if not position and (found := ended(client, ws, session.id, ws.config.branch)) is not None:
        position = found.landed_position
    if not position:
        raise no_change(ws)
    request = pb.GetProjectTreeRequest(project=address_of(ws).ref, position=position, page_size=1)
    tree = client.call(client.projects.GetProjectTree, request).tree
    return pb.LandSessionResponse(position=position, tree=tree, already_landed=True)


def _landed_before(client: Client, ws: Workspace, position: int) -> pb.Session:
    """This session as it landed, whatever has been edited and said here since."""
    request = pb.GetSessionRequest(project=address_of(ws).ref, position=position)
    found: pb.Session = client.call(client.sessions.GetSession, request).session
    return found
