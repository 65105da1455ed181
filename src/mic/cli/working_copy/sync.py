"""`mic sync`: takes in what landed since the base, and keeps local work."""

from __future__ import annotations

import os
from typing import Any

import click
import msgspec

from mic.cli.context.open_session import address_of
from mic.cli.landing.conflict_story import Stories, keep_records, learn, story_fields, story_lines
from mic.cli.landing.send_waiting import Sending, send_waiting, sent_fields, sent_line
from mic.cli.landing.settled import settled
from mic.cli.landing.unresolved import refuse_half_undone, refuse_open
from mic.cli.session.stack import on_what_landed, stand_alone
from mic.cli.terminal.app import json_option
from mic.cli.terminal.output import Output, path_fields, plural
from mic.cli.working_copy.clone import tree_entries
from mic.cli.working_copy.sync_abort import abort
from mic.cli.working_copy.sync_apply import carry_out
from mic.cli.working_copy.sync_paths import newest, take_in_paths
from mic.cli.working_copy.sync_plan import ABSENT, REASONS, Decisions, Planner, on_disk, side_of
from mic.core.errors import BaseMismatch, Conflicted, InvalidInput
from mic.core.paths import display
from mic.rpc.client import Client
from mic.workspace import session as local
from mic.workspace.conflict_records import Theirs, find
from mic.workspace.conflicts import HELD, MARKED, Conflict, open_conflicts
from mic.workspace.conflicts import YOURS as STANDING
from mic.workspace.kept import Kept
from mic.workspace.operations import record
from mic.workspace.paths import tree_path
from mic.workspace.session import LocalSession
from mic.workspace.sync_journal import HOLD, MARK, MERGE, REMOVE, RESTORE, WRITE, YOURS, Journal, OpenSync, Step, begin
from mic.workspace.sync_journal import under_way as sync_under_way
from mic.workspace.workspace import Workspace

_CLASHED = 3  # docs/users/exit-codes.md
_BY_PLACE = " (without a terminal: `mic resolve PATH --hunk N=theirs`)"


@click.command(short_help="Take in what landed since your base")
@click.option("--ours", metavar="PATH", multiple=True, help="Where it clashes at PATH, take your version whole.")
@click.option("--theirs", metavar="PATH", multiple=True, help="Where it clashes at PATH, take theirs whole.")
@click.option(
    "--auto-merge", is_flag=True, help="Merge what merges; files in which something clashes stay as they are."
)
@click.option(
    "--path", "paths", metavar="PATH", multiple=True, help="Take in this file or folder alone; the base stays."
)
@click.option("--abort", "undo", is_flag=True, help="Undo the last sync, as long as nothing was landed since.")
@json_option
def sync(
    out: Output, ours: tuple[str, ...], theirs: tuple[str, ...], auto_merge: bool, paths: tuple[str, ...], undo: bool
) -> int:
    """Take in what landed since your base, and keep what you changed.

    A file that only others changed is brought up to date. One that both sides changed is merged by lines; lines that
    clash are marked, for you to mend. Where lines cannot be marked (a file that is not text, or deleted on one side),
    yours stays, unless --theirs says otherwise; --ours and --theirs also settle what an earlier sync left open.

    With --auto-merge no file gets marked lines: where something clashes yours stays, the clash is kept beside it, and
    `mic resolve` settles it before anything lands. With --path only that file or folder is brought up to date, where
    it does not clash; your base stays, so what was taken in shows as changed here until the next whole sync.

    Each version of yours that is replaced is kept under .mic/kept. When something clashes, the exit code is 3.
    An interrupted sync goes on when the command is repeated.

    What waited for the forge (`mic pending list`) is sent first, in order, up to the first that needs a decision.
    """
    if undo and (ours or theirs or auto_merge or paths):
        raise click.UsageError("--abort goes alone.")
    if paths and (ours or theirs):
        raise click.UsageError("--path goes without --ours and --theirs: where it clashes nothing is taken in.")
    ws = Workspace.find()
    decisions = Decisions(frozenset(tree_path(ws, p) for p in ours), frozenset(tree_path(ws, p) for p in theirs))
    twice = decisions.ours & decisions.theirs
    if twice:
        raise click.UsageError(f"{display(min(twice))} cannot be both ours and theirs.")
    with settled(ws, out, signed_in=False, keep_waiting=True) as client:
        refuse_half_undone(ws)
        # A switch of the branch that was stopped ends first: from the branch that it left nothing can be sent any more.
        switching = sync_under_way(ws) and _switches(OpenSync(ws, False).journal)
        sent = [] if undo or switching else _send_waiting(client, ws, out)
        if undo:
            return abort(client, ws, out)
        if paths:
            return take_in_paths(client, ws, [tree_path(ws, path) for path in paths], out, _sent_fields(sent))
        if sync_under_way(ws):
            done: tuple[Journal, list[Conflict]] | None = _resume(client, ws, decisions, out, hold=auto_merge)
            sent = _send_waiting(client, ws, out) if switching else sent
        else:
            done = take_in(client, ws, decisions, out, hold=auto_merge)
    if done is None:
        return _nothing_new(ws, out, sent)
    return _report(ws, out, sent, *done)


