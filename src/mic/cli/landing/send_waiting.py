"""What waited is sent, in order, up to the first that needs a decision; what becomes of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mic.cli.context.open_session import address_of
from mic.cli.forge.found_secrets import secret_error
from mic.cli.landing.advance import Advance, advance
from mic.cli.landing.clashes import clash_error
from mic.cli.landing.conflict_story import Stories, settled_all
from mic.cli.landing.last_landing import remember
from mic.cli.landing.queued import change_message, kept_change
from mic.cli.landing.waiting import joined, take_back, waiting
from mic.cli.session.ended_waiting import instead, left_its_branch
from mic.cli.session.message import session_message
from mic.cli.session.unlanded_words import what_is_left
from mic.cli.session.wrote import digest
from mic.cli.terminal.output import Output, plural
from mic.cli.transfer.sending import Sent, send
from mic.core.errors import (
    BaseMismatch,
    Busy,
    Corrupt,
    InvalidInput,
    InvalidPath,
    MicError,
    NotFound,
    PreconditionFailed,
    RateLimited,
    SecretFound,
    Unauthenticated,
    Unavailable,
)
from mic.core.ids import ulid_text
from mic.core.session import Op
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.files import hash_file
from mic.workspace.operations import record
from mic.workspace.pending import ABANDON, LAND, PUSH, Pending, contents_folder, remove
from mic.workspace.place import exists
from mic.workspace.pushed import forget_push, keep_last_push, last_push
from mic.workspace.session import LocalSession
from mic.workspace.status import LocalChange
from mic.workspace.workspace import Workspace

_SECONDS = 600.0
# These say nothing about what waits: it goes on waiting.
_LATER = (Unavailable, Unauthenticated, Busy, RateLimited)


class Sending(NamedTuple):
    """What became of one operation. `error` says why it was not done; then its session is open here again, or it
    still waits. `note` says what had become of its session elsewhere, `needless` that nothing was left to do.
    """

    item: Pending
    position: int = 0
    done: Advance | None = None
    error: MicError | None = None
    note: str = ""
    needless: bool = False


def send_waiting(client: Client, ws: Workspace, say: Callable[[Sending], None], but: bytes = b"") -> list[Sending]:
    """Send what waits, in order, telling `say` of each, up to the first that needs a decision; that has an `error`.

    Pushes of the session `but` go on waiting: the caller tells what is newer of it. The caller holds the lock. Raises
    what says nothing about what waits (Unavailable, Unauthenticated, Busy): then all that was not sent goes on waiting.
    """
    found: list[Sending] = []
    why: dict[int, str] = {}
    while items := waiting(ws):
        item = next((item for item in items if item.kind != PUSH or item.session.id != but), None)
        if item is None:
            break
        try:
            sent = {LAND: _land, PUSH: _push, ABANDON: _abandon}[item.kind](client, ws, item)
            if item.number in why:
                sent = sent._replace(note=f"in a new session: {why[item.number]}")
        except _LATER:
            raise
        except MicError as error:
            if error.code == MicError.code:
                raise
            if isinstance(error, NotFound) and left_its_branch(client, ws, item):
                continue
            otherwise = instead(client, ws, item) if type(error) is InvalidInput else None
            if otherwise is not None and otherwise.again:
                why[item.number] = otherwise.why
                continue
            if otherwise is not None:
                sent = Sending(item, note=otherwise.why, needless=True)
            else:
                sent = Sending(item, error=_refused(ws, item, items, error))
        found.append(sent)
        say(sent)
        if sent.error is not None:
            break
    return found


def sent_line(sent: Sending, *, raised: bool = False) -> str:
    """One line about it. `raised`: its error ends the command, which says the reason then."""
    item, goal = sent.item, sent.item.session.goal
    if sent.error is not None:
        stays = "open here again" if item.kind == LAND else f"still waits, number {item.number}"
        why = "" if raised else f" ({sent.error.message.partition(chr(10))[0]})"
        return f"Not sent, {stays}: {goal}{why}"
    if item.kind == LAND:
        also = f"; {sent.note}" if sent.note else ""
        return f"Landed @{sent.position}: {goal} ({plural(len(item.changes), 'file')}{also})"
    note = f" ({sent.note})" if sent.note else ""
    if sent.needless:
        return f"Not {'pushed' if item.kind == PUSH else 'given up'}: {goal}{note}"
    return f"{'Pushed' if item.kind == PUSH else 'Abandoned'}: {goal}{note}"


def sent_fields(sent: Sending) -> dict[str, Any]:
    """It in JSON."""
    return {
        "kind": sent.item.kind,
        "session": ulid_text(sent.item.session.id),
        "goal": sent.item.session.goal,
        "position": sent.position or None,
        "error": {"code": sent.error.code, "message": sent.error.message} if sent.error is not None else None,
        "note": sent.note or None,
        "needless": sent.needless,
    }


def send_first(client: Client, ws: Workspace, out: Output, but: bytes = b"") -> None:
    """Before a command that needs the forge and this workspace to agree: send what waits; raises what stops that.

    As `send_waiting`, pushes of the session `but` go on waiting."""
    for sent in send_waiting(client, ws, lambda each: out.note(sent_line(each, raised=True)), but):
        if sent.error is not None:
            raise sent.error


def _refused(ws: Workspace, item: Pending, items: list[Pending], error: MicError) -> MicError:
    if item.kind == LAND:
        behind = len(take_back(ws, item, items)) - 1
        also = f" With it are the words of {plural(behind, 'landing')} that stood on it." if behind else ""
        error.hint = f"{error.hint} The session is open here again.{also}".lstrip()
    else:
        error.hint = f"{error.hint} It still waits; `mic pending drop {item.number}` takes it out.".lstrip()
    return error


def _message(ws: Workspace, item: Pending) -> pb.Session:
    """The session as it is sent: on the base that it was made on, or on the landing before it, which landed by now."""
    message = pb.Session.FromString(item.message)
    if item.after:
        message.base_position = ws.config.position
    return message


def _contents(
    client: Client, ws: Workspace, project: pb.ProjectRef, item: Pending
) -> tuple[list[pb.BlobFrame], list[bytes]]:
    """Bring the kept contents there, as `send` does with files: frames that go along, receipts of what went ahead."""
    folder = contents_folder(ws)
    names = sorted({change.hash.hex().encode() for change in item.changes if change.hash})
    here = [name for name in names if exists(folder.encode("utf-8", "surrogateescape") + b"/" + name)]
    if not here:
        return [], []
    kept = Workspace(folder, ws.config)
    for name in here:
        if not _is_whole(kept, name):
            raise Corrupt(
                f"{folder}/{name.decode()}, which waits to be sent, is damaged",
                hint="Your files stand as they are: land what they are now.",
            )
    files = [LocalChange(name, int(Op.ADDED), 0o100644, None) for name in here]
    pushed = item.session.id if item.after_ms else b""
    _, frames, packs = send(client, kept, project, files, pushed)
    return frames, packs


def _is_whole(kept: Workspace, name: bytes) -> bool:
    try:
        return hash_file(kept, name, 0o100644)[0].hex().encode() == name
    except (InvalidPath, OSError):
        return False


def _land(client: Client, ws: Workspace, item: Pending) -> Sending:
    session, project = item.session, address_of(ws, item.line).ref
    message = _message(ws, item)
    frames, packs = _contents(client, ws, project, item)
    request = pb.LandSessionRequest(
        project=project, session=message, frames=frames, packs=packs, pushed=bool(item.after_ms)
    )
    try:
        answer: pb.LandSessionResponse = client.call(client.sessions.LandSession, request, seconds=_SECONDS)
    except SecretFound as error:
        raise secret_error(ws, error) from error
    except BaseMismatch as error:
        # What it stands on was merged with what others landed, or they changed other files of it.
        raise BaseMismatch(error.message, hint="`mic sync` takes in what landed; then land again.") from error
    if answer.clashes:
        raise clash_error(session, list(answer.clashes), Stories(client, project))
    # Written first: whatever stops the rest, the session is known to have landed.
    remember(ws, session, answer.position)
    done, note, changes = None, "", list(message.changes)
    before: pb.Session | None = None
    if answer.already_landed:
        there = pb.GetSessionRequest(project=project, position=answer.position)
        before = client.call(client.sessions.GetSession, there).session
        changes = list(before.changes)
    if answer.position > ws.config.position:
        answer.already_landed = False
        record(ws, "mic land", files=False, final=f"it landed @{answer.position}, and others may have built on it.")
        sent = Sent([change_message(change) for change in item.changes], {}, {})
        done = advance(client, ws, project, answer, sent, changes)
    local.stand_on_base(ws, but=session.id)
    if before is not None:
        left = what_is_left(session, before, ws.config.position)
        left.started_ms = session.started_ms
        said = _stay_open(ws, left)
        if said or {change.path for change in changes} != {change.path for change in item.changes}:
            note = "it had landed from elsewhere, and what was said and changed here since stays"
    settled_all(ws, answer.position)
    remove(ws, item)
    if last_push(ws, session) is not None:
        forget_push(ws)
    return Sending(item, answer.position, done, note=note)


def _stay_open(ws: Workspace, left: LocalSession) -> bool:
    """Words that a landing made elsewhere lacks are in the session that is open here; whether there are any."""
    if not left.conversation and not left.decisions:
        return False
    here = local.current(ws)
    if here is None:
        local.save(ws, left)
    elif any(turn not in here.conversation for turn in left.conversation) or any(
        each not in here.decisions for each in left.decisions
    ):
        local.save(ws, joined(here, left))
    return True


def _push(client: Client, ws: Workspace, item: Pending) -> Sending:
    project, message = address_of(ws, item.line).ref, _message(ws, item)
    frames, packs = _contents(client, ws, project, item)
    request = pb.PushSessionRequest(project=project, session=message, frames=frames, packs=packs)
    if not item.force:
        request.after_ms = item.after_ms
    try:
        found = client.call(client.sessions.PushSession, request, seconds=_SECONDS).session
    except SecretFound as error:
        raise secret_error(ws, error) from error
    except PreconditionFailed:
        there = pb.GetSessionRequest(project=project, session_id=item.session.id)
        found = client.call(client.sessions.GetSession, there).session
        if not found.pushed_at_ms or [kept_change(change) for change in found.changes] != item.changes:
            raise
        # It arrived, and the answer was lost.
    here = local.current(ws)
    if here is not None and here.id == item.session.id:
        keep_last_push(ws, item.session, found.pushed_at_ms, item.changes, digest(message))
    remove(ws, item)
    return Sending(item)


def _abandon(client: Client, ws: Workspace, item: Pending) -> Sending:
    abandon(client, ws, item.session, item.line, item.after_ms)
    remove(ws, item)
    return Sending(item)


def abandon(client: Client, ws: Workspace, session: LocalSession, line: str, after_ms: int) -> None:
    """Tell the forge that a session is given up, and what was said in it; it was pushed from here at `after_ms`, 0 for
    never. Raises NotFound when the project is not there."""
    request = pb.AbandonSessionRequest(
        project=address_of(ws, line).ref, session_id=session.id, session=session_message(session, []), after_ms=after_ms
    )
    try:
        client.call(client.sessions.AbandonSession, request)
    except NotFound:
        # The forge, an older one, never heard of it; or the branch is gone.
        client.call(client.projects.GetProject, pb.GetProjectRequest(project=address_of(ws, "").ref))
