"""Filling an empty database with the projects that the bucket holds."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from django.db import transaction

from mic.core.errors import NotFound
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.organizations.actions import create_organization
from micelio.organizations.queries import get_organization
from micelio.projects import line_registry, names
from micelio.projects.cdn import new_cdn_key
from micelio.projects.erasure import unfinished
from micelio.projects.models import Confinement, Project
from micelio.projects.queries import exists
from micelio.projects.registry import entries
from micelio.projects.topics import write_topics


def restore(actor: Actor) -> int:
    """Make rows for projects that have none, their organizations administered by the actor; how many were made.

    What is marked as deleted stays deleted; what an admin of its owner can restore still can be, and is not counted.
    """
    deleted = set(unfinished())
    made = []
    for entry in entries():
        if entry.id in deleted or exists(entry.id):
            continue
        with transaction.atomic():
            row = Project.objects.create(
                id=entry.id,
                owner_id=_organization(actor, entry.owner),
                handle=entry.handle,
                name=entry.name,
                description=entry.description,
                visibility=entry.visibility,
                fork_position=entry.fork_position,
                cdn_key=None if entry.deleted_at else new_cdn_key(entry.visibility),
                archived_at=entry.archived_at,
                deleted_at=entry.deleted_at,
                deleted_by=entry.deleted_by,
                protection=entry.protection,
                topics=" ".join(entry.topics),
            )
            write_topics(row.id, entry.topics)
            Project.everything.filter(id=row.id).update(created_at=entry.created_at)
            for confined in entry.confined_to:
                owner_id = _organization(actor, confined.organization)
                Confinement.objects.create(project_id=row.id, source=confined.source, organization_id=owner_id)
            record(actor, "project.restore", "project", row.id, f"{entry.owner}/{entry.handle}")
        made.append(entry)
    # Origins may stand behind their forks in the list.
    for entry in made:
        if entry.forked_from is not None and exists(entry.forked_from):
            Project.everything.filter(id=entry.id).update(forked_from=entry.forked_from)
        for address in entry.former:
            owner, _, handle = address.partition("/")
            with suppress(NotFound):  # an organization that is gone: nothing leads from there
                names.leave(entry.id, get_organization(actor, owner).id, handle)
    _restore_lines(deleted)
    return sum(entry.deleted_at is None for entry in made)


def _restore_lines(deleted: set[UUID]) -> None:
    """Rows for the branches of projects that have one."""
    made = []
    for entry in line_registry.entries():
        project = Project.everything.filter(id=entry.project).first()
        if project is None or entry.id in deleted or exists(entry.id):
            continue
        Project.lines.create(
            id=entry.id,
            owner_id=project.owner_id,
            handle=f"@{entry.id.hex}",
            name=entry.branch,
            visibility=project.visibility,
            fork_position=entry.position,
            line_of_id=project.id,
            branch=entry.branch,
            begun_by=entry.begun_by,
            deleted_at=entry.deleted_at,
            deleted_by=entry.deleted_by,
        )
        Project.lines.filter(id=entry.id).update(created_at=entry.created_at)
        made.append(entry)
    for entry in made:
        if entry.origin is not None and exists(entry.origin):
            Project.lines.filter(id=entry.id).update(forked_from=entry.origin)


def _organization(actor: Actor, handle: str) -> UUID:
    try:
        return get_organization(actor, handle).id
    except NotFound:
        return create_organization(actor, handle).id
