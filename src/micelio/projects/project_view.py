"""A project as a value, the form in which other rooms meet it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

MAIN = "main"


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project as one actor sees it; `role` is the actor's own here, None for outsiders.

    `fork_position` is None for what is no fork, `origin_id` None when the origin is gone. A `confined` fork holds
    what was private elsewhere: reading it asks there too. `protection` is text for `micelio.projects.protection`, ""
    when nothing is protected. A `full` project takes no more contents: its owner stores as much as it may.

    It is looked at on one of its lines: `line` is what its ledger and the rows of its landings are asked for, `branch`
    how that is called. All else is the project's, whichever line that is.
    """

    id: UUID
    owner: str
    owner_id: UUID
    handle: str
    name: str
    description: str
    visibility: str
    created_at: datetime
    role: str | None
    origin_id: UUID | None = None
    fork_position: int | None = None
    confined: bool = False
    has_forks: bool = False
    archived_at: datetime | None = None
    protection: str = ""
    full: bool = False
    topics: tuple[str, ...] = ()
    branch: str = MAIN
    branch_id: UUID | None = None  # None on main

    @property
    def line(self) -> UUID:
        """The id of the line: the project's own on main."""
        return self.branch_id or self.id

    @property
    def address(self) -> str:
        """`owner/handle`, and behind it the branch where that is not main."""
        return f"{self.owner}/{self.handle}" + (f"@{self.branch}" if self.branch_id else "")
