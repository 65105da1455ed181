"""May this actor do that to a project?"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Case, CharField, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery, When

from mic.core.errors import Archived, InvalidInput, NotFound, PermissionDenied, Unauthenticated
from micelio.accounts.actor import Actor
from micelio.accounts.grant import Scope
from micelio.accounts.policy import covers, require_scope, require_unlimited
from micelio.organizations.policy import is_inside, looked_up, note_role, open_to, require_admin, role_of, why_outside
from micelio.organizations.roles import Role, at_least, stronger
from micelio.prepared import Prepared
from micelio.projects.models import Confinement, Project, Visibility
from micelio.projects.project_view import ProjectView


def _query(project_id: UUID, user_id: UUID) -> QuerySet[Project, tuple[str | None, str | None, str, bool]]:
    """The role in the owner and the role in the project alone, in one question: each request asks it."""
    return _roles_of(user_id).filter(id=project_id).values_list(*_ROLES)


_ROLES = ("own", "given", "owner__networks", "owner__networks_let_tokens")


def _roles_of(user_id: UUID) -> QuerySet[Project]:
    """Projects whose owner is open to an account, with its role there and in each alone; columns are `_ROLES`."""
    found = Project.objects.filter(open_to(user_id, "owner__")).alias(
        belonging=FilteredRelation("owner__memberships", condition=Q(owner__memberships__user=user_id)),
        invited=FilteredRelation("members", condition=Q(members__user=user_id)),
    )
    return found.annotate(own=F("belonging__role"), given=F("invited__role"))


_roles = Prepared(_query, UUID, UUID)


def role_in(actor: Actor, project_id: UUID) -> str | None:
    """The actor's `Role` in a project: that in its owner or that in the project alone, whichever is stronger."""
    user_id = actor.user_id
    if user_id is None:
        return None

    def ask() -> str | None:
        return next((_role_inside(actor, *row) for row in _roles(project_id, user_id)), None)

    return looked_up((project_id, user_id), ask)


def may_read(visibility: str, role: str | None) -> bool:
    """Public projects are everybody's to read, private ones only their members'."""
    return visibility == "public" or role is not None


def within(actor: Actor, project: ProjectView) -> bool:
    """Whether the actor may know what a fork took over from private projects: who reads each of them may.

    So may members of what owned them, also when they are gone.
    A project is confined when it is made and never later, so a view that says otherwise is still right.
    """
    if not project.confined:
        return True

    def ask() -> bool:
        known = list(_confinements(actor, project.id))
        if actor.user_id is not None:
            for source, _, role in known:
                note_role(actor.user_id, source, role)  # the origin's is asked for next
        return all(belongs or role for _, belongs, role in known)

    return looked_up(("within", project.id, actor), ask)


def _confinements(actor: Actor, project_id: UUID) -> Iterator[tuple[UUID, str | None, str | None]]:
    """(source, the actor's role in what owned it, and in itself) of what confines a project, in one query."""
    user_id = actor.user_id
    found = Confinement.objects.filter(project_id=project_id)
    if user_id is None:
        yield from ((source, None, None) for source in found.values_list("source", flat=True))
        return
    belonging = FilteredRelation("organization__memberships", condition=Q(organization__memberships__user=user_id))
    role = Case(When(open_to(user_id, "organization__"), then=F("belonging__role")), output_field=CharField())
    source = _roles_of(user_id).filter(id=OuterRef("source"))
    there = {f"source_{name}": Subquery(source.values(name)[:1]) for name in _ROLES}
    rows = found.alias(belonging=belonging).annotate(own=role, **there)
    columns = "source", "own", "organization__networks", "organization__networks_let_tokens", *there
    for project, own, networks, let_tokens, *rest in rows.values_list(*columns):
        inside = own if own is not None and is_inside(actor, networks, let_tokens, own) else None
        yield project, inside, _role_inside(actor, *rest) if rest[2] is not None else None


def _role_inside(actor: Actor, own: str | None, given: str | None, networks: str, let_tokens: bool) -> str | None:
    return stronger(own, given) if is_inside(actor, networks, let_tokens, own) else None


def require_publishable(actor: Actor, project: ProjectView) -> None:
    """Raises InvalidInput for a fork of what is private: it shows that, so it stays private itself.

    And PermissionDenied for a token that must not carry what is private to the public.
    """
    if actor.grant is not None and not actor.grant.mixes:
        raise _unmixed(project)
    if project.confined:
        raise InvalidInput(
            f"{project.owner}/{project.handle} is a fork of a private project and stays private.",
            hint="It can be made public once its origin is public.",
        )


def hidden(owner: str, handle: str, why: str = "") -> NotFound:
    """The one answer for a project that is not there and for one that this actor may not see.

    `why` is what keeps the actor out of all that the organization has, there or not.
    """
    return NotFound(
        f"There is no project {owner}/{handle}, or you may not see it.",
        hint=why or "Check the spelling, or sign in as a member of its organization.",
    )


def require_read(actor: Actor, project: ProjectView) -> None:
    """Raises NotFound unless the actor may read it. Asks for the role anew: views may be old."""
    require_reading(actor)
    if not covers(actor, project.id):
        raise hidden(project.owner, project.handle)
    if project.visibility == "public":
        return
    if role_in(actor, project.id) is None or not within(actor, project):
        raise hidden(project.owner, project.handle)


def require_reading(actor: Actor) -> None:
    """Raises PermissionDenied for a token that reads no projects. To be asked before one is looked up."""
    require_scope(actor, Scope.PROJECT_READ)


