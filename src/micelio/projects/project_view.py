"""A project as a value, the form in which other rooms meet it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project as one actor sees it; `role` is the actor's in the owner, None for outsiders."""

    id: UUID
    owner: str
    owner_id: UUID
    handle: str
    name: str
    description: str
    visibility: str
    created_at: datetime
    role: str | None
