"""`mic revert`: a session that takes what a landing changed back, for you to look at and land."""

from __future__ import annotations

import os
import time

import click

from mic.cli.context.open_session import address_of
from mic.cli.context.place import Place, read_own_ref
from mic.cli.landing.settled import settled
from mic.cli.landing.unresolved import require_resolved
from mic.cli.session.push import require_here
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, path_fields, plural
from mic.cli.terminal.words import local_fields
from mic.cli.transfer.contents import fetch
from mic.cli.transfer.parts import require_inside
from mic.cli.working_copy.clone import files_at, write_contents
from mic.core.errors import Conflicted, InvalidInput
from mic.core.ids import content_hash
from mic.core.merge3 import MAX_MERGE_BYTES, has_mergeable_lines, merge3
from mic.core.paths import display
from mic.core.tree import BLOB, Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.checkout import Checkout
from mic.workspace.operations import record
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace

_MOST_NAMED = 10
# Contents that are held before they are written; more are streamed into their places.
_MOST_HELD = 256 << 20


@click.command(short_help="Begin a session that takes a landing back")
@click.argument("ref", metavar="LANDING|SESSION")
@click.option("--why", default="", help="The reason, which becomes a decision of the session.")
@json_option
def revert(out: Output, ref: str, why: str) -> None:
    """Begin a session whose changes take back what a landing changed; look at them, then `mic land`.

    Lines that later landings changed elsewhere in the same files stay. Where they changed the same lines nothing is
    touched, and the files are named. Your working copy must have no other changes, and no session open.
    """
    wanted = read_own_ref(ref)
    place = Place(None)
    ws = Workspace.find()
    _refuse_open(ws)  # before what waits for the forge is sent
    with settled(ws, out, signed_in=True) as client:
        require_resolved(ws)
        _refuse_open(ws)
        if mine := working_status(ws).changes:
            raise InvalidInput(f"{display(mine[0].path)} is changed here.", hint="Land it or put it back first.")
        position = place.resolve(client, wanted)
        if not 0 < position <= ws.config.position:
            raise InvalidInput(
                f"@{position} is not part of what stands here, which is @{ws.config.position}.",
                hint="`mic sync` brings what landed since.",
            )
        request = pb.GetSessionRequest(project=place.address.ref, position=position)
        landed = client.call(client.sessions.GetSession, request).session
        write, contents, remove = _plan(client, ws, list(landed.changes), position)
        if not write and not remove:
            raise InvalidInput(f"Nothing of @{position} is left to take back.", hint="`mic show` says what it did.")
        title = landed.goal.strip().partition("\n")[0]
        record(ws, f"mic revert @{position}", files=True)
        # First: stopped behind it, what stands here belongs to a session that says what it is.
        session = local.start(ws, f"Revert @{position}: {title}"[: local.MAX_GOAL])
        if why.strip():
            from mic.core.session import Decision

            now_ms = time.time_ns() // 1_000_000
            session.decisions = [Decision(f"Take back @{position}", why.strip(), at=now_ms)]
            local.save(ws, session)
        _carry_out(client, ws, write, contents, remove, out)
    out.line(f"Started: {session.goal}")
    out.line(f"{plural(len(write) + len(remove), 'file')} changed here. `mic diff` shows it, `mic land` lands it.")
    out.document(
        {
            "session": local_fields(session),
            "reverts": position,
            "files": [path_fields(path) for path in sorted([*remove, *(entry.path for entry in write)])],
        }
    )


def _refuse_open(ws: Workspace) -> None:
    opened = local.current(ws)
    if opened is not None:
        require_here(opened)
        raise InvalidInput(f"A session is open: {opened.goal}", hint="`mic land` or `mic session switch --none`.")


def _plan(
    client: Client, ws: Workspace, changes: list[pb.Change], position: int
) -> tuple[list[Entry], dict[bytes, bytes], list[bytes]]:
    """Files to write, contents of those that are merged, and files to remove. Raises Conflicted."""
    project = address_of(ws).ref
    index = ws.index()
    write: list[Entry] = []
    contents: dict[bytes, bytes] = {}
    remove: list[bytes] = []
    met: list[bytes] = []
    require_inside(ws, [change.path for change in changes], f"@{position} changed")
    _, before = files_at(client, ws, project, position - 1)
    for change in changes:
        now, old = index.get(change.path), before.get(change.path)
        deleted = change.op == pb.Change.DELETED
        here = (now.mode, now.hash) if now is not None else None
        if here == ((old.mode, old.hash) if old is not None else None):
            continue  # it is so already
        if here == (None if deleted else (change.mode, change.hash)):
            if old is None:
                remove.append(change.path)
            else:
                write.append(old)
            continue
        merged = None
        if now is not None and old is not None and not deleted:
            merged = _merged(client, project, change, now.hash, now.size, old)
        if merged is None or now is None or old is None:
            met.append(change.path)
        elif content_hash(merged) != now.hash:
            entry = Entry(change.path, now.mode, BLOB, len(merged), content_hash(merged))
            write.append(entry)
            contents[change.path] = merged
    sums = sum(entry.size for entry in write if entry.path not in contents)
    if sums <= _MOST_HELD:
        # Before anything is touched, and to be told of what was erased since: that cannot come back.
        held = fetch(client, project, [entry.hash for entry in write if entry.path not in contents and entry.size])
        contents |= {entry.path: held.get(entry.hash, b"") for entry in write if entry.path not in contents}
    if met:
        named = "".join(f"\n  {display(path)}" for path in met[:_MOST_NAMED])
        more = f"\n  and {len(met) - _MOST_NAMED:,} more" if len(met) > _MOST_NAMED else ""
        raise Conflicted(
            f"Changed since @{position} in the same place:{named}{more}",
            hint="Nothing was touched. Take these changes back by hand, in a session of your own.",
            document={"paths": [path_fields(path) for path in met]},
        )
    return write, contents, remove


def _merged(
    client: Client, project: pb.ProjectRef, change: pb.Change, now: bytes, size: int, old: Entry
) -> bytes | None:
    """What stands here with the landing's lines taken back; None where that cannot be."""
    if max(change.size, old.size, size) > MAX_MERGE_BYTES:
        return None
    held = fetch(client, project, [change.hash, now, old.hash])
    landed, ours, theirs = held[change.hash], held[now], held[old.hash]
    if not has_mergeable_lines(landed, ours, theirs):
        return None
    found = merge3(landed, ours, theirs)
    return found.merged if found.clean else None


def _carry_out(
    client: Client, ws: Workspace, write: list[Entry], contents: dict[bytes, bytes], remove: list[bytes], out: Output
) -> None:
    root = os.fsencode(ws.root)
    checkout = Checkout(ws)
    try:
        for path in remove:
            if os.path.lexists(root + b"/" + path):
                checkout.remove(path)
        checkout.plan(write)
        away = {path for path, _ in checkout.unwritten}
        for entry in write:
            if entry.path in contents and entry.path not in away:
                checkout.write(entry, [contents[entry.path]])
        left = [entry for entry in write if entry.path not in contents and entry.path not in away]
        write_contents(client, address_of(ws).ref, checkout, left, out)
    finally:
        checkout.close()
