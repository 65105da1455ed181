"""Filling an empty database with the projects that the bucket holds."""

from __future__ import annotations

from django.db import transaction

from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.organizations.actions import create_organization
from micelio.organizations.queries import list_organizations
from micelio.projects.models import Project
from micelio.projects.registry import entries


def restore(actor: Actor) -> int:
    """Make rows for projects that have none, their organizations administered by the actor; how many were made."""
    made = 0
    for entry in entries():
        if Project.objects.filter(id=entry.id).exists():
            continue
        with transaction.atomic():
            known = {row.handle: row.id for row in list_organizations(actor, limit=1000)}
            owner_id = known.get(entry.owner) or create_organization(actor, entry.owner).id
            row = Project.objects.create(
                id=entry.id,
                owner_id=owner_id,
                handle=entry.handle,
                name=entry.name,
                description=entry.description,
                visibility=entry.visibility,
            )
            Project.objects.filter(id=row.id).update(created_at=entry.created_at)
            record(actor, "project.restore", "project", row.id, f"{entry.owner}/{entry.handle}")
        made += 1
    return made
