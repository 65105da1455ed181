"""Reading projects, always as somebody."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from micelio.accounts.actor import Actor
from micelio.organizations.policy import role_of
from micelio.organizations.queries import list_organizations
from micelio.projects.models import Project, Visibility
from micelio.projects.policy import hidden, may_read
from micelio.projects.project_view import ProjectView

MAX_PAGE = 1000
# An account in more organizations than this sees, in lists without an owner, the first ones only.
MAX_ORGANIZATIONS = 1000


def get_project(actor: Actor, owner: str, handle: str) -> ProjectView:
    """The project `owner/handle`. Raises NotFound, in the same words when it is absent and when it is hidden."""
    found = Project.objects.select_related("owner").filter(owner__handle=owner.lower(), handle=handle.lower()).first()
    if found is not None:
        role = role_of(actor, found.owner_id)
        if may_read(found.visibility, role):
            return view(found, role)
    raise hidden(owner, handle)


def list_projects(actor: Actor, owner: str = "", after: str = "", limit: int = 50) -> list[ProjectView]:
    """Projects the actor may read, by `owner/handle`, behind the `owner/handle` in `after`; all owners or one.

    An owner that does not exist has no projects: to tell more would tell which private ones there are.
    """
    roles = {row.id: row.role for row in list_organizations(actor, limit=MAX_ORGANIZATIONS)}
    rows = Project.objects.select_related("owner").filter(Q(visibility=Visibility.PUBLIC) | Q(owner__in=list(roles)))
    if owner:
        rows = rows.filter(owner__handle=owner.lower())
    if after:
        last_owner, _, last_handle = after.partition("/")
        rows = rows.filter(Q(owner__handle__gt=last_owner) | Q(owner__handle=last_owner, handle__gt=last_handle))
    rows = rows.order_by("owner__handle", "handle")[: min(limit, MAX_PAGE)]
    return [view(row, roles.get(row.owner_id)) for row in rows]


def all_project_ids() -> list[UUID]:
    """Every project, for the forge's own upkeep: nothing of it may reach a person."""
    return list(Project.objects.order_by("created_at").values_list("id", flat=True))


def project_name(project_id: UUID) -> str:
    """`owner/handle` for a message about the store, to somebody who has reached the project already; "" if unknown."""
    found = Project.objects.select_related("owner").filter(id=project_id).first()
    return f"{found.owner.handle}/{found.handle}" if found else ""


def view(project: Project, role: str | None) -> ProjectView:
    """The value of a row, for an actor with this role."""
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
    )
