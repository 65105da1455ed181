"""The calls about exports, and the one that makes a project of an archive."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from datetime import datetime

from mic.core.errors import InvalidInput
from mic.rpc.v1 import mic_pb2 as pb
from micelio.accounts.actor import Actor, require_signed_in
from micelio.databases import let_go
from micelio.edge.rpc import convert
from micelio.edge.rpc.guard import DOWNLOADS, UPLOADS, call, page_size, slot, stream
from micelio.exports import actions, queries
from micelio.exports.archive_in import import_archive
from micelio.exports.queries import MAX_PAGE, ExportView
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView

# Seconds between two words of how far an import is.
_TOLD = 1.0


class Exports:
    """A part of the service of accounts: an export is of the person who has asked for it."""

    @call
    def StartExport(self, actor: Actor, request: pb.StartExportRequest) -> pb.ExportResponse:
        project = None
        if request.HasField("project"):
            project = convert.require_main(convert.find_project(actor, request.project))
        return pb.ExportResponse(export=_message(actions.start_export(actor, request.kind, project)))

    @call
    def GetExport(self, actor: Actor, request: pb.ExportRequest) -> pb.ExportResponse:
        return pb.ExportResponse(export=_message(queries.get_export(actor, request.id)))

    @call
    def ListExports(self, actor: Actor, request: pb.ListExportsRequest) -> pb.ListExportsResponse:
        size = page_size(request.page_size, most=MAX_PAGE)
        found = queries.list_exports(actor, request.page_token, size)
        more = str(found[-1].id) if len(found) == size else ""
        return pb.ListExportsResponse(exports=map(_message, found), next_page_token=more)

    @call
    def CancelExport(self, actor: Actor, request: pb.ExportRequest) -> pb.ExportResponse:
        return pb.ExportResponse(export=_message(actions.cancel_export(actor, request.id)))

    @stream
    def DownloadExport(self, actor: Actor, request: pb.DownloadExportRequest) -> Iterator[pb.ExportChunk]:
        pieces = queries.read_export(actor, request.id, request.offset)
        with slot(DOWNLOADS):
            for piece in pieces:
                yield pb.ExportChunk(data=piece)


class ArchiveImports:
    """A part of the service of projects."""

    @stream
    def ImportArchive(
        self, actor: Actor, requests: Iterator[pb.ImportArchiveRequest]
    ) -> Iterator[pb.ImportArchiveResponse]:
        require_signed_in(actor)  # before waiting for what the other side sends
        with slot(UPLOADS):
            first = next(requests, None)
            if first is None or not first.HasField("project"):
                raise InvalidInput("What is sent begins with the project that it is to be.")
            yield from _import(actor, first, requests)


class _Left(Exception):
    """Nobody waits for the import any more."""


def _import(
    actor: Actor, first: pb.ImportArchiveRequest, requests: Iterator[pb.ImportArchiveRequest]
) -> Iterator[pb.ImportArchiveResponse]:
    """The import in a thread of its own, so that its client hears how far it is, and can leave."""
    told: queue.Queue[pb.ImportArchiveResponse | None] = queue.Queue(16)
    left = threading.Event()
    outcome: list[ProjectView | BaseException] = []
    last = time.monotonic()

    def pieces() -> Iterator[bytes]:
        yield first.data
        for message in requests:
            yield message.data

    def say(stage: str, done: int, total: int) -> None:
        nonlocal last
        if left.is_set():
            raise _Left
        if time.monotonic() - last >= _TOLD and not told.full():
            last = time.monotonic()
            told.put(pb.ImportArchiveResponse(stage=stage, done=done, total=total))

    def work() -> None:
        let_go()
        try:
            wanted = first.project
            made = import_archive(
                actor, wanted.organization, wanted.handle, pieces(), visibility=first.visibility, told=say
            )
            outcome.append(made)
        except BaseException as error:
            outcome.append(error)
        finally:
            let_go()
            told.put(None)

    thread = threading.Thread(target=work, name="archive-import", daemon=True)
    thread.start()
    try:
        while (message := told.get()) is not None:
            yield message
    finally:
        left.set()
        if not outcome:
            while told.get() is not None:
                pass
        thread.join()
    (found,) = outcome
    if isinstance(found, BaseException):
        raise found
    head = open_ledger(found.id).head()
    yield pb.ImportArchiveResponse(project=convert.whole_project(actor, found), position=head.position)


def _message(view: ExportView) -> pb.Export:
    return pb.Export(
        id=str(view.id), kind=view.kind, project=view.project, state=view.state, done=view.done, total=view.total,
        size=view.size, sha256=view.sha256, name=view.name, error_code=view.error_code, error=view.error,
        hint=view.hint, created_at_ms=convert.ms(view.created_at), finished_at_ms=_ms(view.finished_at),
        expires_at_ms=_ms(view.expires_at),
    )  # fmt: skip


def _ms(moment: datetime | None) -> int:
    return convert.ms(moment) if moment is not None else 0
