"""What could not be told to the forge: written down when it is not reached. `send_waiting` sends it when it is.

Only a forge that is not reached makes anything wait. One that answers and says no is obeyed at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mic.cli.landing.queued import change_message
from mic.cli.session.message import session_message
from mic.cli.session.wrote import say_who_wrote
from mic.cli.terminal.exit_codes import UNAVAILABLE
from mic.cli.terminal.output import Output, plural
from mic.cli.transfer.parts import require_inside
from mic.cli.transfer.sending import Sent
from mic.core.errors import MicError
from mic.core.ids import ulid_text
from mic.core.session import Change, Message, Op
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.files import hash_file
from mic.workspace.operations import record
from mic.workspace.pending import (
    ABANDON,
    LAND,
    PUSH,
    Pending,
    add,
    keep,
    last_landing,
    overlay,
    pending,
    remove,
    write,
)  # fmt: skip
from mic.workspace.pushed import last_push
from mic.workspace.session import LocalSession
from mic.workspace.status import status as working_status
from mic.workspace.told import decided_in_order
from mic.workspace.workspace import Workspace

_WORDS = {LAND: "land", PUSH: "push", ABANDON: "give up"}


def waiting(ws: Workspace) -> list[Pending]:
    """What waits, in order; what was stopped half-way while it was written down is finished first. Holds the lock."""
    items = pending(ws)
    taken = next((item for item in items if item.taken), None)
    if taken is not None:
        _open_again(ws, taken, items)
        items = pending(ws)
    here = local.current(ws)
    if here is not None and any(item.kind == LAND and item.session.id == here.id for item in items):
        # Written down, and stopped before the session was closed.
        local.clear(ws)
    return items


def on_top(
    ws: Workspace, items: list[Pending], content: Callable[[Workspace, bytes, int], tuple[bytes, int]] = hash_file
) -> list[Change]:
    """What changed here on top of the landings that wait; `content` gives hash and size of what stands at a path."""
    over = overlay(items)
    index = {entry.path: entry for entry in ws.index().entries()} if over else {}
    found = {change.path: change for change in working_status(ws).changes}
    changes = []
    for path in sorted(found.keys() | over.keys()):
        change, before = found.get(path), over.get(path)
        now: tuple[int, bytes, int] | None = None
        if change is None and path in index:
            now = index[path].mode, index[path].hash, index[path].size
        elif change is not None and change.op != Op.DELETED:
            now = (change.mode, *content(ws, path, change.mode))
        if before is not None:
            old = (before.mode, before.hash) if before.op != Op.DELETED else None
        else:
            old = (change.old.mode, change.old.hash) if change is not None and change.old is not None else None
        if (now[:2] if now is not None else None) == old:
            continue
        op = Op.ADDED if old is None else Op.MODIFIED if now is not None else Op.DELETED
        mode, hashed, size = now or (0, b"", 0)
        base_mode, base_hash = old or (0, b"")
        changes.append(Change(path, op, mode, hashed, size, base_hash, base_mode))
    return changes


def snapshot(ws: Workspace, session: LocalSession, items: list[Pending]) -> tuple[pb.Session, list[Change]]:
    """The session as it would be sent now, with its contents kept."""
    changes = on_top(ws, items, keep)
    require_inside(ws, [change.path for change in changes], "You changed")
    messages = [change_message(change) for change in changes]
    message = session_message(session, messages)
    say_who_wrote(message, ws, session, Sent(messages, {}, {}))
    return message, changes


def wait_to_land(ws: Workspace, session: LocalSession, items: list[Pending]) -> Pending | None:
    """The open session becomes a landing that waits; None when nothing changed on top of those that wait already."""
    message, changes = snapshot(ws, session, items)
    if not changes:
        return None
    item = _added(ws, LAND, session, message, changes, items)
    final = "it waits to be sent, and `mic pending drop` takes it back."
    record(ws, "mic land", files=False, final=final)
    local.clear(ws)
    return item


def wait_to_push(ws: Workspace, session: LocalSession, items: list[Pending], *, force: bool) -> Pending:
    """The work of the open session, as it is now, waits to be pushed."""
    message, changes = snapshot(ws, session, items)
    return _added(ws, PUSH, session, message, changes, items, force=force)


def wait_to_abandon(ws: Workspace, session: LocalSession, items: list[Pending]) -> Pending:
    """The forge will be told that the session is given up, and what was said in it."""
    return _added(ws, ABANDON, session, session_message(session, []), [], items)


def _added(
    ws: Workspace,
    kind: str,
    session: LocalSession,
    message: pb.Session,
    changes: list[Change],
    items: list[Pending],
    *,
    force: bool = False,
) -> Pending:
    below, before = last_landing(items), last_push(ws, session)
    item = add(
        ws,
        Pending(
            kind, session, 0, changes, message.SerializeToString(), below.session.id if below else b"",
            before.at_ms if before else 0, ws.config.branch, force=force,
        ),
    )  # fmt: skip
    # Later words about the same session make a push that waits needless.
    remove(ws, *(each for each in items if each.kind == PUSH and each.session.id == session.id))
    return item


def report_waiting(out: Output, item: Pending, error: MicError) -> int:
    """Say that it waits; the exit code, which is that of a forge that does not answer: it is not done yet."""
    files = f" ({plural(len(item.changes), 'file')})" if item.changes else ""
    hint = "`mic sync` sends it when the forge can be reached; `mic pending list` shows what waits."
    out.line(f"{out.paint('Waits', 'yellow')} to {_WORDS[item.kind]}: {item.session.goal}{files}")
    out.note(error.message)
    out.line(hint)
    out.document(
        {
            "error": {"code": error.code, "message": error.message, "hint": hint},
            "pending": pending_fields(item),
        }
    )
    return UNAVAILABLE


def pending_fields(item: Pending) -> dict[str, Any]:
    """What waits, in JSON."""
    return {
        "number": item.number,
        "kind": item.kind,
        "session": ulid_text(item.session.id),
        "goal": item.session.goal,
        "files": len(item.changes),
        "since_ms": item.at_ms,
    }


def take_back(ws: Workspace, item: Pending, items: list[Pending]) -> list[Pending]:
    """A landing that waits becomes the open session again, with the words of those that stand on it; these."""
    behind = [each for each in items if each.number > item.number and each.kind == LAND]
    session = item.session
    for each in behind:
        session = joined(session, each.session)
    here = local.current(ws)
    if here is not None and here.id != session.id:
        session = joined(session, here)
    item.session, item.taken = session, True
    # From here on it is decided: whoever comes next finishes it.
    write(ws, item)
    _open_again(ws, item, items)
    return [item, *behind]


def _open_again(ws: Workspace, item: Pending, items: list[Pending]) -> None:
    here = local.current(ws)
    if here is not None and here.id != item.session.id:
        # Part of that session now, words and files; its push stands on a landing that there will not be.
        remove(ws, *(each for each in items if each.kind == PUSH and each.session.id == here.id))
    local.save(ws, item.session)
    behind = [each for each in items if each.number > item.number and each.kind == LAND]
    remove(ws, *reversed(behind))
    remove(ws, item)


def joined(into: LocalSession, other: LocalSession) -> LocalSession:
    """All words of two sessions in the first: its id and goal stay, the goal of the other becomes a turn."""
    goal = Message("agent" if other.agent else "human", other.agent, f"Also here: {other.goal}", other.started_ms)
    said = [turn for turn in (goal, *other.conversation) if turn not in into.conversation]
    joined = LocalSession(**{name: getattr(into, name) for name in into.__struct_fields__})
    joined.conversation = [*into.conversation, *said]
    places = {turn: number for number, turn in reversed(list(enumerate(joined.conversation, 1)))}
    told = decided_in_order(other.decisions, [places[turn] for turn in other.conversation])
    decided = [each for each in told if each not in into.decisions]
    joined.decisions = [*into.decisions, *decided]
    joined.transcript = into.transcript or other.transcript
    joined.usage = [*into.usage, *(each for each in other.usage if each not in into.usage)]
    return joined
