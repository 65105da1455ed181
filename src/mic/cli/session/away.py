"""Putting a session aside and taking it up again while the forge is not reached: from what waits, and what is here."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from mic.cli.context.open_session import require_complete
from mic.cli.context.refs import SHORTEST_ID
from mic.cli.landing.unresolved import require_resolved
from mic.cli.landing.waiting import wait_to_push, waiting
from mic.cli.terminal.output import Output
from mic.cli.transfer.content_cache import content_cache
from mic.cli.working_copy.goto import restore_base
from mic.core.errors import InvalidInput
from mic.core.ids import ulid_text
from mic.core.paths import display
from mic.rpc.client import CALL_SECONDS, STREAM_SECONDS, Client
from mic.rpc.unreached import Unreached
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace import session as local
from mic.workspace.operations import record
from mic.workspace.pending import LAND, PUSH, Pending, contents_folder
from mic.workspace.pushed import forget_push
from mic.workspace.queued import queued
from mic.workspace.session import LocalSession
from mic.workspace.status import status as working_status
from mic.workspace.workspace import Workspace

T = TypeVar("T")

_PART = 1 << 20
_NOTHING = hashlib.sha256(b"").digest()


class Away(Client):
    """A client that asks nobody: contents come from what waits here, everything else is the error that it was made of.

    Whoever asks it looks in the cache first, as always.
    """

    def __init__(self, ws: Workspace, error: Unreached) -> None:
        super().__init__("127.0.0.1:1", insecure=True)
        self._folder, self._why = contents_folder(ws), error

    def call(self, method: Callable[..., T], request: Any, *, seconds: float = CALL_SECONDS) -> T:
        """Nobody answers."""
        raise self._why

    def stream(
        self, method: Callable[..., Iterator[T]], request: Any, *, seconds: float = STREAM_SECONDS
    ) -> Iterator[T]:
        """Nobody answers."""
        raise self._why

    def chunks(self, project: pb.ProjectRef, hashes: list[bytes], session_id: bytes = b"") -> Iterator[pb.BlobChunk]:
        """The contents that wait to be sent; raises Unreached for others."""
        for content in hashes:
            for frame in self._frames(content):
                yield pb.BlobChunk(frames=[frame])

    def _frames(self, content: bytes) -> Iterator[pb.BlobFrame]:
        if content == _NOTHING:
            yield pb.BlobFrame(hash=content)
            return
        try:
            with open(os.path.join(self._folder, content.hex()), "rb") as file:
                size, at = os.fstat(file.fileno()).st_size, 0
                while part := file.read(_PART):
                    yield pb.BlobFrame(hash=content, size=size, offset=at, length=len(part), data=part)
                    at += len(part)
        except FileNotFoundError:
            raise self._why from None


def waiting_session(ws: Workspace, text: str, error: Unreached) -> Pending:
    """The push that waits of the session of this id, or its beginning; raises Unreached for any other."""
    word = text.removeprefix("ses_").upper()
    found = [
        item
        for item in waiting(ws)
        if item.kind == PUSH and len(word) >= SHORTEST_ID and ulid_text(item.session.id).startswith(word)
    ]
    if len(found) != 1:
        raise error
    return found[0]


def pushed_session(item: Pending) -> pb.Session:
    """A push that waits, as the forge would say it."""
    found = pb.Session.FromString(item.message)
    found.pushed_at_ms = item.after_ms
    return found


def require_no_landing(ws: Workspace, error: Unreached) -> None:
    """Raises Unreached while a landing waits: the files here have what it landed, and must not lose it."""
    require_complete(ws)
    require_resolved(ws)
    if queued(ws) is not None or any(item.kind == LAND for item in waiting(ws)):
        raise error


def aside(client: Client, ws: Workspace, here: LocalSession, out: Output, error: Unreached) -> None:
    """Take the session's changes away here, when its push waits and what stood there before is on this machine."""
    if not here.left:
        if here.below:
            raise error
        for change in working_status(ws).changes:
            old = change.old
            if old is not None and old.size and content_cache().content(old.hash) is None:
                raise InvalidInput(
                    f"The base's version of {display(change.path)} is not on this machine.",
                    hint="Switch when the forge can be reached.",
                ) from error
        wait_to_push(ws, here, waiting(ws), force=False)
        leave(ws, here)
    take_away(client, ws, out)


def leave(ws: Workspace, here: LocalSession) -> None:
    """Write down that what a session changed is saved, and may go from here."""
    record(ws, "mic session switch", files=True)
    here.left = True
    local.save(ws, here)


def take_away(client: Client, ws: Workspace, out: Output) -> None:
    """Bring the files here back to the base, and forget the session that was left."""
    restore_base(client, ws, out)
    local.clear(ws)
    forget_push(ws)
