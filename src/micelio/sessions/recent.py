"""Projects by when something landed there last, always as somebody: what they may read is a part of the query."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor
from micelio.organizations.queries import memberships
from micelio.projects.policy import require_reading
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import MAX_ORGANIZATIONS, MAX_PAGE, readable, with_roles
from micelio.sessions.models import Landing


@dataclass(frozen=True, slots=True)
class Moved:
    """A project and when it moved last: its newest landing, or when it was made. `token` continues behind it."""

    project: ProjectView
    moved_at: datetime

    @property
    def token(self) -> str:
        whole, part = int(self.moved_at.timestamp()), self.moved_at.microsecond
        return f"{whole * 1_000_000 + part}-{self.project.id.hex}"


def recent_projects(actor: Actor, after: str = "", limit: int = 50) -> list[Moved]:
    """Projects that the actor may read, those that moved last first, as of now; behind the token in `after`.

    The views have the actor's role, as those of `list_projects`. Raises PermissionDenied for a token that reads no
    projects, and InvalidInput for what is no token of a row.
    """
    require_reading(actor)
    roles = {row.id: row.role for row in memberships(actor, limit=MAX_ORGANIZATIONS)}
    newest = Landing.objects.filter(project_id=OuterRef("pk")).order_by("-position").values("landed_at")[:1]
    found = readable(actor, list(roles)).annotate(moved=Coalesce(Subquery(newest), F("created_at")))
    if after:
        found = found.filter(_behind(after))
    rows = list(found.order_by("-moved", "id")[: min(limit, MAX_PAGE)])
    views = with_roles(actor, list(rows), roles)
    return [Moved(view, row.moved) for row, view in zip(rows, views, strict=True)]


def _behind(token: str) -> Q:
    number, _, project = token.partition("-")
    try:
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            raise ValueError(number)
        whole, part = divmod(int(number), 1_000_000)
        moved = datetime.fromtimestamp(whole, UTC).replace(microsecond=part)
        project_id = UUID(hex=project)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput("This is no place in the list of projects.", hint="Begin at its first page.") from error
    return Q(moved__lt=moved) | Q(moved=moved, id__gt=project_id)
