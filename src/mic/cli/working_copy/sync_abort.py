"""`mic sync --abort`: the files, the base and the open conflicts as they were before the last sync."""

from __future__ import annotations

import os

from mic.cli.context.open_session import address_of
from mic.cli.terminal.output import Output, path_fields
from mic.cli.working_copy.clone import write_contents
from mic.cli.working_copy.sync_apply import pieces_of
from mic.cli.working_copy.sync_plan import ABSENT, Side, lstat, on_disk, side_of
from mic.core.errors import InvalidInput, NotFound
from mic.core.paths import display
from mic.core.tree import BLOB, Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.checkout import Checkout
from mic.workspace.kept import Kept
from mic.workspace.operations import record
from mic.workspace.place import write_file
from mic.workspace.sync_journal import HOLD, YOURS, OpenSync, Step, find
from mic.workspace.workspace import Workspace


def abort(client: Client, ws: Workspace, out: Output) -> int:
    """Undo the last sync, or one that was stopped; the exit code. Raises NotFound, InvalidInput."""
    sync = find(ws)
    if sync is None:
        raise NotFound("There is no sync to undo.", hint="`mic sync` takes in what landed.")
    journal = sync.journal
    # At the old base already: an undoing that was stopped.
    if sync.finished and ws.config.position not in (journal.to_position, journal.from_position):
        raise InvalidInput(
            f"The last sync went to @{journal.to_position}, and your base is @{ws.config.position} by now.",
            hint=f"Your versions from before it are in .mic/kept/{journal.kept[0]}.",
        )
    record(ws, "mic sync --abort", files=True)
    project = address_of(ws, journal.from_branch).ref
    put_away = _restore(client, ws, project, sync)
    write_conflicts_back(ws, sync)
    ws.save_index(sync.before)
    ws.set_base(journal.from_position, journal.from_tree, journal.from_branch)
    session = local.current(ws)
    if session is not None and session.base_position == journal.to_position:
        session.base_position = journal.from_position
        local.save(ws, session)
    for name in journal.kept:
        # Nothing of it is deleted: what was edited between two runs is there and nowhere else.
        Kept(ws, name).rename(ws, f"{journal.to_position}-aborted")
    sync.discard()
    out.line(f"Undone: your base is @{journal.from_position} again, and your files are as they were.")
    for path in put_away:
        out.line(f"what stood there until now: {display(path)}")
    out.document({"position": journal.from_position, "kept": [path_fields(path) for path in put_away]})
    return 0


def write_conflicts_back(ws: Workspace, sync: OpenSync) -> None:
    """The conflicts that were open before the sync."""
    if sync.conflicts is not None:
        write_file(ws.folder, b"conflicts", sync.conflicts)
    elif lstat(ws.folder + b"/conflicts") is not None:
        os.unlink(ws.folder + b"/conflicts")


def _restore(client: Client, ws: Workspace, project: pb.ProjectRef, sync: OpenSync) -> list[bytes]:
    """Puts every file back that the sync replaced; what was changed since then is kept, and named."""
    journal = sync.journal
    aside = Kept.fresh(ws, f"{journal.to_position}-aborted")
    steps = [step for step in journal.steps if step.act not in (YOURS, HOLD)]
    put_away = []
    due: list[Step] = []
    for step in steps:
        now, was = on_disk(ws, step.path) if _reachable(ws, step.path) else ABSENT, (step.mine_mode, step.mine)
        if now == was and not step.obstacle:
            continue
        if now not in (was, (step.result_mode, step.result), ABSENT):
            aside.keep(step.path)
            put_away.append(aside.shown(step.path))
        due.append(step)
    checkout = Checkout(ws)
    try:
        originals = {step.path: _original(ws, sync, step) for step in due if step.mine_mode}
        checkout.plan([entry for entry, _ in originals.values()])
        for step in due:
            if not step.mine_mode:
                checkout.remove(step.path)
        for entry, kept in originals.values():
            if kept:
                checkout.write(entry, pieces_of(kept, entry.mode))
        write_contents(
            client, project, checkout, [e for e, kept in originals.values() if not kept], Output(as_json=True)
        )
        _move_back(ws, sync, due)
    finally:
        checkout.close()
    return put_away


def _original(ws: Workspace, sync: OpenSync, step: Step) -> tuple[Entry, bytes]:
    """What stood at the path before the sync, and where it is kept; b"" when the forge has it."""
    was: Side = (step.mine_mode, step.mine)
    before = sync.before.get(step.path)
    if before is not None and side_of(before) == was:
        return Entry(*before[:5]), b""
    for name in sync.journal.kept:
        if Kept(ws, name).has(step.path):
            kept = Kept(ws, name).path(step.path)
            return Entry(step.path, step.mine_mode, BLOB, os.lstat(kept).st_size, step.mine), kept
    raise NotFound(
        f"Your version of {display(step.path)} is not in .mic/kept any more.",
        hint="Nothing was changed by this command.",
    )


def _move_back(ws: Workspace, sync: OpenSync, steps: list[Step]) -> None:
    root = os.fsencode(ws.root)
    for path in sorted({step.obstacle for step in steps if step.obstacle}):
        for name in sync.journal.kept:
            kept = Kept(ws, name)
            if kept.has(path) and lstat(root + b"/" + path) is None:
                os.rename(kept.path(path), root + b"/" + path)


def _reachable(ws: Workspace, path: bytes) -> bool:
    """Whether something stands at the path, with nothing but folders above it."""
    root = os.fsencode(ws.root)
    above = path
    while above := above.rpartition(b"/")[0]:
        if os.path.islink(root + b"/" + above):
            return False
    return lstat(root + b"/" + path) is not None
