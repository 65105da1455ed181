"""Branches: lines of a project that begin where another stands, with a history of their own from there on.

At the ledger a branch is what a fork is (ADR 34): its own head and log, reading through the line that it began from.
So landing on one cannot move another. Who may read, land and administer is the project's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from mic.core.errors import AlreadyExists, InvalidInput, LimitReached, NotFound, TooLarge
from micelio.accounts.actor import Actor, require_signed_in
from micelio.audit.actions import record
from micelio.cluster.locks import alone
from micelio.projects import ledgers, line_registry, policy
from micelio.projects.branch_names import parse_branch
from micelio.projects.jobs import erase_project
from micelio.projects.models import Project
from micelio.projects.names import UNDO
from micelio.projects.ownership import require_line
from micelio.projects.project_view import MAIN, ProjectView
from micelio.projects.queries import on_branch
from micelio.projects.signals import forked

# Each is looked at when a project is collected, checked and shown to git.
MAX_BRANCHES = 10_000
MAX_PAGE = 1000
_SHALLOW = "Begin from main, or from one that began there."


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch. `origin` is the name of the one that it began from, at `position`; "" when that is gone.

    `view` is the project looked at on it.
    """

    name: str
    view: ProjectView
    origin: str
    position: int
    begun_by: str
    begun_at: datetime


def list_branches(actor: Actor, project: ProjectView, after: str = "", limit: int = 100) -> list[Branch]:
    """The branches of a project besides main, by name, behind `after`."""
    policy.require_read(actor, project)
    found = Project.lines.filter(line_of=project.id, deleted_at=None, branch__gt=after)
    listed = found.select_related("forked_from").order_by("branch")[: min(limit, MAX_PAGE)]
    return [_branch(project, row) for row in listed]


def get_branch(actor: Actor, project: ProjectView, name: str) -> Branch:
    """One branch by its name. Raises NotFound."""
    policy.require_read(actor, project)
    seen = on_branch(project, name)
    if seen.branch_id is None:
        raise InvalidInput("main is no branch: it is the project's line.", hint="`mic branch list` lists the others.")
    return _branch(project, Project.lines.select_related("forked_from").get(id=seen.branch_id))


class Line(NamedTuple):
    """A branch as the Git view follows it: where it left main (-1: it left another branch), and where it began."""

    id: UUID
    branch: str
    shared: int
    position: int


def lines_for_git(project_id: UUID) -> Iterator[Line]:
    """The branches of a project, the oldest first, for the forge's own upkeep."""
    found = Project.lines.filter(line_of=project_id, deleted_at=None).order_by("created_at", "id")
    for line_id, branch, origin, position in found.values_list("id", "branch", "forked_from_id", "fork_position"):
        yield Line(line_id, branch, position or 0 if origin == project_id else -1, position or 0)


class RegisteredBranch(NamedTuple):
    """A branch as an archive tells of it: where it began, by whom and when."""

    id: UUID
    name: str
    position: int
    begun_by: str
    begun_at: datetime


def registered_branches(project_id: UUID) -> list[RegisteredBranch]:
    """The branches of a project, each behind the one that it began from, for the forge's own upkeep."""
    found = Project.lines.filter(line_of=project_id, deleted_at=None).order_by("created_at", "id")
    columns = found.values_list("id", "branch", "fork_position", "begun_by", "created_at")
    return [RegisteredBranch(key, name, at or 0, by, when) for key, name, at, by, when in columns]


def names_in_the_way(project_id: UUID, name: str) -> list[str]:
    """Branches that a ref of this name cannot stand beside: the same, above or below it."""
    above = [name[:at] for at, sign in enumerate(name) if sign == "/"]
    found = Project.lines.filter(line_of=project_id, deleted_at=None)
    names = {*found.filter(branch__in=[name, *above]).values_list("branch", flat=True)}
    names |= {*found.filter(branch__startswith=f"{name}/").values_list("branch", flat=True)[:100]}
    # SQLite compares beginnings without regard to capitals.
    return sorted(other for other in names if other in (name, *above) or other.startswith(f"{name}/"))


