"""The calls of ProjectService about what another forge knew of a project."""

from __future__ import annotations

from collections.abc import Iterator

from mic.rpc.v1 import mic_pb2 as pb
from micelio.accounts.actor import Actor
from micelio.archives import actions, queries
from micelio.archives.queries import ArchiveView, RunView
from micelio.edge.rpc import convert
from micelio.edge.rpc.guard import DOWNLOADS, call, slot, stream
from micelio.projects.project_view import ProjectView

_CHUNK = 256 << 10


class ForgeArchives:
    """A part of the service of projects."""

    @call
    def StartForgeArchive(self, actor: Actor, request: pb.StartForgeArchiveRequest) -> pb.ForgeArchiveResponse:
        project = convert.find_project(actor, request.project)
        run = actions.start_fetch(actor, project, request.url, request.provider, request.token)
        return _response(actor, project, run)

    @call
    def GetForgeArchive(self, actor: Actor, request: pb.ForgeArchiveRequest) -> pb.ForgeArchiveResponse:
        project = convert.find_project(actor, request.project)
        return _response(actor, project, queries.newest_run(actor, project))

    @call
    def CancelForgeArchive(self, actor: Actor, request: pb.ForgeArchiveRequest) -> pb.ForgeArchiveResponse:
        project = convert.find_project(actor, request.project)
        return _response(actor, project, actions.cancel_fetch(actor, project))

    @stream
    def ExportForgeArchive(self, actor: Actor, request: pb.ForgeArchiveRequest) -> Iterator[pb.ForgeArchiveChunk]:
        lines = queries.export_archive(actor, convert.find_project(actor, request.project))
        with slot(DOWNLOADS):
            waiting = bytearray()
            for line in lines:
                waiting += line
                if len(waiting) >= _CHUNK:
                    yield pb.ForgeArchiveChunk(data=bytes(waiting))
                    waiting.clear()
            yield pb.ForgeArchiveChunk(data=bytes(waiting))


def _response(actor: Actor, project: ProjectView, run: RunView | None) -> pb.ForgeArchiveResponse:
    found = queries.find_archive(actor, project)
    return pb.ForgeArchiveResponse(archive=_archive(found) if found else None, run=_run(run) if run else None)


def _archive(view: ArchiveView) -> pb.ForgeArchive:
    return pb.ForgeArchive(
        provider=view.provider, source=view.source, fetched_at_ms=convert.ms(view.fetched_at), counts=view.counts,
        warnings=view.warnings, size=view.size,
    )  # fmt: skip


def _run(view: RunView) -> pb.ForgeArchiveRun:
    return pb.ForgeArchiveRun(
        id=str(view.id), provider=view.provider, source=view.source, with_token=view.with_token, state=view.state,
        stage=view.stage, pages=view.pages, done=view.done, warnings=view.warnings,
        rests_until_ms=convert.ms(view.rests_until) if view.rests_until else 0, error_code=view.error_code,
        error=view.error, hint=view.hint, created_at_ms=convert.ms(view.created_at),
        updated_at_ms=convert.ms(view.updated_at),
        finished_at_ms=convert.ms(view.finished_at) if view.finished_at else 0,
    )  # fmt: skip
