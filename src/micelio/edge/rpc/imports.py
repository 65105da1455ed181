"""The calls of ProjectService that import Git repositories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

from mic.core.errors import InvalidInput
from mic.git.sent import SentRefs
from mic.rpc.v1 import mic_pb2 as pb
from micelio.accounts.actor import Actor, require_signed_in
from micelio.edge.rpc import convert
from micelio.edge.rpc.guard import UPLOADS, call, slot
from micelio.imports import actions, queries
from micelio.imports.policy import no_such_import
from micelio.imports.queries import ImportView


class Imports:
    """A part of the service of projects."""

    @call
    def StartImport(self, actor: Actor, request: pb.StartImportRequest) -> pb.ImportResponse:
        project = convert.require_main(convert.find_project(actor, request.project))
        reason = request.accept_secrets
        if request.WhichOneof("from") == "sent":
            sent = request.sent
            if len(sent.oids) != 20 * len(sent.names):
                raise InvalidInput(
                    "Each ref has an id of 20 bytes.", hint="Repositories with SHA-256 names cannot be imported."
                )
            oids = (sent.oids[at : at + 20] for at in range(0, len(sent.oids), 20))
            refs = SentRefs(dict(zip(sent.names, oids, strict=True)), sent.head, sent.detached)
            view = actions.begin_sending(actor, project, sent.source, refs, sent.pack, sent.size, accept_secrets=reason)
        else:
            view = actions.start_import(actor, project, request.url, accept_secrets=reason)
        return _response(view)

    @call
    def SendImport(self, actor: Actor, requests: Iterator[pb.SendImportRequest]) -> pb.ImportResponse:
        require_signed_in(actor)  # before waiting for what the other side sends
        with slot(UPLOADS):
            first = next(requests, None)
            if first is None:
                raise InvalidInput("What is sent begins with its project and import.")
            project = convert.require_main(convert.find_project(actor, first.project))

            def pieces() -> Iterator[bytes]:
                yield first.data
                for message in requests:
                    yield message.data

            return _response(actions.send_part(actor, project, _id(first.id), first.offset, pieces()))

    @call
    def GetImport(self, actor: Actor, request: pb.GetImportRequest) -> pb.ImportResponse:
        project = convert.find_project(actor, request.project)
        return _response(queries.get_import(actor, project, _id(request.id) if request.id else None))

    @call
    def CancelImport(self, actor: Actor, request: pb.GetImportRequest) -> pb.ImportResponse:
        project = convert.find_project(actor, request.project)
        return _response(actions.cancel_import(actor, project, _id(request.id)))

    @call
    def GetImportTips(self, actor: Actor, request: pb.GetImportTipsRequest) -> pb.GetImportTipsResponse:
        project = convert.find_project(actor, request.project)
        return pb.GetImportTipsResponse(oids=b"".join(actions.tips_of(actor, project)))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise no_such_import() from None


def _response(view: ImportView) -> pb.ImportResponse:
    return pb.ImportResponse(
        run=pb.GitImport(
            id=str(view.id), source=view.source, from_forge=view.from_forge, state=view.state, stage=view.stage,
            size=view.size, received=view.received, refs=view.refs, objects_done=view.objects_done,
            objects_total=view.objects_total, landings_done=view.landings_done, landings_total=view.landings_total,
            marked=view.marked, aside=view.aside, position=view.position, error_code=view.error_code, error=view.error,
            hint=view.hint,
            document=json.dumps(view.document) if view.document else "",
            created_at_ms=convert.ms(view.created_at), updated_at_ms=convert.ms(view.updated_at),
            finished_at_ms=convert.ms(view.finished_at) if view.finished_at else 0,
        )
    )  # fmt: skip
