"""Importing: start, send, cancel. What is started is carried out by `micelio.imports.worker`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.utils import timezone

from mic.core.errors import AlreadyExists, Busy, InvalidInput, NotFound, TooLarge
from mic.git import sent
from mic.git.sent import SentRefs
from micelio.accounts.actor import Actor, require_signed_in
from micelio.audit.actions import record
from micelio.databases import let_go
from micelio.findings.actions import require_reason
from micelio.findings.policy import require_decide
from micelio.imports.fetch import MAX_PACK, parse_url
from micelio.imports.models import SOURCE, GitImport, State
from micelio.imports.policy import no_such_import, require_import
from micelio.imports.queries import ImportView, view_of
from micelio.imports.worker import thread
from micelio.projects.ledgers import open_ledger
from micelio.projects.limits import require_unfilled
from micelio.projects.project_view import ProjectView
from micelio.sessions.git_view import kept_objects
from micelio.sessions.policy import require_free

# Who stops sending for so long gives the place up.
STALE = timedelta(days=2)
_SHA1 = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Begun:
    """An import, and commits that the project has: what is behind them need not be sent."""

    view: ImportView
    tips: tuple[bytes, ...]


def tips_of(actor: Actor, project: ProjectView) -> tuple[bytes, ...]:
    """The commits and tags that the project's refs name. Raises NotFound, PermissionDenied."""
    require_import(actor, project)
    let_go()
    view = kept_objects(project.id).caught_up().view
    return tuple(sorted({*view.refs.values(), *((view.tip,) if view.tip else ())}))


def start_import(actor: Actor, project: ProjectView, url: str, *, accept_secrets: str = "") -> ImportView:
    """Have the forge fetch a repository from an https URL and import it; it is carried out in the background.

    One that brings the same is what is answered while it is at work. Raises InvalidInput for an address that may not be
    asked, Busy while another import of the project is open.
    """
    _may(actor, project, accept_secrets)
    source = parse_url(url)
    known = _at_work(project, accept_secrets, from_forge=True)
    if known is not None and known.source == source[:SOURCE]:
        return view_of(known)
    row = _new(actor, project, source, accept_secrets, from_forge=True, state=State.WAITING)
    thread.wake()
    return view_of(row)


def begin_sending(
    actor: Actor, project: ProjectView, source: str, refs: SentRefs, pack: str, size: int, *, accept_secrets: str = ""
) -> ImportView:
    """Begin an import whose pack is sent by `send_part`. `pack` is git's name for it (40 hex digits), `size` its bytes.

    The same pack again goes on where sending stopped; one that brings the same refs is what is answered while it is at
    work. Raises InvalidInput, TooLarge, Busy.
    """
    _may(actor, project, accept_secrets)
    if not _SHA1.fullmatch(pack) or size < 0:
        raise InvalidInput("A pack is named by 40 hex digits, and has a size.")
    if size > MAX_PACK:
        raise TooLarge(f"The repository packs to {size:,} bytes; an import takes {MAX_PACK:,}.")
    sent.checked(refs)
    ledger = open_ledger(project.id)
    known = GitImport.objects.filter(project_id=project.id, state=State.RECEIVING).first()
    if known is not None and (known.pack, known.size, known.source) == (pack, size, source[:SOURCE]):
        GitImport.objects.filter(id=known.id).update(updated_at=timezone.now(), accept_secrets=accept_secrets)
        ledger.run(sent.keep_refs(ledger.line.project, known.id.hex, refs))
        return _arrived(known)
    known = _at_work(project, accept_secrets, from_forge=False)
    if known is not None and _brings(known, refs):
        return view_of(known)
    row = _new(actor, project, source, accept_secrets, from_forge=False, state=State.RECEIVING, pack=pack, size=size)
    ledger.run(sent.keep_refs(ledger.line.project, row.id.hex, refs))
    return _arrived(row)


def send_part(actor: Actor, project: ProjectView, import_id: UUID, offset: int, pieces: Iterable[bytes]) -> ImportView:
    """The next bytes of a pack, from `offset` on, which is what has been `received`; the last ones start the work.

    Raises NotFound, InvalidInput when something else was expected.
    """
    require_import(actor, project)
    row = GitImport.objects.filter(project_id=project.id, id=import_id, state=State.RECEIVING).first()
    if row is None:
        raise no_such_import()
    require_unfilled(project)
    let_go()
    ledger = open_ledger(project.id)
    here = ledger.run(sent.parts(ledger.line.project, row.id.hex))
    number, received = len(here), sum(size for _, size in here)
    if offset != received:
        raise InvalidInput(f"Of this import {received:,} bytes are here.", hint="Go on behind them.")
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if received + len(waiting) > row.size:
            raise InvalidInput("More was sent than the import said.", hint="Run the import again.")
        while len(waiting) >= sent.PART:
            received, number = _keep(row, number, bytes(waiting[: sent.PART]), received)
            del waiting[: sent.PART]
    if waiting and received + len(waiting) == row.size:
        _keep(row, number, bytes(waiting), received)
    return _arrived(row)


