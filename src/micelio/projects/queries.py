"""Reading projects, always as somebody."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Exists, Manager, OuterRef, Q, QuerySet

from mic.core.errors import InvalidInput, NotFound
from micelio.accounts.actor import Actor
from micelio.accounts.handles import sought
from micelio.accounts.policy import covers
from micelio.audit import queries as audit
from micelio.audit.models import AuditEvent
from micelio.organizations.policy import looked_up, open_to, shut_out_of, why_outside
from micelio.organizations.queries import memberships, present_handle
from micelio.organizations.roles import stronger
from micelio.prepared import Prepared
from micelio.projects.models import Confinement, FormerAddress, Project, ProjectMember, Visibility
from micelio.projects.moved import Move, note_move
from micelio.projects.policy import hidden, may_read, require_manage, require_reading, role_in, within
from micelio.projects.project_view import MAIN, ProjectView
from micelio.projects.reads import note_private, note_read

MAX_PAGE = 1000
# An account in more organizations than this sees, in lists without an owner, the first ones only.
MAX_ORGANIZATIONS = 1000


def get_project(actor: Actor, owner: str, handle: str, branch: str = "") -> ProjectView:
    """The project `owner/handle`, or the one that was there before it moved; the view says where it is now.

    On its main line, or on one of its branches. Raises NotFound, in the same words when the project is absent and when
    it is hidden.
    """
    found = _get_project(actor, owner, handle)
    return found if branch in ("", MAIN) else on_branch(found, branch)


def on_branch(project: ProjectView, branch: str) -> ProjectView:
    """A project, which the actor may read, looked at on one of its branches, or on main. Raises NotFound."""
    if branch in ("", MAIN):
        return replace(project, branch=MAIN, branch_id=None)
    for line_id in _line_named(project.id, branch):
        return replace(project, branch=branch, branch_id=line_id[0])
    shown = branch if len(branch) <= 100 else f"{branch[:99]}…"
    name = f"{project.owner}/{project.handle}"
    gone = Project.lines.filter(line_of=project.id, branch=branch).order_by("deleted_at").last()
    if gone is not None:
        raise NotFound(
            f"The branch {shown} of {name} was deleted by {gone.deleted_by} on {gone.deleted_at:%Y-%m-%d}.",
            hint="`mic branch switch main` goes on with main; what has not landed here stays.",
        )
    raise NotFound(
        f"{name} has no branch {shown!r}.",
        hint="`mic branch list` lists those that sessions land on; main is always there.",
    )


def _get_project(actor: Actor, owner: str, handle: str) -> ProjectView:
    require_reading(actor)
    name = sought(owner), sought(handle)
    found = _named(*name)
    views = [_as_view(row) for row in found or _named.convert_one()]
    seen = as_seen(actor, views[0] if found else None, _NOWHERE)
    if seen is None:
        # Asked of a hidden project too: whoever takes the time learns nothing.
        seen = _elsewhere(actor, *name, taken=bool(found))
        if seen is None:
            # Asked for what is missing too, for the same reason.
            raise hidden(owner, handle, why_outside(actor, name[0]))
        note_move(Move(*name, seen.owner, seen.handle))
    note_read(actor, seen)
    return seen


def named_projects(actor: Actor, names: Sequence[tuple[str, str]]) -> list[ProjectView]:
    """The projects of these (owner, handle), in their order, looked up at once. That one names them reads nothing.

    Raises NotFound as `get_project` for the first that is not there. Those that have moved are looked up one by one.
    """
    require_reading(actor)
    wanted = [(sought(owner), sought(handle)) for owner, handle in names]
    any_of = Q(pk__in=[])
    for owner, handle in dict.fromkeys(wanted):
        any_of |= Q(owner__handle=owner, handle=handle)
    roles = {row.id: row.role for row in memberships(actor, limit=MAX_ORGANIZATIONS)}
    listed = list(readable(actor, list(roles)).filter(any_of))
    given = given_roles(actor, [row.id for row in listed])
    views = [view(row, stronger(roles.get(row.owner_id), given.get(row.id))) for row in listed]
    found = {(one.owner, one.handle): one for one in views}
    return [found.get(name) or get_project(actor, *name) for name in wanted]


def _elsewhere(actor: Actor, owner: str, handle: str, taken: bool) -> ProjectView | None:
    """What was at this address before it moved, or before its owner got another handle. Nothing where one is now."""
    moved = _moved(owner, handle)
    now = present_handle(owner)
    if not moved and now:
        moved = _named(now, handle) or _moved(now, handle)
    return as_seen(actor, _as_view(moved[0]) if moved and not taken else None, _NOWHERE_ELSE)


def project_of(actor: Actor, project_id: UUID) -> ProjectView:
    """The project with this id, or the one with this line; for what the forge does in an actor's name.

    Raises NotFound as `get_project`.
    """
    line = Project.lines.filter(id=project_id, line_of__isnull=False, deleted_at=None).first()
    found = rows().filter(id=project_id if line is None or line.line_of_id is None else line.line_of_id).first()
    seen = as_seen(actor, view(found, None)) if found is not None else None
    if seen is None:
        raise NotFound("The project is gone, or its author may not see it any more.", hint="Ask one of its members.")
    return seen if line is None else replace(seen, branch=line.branch, branch_id=line.id)


# No project has these ids. A role in nothing is looked up as one in a hidden project is, and takes as long: one for
# each place that is looked at, since within a request each role is looked up once.
_NOWHERE, _NOWHERE_ELSE = UUID(int=0), UUID(int=1)


def as_seen(actor: Actor, found: ProjectView | None, nowhere: UUID = _NOWHERE) -> ProjectView | None:
    """The project as the actor sees it, None when they may not, or when there is none."""
    if not covers(actor, found.id if found is not None else nowhere):
        return None
    role = role_in(actor, found.id if found is not None else nowhere)
    if found is None or not may_read(found.visibility, role):
        return None
    made = replace(found, role=role)
    return made if within(actor, made) else None


def list_projects(actor: Actor, owner: str = "", after: str = "", limit: int = 50) -> list[ProjectView]:
    """Projects the actor may read, by `owner/handle`, behind the `owner/handle` in `after`; all owners or one.

    An owner that does not exist has no projects: to tell more would tell which private ones there are.
    """
    require_reading(actor)
    roles = {row.id: row.role for row in memberships(actor, limit=MAX_ORGANIZATIONS)}
    found = readable(actor, list(roles))
    if owner:
        found = found.filter(owner__handle=sought(owner))
    listed = named_behind(found, after, limit)
    now = present_handle(owner) if owner and not listed else ""
    if now not in ("", sought(owner)):
        return list_projects(actor, now, f"{now}/{after.partition('/')[2]}" if after else "", limit)
    return with_roles(actor, listed, roles)


def named_behind(found: QuerySet[Project], after: str, limit: int) -> list[Project]:
    """One page of projects by `owner/handle`, behind the one in `after`."""
    if after:
        last_owner, _, last_handle = sought(after).partition("/")
        found = found.filter(Q(owner__handle__gt=last_owner) | Q(owner__handle=last_owner, handle__gt=last_handle))
    return list(found.order_by("owner__handle", "handle")[: min(limit, MAX_PAGE)])


def with_roles(actor: Actor, listed: list[Project], roles: Mapping[UUID, str | None]) -> list[ProjectView]:
    """Views of these, each with the stronger of the actor's role in its owner, of `roles`, and in it alone."""
    given = given_roles(actor, [row.id for row in listed])
    return [view(row, stronger(roles.get(row.owner_id), given.get(row.id))) for row in listed]


