"""The numbers of a project's own page, in one query: each page has a bound on how many it asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from micelio.accounts.actor import Actor
from micelio.prepared import Prepared
from micelio.projects.models import Project, Star
from micelio.projects.project_view import ProjectView
from micelio.projects.stars import Stars
from micelio.sessions.models import Projection
from micelio.sessions.policy import may_see_open, require_read
from micelio.sessions.queries import some_open

# Nobody's account, and no project's line.
_NONE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Tally:
    """Recorded decisions, as far as rows follow the log; stars; open sessions, as `count_open_sessions` has them."""

    decisions: int
    stars: Stars
    open_sessions: int


class _CountOf(Subquery):
    """How many rows a query has, which may have a limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def tally(actor: Actor, project: ProjectView) -> Tally:
    """The numbers of a project as the actor may know them. Raises as `require_read`."""
    require_read(actor, project)
    opened = project.line if may_see_open(actor, project) else _NONE
    for decisions, stars, own, open_sessions in _tally(project.id, project.line, opened, actor.user_id or _NONE):
        return Tally(decisions, Stars(stars, bool(own)), open_sessions)
    return Tally(0, Stars(0, False), 0)


def _query(project_id: UUID, line: UUID, opened: UUID, user_id: UUID) -> QuerySet[Project, tuple[Any, ...]]:
    stars = Star.objects.filter(project=OuterRef("pk"))
    total = stars.order_by().values("project").annotate(total=Count("id")).values("total")
    return Project.objects.filter(id=project_id).values_list(
        Coalesce(Subquery(Projection.objects.filter(project_id=line).values("decisions")[:1]), Value(0)),
        Coalesce(Subquery(total), Value(0)),
        Exists(stars.filter(user=user_id)),
        _CountOf(some_open(opened)),
    )


_tally = Prepared(_query, UUID, UUID, UUID, UUID)
