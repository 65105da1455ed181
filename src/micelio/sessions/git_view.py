"""A project opened for Git: who may, and the objects that are shared by all who do."""

from __future__ import annotations

import threading
from collections import OrderedDict
from uuid import UUID

from mic.git.kept import KeptObjects
from mic.git.served import ServedRepository
from micelio.accounts.actor import Actor
from micelio.databases import let_go
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import get_project
from micelio.sessions.policy import require_read

# Open packs and the graph of commits: some hundred bytes for each commit.
_PROJECTS = 64

_lock = threading.Lock()
_kept: OrderedDict[UUID, KeptObjects] = OrderedDict()


def kept_objects(project_id: UUID) -> KeptObjects:
    """The Git objects of a project, shared by this process; the least recently used are closed."""
    with _lock:
        found = _kept.get(project_id)
        if found is None:
            found = _kept[project_id] = KeptObjects(open_ledger(project_id), _of_origin)
            while len(_kept) > _PROJECTS:
                _kept.popitem(last=False)
        _kept.move_to_end(project_id)
        return found


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