class Readable:
    """What an actor may read, for several questions of one request: their memberships are looked up once."""

    def __init__(self, actor: Actor) -> None:
        require_reading(actor)
        self._actor = actor
        self._roles = {row.id: row.role for row in memberships(actor, limit=MAX_ORGANIZATIONS)}
        self._found = readable(actor, list(self._roles))

    @property
    def of_rows(self) -> QuerySet[Project, Any]:
        """A part of a query whose rows have a `project_id`."""
        return self._found.filter(id=OuterRef("project_id")).order_by().values("id")

    def has_private(self) -> bool:
        """Whether any of it is not everybody's to read."""
        return bool(self._private)

    @cached_property
    def _private(self) -> dict[UUID, tuple[UUID, str]]:
        """(owner, address) of the private ones, the first `MAX_PAGE`."""
        if self._actor.user_id is None:
            return {}
        return self._private_of(self._found)

    @staticmethod
    def _private_of(found: QuerySet[Project]) -> dict[UUID, tuple[UUID, str]]:
        columns = "id", "owner_id", "owner__handle", "handle"
        rows = found.filter(visibility=Visibility.PRIVATE).order_by().values_list(*columns)[:MAX_PAGE]
        return {row[0]: (row[1], f"{row[2]}/{row[3]}") for row in rows}

    def note_reads(self, ids: Collection[UUID]) -> None:
        """Record that something of these projects was shown, as `note_read` does of those that are private."""
        private = self._private
        if len(private) == MAX_PAGE:
            private = self._private_of(self._found.filter(id__in=ids))
        for project_id in set(ids) & set(private):
            note_private(self._actor, project_id, *private[project_id])

    def of_ids(self, ids: Collection[UUID]) -> dict[UUID, ProjectView]:
        """Views of those among these projects that may be read. The role in them is that in the owner."""
        found = self._found.filter(id__in=list(ids)) if ids else []
        return {row.id: view(row, self._roles.get(row.owner_id)) for row in found}

    def projects(self, text: str, after: str = "", limit: int = 20) -> list[ProjectView]:
        """Those with `text` in their address, name or description, by `owner/handle`, behind the one in `after`.

        The role in them is that in the owner: whether one has another in a project alone is not asked.
        """
        owner, slash, handle = text.partition("/")
        named = Q(handle__icontains=text) | Q(name__icontains=text) | Q(description__icontains=text)
        if slash:
            named |= Q(owner__handle__iendswith=owner, handle__istartswith=handle)
        else:
            named |= Q(owner__handle__icontains=text)
        found = self._found.filter(named)
        if after:
            last_owner, _, last_handle = sought(after).partition("/")
            found = found.filter(Q(owner__handle__gt=last_owner) | Q(owner__handle=last_owner, handle__gt=last_handle))
        listed = found.order_by("owner__handle", "handle")[: min(limit, MAX_PAGE)]
        return [view(row, self._roles.get(row.owner_id)) for row in listed]

    def owners(self, text: str, after: str = "", limit: int = 20) -> list[tuple[str, str]]:
        """(handle, name) of organizations with `text` in either, of which there is a project to read."""
        named = Q(owner__handle__icontains=text) | Q(owner__name__icontains=text)
        found = self._found.filter(named, owner__handle__gt=sought(after)).order_by("owner__handle")
        return list(found.values_list("owner__handle", "owner__name").distinct()[:limit])