def _switches(journal: Journal) -> bool:
    return journal.from_branch != journal.to_branch


def _send_waiting(client: Client, ws: Workspace, out: Output) -> list[Sending]:
    """What waited for the forge, sent. What clashes is open here again, and what landed can be taken in at once;
    raises what else stops it."""
    sent = send_waiting(client, ws, lambda each: out.line(sent_line(each, raised=_stops(each))))
    if sent and sent[-1].error is not None and _stops(sent[-1]):
        raise sent[-1].error
    return sent


def _stops(sent: Sending) -> bool:
    """Whether the error, if there is one, ends the sync here: what clashes is settled by going on."""
    return not isinstance(sent.error, Conflicted | BaseMismatch)


def take_in(
    client: Client,
    ws: Workspace,
    decisions: Decisions,
    out: Output,
    *,
    stay: bool = False,
    recorded: bool = False,
    hold: bool = False,
) -> tuple[Journal, list[Conflict]] | None:
    """With `stay`, only decide what clashes here, on the position that it clashed at: `mic resolve`.

    `recorded`: the same command has written down how everything stood before. With `hold`, files in which something
    clashes stay as they are.
    """
    left = open_conflicts(os.fsencode(ws.root))
    marked = [item for item in left if item.kind != STANDING and not decisions.of(item.path)]
    settles = any(decisions.of(item.path) for item in left)
    if not settles:
        refuse_open(marked)
    # Before a decision takes the files away that say how.
    learn(ws)
    project = address_of(ws).ref
    # While marked lines are left, decisions are carried out on the position that they were marked at.
    position, tree = (ws.config.position, ws.config.tree) if marked or stay else newest(client, ws, project)
    target = {entry.path: entry for entry in tree_entries(client, project, position, tree, ws.part())}
    before = {entry.path: entry for entry in ws.index().entries()}
    files, above = on_what_landed(client, ws, before, position)
    planner = Planner(ws, files, target, decisions, hold=hold)
    plan = planner.make(client, project, (ws.config.position, position))
    for item in left:
        if decisions.of(item.path):
            kept = _kept(ws, item)
            version = on_disk(ws, kept.shown(item.path)) if kept else ABSENT
            planner.decide_open(item.path, kept.name if kept else "", version)
    _refuse_needless(decisions, plan.steps, {item.path for item in left if decisions.of(item.path)})
    as_landed = before.keys() == target.keys() and all(
        side_of(target[path]) == side_of(before[path]) for path in before
    )
    if not plan.steps and position == ws.config.position and as_landed:
        # An earlier version left it behind where a landing that waited came beside it.
        local.stand_on_base(ws)
        return None
    folder, line = Kept.fresh(ws, str(position)).name, ws.config.branch
    steps = _in_order(plan.steps)
    journal = Journal(ws.config.position, ws.config.tree, position, tree, steps, [folder], line, line)
    if not recorded:
        record(ws, "mic resolve" if stay else "mic sync", files=True)
    keep_records(ws, Stories(client, project), plan, before, target, (ws.config.position, position))
    opened = begin(ws, journal, target)
    conflicts = carry_out(client, ws, project, opened, plan.contents, out)
    _above(ws, above)
    return journal, conflicts


