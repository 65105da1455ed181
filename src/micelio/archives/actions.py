"""Fetching: start, cancel. What is started is carried out by `micelio.archives.worker`."""

from __future__ import annotations

from uuid import uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from mic.core.errors import Busy, InvalidInput
from micelio.accounts.actor import Actor, require_signed_in
from micelio.archives import worker
from micelio.archives.asking import checked_token
from micelio.archives.kept import KeptArchive
from micelio.archives.models import OPEN, ArchiveRun, State
from micelio.archives.policy import no_such_run, require_fetch
from micelio.archives.queries import RunView, run_view
from micelio.archives.source import Source, parse_source
from micelio.audit.actions import record
from micelio.cluster.presence import PROCESS
from micelio.databases import let_go
from micelio.projects.limits import require_unfilled
from micelio.projects.project_view import ProjectView


def start_fetch(actor: Actor, project: ProjectView, url: str, provider: str = "", token: str = "") -> RunView:
    """Have the forge fetch issues, pull requests and reviews of a repository, in the background.

    `provider` is github, gitlab or gitea, and may be left out where the host tells it. The token is for this run alone:
    it stays in the memory of this process. Where a run before did not come to its end, this one goes on; where one did,
    it fetches what changed since. Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, and Busy while a
    run of the project is open.
    """
    require_fetch(actor, project)
    require_unfilled(project)
    source, token = parse_source(url, provider), checked_token(token)
    _require_same(project, source)
    now = timezone.now()
    row = ArchiveRun(
        id=uuid4(), project_id=project.id, started_by=require_signed_in(actor), provider=source.provider.value,
        source=source.url, with_token=bool(token), worker=PROCESS if token else "", created_at=now, updated_at=now,
    )  # fmt: skip
    name = f"{project.owner}/{project.handle}"
    if ArchiveRun.objects.filter(project_id=project.id, state=State.CANCELED, cleared=False).exists():
        raise Busy(f"What was fetched into {name} is being removed.", hint="Try again in a moment.")
    # Before the row is there: whoever finds it needs the token.
    worker.hold(row.id, token)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record(
                actor, "project.archive_start", "project", project.id, name, organization_id=project.owner_id,
                source=row.source, provider=row.provider,
            )  # fmt: skip
            transaction.on_commit(worker.thread.wake)
    except IntegrityError as error:
        worker.forget(row.id)
        raise Busy(f"An archive is being fetched into {name} already.", hint="Wait for it, or cancel it.") from error
    return run_view(row)


def cancel_fetch(actor: Actor, project: ProjectView) -> RunView:
    """End the open run of a project; what it has fetched is removed, what earlier ones did stays.

    One that has ended stays as it is. Raises NotFound, Unauthenticated, PermissionDenied.
    """
    require_fetch(actor, project)
    row = ArchiveRun.objects.filter(project_id=project.id).order_by("-created_at").first()
    if row is None:
        raise no_such_run(project)
    now = timezone.now()
    ended = ArchiveRun.objects.filter(id=row.id, state__in=OPEN)
    with transaction.atomic():
        if ended.update(state=State.CANCELED, finished_at=now, updated_at=now, rests_until=None):
            name = f"{project.owner}/{project.handle}"
            record(actor, "project.archive_cancel", "project", project.id, name, organization_id=project.owner_id)
            transaction.on_commit(worker.thread.wake)
    worker.forget(row.id)
    return run_view(ArchiveRun.objects.get(id=row.id))


def _require_same(project: ProjectView, source: Source) -> None:
    """One archive is of one repository. Raises InvalidInput."""
    let_go()
    found, _ = KeptArchive(project.id).load()
    if found is not None and found.parts and found.source != source.url:
        raise InvalidInput(
            f"The archive of this project was fetched from {found.source}.",
            hint="Fetch from there again, or into another project.",
        )
