"""What the other side of a conflict meant: the landings that it came of, with their goals and decisions."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from typing import Any

from mic.cli.terminal.output import path_fields
from mic.cli.terminal.words import decision_fields, decision_of
from mic.cli.working_copy.sync_plan import Plan, side_of
from mic.core.errors import Corrupt, MicError
from mic.core.ids import ulid_text
from mic.core.marked import settled_by_hand
from mic.core.tree import Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.conflict_records import Record, Theirs, drop_others, find, keep, keep_sides, marked_file
from mic.workspace.conflicts import MARKED, labels, read_conflicts, write_conflicts
from mic.workspace.index import IndexEntry
from mic.workspace.resolutions import remember
from mic.workspace.sync_journal import HOLD, MARK, YOURS
from mic.workspace.workspace import Workspace

# Landings that are told of one path, and paths whose landings are asked for, in one sync.
_TOLD = 5
_ASKED = 100
_DECIDED = 3  # decisions of a landing that a line each is spent on


class Stories:
    """Landings of others, each asked for once. What the forge does not answer is not known, and stops nothing."""

    def __init__(self, client: Client, project: pb.ProjectRef) -> None:
        self._client, self._project = client, project
        self._known: dict[int, Theirs | None] = {}
        self._asked = 0

    def of(self, position: int) -> Theirs | None:
        """The landing at a position."""
        if position not in self._known:
            request = pb.GetSessionRequest(project=self._project, position=position)
            try:
                self._known[position] = _theirs(self._client.call(self._client.sessions.GetSession, request).session)
            except MicError:
                self._known[position] = None
        return self._known[position]

    def of_path(self, path: bytes, after: int, until: int) -> tuple[Theirs, ...]:
        """The landings behind one position, up to another, that changed a path; the newest first."""
        self._asked += 1
        if self._asked > _ASKED or after >= until:
            return ()
        request = pb.ListLandingsRequest(
            project=self._project, path=path, after_position=after, before_position=until + 1, page_size=_TOLD
        )
        try:
            found = self._client.call(self._client.sessions.ListLandings, request).landings
        except MicError:
            return ()
        told = [self.of(item.landed_position) for item in found if after < item.landed_position <= until]
        return tuple(item for item in told if item is not None)


def keep_records(
    ws: Workspace,
    stories: Stories,
    plan: Plan,
    before: Mapping[bytes, IndexEntry],
    target: Mapping[bytes, Entry],
    positions: tuple[int, int],
) -> None:
    """Write down the conflicts that a sync is about to leave, before it touches a file."""
    for path, step in sorted(plan.steps.items()):
        if step.act in (MARK, HOLD) or (step.act == YOURS and step.reason):
            landings = stories.of_path(path, *positions)
            marked = plan.contents.get(path) if step.act == MARK else None
            base, theirs = side_of(before.get(path)), side_of(target.get(path))
            mine = step.mine_mode, step.mine
            result = step.result if marked is not None else b""
            record = Record(path, *positions, step.reason, base, mine, theirs, landings, result)
            if path in plan.apart:
                keep_sides(ws, record, *plan.apart[path])
            keep(ws, record, marked)


def learn(ws: Workspace) -> int:
    """Remember how marked places were settled whose markers are gone; how many."""
    count = 0
    root = os.fsencode(ws.root)
    for item in read_conflicts(root):
        record = None
        with contextlib.suppress(Corrupt, OSError):  # nothing is learned from what is damaged
            record = find(ws, item) if item.kind == MARKED else None
        marked = marked_file(ws, record) if record is not None else None
        if marked is None:
            continue
        try:
            with open(root + b"/" + item.path, "rb", opener=no_links) as stream:
                now = stream.read()
        except OSError:
            continue  # deleted, or no file any more: whoever did that settled no place of it
        names = labels(item.base, item.theirs)
        for clash, lines in settled_by_hand(marked, names, now):
            remember(ws, item.path, clash, lines)
            count += 1
    return count


def settled_all(ws: Workspace, position: int) -> None:
    """What is here has landed at a position: however its conflicts with what landed before were settled, it was meant.

    A session that landed from another working copy says nothing about those with what landed after it.
    """
    learn(ws)
    root = os.fsencode(ws.root)
    older = position < ws.config.position
    since = [item for item in read_conflicts(root) if item.theirs > position] if older else []
    write_conflicts(root, since)
    drop_others(ws, since)


def no_links(path: str | bytes, flags: int) -> int:
    """An opener that follows no symlink."""
    return os.open(path, flags | os.O_NOFOLLOW)


def story_lines(landings: Iterable[Theirs], indent: str = "  ") -> list[str]:
    """What they meant, for people: goal, who, and the first decisions."""
    lines = []
    for each in landings:
        with_agent = f" with {each.agent}" if each.agent else ""
        title = each.goal.strip().partition("\n")[0]
        lines.append(f"{indent}@{each.position} {title} ({each.author}{with_agent})")
        for decision in each.decisions[:_DECIDED]:
            why = f", because {decision.why}" if decision.why else ""
            lines.append(f"{indent}  decided: {decision.what}{why}")
            lines += [
                f"{indent}    not {road.what}" + (f": {road.why_not}" if road.why_not else "")
                for road in decision.alternatives
            ]
        more = len(each.decisions) - _DECIDED
        if more > 0:
            lines.append(f"{indent}  and {more} more: `mic show @{each.position}`")
    return lines


def story_fields(each: Theirs) -> dict[str, Any]:
    """The same in JSON."""
    return {
        "position": each.position,
        "session": ulid_text(each.session),
        "goal": each.goal,
        "author": each.author,
        "agent": each.agent,
        "decisions": [decision_fields(decision) for decision in each.decisions],
    }


def record_fields(record: Record) -> dict[str, Any]:
    """A conflict in JSON."""
    return {
        **path_fields(record.path),
        "reason": record.reason,
        "base_position": record.base_position,
        "position": record.theirs_position,
        "base": record.base[1].hex() or None,
        "ours": record.ours[1].hex() or None,
        "theirs": record.theirs[1].hex() or None,
        "landings": [story_fields(each) for each in record.landings],
    }


def _theirs(session: pb.Session) -> Theirs:
    decisions = tuple(map(decision_of, session.decisions))
    author = session.author.name or session.owner
    return Theirs(session.landed_position, session.id, session.goal, author, session.agent, decisions)
