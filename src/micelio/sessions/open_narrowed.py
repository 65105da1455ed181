"""The list of open sessions narrowed down by what they are for, who works on them, with what, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from mic.core.errors import InvalidInput
from mic.ledger.open_paths import open_paths
from micelio.accounts.actor import Actor
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions.models import storable
from micelio.sessions.narrowed import owned_by
from micelio.sessions.policy import may_see_open, require_read
from micelio.sessions.queries import MAX_PAGE, OpenRow, list_open_sessions

STATES = ("active", "conflicted", "queued", "pending_review", "rejected", "abandoned")
# Sessions of one page that are read to see which paths they change: that stands in the bucket alone.
LOOKED_THROUGH = 60


@dataclass(frozen=True, slots=True)
class WantedOpen:
    """Which sessions; an empty word leaves its question open. `state` "" is all that are not given up.

    `author` is a handle, `path` a file or a directory that the session changes, as far as it was pushed.
    """

    goal: str = ""
    author: str = ""
    agent: str = ""
    path: bytes = b""
    state: str = ""

    def __bool__(self) -> bool:
        return bool(self.goal or self.author or self.agent or self.path or self.state)


def find_open_sessions(
    actor: Actor, project: ProjectView, wanted: WantedOpen, after: bytes = b"", limit: int = 50
) -> tuple[list[OpenRow], bytes]:
    """(sessions, newest first, those behind the id `after`; the id behind which the next page begins, b"" at the end).

    For members; to others there are none. A page may hold fewer than `limit` and have a next one. Raises InvalidInput.
    """
    require_read(actor, project)
    if wanted.state and wanted.state not in STATES:
        raise InvalidInput(f"{wanted.state[:40]!r} is not a state of an open session.", hint=f"One of {list(STATES)}.")
    if not may_see_open(actor, project):
        return [], b""
    limit = min(limit, MAX_PAGE - 1)
    condition = Q()
    if wanted.goal:
        condition &= Q(goal__icontains=storable(wanted.goal))
    if wanted.agent:
        condition &= Q(agent__icontains=storable(wanted.agent))
    if wanted.author:
        condition &= owned_by(actor, wanted.author)
    most = LOOKED_THROUGH if wanted.path else limit
    rows = list_open_sessions(actor, project, wanted.state, after, most + 1, condition=condition)
    seen = rows[:most]
    further = seen[-1].session_id if len(rows) > most else b""
    if not wanted.path:
        return seen, further
    touching = _touching(project, seen, wanted.path)
    if len(touching) > limit:
        return touching[:limit], touching[limit - 1].session_id
    return touching, further


def _touching(project: ProjectView, rows: Sequence[OpenRow], path: bytes) -> list[OpenRow]:
    """Those of the sessions that change a path, or something below it."""
    ledger = open_ledger(project.line)
    changed = ledger.run(open_paths(ledger.line, [row.session_id for row in rows]))
    below = path + b"/"
    return [
        row for row in rows if any(each == path or each.startswith(below) for each in changed.get(row.session_id, ()))
    ]
