"""Stars: projects that an account wants to find again. Everybody who sees a project sees how many it has."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Q

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor, require_signed_in
from micelio.organizations.queries import memberships
from micelio.organizations.roles import stronger
from micelio.projects import policy
from micelio.projects.models import Star
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import MAX_ORGANIZATIONS, MAX_PAGE, get_project, given_roles, readable, rows, view


class Stars(NamedTuple):
    """How many stars a project has, and whether one is the actor's."""

    total: int
    own: bool


class Starred(NamedTuple):
    """A project in the list of one's stars. `token` continues the list behind it."""

    project: ProjectView
    at: datetime
    token: str


@transaction.atomic
def star_project(actor: Actor, owner: str, handle: str, *, starred: bool = True) -> Stars:
    """Give a project the actor's star, or take it back. Doing it again changes nothing.

    Raises NotFound, Unauthenticated, and PermissionDenied for a token that changes no projects.
    """
    policy.require_starring(actor)
    project = get_project(actor, owner, handle)
    user_id = require_signed_in(actor)
    if starred:
        Star.objects.get_or_create(project_id=project.id, user_id=user_id)
    else:
        Star.objects.filter(project_id=project.id, user_id=user_id).delete()
    return stars_of(actor, project)


def stars_of(actor: Actor, project: ProjectView) -> Stars:
    """The stars of a project that the actor may read."""
    policy.require_read(actor, project)
    own = Count("id", filter=Q(user=actor.user_id)) if actor.user_id else Count("id", filter=Q(pk__in=[]))
    found = Star.objects.filter(project=project.id).aggregate(total=Count("id"), own=own)
    return Stars(found["total"], bool(found["own"]))


def list_stars(actor: Actor, after: str = "", limit: int = 50) -> list[Starred]:
    """The projects that the actor has starred and may still see, the newest star first; `after` is a token of one.

    Nobody sees another's. Raises Unauthenticated, InvalidInput, and PermissionDenied for a token that reads no
    projects.
    """
    policy.require_reading(actor)
    user_id = require_signed_in(actor)
    roles = {row.id: row.role for row in memberships(actor, limit=MAX_ORGANIZATIONS)}
    own = Star.objects.filter(user=user_id, project__in=readable(actor, list(roles)).values("id"))
    if after:
        own = own.filter(id__lt=_number(after))
    stars = list(own.order_by("-id").values_list("id", "project_id", "starred_at")[: min(limit, MAX_PAGE)])
    found = {row.id: row for row in rows().filter(id__in=[project for _, project, _ in stars])}
    given = given_roles(actor, list(found))
    return [
        Starred(view(row, stronger(roles.get(row.owner_id), given.get(row.id))), at, str(star))
        for star, project, at in stars
        if (row := found.get(project)) is not None
    ]


def _number(token: str) -> int:
    if not (token.isascii() and token.isdecimal() and len(token) < 19):
        raise InvalidInput("This is no place in the list of stars.", hint="Begin at its first page.")
    return int(token)
