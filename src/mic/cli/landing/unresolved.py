"""What stands in the way of landing and of another sync: a sync that was stopped, and marked lines."""

from __future__ import annotations

import os

from mic.cli.terminal.output import path_fields, plural
from mic.core.errors import Conflicted
from mic.core.paths import display
from mic.workspace.conflicts import HELD, MARKED, Conflict, open_conflicts
from mic.workspace.sync_journal import under_way
from mic.workspace.undoing import goes_on, in_words, undoing
from mic.workspace.workspace import Workspace


class Unresolved(Conflicted):
    """Files here still hold the marker lines of a sync, or clashes that it left apart, or the sync was stopped.

    The document names `unresolved`.
    """

    code = "unresolved"


def refuse_half_undone(ws: Workspace) -> None:
    """Raises Unresolved when an undo was stopped: what stands here is neither the one nor the other."""
    if undoing(ws):
        raise Unresolved(
            "An undo was stopped half way.",
            hint=f"Run {in_words(goes_on(os.fsencode(ws.root)))} again: it goes on.",
            document={"unresolved": []},
        )


def require_resolved(ws: Workspace) -> None:
    """Raises Unresolved while a sync or an undo is under way, a file has marker lines, or a clash is held apart."""
    refuse_half_undone(ws)
    if under_way(ws):
        raise Unresolved(
            "A sync was stopped half way.",
            hint="Run `mic sync` again: it goes on. `mic sync --abort` undoes it.",
            document={"unresolved": []},
        )
    refuse_open(open_conflicts(os.fsencode(ws.root)))


def refuse_open(conflicts: list[Conflict]) -> None:
    """Raises Unresolved when one of them is marked, or held apart."""
    paths = [item.path for item in conflicts if item.kind == MARKED]
    held = [item.path for item in conflicts if item.kind == HELD]
    if not paths and not held:
        return
    said, hints = [], []
    if paths:
        have = "has" if len(paths) == 1 else "have"
        said.append(f"{plural(len(paths), 'file')} still {have} the marked lines of a sync:{_listed(paths)}")
        hints.append("Mend them and remove the markers, or choose by place: `mic resolve PATH --hunk N=theirs`.")
    if held:
        clash = "clashes" if len(held) == 1 else "clash"
        said.append(f"{plural(len(held), 'path')} still {clash} with what a sync took in:{_listed(held)}")
        hints.append("`mic resolve` shows what clashes, and settles it.")
    raise Unresolved(
        "\n".join(said),
        hint=" ".join([*hints, "`mic sync --ours PATH` or `--theirs PATH` takes one side whole."]),
        document={"unresolved": [path_fields(path) for path in sorted(paths + held)]},
    )


def _listed(paths: list[bytes]) -> str:
    return "".join(f"\n  {display(path)}" for path in paths)