def _above(ws: Workspace, above: LocalSession | None) -> None:
    """What the session here stood on has become part of its base."""
    session = local.current(ws) if above is not None else None
    if session is not None:
        stand_alone(ws, session)


def _resume(
    client: Client, ws: Workspace, decisions: Decisions, out: Output, *, hold: bool
) -> tuple[Journal, list[Conflict]]:
    opened = OpenSync(ws, False)
    old = opened.journal
    project = address_of(ws, old.to_branch).ref
    before = {entry.path: entry for entry in opened.before.entries()}
    if _switches(old):
        # Nothing is merged between two lines: a position of one is another landing there, or the line is gone.
        decisions = decisions.and_ours({*before, *opened.target})
    files, above = on_what_landed(client, ws, before, old.to_position)
    hold = hold or any(step.act == HOLD for step in old.steps)
    planner = Planner(ws, files, opened.target, decisions, old.steps, hold=hold)
    plan = planner.make(client, project, (old.from_position, old.to_position))
    for step in old.steps:
        ahead = opened.target.get(step.path)
        if step.path not in plan.steps and side_of(before.get(step.path)) == side_of(ahead):
            # A decision about an earlier clash, which is in no difference of trees.
            now = planner.side(step.path)
            if now != (step.result_mode, step.result):
                step.mine_mode, step.mine = now
            plan.steps[step.path] = step
    if _switches(old):
        plan.let_stand(opened.target)
    kept = [*old.kept, Kept.fresh(ws, str(old.to_position)).name]
    journal = msgspec.structs.replace(old, steps=_in_order(plan.steps), kept=kept)
    positions = old.from_position, old.to_position
    keep_records(ws, Stories(client, project), plan, before, opened.target, positions)
    opened.rewrite(journal)
    conflicts = carry_out(client, ws, project, opened, plan.contents, out)
    _above(ws, above)
    return journal, conflicts


def _in_order(steps: dict[bytes, Step]) -> list[Step]:
    return [steps[path] for path in sorted(steps)]


def _kept(ws: Workspace, item: Conflict) -> Kept | None:
    """Where your version from before it was marked is; None for one that was never replaced."""
    if item.kind != MARKED:
        return None
    found = Kept.search(ws, str(item.theirs), item.path)
    if found is None:
        raise InvalidInput(
            f"Your version of {display(item.path)} from before the sync is not there any more.",
            hint="Mend the marked lines in the file.",
        )
    return found


def _refuse_needless(decisions: Decisions, steps: dict[bytes, Step], settled: set[bytes]) -> None:
    """A decision about a path that does not clash is a mistake, perhaps in its name."""
    used = settled | {path for path, step in steps.items() if step.clashed}
    for path in sorted(decisions.ours | decisions.theirs):
        if not any(other == path or other.startswith(path + b"/") for other in used):
            raise InvalidInput(f"Nothing clashes at {display(path)}.", hint="`mic status` lists what clashes.")


def _nothing_new(ws: Workspace, out: Output, sent: list[Sending]) -> int:
    standing = open_conflicts(os.fsencode(ws.root))
    out.line(f"Nothing new: your base @{ws.config.position} is the newest landing.")
    out.document(_document(ws.config.position, ws.config.position) | _sent_fields(sent))
    assert all(item.kind == STANDING for item in standing)
    return 0


