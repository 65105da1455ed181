"""Exports as their owners see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from mic.core.errors import Expired, InvalidInput
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.grant import Scope
from micelio.accounts.policy import covers, require_scope
from micelio.databases import let_go
from micelio.exports import kept, policy
from micelio.exports.make import erased_of
from micelio.exports.models import Export, Kind, State
from micelio.projects.queries import project_names, project_of

MAX_PAGE = 100


@dataclass(frozen=True, slots=True)
class ExportView:
    """One export. `kind`: archive, json, user; `state`: waiting, running, done, failed, canceled, expired.

    `project` is `owner/handle`, "" for one's own data and for a project that may not be seen any more. `done` of
    `total` say how far it is, 0 where nobody knows. `size`, `sha256` and `name` are the file's, which is there until
    `expires_at`.
    """

    id: UUID
    kind: str
    project: str
    state: str
    done: int
    total: int
    size: int
    sha256: str
    name: str
    error_code: str
    error: str
    hint: str
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None


def list_exports(actor: Actor, before: str = "", limit: int = 50) -> list[ExportView]:
    """The actor's own, the newest first, behind the one with the id `before`. Raises Unauthenticated, InvalidInput."""
    user = _owner(actor)
    rows = Export.objects.filter(started_by=user)
    if before:
        last = rows.filter(id=_id(before)).first()
        if last is None:
            raise InvalidInput("The page token is not one that this forge gave.", hint="Begin with the first page.")
        rows = rows.filter(created_at__lt=last.created_at)
    found = list(rows.order_by("-created_at")[: min(limit, MAX_PAGE)])
    return [view_of(actor, row) for row in found if _covered(actor, row)]


def get_export(actor: Actor, export_id: str) -> ExportView:
    """One of the actor's own. Raises NotFound, Unauthenticated."""
    return view_of(actor, own_export(actor, export_id))


def own_export(actor: Actor, export_id: str) -> Export:
    """The row of one of the actor's own. Raises NotFound, Unauthenticated."""
    row = Export.objects.filter(started_by=_owner(actor), id=_id(export_id)).first()
    if row is None or not _covered(actor, row):
        raise policy.no_such_export()
    return row


def read_export(actor: Actor, export_id: str, offset: int = 0) -> Iterator[bytes]:
    """The file of an export from a byte on. Raises as `ready_export`."""
    view = ready_export(actor, export_id)
    if not 0 <= offset <= view.size:
        raise InvalidInput(f"The file has {view.size:,} bytes.", hint="Begin at one of them.")
    let_go()
    return kept.pieces(view.id, view.size, offset)


def ready_export(actor: Actor, export_id: str) -> ExportView:
    """An export whose file may be read now. It is judged once more: a project may be private by now, or something of it
    erased.

    Raises NotFound, Unauthenticated, PermissionDenied, Expired, InvalidInput.
    """
    row = own_export(actor, export_id)
    if row.state == State.EXPIRED or (row.expires_at is not None and row.expires_at <= timezone.now()):
        raise Expired("The file of this export is gone: one is kept for a day at most.", hint="Export again.")
    if row.state != State.DONE:
        raise InvalidInput(f"This export is {row.state}, so it has no file.", hint="`mic export list` says how far.")
    if row.kind == Kind.USER:
        policy.require_own_data(actor)
    elif row.project_id is not None:
        project = project_of(actor, row.project_id)
        policy.require_export(actor, project)
        if row.open_sessions and not policy.sees_open(actor, project):
            raise policy.no_such_export()
        if row.erasures != erased_of(project):
            raise Expired("Something of the project was erased since this was made.", hint="Export again.")
    return view_of(actor, row)


def view_of(actor: Actor, row: Export) -> ExportView:
    """A row as its owner sees it."""
    names = project_names(actor, [row.project_id]) if row.project_id is not None else {}
    return ExportView(
        row.id, row.kind, names.get(row.project_id, "") if row.project_id else "", row.state, row.done, row.total,
        row.size, row.sha256, row.name, row.error_code, row.error, row.hint, row.created_at, row.finished_at,
        row.expires_at,
    )  # fmt: skip


def _owner(actor: Actor) -> UUID:
    require_scope(actor, Scope.PROJECT_READ)
    return require_signed_in(actor)


def _covered(actor: Actor, row: Export) -> bool:
    """Whether a limited token may know of it."""
    if row.project_id is None:
        return actor.grant is None
    return covers(actor, row.project_id)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise policy.no_such_export() from None
