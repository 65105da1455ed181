"""Reading what is private is an act that the audit log has: once a day for each account, project, door and token."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.audit.once import once
from micelio.projects.models import Visibility
from micelio.projects.project_view import ProjectView


def note_read(actor: Actor, project: ProjectView) -> None:
    """Record that the actor opened a private project, the first time today. A read that cannot be recorded fails."""
    if project.visibility == Visibility.PRIVATE:
        note_private(actor, project.id, project.owner_id, f"{project.owner}/{project.handle}")


def note_private(actor: Actor, project_id: UUID, owner_id: UUID, name: str) -> None:
    """As `note_read`, of a project that is known to be private, without a view of it."""
    if actor.user_id is None:
        return
    day = timezone.now().date().isoformat()
    key = ("project.read", str(project_id), str(actor.user_id), actor.via, actor.token, day)
    once(
        key,
        timedelta(days=2),
        lambda: record(actor, "project.read", "project", project_id, name, organization_id=owner_id),
    )
