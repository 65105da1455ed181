"""How much an organization may have: projects, and bytes in the store.

The settings say it for all, an administrator of the forge says otherwise for one. Projects are counted when one is
made, restored, received or shown to other people. Bytes are looked at from time to time (`jobs.measure_storage`), more
often where they are limited, for to know them is to list objects: whoever is beyond the limit then takes no more
contents until there is room.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone

from mic.core.errors import InvalidInput, LimitReached, TooLarge
from micelio.accounts.actor import Actor
from micelio.accounts.policy import require_admin
from micelio.audit.actions import record
from micelio.cluster.locks import alone
from micelio.config import current
from micelio.organizations.policy import require_member
from micelio.organizations.queries import find as find_organization
from micelio.projects.models import OrganizationLimit, Project, Visibility
from micelio.projects.project_view import ProjectView

# What a column of 64 bits holds.
_MOST = (1 << 63) - 1


class Limits(NamedTuple):
    """The most that there may be of each; 0 is no limit."""

    public_projects: int
    private_projects: int
    stored_bytes: int


class Usage(NamedTuple):
    """What an organization has, and the most that it may."""

    public_projects: int
    private_projects: int
    stored_bytes: int
    limits: Limits


def limits_of(organization_id: UUID) -> Limits:
    """What an organization may have."""
    settings = current()
    usual = Limits(settings.max_public_projects, settings.max_private_projects, settings.max_stored_bytes)
    own = OrganizationLimit.objects.filter(organization=organization_id).values_list(*Limits._fields).first()
    return usual if own is None else Limits(*(usual[at] if own[at] is None else own[at] for at in range(3)))


def usage(actor: Actor, owner: str) -> Usage:
    """What an organization has of what it may; for its members. Raises NotFound, PermissionDenied, Unauthenticated."""
    organization = find_organization(owner)
    if not actor.is_admin:
        require_member(actor, organization.id, organization.handle)
    own = Project.objects.filter(owner=organization.id)
    return Usage(
        own.filter(visibility=Visibility.PUBLIC).count(),
        own.filter(visibility=Visibility.PRIVATE).count(),
        _stored(organization.id),
        limits_of(organization.id),
    )


@transaction.atomic
def set_limits(
    actor: Actor, owner: str, *, public_projects: int | None, private_projects: int | None, stored_bytes: int | None
) -> Limits:
    """Say what one organization may have; None leaves a limit to the settings, 0 is none. For who runs the forge.

    What is there already stays. Raises NotFound, PermissionDenied, InvalidInput.
    """
    require_admin(actor)
    organization = find_organization(owner)
    wanted = {
        "public_projects": public_projects,
        "private_projects": private_projects,
        "stored_bytes": stored_bytes,
    }
    for name, most in wanted.items():
        if most is not None and not 0 <= most <= _MOST:
            raise InvalidInput(f"{most} is no limit for {name.replace('_', ' ')}.", hint="Use a number, or 0 for none.")
    before = limits_of(organization.id)
    OrganizationLimit.objects.update_or_create(organization_id=organization.id, defaults=wanted)
    after = limits_of(organization.id)
    record(
        actor,
        "organization.limit",
        "organization",
        organization.id,
        organization.handle,
        before=before._asdict(),
        after=after._asdict(),
    )
    weigh(organization.id)
    return after


def require_room(organization_id: UUID, owner: str, visibility: str) -> Limits:
    """What an organization may have; raises LimitReached when that is not one more project of this visibility.

    Nobody else adds one before the transaction ends.
    """
    alone(f"project addresses of {organization_id}")
    limits = limits_of(organization_id)
    most = limits.public_projects if visibility == Visibility.PUBLIC else limits.private_projects
    if most and Project.objects.filter(owner=organization_id, visibility=visibility).count() >= most:
        raise LimitReached(
            f"{owner} has {most:,} {visibility} project{'s' if most != 1 else ''}, and may have no more.",
            hint="Delete one that nobody needs, or ask whoever runs the forge for more.",
        )
    return limits


def require_unfilled(project: ProjectView) -> None:
    """Raises LimitReached when the owner of a project stores as much as it may, as of the last look."""
    if project.full:
        raise LimitReached(
            f"{project.owner} stores as much as it may, so {project.owner}/{project.handle} takes no more contents.",
            hint="Delete a project that nobody needs, or ask whoever runs the forge for more.",
        )


def require_bytes(organization_id: UUID, size: int, most: int) -> None:
    """Raises TooLarge for more than `most` bytes that come at once, LimitReached where they have no room."""
    if size > most:
        raise TooLarge(f"More than {most:,} bytes come at once.", hint="Ask whoever runs the forge.")
    allowed = limits_of(organization_id).stored_bytes
    if allowed and _stored(organization_id) + size > allowed:
        raise LimitReached(
            "It is more than the organization may store.",
            hint="Delete a project that nobody needs, or ask whoever runs the forge for more.",
        )


def is_full(organization_id: UUID, known: Limits | None = None) -> bool:
    """Whether an organization stores as much as it may (`known`, if that is known), as of the last look."""
    most = (known or limits_of(organization_id)).stored_bytes
    return bool(most) and _stored(organization_id) >= most


def owners() -> list[UUID]:
    """Every organization with a project, for the forge's own upkeep."""
    return list(Project.everything.order_by("owner").values_list("owner", flat=True).distinct())


def owned(organization_id: UUID, unseen: datetime | None = None) -> list[UUID]:
    """Every project of an organization, deleted ones too, for the forge's own upkeep.

    With `unseen` only those that nobody has measured since then.
    """
    found = Project.everything.filter(owner=organization_id)
    if unseen is not None:
        found = found.filter(Q(measured_at=None) | Q(measured_at__lt=unseen))
    return list(found.values_list("id", flat=True))


def measured(project_id: UUID, size: int, objects: int) -> None:
    """What a project's objects take in the store, and how many there are."""
    now = timezone.now()
    Project.everything.filter(id=project_id).update(stored_bytes=size, stored_objects=objects, measured_at=now)


def weigh(organization_id: UUID) -> None:
    """Say of the projects of an organization whether they take more contents."""
    full = is_full(organization_id)
    Project.everything.filter(owner=organization_id).exclude(full=full).update(full=full)


def _stored(organization_id: UUID) -> int:
    """Bytes of all its projects; deleted ones too, whose objects are still there."""
    found = Project.everything.filter(owner=organization_id).aggregate(total=Sum("stored_bytes"))
    return int(found["total"] or 0)
