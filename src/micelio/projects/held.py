"""What the projects room holds about one account, for whoever asks for their own data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from micelio.accounts.actor import Actor
from micelio.projects.models import ProjectMember, Star
from micelio.projects.queries import project_names


def held(actor: Actor, user_id: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """(kind, fields) of each thing. Projects that the actor may not see any more are told by their ids."""
    members = list(ProjectMember.objects.filter(user=user_id).order_by("created_at", "id"))
    stars = list(Star.objects.filter(user=user_id).order_by("id"))
    names = project_names(actor, {*(row.project_id for row in members), *(row.project_id for row in stars)})
    for member in members:
        yield (
            "project_member",
            {
                "project": names.get(member.project_id, str(member.project_id)), "role": member.role,
                "since": member.created_at,
            },
        )  # fmt: skip
    for star in stars:
        yield (
            "star",
            {"project": names.get(star.project_id, str(star.project_id)), "at": star.starred_at},
        )
