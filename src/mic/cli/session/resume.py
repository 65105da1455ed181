"""`mic session resume`: a pushed session taken up here, with its words, its files and the base that it had."""

from __future__ import annotations

import os
from typing import NamedTuple

import click

from mic.cli.context.open_session import address_of
from mic.cli.context.place import Place
from mic.cli.context.refs import SHORTEST_ID, parse_ref
from mic.cli.landing.queued import kept_change
from mic.cli.landing.settled import settled
from mic.cli.landing.unresolved import require_resolved
from mic.cli.session.away import (
    Away,
    aside,
    leave,
    pushed_session,
    require_no_landing,
    take_away,
    waiting_session,
)
from mic.cli.session.left_behind import bring_over, name_left
from mic.cli.session.push import push_open
from mic.cli.session.wrote import bring_who_wrote, digest
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, plural
from mic.cli.terminal.words import conversation_of, decision_of, local_fields
from mic.cli.transfer.parts import require_inside
from mic.cli.working_copy.clone import write_contents
from mic.cli.working_copy.goto import move_to
from mic.core.blob import MAX_WHOLE
from mic.core.errors import InvalidInput, NotFound, PermissionDenied
from mic.core.ids import ulid_text
from mic.core.paths import display
from mic.core.session import Message, Usage
from mic.core.tree import BLOB, CHUNKED, Entry
from mic.rpc.client import Client
from mic.rpc.unreached import Unreached
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.checkout import Checkout
from mic.workspace.files import hash_file
from mic.workspace.operations import record
from mic.workspace.pushed import keep_last_push, words_of
from mic.workspace.session import LocalSession
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace

_DELETED = int(pb.Change.DELETED)
_RESUMABLE = ("active", "conflicted")


@click.command("resume", short_help="Go on with a session that was pushed elsewhere.")
@click.argument("session", metavar="[ID]", required=False, default="")
@click.option("--latest", is_flag=True, help="The one of yours that was pushed last.")
@json_option
def resume(out: Output, session: str, latest: bool) -> None:
    """Take up a session of yours that was pushed: goal, conversation, decisions, files, and the base that it has.

    ID may be the beginning of one. Your working copy must hold no other changes. Interrupted, the same command goes on.
    """
    if bool(session) == latest:
        raise WrongCommandLine(
            "Say which session: its id, or --latest.", hint="`mic session list --resumable` lists them."
        )
    ws = Workspace.find()
    try:
        _resume(ws, out, "" if latest else session)
    except Unreached as error:
        with ws.lock(), Away(ws, error) as client:
            require_no_landing(ws, error)
            item = waiting_session(ws, session, error)
            if local.current(ws) is not None:
                raise
            take_up(client, ws, pushed_session(item), out, "resume")


def _resume(ws: Workspace, out: Output, session: str) -> None:
    with settled(ws, out, signed_in=True) as client:
        require_resolved(ws)
        found = find(client, ws, session, out)
        here = local.current(ws)
        if here is not None and here.id != found.id:
            name = ulid_text(found.id)
            raise InvalidInput(
                f"A session is open here: {here.goal}",
                hint=f"`mic session switch {name}` saves it and goes on with the other one.",
            )
        timeless = not any(each.at_ms or each.message for each in found.decisions)
        if (
            here is not None
            and not here.left
            and words_of(here, timeless=timeless) != words_of(_opened(found), timeless=timeless)
        ):
            raise InvalidInput(
                f"This session is open here, with words that were not pushed: {here.goal}",
                hint="`mic session push` saves them; `--force` when it was pushed from elsewhere since.",
            )
        take_up(client, ws, found, out, "resume")


@click.command("switch", short_help="Put the open session aside, saved on the forge, and go on with another.")
@click.argument("session", metavar="[ID]", required=False, default="")
@click.option("--none", "alone", is_flag=True, help="Only put it aside: the files here are those of the base then.")
@json_option
def switch(out: Output, session: str, alone: bool) -> None:
    """Save the open session as `mic session push` does, take its changes away here, and resume another one.

    `mic session resume` brings it back. Interrupted, the same command goes on. Where the forge is not reached, its push
    waits, and it can be brought back from there.
    """
    if bool(session) == alone:
        raise WrongCommandLine(
            "Say which session: its id, or --none.", hint="`mic session list --resumable` lists them."
        )
    ws = Workspace.find()
    try:
        _switch(ws, out, session, alone)
    except Unreached as error:
        _switch_away(ws, out, session, error)


