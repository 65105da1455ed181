"""The first project of an empty forge: the history of a Git checkout, so that there is something to look at."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from mic.core.errors import AlreadyExists
from mic.core.session import Author, Op
from mic.git.history import open_history
from mic.ledger.frame import Frame
from mic.ledger.history import HistoryCommit
from micelio.accounts.actor import Actor
from micelio.organizations.actions import create_organization
from micelio.projects.actions import create_project
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project
from micelio.sessions.intake import HistoryIntake

OWNER = "micelio"
HANDLE = "micelio"
# Contents up to this travel whole; larger ones in parts of this size.
PART = 1 << 20


def import_checkout(path: Path, actor: Actor) -> int:
    """Make micelio/micelio from the checkout's default branch; the number of landings."""
    history = open_history(path)
    with contextlib.suppress(AlreadyExists):
        create_organization(actor, OWNER, "Micelio")
    project = _project(actor)
    known: dict[bytes, tuple[bytes, int]] = {}
    # Whoever runs the forge named the checkout; what is found in it waits for them on the project's page.
    reason = "Brought in at the first start."
    with HistoryIntake(actor, project, path.resolve().name, accept_secrets=reason, undecided=True) as intake:
        for commit in history:
            changes: list[tuple[bytes, int, int, bytes, int]] = []
            for change in commit.changes:
                if change.op == Op.DELETED or change.oid is None:
                    changes.append((change.path, Op.DELETED, 0, b"", 0))
                    continue
                if change.oid not in known:
                    known[change.oid] = _send(intake, history.content(change))
                changes.append((change.path, change.op, change.mode, *known[change.oid]))
            author = Author(commit.author_name, commit.author_email)
            intake.add_commit(
                HistoryCommit(commit.oid, commit.raw, author, commit.authored_at_ms, commit.message, changes)
            )
        return intake.finish().position


def _project(actor: Actor) -> ProjectView:
    """The project to fill: a new one, or the empty one that an interrupted import left."""
    try:
        return create_project(
            actor,
            OWNER,
            HANDLE,
            "Micelio",
            "The forge that you are looking at, and mic, its version control.",
            "public",
        )
    except AlreadyExists:
        return get_project(actor, OWNER, HANDLE)


def _send(intake: HistoryIntake, data: bytes) -> tuple[bytes, int]:
    object_hash = hashlib.sha256(data).digest()
    size = len(data)
    for start in range(0, max(size, 1), PART):
        part = data[start : start + PART]
        intake.add_frame(Frame(object_hash, size, start, len(part), False, part))
    return object_hash, size