def given_roles(actor: Actor, ids: list[UUID]) -> dict[UUID, str]:
    """The actor's roles in these projects alone."""
    if actor.user_id is None or not ids:
        return {}
    own = _given(actor, actor.user_id)
    own = own.filter(project__in=ids)
    return dict(own.values_list("project_id", "role"))


def _given(actor: Actor, user_id: UUID) -> QuerySet[ProjectMember]:
    """Roles in projects alone, as far as their owners let the actor have them."""
    own = ProjectMember.objects.filter(open_to(user_id, "project__owner__"), user_id=user_id)
    listed = own.exclude(project__owner__networks="").values("project__owner_id")
    shut = looked_up(("shut", actor), lambda: shut_out_of(actor, listed))
    return own.exclude(project__owner__in=shut) if shut else own


def readable(actor: Actor, organizations: list[UUID]) -> QuerySet[Project]:
    """What a member of these organizations may read: `may_read`, `within` and `covers` for many at once."""
    invited = _invited(actor)
    here = Q(owner__in=organizations) | invited
    elsewhere = Exists(_confined_elsewhere(organizations, invited))
    found = rows().filter(Q(visibility=Visibility.PUBLIC) | here & ~elsewhere)
    if actor.grant is not None and actor.grant.projects is not None:
        found = found.filter(id__in=actor.grant.projects)
    return found


