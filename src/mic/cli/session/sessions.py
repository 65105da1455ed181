"""`mic session`: a goal, notes and decisions, kept here until they land."""

from __future__ import annotations

import click

from mic.cli.context.completed import SESSIONS, learn
from mic.cli.context.known import looking
from mic.cli.context.open_session import add_note, address_of, require_open
from mic.cli.context.place import Place, project_option
from mic.cli.context.refs import read_ref
from mic.cli.forge.connection import connect
from mic.cli.landing.send_waiting import abandon as tell_abandoned
from mic.cli.landing.waiting import report_waiting, wait_to_abandon, waiting
from mic.cli.session.attach import attach
from mic.cli.session.ended_elsewhere import go_on
from mic.cli.session.named_message import named_message
from mic.cli.session.push import push
from mic.cli.session.resume import resume, switch
from mic.cli.session.start import start
from mic.cli.session.wrote import wrote
from mic.cli.terminal.app import Suggesting, json_option, root
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.mode_words import mode_words
from mic.cli.terminal.output import Output, plural, when
from mic.cli.terminal.words import (
    begins,
    decision_pb,
    letter,
    local_fields,
    message_pb,
    print_landing,
    print_words,
    session_fields,
)
from mic.core.errors import InvalidInput, NotFound
from mic.core.ids import ulid_text
from mic.core.paths import display
from mic.core.session import Alternative, Decision
from mic.rpc.unreached import Unreached
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace import stacked
from mic.workspace.operations import record
from mic.workspace.pending import pushes_of, remove
from mic.workspace.pushed import forget_push, last_push, words_of
from mic.workspace.status import status as working_status
from mic.workspace.told import decided_in_order, in_order
from mic.workspace.workspace import Workspace

ROLES = ("human", "agent", "system")
STATES = ("active", "queued", "conflicted", "abandoned", "landed")


