"""What stands in the way of landing and of another sync: a sync that was stopped, and marked lines."""

from __future__ import annotations

import os

from mic.cli.output import path_fields, plural
from mic.core.errors import Conflicted
from mic.core.paths import display
from mic.workspace.conflicts import MARKED, open_conflicts
from mic.workspace.sync_journal import under_way
from mic.workspace.undoing import undoing
from mic.workspace.workspace import Workspace


class Unresolved(Conflicted):
    """Files here still hold the marker lines of a sync, or the sync was stopped. The document names `unresolved`."""

    code = "unresolved"


def marked_paths(ws: Workspace) -> list[bytes]:
    """The files that still hold marker lines, sorted."""
    return [item.path for item in open_conflicts(os.fsencode(ws.root)) if item.kind == MARKED]


def refuse_half_undone(ws: Workspace) -> None:
    """Raises Unresolved when an undo was stopped: what stands here is neither the one nor the other."""
    if undoing(ws):
        raise Unresolved(
            "An undo was stopped half way.",
            hint="Run the same `mic undo` or `mic redo` again: it goes on.",
            document={"unresolved": []},
        )


def require_resolved(ws: Workspace) -> None:
    """Raises Unresolved while a sync or an undo is under way or a file has marker lines."""
    refuse_half_undone(ws)
    if under_way(ws):
        raise Unresolved(
            "A sync was stopped half way.",
            hint="Run `mic sync` again: it goes on. `mic sync --abort` undoes it.",
            document={"unresolved": []},
        )
    refuse_marked(marked_paths(ws))


def refuse_marked(paths: list[bytes]) -> None:
    """Raises Unresolved when there is any path."""
    if paths:
        lines = "".join(f"\n  {display(path)}" for path in paths)
        what = f"{plural(len(paths), 'file')} still {'has' if len(paths) == 1 else 'have'} the marked lines of a sync:"
        raise Unresolved(
            what + lines,
            hint="Mend them and remove the markers. `mic sync --ours PATH` or `--theirs PATH` takes one side whole.",
            document={"unresolved": [path_fields(path) for path in paths]},
        )