@transaction.atomic
def create_branch(
    actor: Actor,
    project: ProjectView,
    name: str,
    position: int | None = None,
    require_free: Callable[[str], None] = lambda name: None,
) -> Branch:
    """Begin a branch where the line stands that `project` is looked at on, or where it stood at a position.

    For whoever may land on one of that name.

    `require_free` raises when something else has the name. Raises NotFound, Unauthenticated, PermissionDenied,
    Protected, InvalidInput, AlreadyExists, LimitReached, TooLarge, Unavailable.
    """
    policy.require_write(actor, project)
    require_signed_in(actor)
    name = parse_branch(name)
    require_line(actor, project, name)
    alone(f"branches of {project.id}")
    for other in names_in_the_way(project.id, name):
        if other == name:
            raise AlreadyExists(
                f"{project.owner}/{project.handle} has a branch {name} already.", hint=f"`mic branch switch {name}`."
            )
        raise AlreadyExists(
            f"The branch {other} is in the way: one name would be below the other.", hint="Choose another name."
        )
    if name.startswith(f"{MAIN}/"):
        raise AlreadyExists("main is in the way: one name would be below the other.", hint="Choose another name.")
    require_free(name)
    if Project.lines.filter(line_of=project.id, deleted_at=None).count() >= MAX_BRANCHES:
        raise LimitReached(
            f"{project.owner}/{project.handle} has {MAX_BRANCHES:,} branches, and can have no more.",
            hint="Delete those that nobody needs: `mic branch delete NAME`.",
        )
    line_id = uuid4()
    row = Project.lines.create(
        id=line_id,
        owner_id=project.owner_id,
        handle=f"@{line_id.hex}",
        name=name,
        visibility=project.visibility,
        forked_from_id=project.line,
        line_of_id=project.id,
        branch=name,
        begun_by=actor.handle,
    )
    # Last, so that a store that fails undoes the row; a head without a row harms nobody, its id is never used again.
    try:
        owner, head = ledgers.ledger().branch(project.line.hex, line_id.hex, position)
    except TooLarge as error:
        raise TooLarge(f"{project.address} is the last of too many branches of branches.", hint=_SHALLOW) from error
    row.fork_position, row.forked_from_id = head.position, UUID(owner)
    row.save(update_fields=["fork_position", "forked_from"])
    line_registry.enter(row)
    _record(actor, project, "branch.create", name, begins=f"{project.branch}@{head.position}")
    transaction.on_commit(lambda: forked.send(Project, project_id=line_id))
    return _branch(project, row)


@transaction.atomic
def delete_branch(actor: Actor, project: ProjectView, name: str) -> datetime:
    """Delete a branch, for whoever may land on it; until when its objects stay. What it landed is nowhere else.

    Branches that began from it stay whole. Raises NotFound, Unauthenticated, PermissionDenied, Protected, InvalidInput.
    """
    policy.require_write(actor, project)
    branch = get_branch(actor, project, name)
    require_line(actor, branch.view)
    alone(f"branches of {project.id}")
    now = timezone.now()
    row = Project.lines.filter(id=branch.view.line, deleted_at=None).first()
    if row is None:
        raise NotFound(f"The branch {name} was deleted a moment ago.")
    row.deleted_at, row.deleted_by = now, actor.handle
    row.save(update_fields=["deleted_at", "deleted_by"])
    line_registry.enter(row)
    landings = ledgers.open_ledger(row.id).head().position - (row.fork_position or 0)
    _record(actor, project, "branch.delete", name, landings=landings)
    erase_project.using(run_after=now + UNDO).enqueue(str(row.id))
    return now + UNDO


def _branch(project: ProjectView, row: Project) -> Branch:
    view = replace(project, branch=row.branch, branch_id=row.id)
    origin = row.forked_from
    name = "" if origin is None else origin.branch or MAIN
    return Branch(row.branch, view, name, row.fork_position or 0, row.begun_by, row.created_at)


def _record(actor: Actor, project: ProjectView, action: str, name: str, **details: object) -> None:
    place = f"{project.owner}/{project.handle}@{name}"
    record(
        actor,
        action,
        "project",
        project.id,
        place,
        project_id=project.id,
        organization_id=project.owner_id,
        branch=name,
        **details,
    )
