"""A project comes from another forge: it is made, and its history and what else is known of it are fetched."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from mic.core.errors import InvalidInput, NotFound
from micelio.accounts.actor import Actor
from micelio.archives.actions import cancel_fetch, start_fetch
from micelio.archives.asking import checked_token
from micelio.archives.queries import RunView, newest_run
from micelio.archives.source import parse_source
from micelio.imports.actions import cancel_import, start_import
from micelio.imports.fetch import parse_url
from micelio.imports.policy import require_import
from micelio.imports.queries import ImportView, list_imports
from micelio.imports.worker import thread
from micelio.projects.actions import create_project
from micelio.projects.policy import require_creating
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project

_OPEN = ("receiving", "waiting", "running")


@dataclass(frozen=True, slots=True)
class Coming:
    """What is fetched into a project: the newest run for its history, and the newest for issues and the like."""

    project: ProjectView
    history: ImportView | None
    issues: RunView | None

    @property
    def under_way(self) -> bool:
        """Whether one of them goes on by itself."""
        history, issues = self.history, self.issues
        return (history is not None and history.state in _OPEN) or (
            issues is not None and issues.state in ("waiting", "running", "resting")
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched from `url`. `token` is of the other forge, and for issues alone."""

    url: str
    history: bool = True
    issues: bool = True
    provider: str = ""
    token: str = ""
    accept_secrets: str = ""


def import_project(
    actor: Actor, owner: str, handle: str, wanted: Wanted, *, visibility: str = "private", description: str = ""
) -> Coming:
    """Begin to fetch into a project, which is made when there is none; all of it, or nothing happens.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, TooLarge, AlreadyExists, Busy, Unavailable.
    """
    require_creating(actor)
    with transaction.atomic():
        try:
            project = get_project(actor, owner, handle)
        except NotFound:
            project = create_project(actor, owner, handle, description=description, visibility=visibility)
        return import_into(actor, project, wanted)


def import_into(actor: Actor, project: ProjectView, wanted: Wanted) -> Coming:
    """Begin to fetch into a project that is there: what is new, where something was fetched before.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, Busy.
    """
    require_import(actor, project)
    if not wanted.history and not wanted.issues:
        raise InvalidInput("Nothing is to be fetched.", hint="Ask for the history, for issues, or for both.")
    address = parse_url(wanted.url)
    if wanted.issues:
        parse_source(wanted.url, wanted.provider)
        checked_token(wanted.token)
    history = issues = None
    with transaction.atomic():
        if wanted.history:
            history = start_import(actor, project, address, accept_secrets=wanted.accept_secrets)
            # It is told once more when others see the row.
            transaction.on_commit(thread.wake)
        if wanted.issues:
            issues = start_fetch(actor, project, wanted.url, wanted.provider, wanted.token)
    return Coming(project, history, issues)


def get_coming(actor: Actor, project: ProjectView) -> Coming:
    """How far the newest runs are. Raises NotFound, Unauthenticated, PermissionDenied."""
    require_import(actor, project)
    history = next(iter(list_imports(actor, project, 1)), None)
    return Coming(project, history, newest_run(actor, project))


def cancel_coming(actor: Actor, project: ProjectView) -> Coming:
    """End what is under way; what it has fetched is removed. Raises NotFound, Unauthenticated, PermissionDenied."""
    found = get_coming(actor, project)
    if found.history is not None and found.history.state in _OPEN:
        cancel_import(actor, project, found.history.id)
    if found.issues is not None:
        cancel_fetch(actor, project)
    return get_coming(actor, project)