def _invited(actor: Actor) -> Q:
    """Projects in which the actor has a role of their own."""
    if actor.user_id is None:
        return Q(pk__in=[])
    own = _given(actor, actor.user_id)
    return Q(id__in=own.values("project_id"))


def confined_elsewhere(actor: Actor, organizations: list[UUID]) -> QuerySet[Confinement]:
    """What keeps a member of these organizations from a project of the query that this is part of: `within`."""
    return _confined_elsewhere(organizations, _invited(actor))


def _confined_elsewhere(organizations: list[UUID], invited: Q) -> QuerySet[Confinement]:
    known = Project.objects.filter(Q(owner__in=organizations) | invited).values("id")
    elsewhere = Confinement.objects.filter(project=OuterRef("pk")).exclude(organization__in=organizations)
    return elsewhere.exclude(source__in=known)


def project_events(actor: Actor, project: ProjectView) -> QuerySet[AuditEvent]:
    """What was done to a project and its sessions; only admins of the owner may ask. Raises as `require_manage`."""
    require_manage(actor, project)
    return audit.by_project(project.id)


def former_addresses(actor: Actor, project: ProjectView) -> list[str]:
    """`owner/handle` of before, which lead to the project, for its admins. Raises as `require_manage`."""
    require_manage(actor, project)
    found = FormerAddress.objects.filter(project=project.id).order_by("id").values_list("owner__handle", "handle")
    return [f"{owner}/{handle}" for owner, handle in found]


def exists(project_id: UUID) -> bool:
    """Whether there is such a project or line of one, for the forge's own upkeep; also when it is deleted and can be
    restored."""
    return bool(_present(project_id))


def is_standing(project_id: UUID) -> bool:
    """Whether there is such a project or line, not deleted, for the forge's own upkeep."""
    return Project.lines.filter(_STANDING, id=project_id).exists()


def rows(projects: Manager[Project] = Project.objects) -> QuerySet[Project]:
    """Projects with what a view of them needs; those that are not deleted, or others."""
    return projects.select_related("owner").annotate(
        confined=Exists(Confinement.objects.filter(project=OuterRef("pk"))),
        has_forks=Exists(Project.objects.filter(forked_from=OuterRef("pk"))),
    )


def _query_named(owner: str, handle: str) -> QuerySet[Project, tuple[Any, ...]]:
    return rows().filter(owner__handle=owner, handle=handle).values_list(*_COLUMNS)


def _query_moved(owner: str, handle: str) -> QuerySet[Project, tuple[Any, ...]]:
    former = FormerAddress.objects.filter(owner__handle=owner, handle=handle).values("project")
    return rows().filter(id__in=former).values_list(*_COLUMNS)


def _query_present(project_id: UUID) -> QuerySet[Project, tuple[UUID]]:
    return Project.lines.filter(id=project_id).values_list("id")


def _query_line(project_id: UUID, branch: str) -> QuerySet[Project, tuple[UUID]]:
    return Project.lines.filter(line_of=project_id, branch=branch, deleted_at=None).values_list("id")


# Of a line: neither itself nor its project is deleted.
_STANDING = Q(deleted_at=None) & (Q(line_of=None) | Q(line_of__deleted_at=None))

_COLUMNS = (
    "id", "owner__handle", "owner_id", "handle", "name", "description", "visibility", "created_at",
    "forked_from_id", "fork_position", "confined", "has_forks", "archived_at", "protection", "full", "topics",
)  # fmt: skip
_named = Prepared(_query_named, str, str)
_moved = Prepared(_query_moved, str, str)
_present = Prepared(_query_present, UUID)
_line_named = Prepared(_query_line, UUID, str)


def _as_view(row: Sequence[Any]) -> ProjectView:
    """A row of `_COLUMNS`, for nobody yet."""
    confined, has_forks, archived_at, protection, full, topics = row[10:]
    flags = bool(confined), bool(has_forks), archived_at, protection, bool(full)
    return ProjectView(*row[:8], None, *row[8:10], *flags, tuple(topics.split()))  # type: ignore[call-arg]  # of known length


def all_project_ids() -> list[UUID]:
    """Every project, deleted ones too, for the forge's own upkeep: nothing of it may reach a person."""
    return list(Project.everything.order_by("created_at").values_list("id", flat=True))


