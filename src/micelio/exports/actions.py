"""Starting exports, and ending them. What is started is carried out by `micelio.exports.worker`."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from mic.core.errors import Busy, InvalidInput, LimitReached
from micelio.accounts.actor import Actor, require_signed_in
from micelio.audit.actions import record
from micelio.exports import kept, policy
from micelio.exports.models import OPEN, Export, Kind, State
from micelio.exports.queries import ExportView, own_export, view_of
from micelio.exports.worker import thread
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView

# Of one person within a day: each costs what reading a whole project does.
A_DAY = 20
# Files of one person that lie in the store at a time; an earlier one goes for a further one.
FILES = 3
_ENDINGS = {Kind.ARCHIVE: "micelio.tar.zst", Kind.JSON: "jsonl", Kind.USER: "jsonl"}


def start_export(actor: Actor, kind: str, project: ProjectView | None = None) -> ExportView:
    """Have the forge make a file: `archive` or `json` of a project, or `user`, what it holds about the actor.

    Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, Busy while another one of the actor's is made,
    LimitReached.
    """
    if kind == Kind.USER:
        user = policy.require_own_data(actor)
        if project is not None:
            raise InvalidInput("One's own data is of no project.", hint="Leave the project out.")
    elif project is not None:
        policy.require_export(actor, project)
        user = require_signed_in(actor)
    if kind not in Kind.values or (kind != Kind.USER and project is None):
        raise InvalidInput(
            f"{kind[:40]!r} cannot be exported like this.",
            hint="Ask for `archive` or `json` of a project, or for `user`, which is your own data.",
        )
    now = timezone.now()
    if Export.objects.filter(started_by=user, created_at__gt=now - timedelta(days=1)).count() >= A_DAY:
        raise LimitReached(
            f"{A_DAY} exports a day are the most.",
            hint="Wait, or fetch the file of an earlier one on the page of your data and exports.",
        )
    row = Export(
        id=uuid4(), started_by=user, kind=kind, project_id=project.id if project else None, state=State.WAITING,
        open_sessions=project is not None and policy.sees_open(actor, project), name=_name(actor, kind, project),
        created_at=now, updated_at=now,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            if project is None:
                record(actor, "account.export", "account", user, actor.handle)
            else:
                record(
                    actor, "project.export", "project", project.id, f"{project.owner}/{project.handle}",
                    project_id=project.id, organization_id=project.owner_id, kind=kind,
                )  # fmt: skip
    except IntegrityError as error:
        raise Busy("An export of yours is being made.", hint="Wait for it, or cancel it.") from error
    _make_room(user)
    thread.wake()
    return view_of(actor, row)


def cancel_export(actor: Actor, export_id: str) -> ExportView:
    """End an export that is being made, or let the file of one go. Again changes nothing. Raises NotFound."""
    row = own_export(actor, export_id)
    now = timezone.now()
    ended = {"finished_at": now, "updated_at": now, "expires_at": now}
    if not Export.objects.filter(id=row.id, state__in=OPEN).update(state=State.CANCELED, **ended):
        Export.objects.filter(id=row.id, state=State.DONE).update(state=State.EXPIRED, **ended)
    kept.remove(row.id)
    return view_of(actor, Export.objects.get(id=row.id))


def forget_files(project_id: UUID) -> None:
    """Let the files with a project in them go: something of it was erased."""
    for row in Export.objects.filter(project_id=project_id, state=State.DONE):
        _expire(row)


def expire_old() -> int:
    """Let the files go whose day is over; how many."""
    old = list(Export.objects.filter(state=State.DONE, expires_at__lte=timezone.now()))
    for row in old:
        _expire(row)
    return len(old)


def _make_room(user: UUID) -> None:
    for row in Export.objects.filter(started_by=user, state=State.DONE).order_by("-finished_at")[FILES - 1 :]:
        _expire(row)


def _expire(row: Export) -> None:
    Export.objects.filter(id=row.id).update(state=State.EXPIRED, expires_at=timezone.now())
    kept.remove(row.id)


def _name(actor: Actor, kind: str, project: ProjectView | None) -> str:
    if project is None:
        return f"{actor.handle}.{_ENDINGS[Kind.USER]}"
    return f"{project.owner}-{project.handle}-{open_ledger(project.id).head().position}.{_ENDINGS[Kind(kind)]}"