def _switch_away(ws: Workspace, out: Output, session: str, error: Unreached) -> None:
    """As `_switch`, among sessions that wait to be pushed."""
    with ws.lock(), Away(ws, error) as client:
        require_no_landing(ws, error)
        here = local.current(ws)
        item = waiting_session(ws, session, error) if session else None
        if here is not None and item is not None and here.id == item.session.id and not here.left:
            raise InvalidInput(f"This session is open here: {here.goal}", hint="There is nothing to switch to.")
        if here is not None:
            aside(client, ws, here, out, error)
            out.line(f"Put aside: {here.goal}")
            out.note(f"{error.message} `mic sync` saves it on the forge when it can be reached.")
        if item is not None:
            take_up(client, ws, pushed_session(item), out, "switch")
        else:
            _nobody_here(out, here)


def _nobody_here(out: Output, here: LocalSession | None) -> None:
    name = ulid_text(here.id) if here is not None else None
    if name is None:
        out.line("No session is open here.")
    out.document({"aside": name, "session": None})


def _switch(ws: Workspace, out: Output, session: str, alone: bool) -> None:
    with settled(ws, out, signed_in=True, pushes=True) as client:
        here, recorded = local.current(ws), False
        # Before anything is put aside: whatever is wrong with the other one is said while all is as it was.
        found = None if alone else find(client, ws, session, out)
        if here is not None and found is not None and here.id == found.id and not here.left:
            raise InvalidInput(f"This session is open here: {here.goal}", hint="There is nothing to switch to.")
        if here is not None:
            here = put_aside(client, ws, here, out)
            recorded = here is not None
            if here is not None:
                out.line(f"Put aside: {here.goal}")
        if found is not None:
            take_up(client, ws, found, out, "switch", recorded=recorded)
    if found is None:
        _nobody_here(out, here)


def find(client: Client, ws: Workspace, text: str, out: Output) -> pb.Session:
    """The session of one's own that is named, or the one pushed last, that can be resumed.

    One that was put aside here on a branch that is gone now comes to the one that is followed. Holds the lock.
    """
    place = Place(None)
    try:
        found = _named(client, place, text) if text else _latest(client, place)
    except NotFound as error:
        if not text:
            name_left(ws, error)
            raise
        bring_over(client, ws, text.removeprefix("ses_").upper(), out, error)
        found = _named(client, place, text)
    _require_own(client, found)
    return found


def take_up(
    client: Client, ws: Workspace, found: pb.Session, out: Output, verb: str, *, recorded: bool = False
) -> None:
    """Bring a session here, and say so. `recorded`: the same command has written down how everything stood before."""
    require_inside(ws, [change.path for change in found.changes], "The session changed")
    require_no_others(ws, found)
    if not recorded:
        record(ws, f"mic session {verb}", files=True)
    move_to(client, ws, found.base_position, out)
    files = bring(client, ws, found, out)
    bring_who_wrote(ws, found)
    opened = _opened(found)
    changes = [kept_change(change) for change in found.changes]
    keep_last_push(ws, opened, found.pushed_at_ms, changes, digest(found))
    # Last: until it is there, the same command begins again.
    local.save(ws, opened)
    out.line(f"Resumed: {found.goal}")
    words = f"{plural(len(conversation_of(found)), 'note')}, {plural(len(found.decisions), 'decision')}"
    out.line(f"session {ulid_text(found.id)}, base @{found.base_position}: {plural(files, 'file')}, {words}")
    out.document({"session": local_fields(opened), "files": files})


def put_aside(client: Client, ws: Workspace, here: LocalSession, out: Output) -> LocalSession | None:
    """Save a session on the forge and take its changes away, each file kept under .mic/kept as well; what was saved,
    None where it had landed from elsewhere and nothing is left of it."""
    if not here.left:
        require_resolved(ws)
        pushed = push_open(client, ws, here, out)
        if pushed is None:
            return None
        here = pushed[0]
        leave(ws, here)
    take_away(client, ws, out)
    return here


