"""Reading projects, always as somebody."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from micelio.accounts.actor import Actor
from micelio.organizations.policy import role_of
from micelio.organizations.queries import list_organizations
from micelio.projects.models import Confinement, Project, Visibility
from micelio.projects.policy import hidden, may_read, require_read, within
from micelio.projects.project_view import ProjectView

MAX_PAGE = 1000
# An account in more organizations than this sees, in lists without an owner, the first ones only.
MAX_ORGANIZATIONS = 1000


def get_project(actor: Actor, owner: str, handle: str) -> ProjectView:
    """The project `owner/handle`. Raises NotFound, in the same words when it is absent and when it is hidden."""
    found = rows().filter(owner__handle=owner.lower(), handle=handle.lower()).first()
    seen = _seen(actor, found) if found is not None else None
    if seen is None:
        raise hidden(owner, handle)
    return seen


def _seen(actor: Actor, row: Project) -> ProjectView | None:
    """The project as the actor sees it, None when they may not."""
    made = view(row, role_of(actor, row.owner_id))
    return made if may_read(made.visibility, made.role) and within(actor, made) else None


def list_projects(actor: Actor, owner: str = "", after: str = "", limit: int = 50) -> list[ProjectView]:
    """Projects the actor may read, by `owner/handle`, behind the `owner/handle` in `after`; all owners or one.

    An owner that does not exist has no projects: to tell more would tell which private ones there are.
    """
    roles = {row.id: row.role for row in list_organizations(actor, limit=MAX_ORGANIZATIONS)}
    found = _readable(list(roles))
    if owner:
        found = found.filter(owner__handle=owner.lower())
    if after:
        last_owner, _, last_handle = after.partition("/")
        found = found.filter(Q(owner__handle__gt=last_owner) | Q(owner__handle=last_owner, handle__gt=last_handle))
    found = found.order_by("owner__handle", "handle")[: min(limit, MAX_PAGE)]
    return [view(row, roles.get(row.owner_id)) for row in found]


def _readable(organizations: list[UUID]) -> QuerySet[Project]:
    """What a member of these organizations may read: `may_read` and `within` for many at once."""
    elsewhere = Confinement.objects.filter(project=OuterRef("pk")).exclude(organization__in=organizations)
    members = Q(owner__in=organizations) & ~Exists(elsewhere)
    return rows().filter(Q(visibility=Visibility.PUBLIC) | members)


def origin_of(actor: Actor, project: ProjectView) -> ProjectView | None:
    """What a project was forked from, as far as the actor may see it. None when it is no fork, hidden or gone."""
    require_read(actor, project)
    row = rows().filter(id=project.origin_id).first() if project.origin_id is not None else None
    return _seen(actor, row) if row is not None else None


def count_forks(actor: Actor, project: ProjectView) -> int:
    """How many forks of a project the actor may see, as far as the view knows of any."""
    require_read(actor, project)
    if not project.has_forks:
        return 0
    organizations = [row.id for row in list_organizations(actor, limit=MAX_ORGANIZATIONS)]
    return _readable(organizations).filter(forked_from=project.id).count()


def fork_point(project_id: UUID) -> tuple[UUID, int] | None:
    """Origin and position that a project was forked at, for the forge's own upkeep; None without an origin."""
    found = Project.objects.filter(id=project_id, forked_from__isnull=False)
    row = found.values_list("forked_from_id", "fork_position").first()
    return (row[0], row[1]) if row is not None and row[0] is not None and row[1] is not None else None


def exists(project_id: UUID) -> bool:
    """Whether there is such a project, for the forge's own upkeep."""
    return Project.objects.filter(id=project_id).exists()


def rows() -> QuerySet[Project]:
    """Projects with what a view of them needs."""
    return Project.objects.select_related("owner").annotate(
        confined=Exists(Confinement.objects.filter(project=OuterRef("pk"))),
        has_forks=Exists(Project.objects.filter(forked_from=OuterRef("pk"))),
    )


def all_project_ids() -> list[UUID]:
    """Every project, for the forge's own upkeep: nothing of it may reach a person."""
    return list(Project.objects.order_by("created_at").values_list("id", flat=True))


def project_name(project_id: UUID) -> str:
    """`owner/handle` for a message about the store, to somebody who has reached the project already; "" if unknown."""
    found = Project.objects.select_related("owner").filter(id=project_id).first()
    return f"{found.owner.handle}/{found.handle}" if found else ""


def view(project: Project, role: str | None) -> ProjectView:
    """The value of one of the `rows`, for an actor with this role."""
    return ProjectView(
        id=project.id,
        owner=project.owner.handle,
        owner_id=project.owner_id,
        handle=project.handle,
        name=project.name,
        description=project.description,
        visibility=project.visibility,
        created_at=project.created_at,
        role=role,
        origin_id=project.forked_from_id,
        fork_position=project.fork_position,
        confined=bool(getattr(project, "confined")),  # noqa: B009  # annotated by `rows`
        has_forks=bool(getattr(project, "has_forks")),  # noqa: B009
    )
