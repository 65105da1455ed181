"""`mic land`: what changed here becomes the project's next landing, with goal, conversation and decisions."""

from __future__ import annotations

import os
import time
from typing import Any

import click

from mic.cli.advance import Advance, advance
from mic.cli.app import json_option
from mic.cli.connection import connect
from mic.cli.open_session import add_note, address_of, require_complete
from mic.cli.output import Output, path_fields, plural
from mic.cli.sending import Sent, send
from mic.cli.unresolved import require_resolved
from mic.cli.words import decision_pb, message_pb
from mic.core.errors import BaseMismatch, Conflicted, NothingToLand
from mic.core.ids import parse_ulid, ulid_text
from mic.core.paths import display
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.conflicts import write_conflicts
from mic.workspace.session import LocalSession
from mic.workspace.status import LocalChange
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace

# Landing 100,000 files writes several packs; the forge answers when they are durable.
_SECONDS = 600.0


@click.command(short_help="Land what changed here, with its goal and decisions")
@click.argument("goal", required=False, default="")
@click.option(
    "--agent", default="", envvar="MIC_AGENT", show_envvar=True, help="The agent that did it, when no session is open."
)
@json_option
def land(out: Output, goal: str, agent: str) -> int:
    """Land what changed here, with the open session's goal, conversation and decisions.

    Without an open session, GOAL starts one and lands it at once. When one is open it keeps its goal, and GOAL is
    added to its conversation as a note.

    When it clashes with what landed since your base, nothing lands and nothing here changes (exit code 3): `mic sync`
    takes in what landed. While a file has lines that it marked, nothing lands either. Landing what has landed already
    gives its position again.
    """
    return run_land(out, goal, agent)


def run_land(out: Output, goal: str, agent: str = "") -> int:
    """Land; the exit code."""
    ws = Workspace.find()
    with ws.lock():
        require_complete(ws)
        require_resolved(ws)
        changes = working_status(ws).changes
        session, noted = local.current(ws), ""
        if session is None and not changes:
            return _nothing_new(ws, goal, out)
        if session is None:
            session = local.start(ws, goal, agent)
        elif goal.strip() and goal.strip() != session.goal:
            noted = goal.strip()
            if noted not in _notes(session):
                add_note(ws, session, goal, "agent" if session.agent else "human")
                local.save(ws, session)
        with connect(ws.config.instance, signed_in=True) as client:
            if changes:
                sent, answer = _send(client, ws, session, changes)
            else:
                sent, answer = Sent([], {}, {}), _landed_without_a_word(client, ws, session)
            if answer.clashes:
                raise _clash_error(session, list(answer.clashes))
            # Written first: whatever stops the rest, the next `mic land` knows that this session has landed.
            _remember(ws, session, answer.position)
            landed = _landed_before(client, ws, answer.position) if answer.already_landed else sent.changes
            done = advance(client, ws, address_of(ws).ref, answer, sent, landed)
        write_conflicts(os.fsencode(ws.root), [])
        local.clear(ws)
    _report(out, session, answer, done, len(landed), noted if not answer.already_landed else "")
    return 0


def _notes(session: LocalSession) -> list[str]:
    return [item.text for item in session.conversation]


def _send(
    client: Client, ws: Workspace, session: LocalSession, changes: list[LocalChange]
) -> tuple[Sent, pb.LandSessionResponse]:
    project = address_of(ws).ref
    sent, frames, packs = send(client, ws, project, changes)
    request = pb.LandSessionRequest(
        project=project,
        session=pb.Session(
            id=session.id,
            goal=session.goal,
            agent=session.agent,
            base_position=session.base_position,
            created_at_ms=session.started_ms,
            conversation=[message_pb(item) for item in session.conversation],
            decisions=[decision_pb(item) for item in session.decisions],
            changes=sent.changes,
        ),
        frames=frames,
        packs=packs,
    )
    try:
        answer: pb.LandSessionResponse = client.call(client.sessions.LandSession, request, seconds=_SECONDS)
    except BaseMismatch as error:
        # A file was edited while an earlier landing brought it up to date, and is still recorded with its old base.
        raise BaseMismatch(error.message, hint="Run `mic sync`, then land again.") from error
    return sent, answer


def _landed_without_a_word(client: Client, ws: Workspace, session: LocalSession) -> pb.LandSessionResponse:
    """The answer for an open session without changes that landed, and was stopped before it was put away.

    Raises NothingToLand for any other.
    """
    last = _last(ws)
    if last is None or last[0] != session.id:
        raise NothingToLand(_nothing(ws), hint="Change a file first, or give the session up: `mic session abandon`.")
    position = last[1]
    request = pb.GetProjectTreeRequest(project=address_of(ws).ref, position=position, page_size=1)
    tree = client.call(client.projects.GetProjectTree, request).tree
    return pb.LandSessionResponse(position=position, tree=tree, already_landed=True)


