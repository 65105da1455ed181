"""May this actor do that to an organization?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from mic.core.errors import PermissionDenied
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.grant import Scope
from micelio.accounts.once import asked as asked_now
from micelio.accounts.policy import require_scope, require_unlimited
from micelio.accounts.second_factor import factors_of
from micelio.audit.origin import current_address
from micelio.networks import holds
from micelio.organizations.models import Membership, Organization
from micelio.organizations.roles import Role, at_least
from micelio.prepared import Prepared


def _query(organization_id: UUID, user_id: UUID) -> QuerySet[Membership, tuple[str, str, bool]]:
    own = Membership.objects.filter(organization_id=organization_id, user_id=user_id)
    seen = own.filter(open_to(user_id, "organization__"))
    return seen.values_list("role", "organization__networks", "organization__networks_let_tokens")


def open_to(user_id: UUID, path: str = "") -> Q:
    """Organizations that let this account be what it is in them: all but those that ask for a factor that it lacks.

    A part of a query; `path` leads from its rows to the organization. Every rule that makes a membership a right
    goes through it, so that whoever lacks the factor is a stranger everywhere at once.
    """
    return Q(**{f"{path}asks_second_factor": False}) | Q(Exists(factors_of(user_id)))


# Acts that nobody asks for at this moment: what was accepted earlier is carried out, or somebody sits at the machine.
_NO_ADDRESS = frozenset({"queue", "command"})


def is_inside(actor: Actor, networks: str, let_tokens: bool, role: str | None) -> bool:
    """Whether an organization with this list lets the actor, whose role there this is, be what it is.

    Part of every rule that makes a membership a right, beside `open_to`. A token passes that was made for it, of an
    admin, where the organization says so.
    """
    if not networks or actor.via in _NO_ADDRESS or holds(networks, current_address()):
        return True
    return bool(let_tokens) and actor.grant is not None and actor.grant.anywhere and at_least(role, Role.ADMIN)


def shut_out_of(actor: Actor, organizations: QuerySet[Any, Any]) -> list[UUID]:
    """Those of these organizations, a query of ids, that are shut to the actor from where the actor is now."""
    if actor.user_id is None:
        return []
    own = Membership.objects.filter(organization=OuterRef("id"), user_id=actor.user_id).values("role")[:1]
    listed = Organization.objects.exclude(networks="").filter(id__in=organizations)
    rows = listed.values_list("id", "networks", "networks_let_tokens", Subquery(own))
    return [row[0] for row in rows if not is_inside(actor, *row[1:])]


def is_shut_out(actor: Actor, organization_id: UUID) -> bool:
    """Whether the actor would belong to an organization, were they somewhere else."""
    if actor.user_id is None:
        return False
    own = Membership.objects.filter(user_id=actor.user_id, organization_id=organization_id)
    return bool(shut_out_of(actor, own.values("organization_id")))


def lacks_second_factor(actor: Actor, organization_id: UUID) -> bool:
    """Whether the actor would belong to an organization, had they a second factor."""
    if actor.user_id is None:
        return False
    own = Membership.objects.filter(organization_id=organization_id, user_id=actor.user_id)
    return own.exclude(open_to(actor.user_id, "organization__")).exists()


Found = TypeVar("Found")
_role = Prepared(_query, UUID, UUID)


@contextmanager
def asked_once() -> Iterator[None]:
    """Within it each role is looked up once: for one short request, which every rule then judges alike.

    Outside of it `role_of` always looks anew, so nothing outlives a request. A stream, which may take hours, has none.
    """
    token = asked_now.set({})
    try:
        yield
    finally:
        asked_now.reset(token)


def asks_once() -> bool:
    """Whether this is within `asked_once`."""
    return asked_now.get() is not None


def note_role(user_id: UUID, organization_id: UUID, role: str | None) -> None:
    """A role that was looked up among others: this request need not ask for it."""
    looked_up((organization_id, user_id), lambda: role)


def forget_roles() -> None:
    """For whoever has changed a membership: what this request asks from now on is looked up anew."""
    asked = asked_now.get()
    if asked is not None:
        asked.clear()


def looked_up(key: Any, ask: Callable[[], Found]) -> Found:
    """What `ask` finds, once within `asked_once`: a role by what it is in and whose it is, or all of somebody's."""
    asked = asked_now.get()
    if asked is not None and key in asked:
        found: Found = asked[key]
        return found
    found = ask()
    if asked is not None:
        asked[key] = found
    return found


