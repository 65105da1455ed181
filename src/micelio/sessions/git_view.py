"""A project opened for Git: who may, and the objects that are shared by all who do."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import partial
from uuid import UUID

from mic.git.kept import KeptObjects
from mic.git.kept_lines import Followed
from mic.git.served import ServedRepository
from mic.ledger.project import Project
from micelio.accounts.actor import Actor
from micelio.databases import let_go
from micelio.projects.branches import lines_for_git
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import get_project, whole_id
from micelio.sessions.models import Projection
from micelio.sessions.policy import require_read

# Open packs and the graph of commits: some hundred bytes for each commit.
_PROJECTS = 64

_lock = threading.Lock()
_kept: OrderedDict[UUID, KeptObjects] = OrderedDict()


def kept_objects(project_id: UUID) -> KeptObjects:
    """The Git objects of a project, or of the project of a line; shared by this process. The least recently used are
    closed."""
    with _lock:
        found = _kept.get(project_id)
    if found is None:
        project_id = whole_id(project_id)
    with _lock:
        found = _kept.get(project_id)
        if found is None:
            lines = partial(_followed, project_id), _line
            found = _kept[project_id] = KeptObjects(open_ledger(project_id), _of_origin, lines)
            while len(_kept) > _PROJECTS:
                _kept.popitem(last=False)
        _kept.move_to_end(project_id)
        return found


def _followed(project_id: UUID) -> list[Followed]:
    """The lines besides main as far as the rows follow them, which whoever landed has waited for."""
    lines = list(lines_for_git(project_id))
    reached = dict(Projection.objects.filter(project_id__in=[line.id for line in lines]).values_list("pk", "position"))
    let_go()  # as in `open_for_fetch`
    return [
        Followed(line.branch, line.id.hex, line.shared, max(reached.get(line.id, 0), line.position)) for line in lines
    ]


def _line(line: str) -> Project:
    return open_ledger(UUID(line))


def _of_origin(project: str) -> KeptObjects:
    return kept_objects(UUID(project))


def open_for_fetch(actor: Actor, owner: str, handle: str) -> ServedRepository:
    """The repository of a project for reading. Raises NotFound as `get_project`, PermissionDenied for a token.

    A session's words are in the commits, so a token needs to be for reading sessions.
    """
    project = get_project(actor, owner, handle)
    require_read(actor, project)
    let_go()  # what follows waits for the store, and others may need the connection
    return ServedRepository(kept_objects(project.id))