def cancel_import(actor: Actor, project: ProjectView, import_id: UUID) -> ImportView:
    """End an import that is not at its end; what it has written is removed. Raises NotFound."""
    require_import(actor, project)
    row = GitImport.objects.filter(project_id=project.id, id=import_id).first()
    if row is None:
        raise no_such_import()
    _end(row)
    return view_of(GitImport.objects.get(id=row.id))


def _end(row: GitImport) -> None:
    """Canceled, unless it has ended. Whoever is at work on it sees that, and cleans up; else it is done here."""
    idle = GitImport.objects.filter(id=row.id, state__in=(State.RECEIVING, State.WAITING))
    ended = {"state": State.CANCELED, "finished_at": timezone.now(), "updated_at": timezone.now()}
    if idle.update(**ended):
        ledger = open_ledger(row.project_id)
        ledger.run(sent.remove_parts(ledger.line.project, row.id.hex, refs=True))
    else:
        GitImport.objects.filter(id=row.id, state=State.RUNNING).update(state=State.CANCELED)


def _may(actor: Actor, project: ProjectView, accept_secrets: str) -> None:
    require_import(actor, project)
    require_free(actor)
    require_unfilled(project)
    if accept_secrets:
        require_decide(actor, project)
        require_reason(accept_secrets)


def _at_work(project: ProjectView, accept_secrets: str, *, from_forge: bool) -> GitImport | None:
    """The import of the project that has all that it needs, unless somebody accepts other secrets than it does."""
    rows = GitImport.objects.filter(project_id=project.id, state__in=(State.WAITING, State.RUNNING))
    row = rows.filter(from_forge=from_forge).first()
    return row if row is not None and accept_secrets in ("", row.accept_secrets) else None


def _brings(row: GitImport, refs: SentRefs) -> bool:
    """Whether it brings these refs: ids say what is behind them, in whatever way that was packed."""
    ledger = open_ledger(row.project_id)
    try:
        return ledger.run(sent.read_refs(ledger.line.project, row.id.hex)) == refs
    except NotFound:  # it has ended meanwhile
        return False


def _new(
    actor: Actor,
    project: ProjectView,
    source: str,
    accept_secrets: str,
    *,
    from_forge: bool,
    state: State,
    pack: str = "",
    size: int = 0,
) -> GitImport:
    now = timezone.now()
    left = GitImport.objects.filter(project_id=project.id, state=State.RECEIVING)
    for row in left if state == State.RECEIVING else left.filter(updated_at__lt=now - STALE):
        _end(row)  # whoever sends something else now has given the former up
    row = GitImport(
        id=uuid4(), project_id=project.id, started_by=require_signed_in(actor), source=source[:SOURCE],
        from_forge=from_forge, accept_secrets=accept_secrets, state=state, pack=pack, size=size, created_at=now,
        updated_at=now,
    )  # fmt: skip
    name = f"{project.owner}/{project.handle}"
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record(
                actor, "project.import_start", "project", project.id, name, organization_id=project.owner_id,
                source=row.source,
            )  # fmt: skip
    except IntegrityError as error:
        raise Busy(
            f"An import into {name} is at work.", hint=f"`mic import status {name}` shows it; wait, or cancel it."
        ) from error
    return row


def _keep(row: GitImport, number: int, data: bytes, received: int) -> tuple[int, int]:
    ledger = open_ledger(row.project_id)
    try:
        ledger.run(sent.keep_part(ledger.line.project, row.id.hex, number, data))
    except AlreadyExists as error:
        raise InvalidInput("Somebody else sends this import at the moment.", hint="Wait, or run it again.") from error
    GitImport.objects.filter(id=row.id).update(received=received + len(data), updated_at=timezone.now())
    let_go()
    return received + len(data), number + 1


def _arrived(row: GitImport) -> ImportView:
    """The row with what is here by now; when that is all of it, the work begins."""
    ledger = open_ledger(row.project_id)
    here = ledger.run(sent.parts(ledger.line.project, row.id.hex))
    received = sum(size for _, size in here)
    GitImport.objects.filter(id=row.id).update(received=received)
    if received >= row.size:
        GitImport.objects.filter(id=row.id, state=State.RECEIVING).update(state=State.WAITING)
        thread.wake()
    return view_of(GitImport.objects.get(id=row.id))
