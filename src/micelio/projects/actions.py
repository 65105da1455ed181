"""Writing projects."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from mic.core.errors import InvalidInput, NotFound
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.organizations.queries import find as find_organization
from micelio.projects import cdn, ledgers, limits, names, policy, registry
from micelio.projects.models import Confinement, Project, Visibility
from micelio.projects.policy import hidden
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project, rows, view
from micelio.projects.signals import forked, visibility_changed
from micelio.projects.topics import parse_topics, write_topics

_FORM = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}\Z")


def parse_project_handle(text: str) -> str:
    """The handle in its one spelling, lower case. Raises InvalidInput.

    `.git` at the end is refused because addresses with and without it mean the same project.
    """
    handle = text.strip().lower()
    if not _FORM.match(handle) or ".." in handle or handle.endswith((".git", ".")):
        raise InvalidInput(
            f"{text[:60]!r} cannot be the handle of a project.",
            hint="Use a-z, 0-9, dot, hyphen, underscore; begin with a letter or digit; no `.git` at the end.",
        )
    return handle


@transaction.atomic
def create_project(
    actor: Actor,
    owner: str,
    handle: str,
    name: str = "",
    description: str = "",
    visibility: str = "private",
    fork_from: str = "",
) -> ProjectView:
    """Make a project, rows and data, in an organization that the actor administers: empty, or a fork.

    `fork_from` is `owner/handle` of a project that the actor may read; the fork begins where that stands now and
    takes its description over when none is given. A fork of a private project is private, and is for those only who
    may read that too. Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, TooLarge, AlreadyExists,
    Unavailable.
    """
    policy.require_creating(actor)
    organization = find_organization(owner)
    policy.require_create(actor, organization.id, organization.handle)
    handle = parse_project_handle(handle)
    visibility = _visibility(visibility or Visibility.PRIVATE)
    origin = _origin(actor, fork_from) if fork_from else None
    if origin is not None and Visibility.PUBLIC == visibility != origin.visibility:
        raise InvalidInput(
            f"{origin.owner}/{origin.handle} is private; a fork of it is private too.",
            hint="Leave the visibility out.",
        )
    names.require_free(organization.id, organization.handle, handle)
    limits.require_room(organization.id, organization.handle, visibility)
    project = Project.objects.create(
        owner_id=organization.id,
        handle=handle,
        name=_words(name, "name", 200) or handle,
        description=_words(description, "description", 2000) or (origin.description if origin else ""),
        visibility=visibility,
        forked_from_id=origin.id if origin else None,
        cdn_key=cdn.new_cdn_key(visibility),
    )
    details: dict[str, Any] = {"visibility": visibility} | (
        {"fork_from": f"{origin.owner}/{origin.handle}"} if origin else {}
    )
    record(
        actor,
        "project.create",
        "project",
        project.id,
        f"{organization.handle}/{handle}",
        organization_id=organization.id,
        **details,
    )
    # Last, so that a store that fails undoes the rows; a head without rows harms nobody, its id is never used again.
    if origin is None:
        ledgers.open_ledger(project.id).create()
    else:
        _begin_fork(origin, project)
    return entered(project.id, policy.role_in(actor, project.id))


def _origin(actor: Actor, fork_from: str) -> ProjectView:
    owner, slash, handle = fork_from.strip().partition("/")
    if not slash or not owner or not handle or "/" in handle:
        raise InvalidInput(f"{fork_from[:200]!r} does not name a project to fork.", hint="Use ORG/PROJECT.")
    return held(actor, owner, handle)


def held(actor: Actor, owner: str, handle: str) -> ProjectView:
    """The project as `get_project` has it; nobody else changes, forks or deletes it before this transaction ends."""
    found = get_project(actor, owner, handle)
    list(Project.objects.filter(id=found.id).select_for_update(of=("self",)).values_list("id"))
    return get_project(actor, owner, handle)


def _begin_fork(origin: ProjectView, project: Project) -> None:
    """The fork's data, where it stands, and whose members alone may read it."""
    if origin.visibility != Visibility.PUBLIC:
        sources = {origin.id: origin.owner_id}
        sources.update(Confinement.objects.filter(project_id=origin.id).values_list("source", "organization_id"))
        Confinement.objects.bulk_create(
            Confinement(project_id=project.id, source=source, organization_id=organization)
            for source, organization in sources.items()
        )
    try:
        head = ledgers.ledger().fork(origin.id.hex, project.id.hex)
    except NotFound as error:  # it was deleted in the same moment
        raise hidden(origin.owner, origin.handle) from error
    Project.objects.filter(id=project.id).update(fork_position=head.position)
    transaction.on_commit(lambda: forked.send(Project, project_id=project.id))