class _Sessions(Suggesting):
    """Also answers to what is done to the whole working copy, and what people look for here."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in ("sync", "resolve"):
            return root.get_command(context, name)
        return super().get_command(context, name)


@click.group(cls=_Sessions)
def sessions() -> None:
    """Start a session, record notes and decisions, land it.

    A session is one unit of change with its reasons. One is open at a time in a working copy.
    `mic session sync` and `mic session resolve` are `mic sync` and `mic resolve`.
    """


@sessions.command(short_help="Add a turn to the conversation.")
@click.argument("text")
@click.option(
    "--role",
    "--as",
    "role",
    type=click.Choice(ROLES),
    help="Who says it; default: agent in an agent's session, else human.",
)
@json_option
def note(out: Output, text: str, role: str | None) -> None:
    """Add a turn to the conversation: what was said, asked or found. `-` reads it from standard input."""
    ws = Workspace.find()
    with ws.lock():
        session = require_open(ws)
        add_note(ws, session, text, role or ("agent" if session.agent else "human"))
        record(ws, "mic session note", files=False)
        local.save(ws, session)
    out.line(f"Noted ({plural(len(session.conversation), 'note')} so far).")
    out.document({"session": local_fields(session)})


@sessions.command()
@click.argument("what")
@click.option("--why", default="", help="The reason.")
@click.option(
    "--over", "--alternative", multiple=True, metavar="ALT: REASON",
    help="A road not taken, and why not; may be repeated.",
)  # fmt: skip
@click.option("--by", default="", help="Who decided.")
@click.option("--evidence", default="", help="What it rests on: a measurement, a link, a test.")
@click.option(
    "--message", "named", default="", metavar="WORDS",
    help="The message of this session that it answers: some of its words, or #N, the Nth as it is shown.",
)  # fmt: skip
@json_option
def decide(out: Output, what: str, why: str, over: tuple[str, ...], by: str, evidence: str, named: str) -> None:
    """Record a decision: what, why, and instead of what.

    With --message it is known which message decided it. Without, it is shown what a person said last before it.
    """
    if not what.strip():
        raise WrongCommandLine(
            "A decision needs a sentence.", hint='For example: `mic session decide "Use SQLite" --why "One file"`.'
        )
    roads = tuple(Alternative(*_road(text)) for text in over)
    ws = Workspace.find()
    with ws.lock():
        session = require_open(ws)
        message = named_message(session, named) if named else 0
        at = local.time_of_words(session)
        decision = Decision(what.strip(), why.strip(), roads, by.strip(), evidence.strip(), at, message)
        session.decisions = [*session.decisions, decision]
        record(ws, "mic session decide", files=False)
        local.save(ws, session)
    out.line(f"Decided ({plural(len(session.decisions), 'decision')} so far).")
    if message:
        out.line(f"In reply to: {begins(session.conversation[message - 1].text)}")
    if not why.strip():
        out.note("Say why with --why: it is what people will look for.")
    fields = local_fields(session)
    out.document({"decision": fields["decisions"][-1], "session": fields})


@sessions.command(short_help="Take a decision back.")
@click.argument("number", type=click.IntRange(1), required=False, metavar="[NUMBER]")
@json_option
def undecide(out: Output, number: int | None) -> None:
    """Take a decision back: the last one, or the one with this number, as `mic session status` lists them."""
    ws = Workspace.find()
    with ws.lock():
        session = require_open(ws)
        have = len(session.decisions)
        if not have:
            raise NotFound("This session has no decision yet.", hint="`mic session decide` records one.")
        if number is not None and number > have:
            raise WrongCommandLine(
                f"This session has {plural(have, 'decision')}, and no number {number}.",
                hint="`mic session status` lists them.",
            )
        fields, taken = local_fields(session), session.decisions[(number or have) - 1]
        session.decisions = [item for at, item in enumerate(session.decisions, 1) if at != (number or have)]
        record(ws, "mic session undecide", files=False)
        local.save(ws, session)
    out.line(f"Taken back: {taken.what} ({plural(len(session.decisions), 'decision')} left).")
    out.document({"decision": fields["decisions"][(number or have) - 1], "session": local_fields(session)})


def _road(text: str) -> tuple[str, str]:
    what, _, why_not = text.partition(":")
    if not what.strip():
        raise WrongCommandLine(
            f"{text[:100]!r} names no alternative.", hint='Use a form like `--over "Cron: runs as root"`.'
        )
    return what.strip(), why_not.strip()


@sessions.command()
@json_option
def status(out: Output) -> None:
    """The open session: its words, and what would land."""
    ws = Workspace.find()
    session = require_open(ws)
    changes = working_status(ws).changes
    below = stacked.find(ws, session.id) if session.below else None
    out.line(out.paint(session.goal, "bold"))
    agent = f", with {session.agent}" if session.agent else ""
    out.line(f"session {ulid_text(session.id)}, base @{session.base_position}, since {when(session.started_ms)}{agent}")
    if session.based_on:
        out.line(
            f"It stands on session {ulid_text(session.based_on)}" + (", and lands after it." if session.below else ".")
        )
    turns, numbers = in_order(session.conversation)
    decisions = decided_in_order(session.decisions, numbers)
    print_words(out, list(map(message_pb, turns)), list(map(decision_pb, decisions)))
    out.line()
    if below is not None:
        changes = stacked.own_changes(ws, below, changes)
    out.line(f"{plural(len(changes), 'file')} would land" + (":" if changes else "."))
    for change in changes:
        words = mode_words(change.old.mode if change.old else 0, change.mode)
        out.line(f"  {letter(out, change.op)} {display(change.path)}{words}")
    out.document({"session": local_fields(session), "files": len(changes)})


@sessions.command("list", short_help="Sessions that have not landed, or with --state, others.")
@click.option("--state", type=click.Choice(STATES), default=None, help="Only sessions in this state.")
@click.option("--resumable", is_flag=True, help="Only yours that were pushed: `mic session resume` takes one up.")
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1, 1000),
    metavar="COUNT",
    default=50,
    show_default=True,
    help="At most so many.",
)
@json_option
def list_(out: Output, state: str | None, resumable: bool, number: int) -> None:
    """Sessions of the project on the forge that have not landed; with --state landed, those that have."""
    if resumable and state not in (None, "active", "conflicted"):
        raise click.UsageError("--resumable goes with the states active and conflicted.")
    ws = Workspace.find()
    with connect(ws.config.instance, signed_in=resumable) as client:
        request = pb.ListSessionsRequest(
            project=address_of(ws).ref, state=state or "", page_size=number, resumable=resumable
        )
        found = client.call(client.sessions.ListSessions, request).sessions
    learn(SESSIONS, [ulid_text(item.id) for item in reversed(found)], ws)
    open_here = local.current(ws)
    for item in found:
        here = "  (open here)" if open_here and item.id == open_here.id else ""
        title = item.goal.strip().partition("\n")[0]
        pushed = f"  (pushed {when(item.pushed_at_ms)})" if item.pushed_at_ms else ""
        out.line(f"{ulid_text(item.id)}  {item.state:<10}  {item.owner or item.author.name}  {title}{pushed}{here}")
    if not found and resumable:
        out.line("No session of yours was pushed.")
    elif not found:
        out.line("There is no such session." if state else "No session is open.")
    out.document({"sessions": [session_fields(item) for item in found]})


def _left_here(ws: Workspace) -> str:
    """What becomes of the files of a session that was given up: nothing, and that has to be said."""
    left = len(working_status(ws).changes)
    if not left:
        return "No file is changed here."
    verb, them = ("stays", "it") if left == 1 else ("stay", "them")
    return f"{plural(left, 'file')} {verb} changed here, and the next landing has {them}."


@sessions.command()
@json_option
def abandon(out: Output) -> int:
    """Give the open session up. Its words stay readable on the forge; your files stay as they are.

    Where the forge is not reached, it is given up here, and `mic sync` tells the forge. Where the project is gone, or
    not for you to see any more, it is given up here alone, and `mic undo` opens it again.
    """
    ws = Workspace.find()
    item = away = None
    gone: NotFound | None = None
    with ws.lock():
        items, session = waiting(ws), require_open(ws)
        try:
            before = last_push(ws, session)
            with connect(ws.config.instance, signed_in=True) as client:
                try:
                    tell_abandoned(client, ws, session, ws.config.branch, before.at_ms if before else 0)
                except InvalidInput as error:
                    left = go_on(client, ws, out, session, error, files=False)
                    if left is None:
                        out.line(f"Nothing to give up: {session.goal}")
                        out.document({"session": None})
                        return 0
                    session = left
                    tell_abandoned(client, ws, session, ws.config.branch, 0)
        except Unreached as error:
            item, away = wait_to_abandon(ws, session, items), error
        except NotFound as error:
            gone = error
        final = "" if gone is not None else "the forge was told that it is given up."
        record(ws, "mic session abandon", files=False, final=final)
        local.clear(ws)
        forget_push(ws)
        remove(ws, *pushes_of(ws, session.id))
    if item is not None and away is not None:
        return report_waiting(out, item, away)
    if gone is not None:
        out.line(f"Given up here alone: {session.goal}")
        out.line("`mic undo` opens it again.")
        out.line(_left_here(ws))
        out.note(gone.message)
    else:
        out.line(f"Abandoned: {session.goal}")
        out.line(_left_here(ws))
    out.document({"session": {**local_fields(session), "state": "abandoned"}, "told": gone is None})
    return 0


sessions.add_command(start)
sessions.add_command(attach)
sessions.add_command(push)
sessions.add_command(resume)
sessions.add_command(switch)
sessions.add_command(wrote)


@sessions.command("show", short_help="A session whole, landed or not; default: the open one.")
@click.argument("session", metavar="[ID]", required=False, default="")
@project_option
@json_option
def show_one(out: Output, session: str, project: str | None) -> None:
    """A session as the forge has it: goal, decisions, conversation, changes. ID may be the beginning of one."""
    place = Place(project)
    opened = local.current(place.ws) if place.ws is not None else None
    if not session and opened is None:
        raise NotFound("No session is open here.", hint="Name one: `mic session list` lists them.")
    ref = read_ref(session) if session else read_ref(ulid_text(opened.id)) if opened is not None else None
    assert ref is not None
    with looking(place.address.instance, out) as client:
        found = place.session(client, ref)
    print_landing(out, found)
    if place.ws is not None and opened is not None and opened.id == found.id and _unpushed(place.ws, opened):
        out.note("It is open here, and not all of it was pushed: `mic session status` shows the rest.")
    out.document({"session": session_fields(found, whole=True)})


def _unpushed(ws: Workspace, session: local.LocalSession) -> bool:
    """Whether the forge never heard what was said in a session, or not all of it."""
    push = last_push(ws, session)
    return push is None or push.words != words_of(session)


@sessions.command("land")
@click.argument("goal", required=False, default="")
@click.option("--async", "later", is_flag=True, help="Do not wait: the forge accepts it now and lands it in turn.")
@json_option
def land_here(out: Output, goal: str, later: bool) -> int:
    """Land the open session; the same as `mic land`."""
    from mic.cli.landing.land import run_land

    return run_land(out, goal, later=later)
