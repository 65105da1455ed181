"""`mic goto`: the working copy at another position, and what `mic session resume` moves by."""

from __future__ import annotations

import os

import click

from mic.cli.context.open_session import address_of, require_complete
from mic.cli.context.place import Place, read_own_ref
from mic.cli.forge.connection import connect
from mic.cli.landing.queued import settle_first
from mic.cli.landing.send_waiting import send_first
from mic.cli.landing.unresolved import require_resolved
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, path_fields, plural
from mic.cli.working_copy.clone import files_at
from mic.cli.working_copy.sync_apply import carry_out
from mic.cli.working_copy.sync_plan import ABSENT, Decisions, Planner, lstat, on_disk, side_of
from mic.core.errors import Conflicted
from mic.core.paths import display
from mic.core.tree import Entry
from mic.rpc.client import Client
from mic.workspace.kept import Kept
from mic.workspace.operations import record
from mic.workspace.pending import numbers
from mic.workspace.queued import queued
from mic.workspace.status import status as working_status
from mic.workspace.sync_journal import REMOVE, WRITE, Journal, OpenSync, Step, begin, forget_finished, under_way
from mic.workspace.workspace import Workspace

_MOST_NAMED = 10


@click.command(short_help="Bring the working copy to another position")
@click.argument("ref", metavar="REF")
@json_option
def goto(out: Output, ref: str) -> None:
    """Bring the files here to what they are at REF: `mic goto @7`, `mic goto HEAD^`, `mic goto @latest`.

    What you changed stays changed. Where the same file differs between the two positions nothing is touched, and the
    file is named. `mic undo` and `mic sync` lead back.
    """
    wanted = read_own_ref(ref)
    place = Place(None)
    ws = Workspace.find()
    with ws.lock():
        require_complete(ws)
        require_resolved(ws)
        item, waits = queued(ws), bool(numbers(ws))
        with connect(ws.config.instance, signed_in=waits or item is not None) as client:
            if item is not None:
                settle_first(client, ws, item, out)
            if waits:
                send_first(client, ws, out)
            position = place.resolve(client, wanted)
            before = ws.config.position
            files = move_to(client, ws, position, out, f"mic goto {ref[:100]}")
    if files is None:
        out.line(f"You are at @{position} already.")
    else:
        out.line(f"From @{before} to @{position}: {plural(files, 'file')} changed here.")
    out.document({"from_position": before, "position": position, "files": files or 0})


def move_to(
    client: Client,
    ws: Workspace,
    position: int,
    out: Output,
    command: str = "",
    branch: str | None = None,
    *,
    merges: bool = True,
    keep: bool = False,
) -> int | None:
    """Bring the working copy to a position, perhaps of another branch; how many files that changed, None when it stood
    there. Holds the lock.

    `command` is what the operation log says of it, "" when that is done. Raises Conflicted where a local change would
    be touched, and then nothing is; with `keep`, such files stay as they are, and are conflicts where yours stands. Not
    `merges`: the texts of the base are not asked for, its branch is gone. Stopped, `mic sync` goes on with it.
    """
    branch = ws.config.branch if branch is None else branch
    if (position, branch) == (ws.config.position, ws.config.branch):
        return None
    project = address_of(ws, branch).ref
    tree, target = files_at(client, ws, project, position)
    before = {entry.path: entry for entry in ws.index().entries()}
    ours = frozenset[bytes]() if merges and not keep else frozenset(before.keys() | target.keys())
    plan = Planner(ws, before, target, Decisions(ours, frozenset())).make(
        client, project, (ws.config.position, position)
    )
    # What merges would be another text than either; a mere look at the past makes none.
    met = plan.met()
    if keep:
        plan.let_stand(target)
    if met and not keep:
        named = "".join(f"\n  {display(path)}" for path in met[:_MOST_NAMED])
        more = f"\n  and {len(met) - _MOST_NAMED:,} more" if len(met) > _MOST_NAMED else ""
        raise Conflicted(
            f"Changed here, and other at @{position}:{named}{more}",
            hint="Nothing was touched. Land or push your changes first, or put the files back.",
            document={"paths": [path_fields(path) for path in met]},
        )
    steps = [plan.steps[path] for path in sorted(plan.steps)]
    kept = [Kept.fresh(ws, str(position)).name]
    journal = Journal(ws.config.position, ws.config.tree, position, tree, steps, kept, ws.config.branch, branch)
    if command:
        record(ws, command, files=True)
    carry_out(client, ws, project, begin(ws, journal, target), plan.contents, out)
    return len(steps) - (len(met) if keep else 0)


def restore_base(client: Client, ws: Workspace, out: Output) -> int:
    """Put back every file that is not as at the base; how many. Each version of yours is kept under .mic/kept.

    The caller holds the lock. Stopped, `mic sync` goes on with it.
    """
    target = {entry.path: Entry(*entry[:5]) for entry in ws.index().entries()}
    if not under_way(ws):
        steps = []
        for change in working_status(ws).changes:
            mode, content = on_disk(ws, change.path)
            old = target.get(change.path)
            act, result = (WRITE, side_of(old)) if old is not None else (REMOVE, ABSENT)
            obstacle = b"" if mode or old is None else _obstacle(ws, change.path)
            steps.append(Step(change.path, act, mode, content, *result, obstacle))
        if not steps:
            return 0
        base = ws.config.position, ws.config.tree
        kept, line = [Kept.fresh(ws, "aside").name], ws.config.branch
        journal = Journal(*base, *base, sorted(steps, key=lambda step: step.path), kept, line, line)
        opened = begin(ws, journal, target)
    else:
        opened = OpenSync(ws, False)
    carry_out(client, ws, address_of(ws).ref, opened, {}, out)
    forget_finished(ws)
    return len(opened.journal.steps)


def _obstacle(ws: Workspace, path: bytes) -> bytes:
    """What stands where a file or a folder above it should be; b"" for nothing."""
    root = os.fsencode(ws.root)
    parts = path.split(b"/")
    for count in range(1, len(parts) + 1):
        above = b"/".join(parts[:count])
        stat = lstat(root + b"/" + above)
        if stat is None:
            return b""
        is_folder = stat.st_mode & 0o170000 == 0o040000
        if is_folder == (count == len(parts)):
            return above
    return b""