@transaction.atomic
def update_project(
    actor: Actor,
    owner: str,
    handle: str,
    *,
    name: str | None = None,
    description: str | None = None,
    visibility: str | None = None,
    topics: Sequence[str] | None = None,
) -> ProjectView:
    """Change what a project is called, by what it is found or who may read it; None leaves a thing as it is.

    For admins of the owner.

    What becomes public no longer confines its forks. What becomes private does nothing to its forks: they show what
    was public when they were made. Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, Unavailable.
    """
    policy.require_changing(actor)
    project = held(actor, owner, handle)
    policy.require_manage(actor, project)
    wanted: dict[str, str] = {}
    if name is not None:
        wanted["name"] = _words(name, "name", 200) or project.handle
    if description is not None:
        wanted["description"] = _words(description, "description", 2000)
    if visibility is not None:
        wanted["visibility"] = _visibility(visibility)
    if topics is not None:
        wanted["topics"] = " ".join(parse_topics(topics))
    was = {"topics": " ".join(project.topics)}
    before = {field: was[field] if field in was else getattr(project, field) for field in wanted}
    changed = {field: text for field, text in wanted.items() if text != before[field]}
    if not changed:
        return project
    opened = changed.get("visibility") == Visibility.PUBLIC
    if opened:
        policy.require_publishable(actor, project)
    if "visibility" in changed:
        limits.require_room(project.owner_id, project.owner, changed["visibility"])
    Project.objects.filter(id=project.id).update(**changed)
    if "topics" in changed:
        write_topics(project.id, changed["topics"].split())
    if "visibility" in changed:
        rotate_cdn_key(project.id, changed["visibility"])
        transaction.on_commit(lambda: visibility_changed.send(Project, project_id=project.id))
    name = f"{project.owner}/{project.handle}"
    record(
        actor,
        "project.update",
        "project",
        project.id,
        name,
        organization_id=project.owner_id,
        before={field: before[field] for field in changed},
        after=changed,
    )
    if opened:
        _release(project)
    return entered(project.id, project.role)


def _release(project: ProjectView) -> None:
    """Forks were confined by what is public now."""
    confined = Confinement.objects.filter(source=project.id)
    forks = list(confined.values_list("project_id", flat=True))
    confined.delete()
    for fork in forks:
        entered(fork, None)


def entered(project_id: UUID, role: str | None) -> ProjectView:
    """The project as it is now, in the registry too."""
    made = view(rows().get(id=project_id), role)
    registry.enter(made)
    return made


def _visibility(text: str) -> str:
    if text not in Visibility.values:
        raise InvalidInput(f"{text[:40]!r} is not a visibility.", hint="Use public or private.")
    return text


def _words(text: str, what: str, limit: int) -> str:
    if len(text) > limit or "\x00" in text:
        raise InvalidInput(f"The {what} is longer than {limit:,} characters or holds a NUL.", hint="Shorten it.")
    return text.strip()


def rotate_cdn_key(project_id: UUID, visibility: str) -> None:
    """Give a project the key that its visibility asks for: none when private, a new one when public.

    In the same transaction as the change of the visibility. From then on the old addresses at an edge network lead
    nowhere; other processes of the forge stop using them within half a minute.
    """
    Project.objects.filter(id=project_id).update(cdn_key=cdn.new_cdn_key(visibility))
    cdn.forget(project_id)
    transaction.on_commit(lambda: cdn.forget(project_id))
