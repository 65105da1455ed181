"""`mic sync --path`: some files brought up to what landed, on the base that the working copy has."""

from __future__ import annotations

from typing import Any

from mic.cli.context.open_session import address_of
from mic.cli.landing.unresolved import require_resolved
from mic.cli.terminal.output import Output, path_fields, plural
from mic.cli.working_copy.clone import tree_entries
from mic.cli.working_copy.sync_apply import Files, change_files
from mic.cli.working_copy.sync_plan import REASONS, Decisions, Planner, side_of
from mic.core.errors import Corrupt, InvalidInput, NotFound
from mic.core.paths import display
from mic.core.tree import Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.kept import Kept, drop_old
from mic.workspace.operations import record
from mic.workspace.sync_journal import HOLD, MERGE
from mic.workspace.workspace import Workspace

_CLASHED = 3  # docs/users/exit-codes.md
_GITLINK = 0o160000


def newest(client: Client, ws: Workspace, project: pb.ProjectRef) -> tuple[int, str]:
    """The newest landing and its tree; raises Corrupt when the forge has less than this working copy stands on."""
    head = client.call(client.projects.GetProject, pb.GetProjectRequest(project=project)).project
    if head.head_position < ws.config.position:
        raise Corrupt(
            f"The forge is at @{head.head_position}, behind your base @{ws.config.position}.",
            hint="Tell whoever runs it.",
        )
    return int(head.head_position), head.head_tree.hex()


def take_in_paths(client: Client, ws: Workspace, paths: list[bytes], out: Output, sent: dict[str, Any]) -> int:
    """Bring these files, and those below these folders, up to the newest landing; the exit code.

    What comes in is a change on the base, as if it had been typed here, so that nothing else has to move: the forge
    knows it again when it lands. Where it clashes nothing is changed. Stopped half way, the same command goes on.
    Raises NotFound for a path that is in neither, InvalidInput for a session that stands on another.
    """
    require_resolved(ws)
    session = local.current(ws)
    if session is not None and session.based_on:
        raise InvalidInput("This session stands on another one.", hint="`mic sync` takes everything in.")
    project = address_of(ws).ref
    position, tree = newest(client, ws, project)
    head = {entry.path: entry for entry in tree_entries(client, project, position, tree, ws.part())}
    before = {entry.path: entry for entry in ws.index().entries()}
    target = {path: Entry(*entry[:5]) for path, entry in before.items()}
    for wanted in paths:
        found = [path for path in before.keys() | head.keys() if _is_in(path, wanted)]
        if not found:
            raise NotFound(f"There is no {display(wanted)} at @{position}.", hint="`mic ls` lists what is there.")
        for path in found:
            known, after = before.get(path), head.get(path)
            modes = {entry.mode & 0o170000 for entry in (known, after) if entry is not None}
            if (known is not None and known.unwritten) or _GITLINK in modes:
                continue  # not on disk here, so there is nothing to bring up to date
            if after is None:
                target.pop(path, None)
            else:
                target[path] = after
    plan = Planner(ws, before, target, Decisions(frozenset(), frozenset()), hold=True).make(
        client, project, (ws.config.position, position)
    )
    clashes = [step for step in plan.steps.values() if step.act == HOLD]
    steps = [step for _, step in sorted(plan.steps.items()) if step.act != HOLD]
    if steps:
        record(ws, "mic sync", files=True)
        kept = Kept.fresh(ws, str(position))
        files = Files(ws, kept, {path: side_of(entry) for path, entry in before.items()})
        try:
            change_files(client, ws, project, steps, target, files, plan.contents, out)
        finally:
            files.checkout.close()
        drop_old(ws, [kept.name])
        for step in steps:
            where = f" (before: {display(kept.shown(step.path))})" if kept.has(step.path) else ""
            out.line(f"{'merged' if step.act == MERGE else 'taken in'}: {display(step.path)}{where}")
    for step in clashes:
        out.line(f"{out.paint('clash', 'red')}: {display(step.path)}, left as it was: {REASONS[step.reason]}")
    base = ws.config.position
    document: dict[str, Any] = {
        "from_position": base,
        "position": base,
        "taken_from": position,
        "updated": [path_fields(step.path) for step in steps if step.act != MERGE],
        "merged": [path_fields(step.path) for step in steps if step.act == MERGE],
        "conflicts": [
            {**path_fields(s.path), "reason": s.reason, "marked": False, "held": False, "landings": []} for s in clashes
        ],
        **sent,
    }
    if not clashes:
        out.line(f"From @{position}: {plural(len(steps), 'file')}. Your base stays @{base}.")
        out.document(document)
        return 0
    message = f"{plural(len(clashes), 'path')} {'clashes' if len(clashes) == 1 else 'clash'} with what landed."
    hint = "`mic sync` takes everything in and marks what clashes; `mic sync --auto-merge` keeps it apart."
    out.line(hint)
    out.document({"error": {"code": "conflict", "message": message, "hint": hint}, **document})
    return _CLASHED


def _is_in(path: bytes, folder: bytes) -> bool:
    return not folder or path == folder or path.startswith(folder + b"/")
