"""What a project was forked from, and what was forked from it."""

from __future__ import annotations

from uuid import UUID

from micelio.accounts.actor import Actor
from micelio.organizations.policy import looked_up
from micelio.organizations.queries import memberships
from micelio.projects.models import Project
from micelio.projects.policy import require_read
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import MAX_ORGANIZATIONS, as_seen, named_behind, readable, rows, view, with_roles


def origin_of(actor: Actor, project: ProjectView) -> ProjectView | None:
    """What a project was forked from, as far as the actor may see it. None when it is no fork, hidden or gone."""
    require_read(actor, project)
    row = rows().filter(id=project.origin_id).first() if project.origin_id is not None else None
    if project.confined and row is not None:
        # What confines the origin confines the fork, and does not keep the actor from that.
        looked_up(("within", row.id, actor), lambda: True)
    return as_seen(actor, view(row, None)) if row is not None else None


def count_forks(actor: Actor, project: ProjectView) -> int:
    """How many forks of a project the actor may see, as far as the view knows of any."""
    require_read(actor, project)
    if not project.has_forks:
        return 0
    organizations = [row.id for row in memberships(actor, limit=MAX_ORGANIZATIONS)]
    return readable(actor, organizations).filter(forked_from=project.id).count()


def list_forks(actor: Actor, project: ProjectView, after: str = "", limit: int = 50) -> list[ProjectView]:
    """The forks of a project that the actor may see, by `owner/handle`, behind the `owner/handle` in `after`."""
    require_read(actor, project)
    if not project.has_forks:
        return []
    roles = {row.id: row.role for row in memberships(actor, limit=MAX_ORGANIZATIONS)}
    found = readable(actor, list(roles)).filter(forked_from=project.id)
    return with_roles(actor, named_behind(found, after, limit), roles)


def fork_point(project_id: UUID) -> tuple[UUID, int] | None:
    """Origin and position that a project was forked at, or a branch, for the forge's own upkeep; None without an
    origin."""
    found = Project.lines.filter(id=project_id, forked_from__isnull=False)
    row = found.values_list("forked_from_id", "fork_position").first()
    return (row[0], row[1]) if row is not None and row[0] is not None and row[1] is not None else None
