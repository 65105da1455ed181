"""Whoever may write to a project may have its archive fetched; whoever may read the project may read it."""

from __future__ import annotations

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor
from micelio.projects import policy
from micelio.projects.project_view import ProjectView
from micelio.sessions.policy import require_free
from micelio.sessions.policy import require_import as require_write


def require_fetch(actor: Actor, project: ProjectView) -> None:
    """Raises NotFound, Unauthenticated, PermissionDenied; also for a token of one session."""
    require_write(actor, project)
    require_free(actor)


def require_read(actor: Actor, project: ProjectView) -> None:
    """Raises NotFound, PermissionDenied."""
    policy.require_read(actor, project)


def no_such_run(project: ProjectView) -> NotFound:
    """The one answer for a run that is not there."""
    return NotFound(
        f"Nothing of another forge was fetched into {project.owner}/{project.handle}.",
        hint="`mic import archive URL ORG/PROJECT` does that.",
    )


def no_archive(project: ProjectView) -> NotFound:
    """The answer for a project without an archive."""
    return NotFound(
        f"{project.owner}/{project.handle} has no archive of another forge.",
        hint="Its members can fetch one: `mic import archive URL ORG/PROJECT`.",
    )