def require_create(actor: Actor, organization_id: UUID, handle: str) -> None:
    """Raises Unauthenticated or PermissionDenied unless the actor may make projects in this organization."""
    require_creating(actor)
    require_admin(actor, organization_id, handle)


def require_creating(actor: Actor) -> None:
    """Raises PermissionDenied for a token that makes no projects. To be asked before anything is looked up."""
    require_scope(actor, Scope.PROJECT_WRITE)
    require_unlimited(actor)


def require_changing(actor: Actor) -> None:
    """Raises PermissionDenied for a token that changes no projects. To be asked before one is looked up."""
    require_scope(actor, Scope.PROJECT_WRITE)


def require_starring(actor: Actor) -> None:
    """Raises PermissionDenied for a token that changes no projects. A visitor is told to sign in when one is found."""
    require_scope(actor, Scope.PROJECT_WRITE)


def require_write(actor: Actor, project: ProjectView, scope: Scope = Scope.PROJECT_WRITE) -> None:
    """Raises NotFound, Unauthenticated or PermissionDenied unless the actor is a member of the project.

    And Archived when nobody may. `scope` is what a token needs for the act.
    """
    _require_writer(actor, project, scope)
    if project.archived_at is not None:
        raise Archived(
            f"{project.owner}/{project.handle} is archived: everything in it can be read, and nothing lands.",
            hint=f"An admin of {project.owner} can take it out of the archive: `mic project unarchive`.",
        )


def _require_writer(actor: Actor, project: ProjectView, scope: Scope) -> None:
    require_scope(actor, scope)
    if not covers(actor, project.id):
        raise hidden(project.owner, project.handle)
    _require_member(actor, project)
    if project.visibility == Visibility.PUBLIC and _reads_private(actor):
        raise _unmixed(project)


def _reads_private(actor: Actor) -> bool:
    """Whether the actor's token reads private projects and must therefore not write public ones.

    Judged at the act and not only when the token is made: a project may have become public or private since.
    """
    grant = actor.grant
    if grant is None or grant.mixes:
        return False
    if grant.projects is None:
        return True
    return (
        len(grant.projects) > 1
        and Project.objects.filter(id__in=grant.projects, visibility=Visibility.PRIVATE).exists()
    )


def _unmixed(project: ProjectView) -> PermissionDenied:
    return PermissionDenied(
        f"The token in use reads private projects, so it may make nothing public in {project.owner}/{project.handle}.",
        hint="Use a token for that project alone.",
    )


def _require_member(actor: Actor, project: ProjectView) -> None:
    role = role_in(actor, project.id)
    if project.visibility != Visibility.PUBLIC and role is None:
        raise hidden(project.owner, project.handle)
    if role is not None and not within(actor, project):
        raise hidden(project.owner, project.handle)
    if at_least(role, Role.MEMBER):
        return
    if not actor.signed_in:
        raise Unauthenticated("Landing needs an account.", hint="Sign in with `mic auth login`.")
    name = f"{project.owner}/{project.handle}"
    why = why_outside(actor, project.owner) if role is None else ""
    if why:
        raise PermissionDenied(f"Only members of {project.owner} may write to {name}.", hint=why)
    if role is not None:
        raise PermissionDenied(
            f"Only members of {project.owner} may write to {name}, and your role there is {role}.",
            hint=f"An admin of {project.owner} can give you the role member.",
        )
    raise PermissionDenied(
        f"Only members of {project.owner} may write to {name}.", hint=f"Ask an admin of {project.owner} to invite you."
    )


def require_manage(actor: Actor, project: ProjectView) -> None:
    """Raises like `require_write`, and PermissionDenied unless the actor is an admin of the project or an owner.

    An archived project is managed as any other.
    """
    _require_writer(actor, project, Scope.PROJECT_WRITE)
    if not at_least(role_in(actor, project.id), Role.ADMIN):
        raise PermissionDenied(
            f"Only admins of {project.owner} may change {project.owner}/{project.handle}.",
            hint=f"Ask an admin of {project.owner}.",
        )


def require_own(actor: Actor, project: ProjectView) -> None:
    """Raises like `require_manage`, and PermissionDenied unless the actor is an owner of the project or its owner."""
    require_manage(actor, project)
    if role_in(actor, project.id) != Role.OWNER:
        raise PermissionDenied(
            f"Only owners of {project.owner}/{project.handle} may do this.", hint=f"Ask an owner of {project.owner}."
        )


def require_change(actor: Actor, project: ProjectView, before: str | None, after: str | None) -> None:
    """Raises as `require_manage`; whom that makes an owner, or an owner no more, is for owners to say."""
    require_manage(actor, project)
    if Role.OWNER in (before, after):
        require_own(actor, project)


def require_listed_members(actor: Actor, project: ProjectView) -> None:
    """Who has a role in a project is for those who have one. Raises NotFound, Unauthenticated, PermissionDenied."""
    require_read(actor, project)
    if role_in(actor, project.id) is not None:
        return
    if not actor.signed_in:
        raise Unauthenticated("Members are shown to members.", hint="Sign in with `mic auth login`.")
    raise PermissionDenied(
        f"Only members of {project.owner}/{project.handle} may see this.", hint=f"Ask an admin of {project.owner}."
    )


def may_restore(actor: Actor, project: ProjectView) -> bool:
    """Whether a deleted project is one that the actor may restore; to everybody else it is none."""
    return at_least(role_of(actor, project.owner_id), Role.ADMIN) and within(actor, project)
