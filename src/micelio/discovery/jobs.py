"""Every few minutes: what speaks for each project, and how many there are of each topic and language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone

from micelio.discovery.models import Gathering, Kind, Standing
from micelio.jobs.job import job
from micelio.projects.models import Project, Star, Topic, Visibility
from micelio.search.models import Language
from micelio.sessions.models import Landing, Projection

WEEK = timedelta(days=7)
# From this many thousandths on a project counts as written in a language.
SHARE = 100
# As many topics and languages are told.
_GATHERED = 60
_BATCH = 500
_COUNTED = ("score", "stars", "new_stars", "landings", "people", "agents", "moved_at")


@job(every=timedelta(minutes=5))
def stand_projects() -> int:
    """Write what changed of the standing of projects, and the gatherings; how many rows were written."""
    now = timezone.now()
    ids = list(Project.objects.order_by("id").values_list("id", flat=True))
    written = sum(_stand(ids[start : start + _BATCH], now) for start in range(0, len(ids), _BATCH))
    _gather()
    return written


def score_of(stars: int, new_stars: int, landings: int, people: int) -> int:
    """A star counts one, and ten more in its first week; this week's landings one each, fifty at most, and each
    person who landed five."""
    return stars + 10 * new_stars + min(landings, 50) + 5 * people


def _stand(ids: Sequence[UUID], now: datetime) -> int:
    known = {row.project_id: row for row in Standing.objects.filter(project_id__in=ids)}
    wanted = [row for row in _standings(ids, now) if _values(row) != _values(known.get(row.project_id))]
    Standing.objects.bulk_create(wanted, update_conflicts=True, unique_fields=["project"], update_fields=_COUNTED)
    return len(wanted)


def _standings(ids: Sequence[UUID], now: datetime) -> Iterator[Standing]:
    newest = Landing.objects.filter(project_id=OuterRef("project_id"), position=OuterRef("position"))
    landed = Projection.objects.filter(project_id__in=ids, position__gt=0)
    moved = dict(landed.values_list("project_id", Subquery(newest.values("landed_at")[:1])))
    lively = [project_id for project_id, at in moved.items() if at is not None and at >= now - WEEK]
    counted = {
        row[0]: row[1:]
        for row in Landing.objects.filter(project_id__in=lively, landed_at__gte=now - WEEK, owner_id__isnull=False)
        .order_by()
        .values_list("project_id")
        .annotate(
            landings=Count("id"),
            people=Count("owner_id", distinct=True, filter=Q(agent="")),
            agents=Count("agent", distinct=True, filter=~Q(agent="")),
        )
    }
    stars = {
        row[0]: row[1:]
        for row in Star.objects.filter(project_id__in=ids)
        .order_by()
        .values_list("project_id")
        .annotate(total=Count("id"), new=Count("id", filter=Q(starred_at__gte=now - WEEK)))
    }
    for project_id, made_at in Project.objects.filter(id__in=ids).values_list("id", "created_at"):
        total, new = stars.get(project_id, (0, 0))
        landings, people, agents = counted.get(project_id, (0, 0, 0))
        yield Standing(
            project_id=project_id,
            score=score_of(total, new, landings, people),
            stars=total,
            new_stars=new,
            landings=landings,
            people=people,
            agents=agents,
            moved_at=moved.get(project_id) or made_at,
        )


def _values(row: Standing | None) -> tuple[Any, ...] | None:
    return None if row is None else tuple(getattr(row, name) for name in _COUNTED)


def _gather() -> None:
    public = Q(project__visibility=Visibility.PUBLIC, project__deleted_at=None, project__line_of=None)
    topics = Topic.objects.filter(public)
    languages = Language.objects.filter(public, share__gte=SHARE)
    rows = []
    for kind, found in ((Kind.TOPIC, topics), (Kind.LANGUAGE, languages)):
        most = found.values_list("name").annotate(number=Count("id")).order_by("-number", "name")[:_GATHERED]
        rows += [Gathering(kind=kind, name=name, projects=number) for name, number in most]
    with transaction.atomic():
        Gathering.objects.all().delete()
        Gathering.objects.bulk_create(rows)
