"""Writing projects."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction

from mic.core.errors import AlreadyExists, InvalidInput
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.organizations.policy import require_manage
from micelio.organizations.queries import get_organization
from micelio.projects import ledgers, registry
from micelio.projects.models import Project, Visibility
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import view

_FORM = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}\Z")


def parse_project_handle(text: str) -> str:
    """The handle in its one spelling, lower case. Raises InvalidInput.

    `.git` at the end is refused because addresses with and without it mean the same project.
    """
    handle = text.strip().lower()
    if not _FORM.match(handle) or ".." in handle or handle.endswith((".git", ".")):
        raise InvalidInput(
            f"{text[:60]!r} cannot be the handle of a project.",
            hint="Use a-z, 0-9, dot, hyphen, underscore; begin with a letter or digit; no `.git` at the end.",
        )
    return handle


@transaction.atomic
def create_project(
    actor: Actor, owner: str, handle: str, name: str = "", description: str = "", visibility: str = "private"
) -> ProjectView:
    """Make an empty project, rows and data, in an organization that the actor administers.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, AlreadyExists, Unavailable.
    """
    organization = get_organization(actor, owner)
    require_manage(actor, organization.id, organization.handle)
    handle = parse_project_handle(handle)
    visibility = visibility or Visibility.PRIVATE
    if visibility not in Visibility.values:
        raise InvalidInput(f"{visibility[:40]!r} is not a visibility.", hint="Use public or private.")
    if len(name) > 200 or len(description) > 2000 or "\x00" in name + description:
        raise InvalidInput(
            "The name or description is too long or holds a NUL.", hint="At most 200 and 2,000 characters."
        )
    try:
        with transaction.atomic():
            project = Project.objects.create(
                owner_id=organization.id,
                handle=handle,
                name=name.strip() or handle,
                description=description.strip(),
                visibility=visibility,
            )
    except IntegrityError as error:
        raise AlreadyExists(
            f"{organization.handle} has a project {handle} already.", hint="Choose another handle."
        ) from error
    record(actor, "project.create", "project", project.id, f"{organization.handle}/{handle}", visibility=visibility)
    # Last, so that a store that fails undoes the rows; a head without rows harms nobody, its id is never used again.
    made = view(project, organization.role)
    ledgers.open_ledger(project.id).create()
    registry.enter(made)
    return made