def _report(ws: Workspace, out: Output, sent: list[Sending], journal: Journal, conflicts: list[Conflict]) -> int:
    steps = journal.steps
    brought = [step for step in steps if step.act in (WRITE, REMOVE) and not step.clashed]
    clashes = [step for step in steps if step.reason and step.act in (MARK, HOLD, YOURS)]
    if journal.from_position == journal.to_position and not brought:
        out.line(f"Settled, on @{journal.to_position}:")
    else:
        files = plural(len(brought), "file")
        out.line(f"Synced @{journal.from_position} to @{journal.to_position}: {files} brought in.")
    kept = {step.path: found for step in steps if (found := _replaced(ws, journal, step))}
    for step in steps:
        shown = display(step.path)
        where = f" (before: {display(kept[step.path])})" if step.path in kept else ""
        if step.act == MERGE:
            again = f", {plural(step.settled, 'place')} settled as before" if step.settled else ""
            out.line(f"merged: {shown}{again}{where}")
        elif step.act == MARK:
            again = f", {plural(step.settled, 'other place')} settled as before" if step.settled else ""
            out.line(f"{out.paint('clash', 'red')}: {shown}, between the marked lines{again}{where}")
            _say_whose(ws, out, conflicts, step.path)
        elif step.act == HOLD:
            out.line(f"{out.paint('clash', 'red')}: {shown}, held apart: {REASONS[step.reason]}")
            _say_whose(ws, out, conflicts, step.path)
        elif step in clashes:
            out.line(f"{out.paint('kept yours', 'red')}: {shown}, {REASONS[step.reason]}")
            _say_whose(ws, out, conflicts, step.path)
        elif step.clashed:
            out.line(f"took {'yours' if step.act in (RESTORE, YOURS) else 'theirs'}: {shown}{where}")
    document = (
        _document(journal.from_position, journal.to_position)
        | _sent_fields(sent)
        | {
            "updated": [path_fields(step.path) for step in brought],
            "merged": [path_fields(step.path) for step in steps if step.act == MERGE],
            "conflicts": [
                {
                    **path_fields(step.path),
                    "reason": step.reason,
                    "marked": step.act == MARK,
                    "held": step.act == HOLD,
                    "landings": [story_fields(each) for each in _landings(ws, conflicts, step.path)],
                }
                for step in clashes
            ],
            "settled": [{**path_fields(step.path), "places": step.settled} for step in steps if step.settled],
            "kept": [{**path_fields(path), "kept": display(where)} for path, where in sorted(kept.items())],
        }
    )
    if not clashes and not any(item.kind in (MARKED, HELD) for item in conflicts):
        out.document(document)
        return 0
    message = f"{plural(len(clashes), 'path')} {'clashes' if len(clashes) == 1 else 'clash'} with what landed."
    hint = _hint(journal, clashes)
    out.line(hint)
    out.document({"error": {"code": "conflict", "message": message, "hint": hint}, **document})
    return _CLASHED


def _landings(ws: Workspace, conflicts: list[Conflict], path: bytes) -> tuple[Theirs, ...]:
    found = next((find(ws, item) for item in conflicts if item.path == path), None)
    return found.landings if found is not None else ()


def _say_whose(ws: Workspace, out: Output, conflicts: list[Conflict], path: bytes) -> None:
    for line in story_lines(_landings(ws, conflicts, path)):
        out.line(line)


def _hint(journal: Journal, clashes: list[Step]) -> str:
    parts = []
    if any(step.act == MARK for step in clashes):
        parts.append(f"Mend the marked lines or `mic resolve` them{_BY_PLACE}, then `mic land`.")
    held = [step for step in clashes if step.act == HOLD]
    if held:
        # Only what changed on both sides has places to choose in.
        by_place = _BY_PLACE if any(step.reason == "changed" for step in held) else ""
        parts.append(f"Your files stand as they were; `mic resolve` settles what clashes{by_place}, then `mic land`.")
    if any(step.act == YOURS for step in clashes):
        parts.append(
            f"`mic cat PATH @{journal.to_position}` shows theirs, `mic sync --theirs PATH` takes it, "
            "`mic sync --ours PATH` settles for yours."
        )
    return " ".join([*parts, "`mic sync --abort` undoes this sync."])


def _replaced(ws: Workspace, journal: Journal, step: Step) -> bytes:
    for name in journal.kept:
        for path in (step.path, step.obstacle):
            if path and Kept(ws, name).has(path):
                return Kept(ws, name).shown(path)
    return b""


def _sent_fields(sent: list[Sending]) -> dict[str, Any]:
    return {"sent": [sent_fields(each) for each in sent]}


def _document(start: int, position: int) -> dict[str, Any]:
    return {"from_position": start, "position": position, "updated": [], "merged": [], "conflicts": [],
            "settled": [], "kept": []}  # fmt: skip