def all_lines() -> list[UUID]:
    """Every project and every branch, each behind what it began from, for upkeep as `all_project_ids`."""
    return list(Project.lines.order_by("created_at").values_list("id", flat=True))


def standing_project_ids() -> list[UUID]:
    """Every project that is not deleted, for the forge's own upkeep as `all_project_ids`."""
    return list(Project.objects.order_by("created_at").values_list("id", flat=True))


def lines_of(project_id: UUID) -> list[UUID]:
    """The branches of a project, deleted ones too, for upkeep as `all_project_ids`."""
    return list(Project.lines.filter(line_of=project_id).order_by("created_at").values_list("id", flat=True))


def whole_id(line_id: UUID) -> UUID:
    """The project of a line, for upkeep as `all_project_ids`."""
    return Project.lines.filter(id=line_id).values_list("line_of_id", flat=True).first() or line_id


def standing_lines() -> list[UUID]:
    """Of `all_lines` those that are not deleted."""
    return list(Project.lines.filter(_STANDING).order_by("created_at").values_list("id", flat=True))


def public_projects(limit: int) -> list[tuple[str, str]]:
    """(owner, handle) of projects that everybody may read, for those who map the forge."""
    found = Project.objects.filter(visibility=Visibility.PUBLIC).order_by("owner__handle", "handle")
    return list(found.values_list("owner__handle", "handle")[:limit])


def visibilities() -> dict[UUID, str]:
    """Of every project that is not deleted, for the forge's own upkeep."""
    return dict(Project.objects.values_list("id", "visibility"))


def view_of(project_id: UUID) -> ProjectView | None:
    """A project, for the forge's own upkeep: nothing of it may reach a person who was not asked for."""
    found = rows().filter(id=project_id).first()
    return view(found, None) if found is not None else None


def get_named(actor: Actor, name: str) -> ProjectView:
    """As `get_project`, by `owner/handle`. Raises InvalidInput for what is no such name."""
    owner, slash, handle = name.strip().partition("/")
    if not slash or not owner or not handle or "/" in handle:
        raise InvalidInput(f"{name[:200]!r} does not name a project.", hint="Use ORG/PROJECT.")
    return get_project(actor, owner, handle)


def project_name(project_id: UUID) -> str:
    """`owner/handle` for a message about the store, to somebody who has reached the project already; "" if unknown.

    `owner/handle@branch` of a line.
    """
    found = Project.lines.select_related("owner", "line_of__owner").filter(id=project_id).first()
    if found is None:
        return ""
    if found.line_of is None:
        return f"{found.owner.handle}/{found.handle}"
    return f"{found.line_of.owner.handle}/{found.line_of.handle}@{found.branch}"


def lines_called(names: Sequence[str], done: str) -> dict[str, UUID]:
    """The lines of these names, `owner/handle` or `owner/handle@branch`; without names, all. For who runs the forge.

    Raises NotFound, which says that all would be `done`.
    """
    lines = {project_name(line): line for line in all_lines()}
    found = {}
    for text in names:
        name, at, branch = text.partition("@")
        called = name.lower() + (at + branch if branch != MAIN else "")
        if called not in lines:
            raise NotFound(f"There is no project {text}.", hint=f"Without a name, all projects are {done}.")
        found[called] = lines[called]
    return found or lines


def project_names(actor: Actor, ids: Collection[UUID]) -> dict[UUID, str]:
    """`owner/handle` of these projects, without those that are gone or that the actor may not see."""
    require_reading(actor)
    organizations = [row.id for row in memberships(actor, limit=MAX_ORGANIZATIONS)]
    found = readable(actor, organizations).filter(id__in=ids) if ids else []
    return {row.id: f"{row.owner.handle}/{row.handle}" for row in found}


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
        archived_at=project.archived_at,
        protection=project.protection,
        full=project.full,
        topics=tuple(project.topics.split()),
    )


def visibility_of(project_id: UUID) -> str:
    """Public or private; "" for a project that is gone."""
    return Project.everything.filter(id=project_id).values_list("visibility", flat=True).first() or ""