def role_of(actor: Actor, organization_id: UUID) -> str | None:
    """The actor's `Role` in an organization, None for who does not belong to it."""
    user_id = actor.user_id
    if user_id is None:
        return None

    def ask() -> str | None:
        return next(
            (row[0] for row in _role(organization_id, user_id) if is_inside(actor, row[1], row[2], row[0])), None
        )

    return looked_up((organization_id, user_id), ask)


def require_create(actor: Actor) -> UUID:
    """Anybody with an account may make an organization. Raises Unauthenticated, PermissionDenied for a token."""
    require_administering(actor)
    return require_signed_in(actor)


def require_seeing(actor: Actor) -> None:
    """Raises PermissionDenied for a token that is not for organizations. To be asked before one is looked up."""
    require_scope(actor, Scope.ORG_READ)
    require_unlimited(actor)


def require_administering(actor: Actor) -> None:
    """Raises PermissionDenied for a token that does not administer organizations. Asked as `require_seeing`."""
    require_scope(actor, Scope.ORG_ADMIN)
    require_unlimited(actor)


def require_manage(actor: Actor, organization_id: UUID, handle: str) -> None:
    """Raises Unauthenticated or PermissionDenied unless the actor is an admin of the organization, or an owner."""
    require_administering(actor)
    require_admin(actor, organization_id, handle)


def require_admin(actor: Actor, organization_id: UUID, handle: str) -> None:
    """As `require_manage`, for what a token needs another scope for: making a project, say."""
    require_signed_in(actor)
    if not at_least(role_of(actor, organization_id), Role.ADMIN):
        raise _refused(actor, organization_id, handle, f"Only an admin of {handle} may do this.", "an admin")


def require_owner(actor: Actor, organization_id: UUID, handle: str) -> None:
    """Raises Unauthenticated or PermissionDenied unless the actor is an owner of the organization."""
    require_administering(actor)
    require_signed_in(actor)
    if role_of(actor, organization_id) != Role.OWNER:
        raise _refused(actor, organization_id, handle, f"Only an owner of {handle} may do this.", "an owner")


def require_change(actor: Actor, organization_id: UUID, handle: str, before: str | None, after: str | None) -> None:
    """Raises as `require_manage`; whom that makes an owner, or an owner no more, is for owners to say.

    `before` and `after` are somebody's roles, None for none.
    """
    require_manage(actor, organization_id, handle)
    if Role.OWNER in (before, after):
        require_owner(actor, organization_id, handle)


def require_member(actor: Actor, organization_id: UUID, handle: str) -> None:
    """Raises Unauthenticated or PermissionDenied unless the actor belongs to the organization, in any role."""
    require_seeing(actor)
    require_signed_in(actor)
    if role_of(actor, organization_id) is None:
        raise _refused(actor, organization_id, handle, f"Only members of {handle} may see this.", "an admin")


def _refused(actor: Actor, organization_id: UUID, handle: str, message: str, whom: str) -> PermissionDenied:
    """Why not: a member who lacks what the organization asks for is told what to do about it."""
    return outside(actor, organization_id, handle) or PermissionDenied(message, hint=f"Ask {whom} of {handle}.")


def outside(actor: Actor, organization_id: UUID, handle: str) -> PermissionDenied | None:
    """What keeps the actor out who is a member of the organization; None for a member inside, and for anybody else."""
    if lacks_second_factor(actor, organization_id):
        return PermissionDenied(
            f"{handle} asks its members for a second factor, which your account lacks.",
            hint="Set one up at /-/account/second-factor; then you are a member as before.",
        )
    if is_shut_out(actor, organization_id):
        return PermissionDenied(
            f"{handle} takes its members' requests from named networks only, and your address is in none of them.",
            hint="Come from one of them; an owner sees which they are.",
        )
    return None


def why_outside(actor: Actor, handle: str) -> str:
    """The same in a sentence, by the organization's handle; "" where nothing keeps the actor out.

    It tells members about themselves and of what the organization has nothing. A token that is for some projects does
    not learn from it where its owner is a member.
    """
    if actor.user_id is None or (actor.grant is not None and actor.grant.projects is not None):
        return ""
    own = Membership.objects.filter(user_id=actor.user_id, organization__handle=handle)
    found = own.values_list("organization_id", flat=True).first()
    said = outside(actor, found, handle) if found is not None else None
    return f"The organization {said.message} {said.hint}" if said is not None else ""
