"""What `mic land` came to, for people and as its one document: landed, queued, landed before, or nothing to land."""

from __future__ import annotations

from typing import Any

from mic.cli.landing.advance import Advance
from mic.cli.landing.last_landing import last as last_landing
from mic.cli.landing.queued import Settled
from mic.cli.terminal.exit_codes import ERROR, OK
from mic.cli.terminal.output import Output, path_fields, plural
from mic.core.errors import NothingToLand
from mic.core.ids import ulid_text
from mic.core.paths import display
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace

_NO_CHANGE = "Change a file first, or give the session up: `mic session abandon`."


def report_landed(
    out: Output, session: LocalSession, answer: pb.LandSessionResponse, done: Advance, files: int, noted: str,
    left: int = 0,
) -> int:  # fmt: skip
    """It landed, now or before, with so many files; `noted` is the goal that became a note. The exit code.

    Of one that landed before, `left` files here are not as it has them: somebody worked on, and that did not land.
    """
    what = "Already landed" if answer.already_landed else "Landed"
    out.line(f"{what} {out.paint(f'@{answer.position}', 'yellow')}: {session.goal} ({plural(files, 'file')})")
    _say_noted(out, noted)
    for path in done.merged:
        out.line(f"merged with what landed meanwhile: {display(path)}")
    if done.updated:
        out.line(f"brought in from others: {plural(done.updated, 'file')}")
    for path in done.kept:
        out.line(f"not updated, because it changed here meanwhile: {display(path)}")
    if left:
        out.line(f'not in it: {plural(left, "file")} changed here; `mic land "GOAL"` lands what is new')
    out.document(
        _document(
            session.id, session.goal, position=answer.position, tree=answer.tree.hex(),
            already_landed=answer.already_landed, files=files, merged=[path_fields(path) for path in done.merged],
            updated=done.updated, kept=[path_fields(path) for path in done.kept], noted=noted or None, left=left,
        )
    )  # fmt: skip
    return ERROR if left else OK


def report_queued(out: Output, session: LocalSession, files: int, noted: str) -> int:
    """The forge has accepted it, and lands it in turn; the exit code."""
    out.line(f"{out.paint('Queued', 'yellow')}: {session.goal} ({plural(files, 'file')})")
    _say_noted(out, noted)
    out.line("The forge has it and lands it in turn; `mic land --wait` says where.")
    out.document(_document(session.id, session.goal, queued=True, files=files, noted=noted or None))
    return 0


def report_settled(out: Output, settled: Settled) -> int:
    """What was queued has landed; the exit code. Raises what it was refused with."""
    if settled.error is not None:
        raise settled.error
    assert settled.done is not None
    report_landed(out, settled.session, settled.answer, settled.done, settled.files, "")
    return 0


def report_nothing_new(out: Output, ws: Workspace, goal: str, hooked: bool = False) -> int:
    """Nothing changed and no session is open: perhaps the command is repeated, which then says where it landed; or a
    hook before it has landed what there was, under a goal of its own. The exit code; raises NothingToLand."""
    last = last_landing(ws)
    other = goal.strip() and not hooked and last is not None and goal.strip() != last[2]
    if last is None or last[1] != ws.config.position or other:
        raise NothingToLand(_nothing(ws), hint="Change a file first.")
    session_id, position, landed_goal = last
    how = f"Landed @{position} by .mic/hooks/pre-land" if hooked else f"Already landed @{position}"
    out.line(f"{how}: {landed_goal}")
    out.document(_document(session_id, landed_goal, position=position, tree=ws.config.tree, already_landed=True))
    return 0


def no_change(ws: Workspace) -> NothingToLand:
    """The error of an open session without a change."""
    return NothingToLand(_nothing(ws), hint=_NO_CHANGE)


def _nothing(ws: Workspace) -> str:
    return f"There is nothing to land: no file has changed since @{ws.config.position}."


def _say_noted(out: Output, noted: str) -> None:
    if noted:
        out.line(f'"{noted}" was added as a note; the session keeps its goal.')


def _document(session_id: bytes, goal: str, **more: Any) -> dict[str, Any]:
    """All of its fields, whatever it came to: as of nothing, but for those that are named."""
    return {
        "session": ulid_text(session_id), "goal": goal, "queued": False, "position": None, "tree": None,
        "already_landed": False, "files": 0, "merged": [], "updated": 0, "kept": [], "noted": None, "left": 0,
        **more,
    }  # fmt: skip