def _latest(client: Client, place: Place) -> pb.Session:
    request = pb.ListSessionsRequest(project=place.address.ref, resumable=True, page_size=200)
    found = client.call(client.sessions.ListSessions, request).sessions
    if not found:
        raise NotFound(f"No session of yours was pushed to {place.address}.", hint="`mic session push` saves one.")
    newest = max(found, key=lambda each: each.pushed_at_ms)
    whole = pb.GetSessionRequest(project=place.address.ref, session_id=newest.id)
    answer: pb.SessionResponse = client.call(client.sessions.GetSession, whole)
    return answer.session


def _named(client: Client, place: Place, text: str) -> pb.Session:
    ref = parse_ref(text)
    if ref is None or not ref.session or ref.back:
        raise WrongCommandLine(
            f"{text[:100]!r} is no session id.",
            hint=f"At least its first {SHORTEST_ID} characters; `mic session list --resumable` lists them.",
        )
    return place.session(client, ref)


def _require_own(client: Client, found: pb.Session) -> None:
    name = ulid_text(found.id)
    if found.landed_position:
        raise InvalidInput(f"Session {name} has landed @{found.landed_position}.", hint="Start a new one.")
    if found.state not in _RESUMABLE:
        raise InvalidInput(f"Session {name} is {found.state}.", hint="`mic session list --resumable` lists others.")
    me = client.call(client.auth.GetCurrentUser, pb.GetCurrentUserRequest()).user.handle
    if found.owner != me:
        raise PermissionDenied(f"Session {name} is {found.owner or 'somebody else'}'s.", hint="Start one of your own.")
    if not found.pushed_at_ms:
        raise InvalidInput(f"Nothing was pushed of session {name} yet.", hint="`mic session push` where it is open.")


class _Side(NamedTuple):
    op: int
    mode: int
    hash: bytes


def require_no_others(ws: Workspace, found: pb.Session) -> None:
    """What is changed here must be what the session has there: then it is here already, or a resume was stopped.

    And all of it must be known here: a newer forge may have changes of other kinds.
    """
    strange = next((change.path for change in found.changes if change.op not in pb.Change.Op.values()), None)
    if strange is not None:
        raise InvalidInput(
            f"What the session did to {display(strange)} is not known to this mic.",
            hint="It may be too old: `mic update --check`.",
        )
    theirs = {item.path: _Side(item.op, item.mode if item.op != _DELETED else 0, item.hash) for item in found.changes}
    others = []
    for change in working_status(ws).changes:
        content = b"" if change.op == _DELETED else hash_file(ws, change.path, change.mode)[0]
        side = theirs.get(change.path)
        if side is None or (side.mode, side.hash) != (change.mode, content):
            others.append(change.path)
    if others:
        raise InvalidInput(
            f"{display(others[0])} changed here, and would become part of the session.",
            hint="Land what is changed here, or put it back; or resume in another clone.",
        )


def bring(client: Client, ws: Workspace, found: pb.Session, out: Output) -> int:
    """The session's files, each whole or not at all. The index stays that of the base, so they count as changed."""
    root = os.fsencode(ws.root)
    standing = {change.path for change in working_status(ws).changes}
    checkout = Checkout(ws)
    try:
        for change in found.changes:
            if change.op == _DELETED and os.path.lexists(root + b"/" + change.path):
                checkout.remove(change.path)
        entries = [
            Entry(change.path, change.mode, CHUNKED if change.size > MAX_WHOLE else BLOB, change.size, change.hash)
            for change in found.changes
            if change.op != _DELETED and change.path not in standing
        ]
        checkout.plan(entries)
        away = {path for path, _ in checkout.unwritten}
        wanted = [entry for entry in entries if entry.path not in away]
        write_contents(client, address_of(ws).ref, checkout, wanted, out, found.id)
    finally:
        checkout.close()
    return len(found.changes)


def _opened(found: pb.Session) -> LocalSession:
    return LocalSession(
        id=found.id,
        goal=found.goal,
        started_ms=found.created_at_ms,
        base_position=found.base_position,
        agent=found.agent,
        based_on=found.based_on,
        below=found.based_on,
        conversation=[Message(turn.role, turn.author, turn.text, turn.at_ms) for turn in conversation_of(found)],
        transcript=found.transcript.seen_by,
        usage=[Usage(each.model, each.read, each.written, each.cached, each.source) for each in found.usage],
        decisions=list(map(decision_of, found.decisions)),
    )