def _landed_before(client: Client, ws: Workspace, position: int) -> list[pb.Change]:
    """What this session changed when it landed, whatever has been edited here since."""
    request = pb.GetSessionRequest(project=address_of(ws).ref, position=position)
    return list(client.call(client.sessions.GetSession, request).session.changes)


def _clash_error(session: LocalSession, clashes: list[pb.Clash]) -> Conflicted:
    """The error that lists each path with its three contents and the landing that is in the way."""
    lines = [f"This session clashes with what landed since @{session.base_position}; nothing was landed."]
    for clash in clashes:
        sides = f"base {_short(clash.base_hash)}, ours {_short(clash.ours_hash)}, theirs {_short(clash.theirs_hash)}"
        lines.append(
            f"  {display(clash.path)}: {_REASONS.get(clash.reason, clash.reason)}; {sides}, @{clash.theirs_position}"
        )
    first = clashes[0].theirs_position
    return Conflicted(
        "\n".join(lines),
        hint=f"Run `mic sync`, mend what it marks, land again. `mic show @{first}` says what the other side meant.",
        document={"clashes": [_clash_fields(clash) for clash in clashes], "session": ulid_text(session.id)},
    )


_REASONS = {
    "changed": "changed on both sides",
    "file_over_directory": "a file here, a directory there",
    "directory_over_file": "a directory here, a file there",
}


def _short(content: bytes) -> str:
    return content.hex()[:10] or "absent"


def _clash_fields(clash: pb.Clash) -> dict[str, Any]:
    return {
        **path_fields(clash.path),
        "reason": clash.reason,
        "base": clash.base_hash.hex() or None,
        "ours": clash.ours_hash.hex() or None,
        "theirs": clash.theirs_hash.hex() or None,
        "position": clash.theirs_position,
    }


def _report(
    out: Output, session: LocalSession, answer: pb.LandSessionResponse, done: Advance, files: int, noted: str
) -> None:
    what = "Already landed" if answer.already_landed else "Landed"
    out.line(f"{what} {out.paint(f'@{answer.position}', 'yellow')}: {session.goal} ({plural(files, 'file')})")
    if noted:
        out.line(f'"{noted}" was added as a note; the session keeps its goal.')
    for path in done.merged:
        out.line(f"merged with what landed meanwhile: {display(path)}")
    if done.updated:
        out.line(f"brought in from others: {plural(done.updated, 'file')}")
    for path in done.kept:
        out.line(f"not updated, because it changed here meanwhile: {display(path)}")
    out.document(
        {
            "session": ulid_text(session.id),
            "goal": session.goal,
            "position": answer.position,
            "tree": answer.tree.hex(),
            "already_landed": answer.already_landed,
            "files": files,
            "merged": [path_fields(path) for path in done.merged],
            "updated": done.updated,
            "kept": [path_fields(path) for path in done.kept],
            "noted": noted or None,
        }
    )


def _nothing_new(ws: Workspace, goal: str, out: Output) -> int:
    """Nothing changed and no session is open: perhaps the command is repeated, which then says where it landed."""
    last = _last(ws)
    if last is None or last[1] != ws.config.position or (goal.strip() and goal.strip() != last[2]):
        raise NothingToLand(_nothing(ws), hint="Change a file first.")
    session_id, position, landed_goal = last
    out.line(f"Already landed @{position}: {landed_goal}")
    out.document(
        {"session": ulid_text(session_id), "goal": landed_goal, "position": position, "tree": ws.config.tree,
         "already_landed": True, "files": 0, "merged": [], "updated": 0, "kept": [], "noted": None}
    )  # fmt: skip
    return 0


def _nothing(ws: Workspace) -> str:
    return f"There is nothing to land: no file has changed since @{ws.config.position}."


def _remember(ws: Workspace, session: LocalSession, position: int) -> None:
    """The last landing from here, so that a repeated `mic land` can say where it is."""
    path = os.path.join(ws.root, ".mic", "landed")
    temporary = f"{path}.{os.getpid()}.{time.monotonic_ns()}"
    with open(temporary, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(f"{ulid_text(session.id)} {position}\n{session.goal}")
    os.replace(temporary, path)


def _last(ws: Workspace) -> tuple[bytes, int, str] | None:
    try:
        with open(os.path.join(ws.root, ".mic", "landed"), encoding="utf-8", errors="surrogateescape") as file:
            first, goal = file.readline(), file.read()
    except FileNotFoundError:
        return None
    session_id, _, position = first.strip().partition(" ")
    return (parse_ulid(session_id), int(position), goal) if position.isdecimal() else None
