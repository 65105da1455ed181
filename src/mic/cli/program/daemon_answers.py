"""What the daemon says: what the commands themselves would print."""

from __future__ import annotations

import importlib
import io
import json
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mic.cli.forge.told import surroundings
from mic.cli.hot import View, bare_text, status_text
from mic.core.errors import MicError
from mic.daemon.door import LIKE_MINE, encode_changes
from mic.daemon.watched import Seen

if TYPE_CHECKING:
    import grpc

    from mic.rpc.client import Client

# Seconds that a connection is kept after its last use: a forge has other clients too.
_KEPT = 300.0
# Seconds that a forge's own description is believed: it may have other doors when it was started anew.
_BELIEVED = 10.0


def _status(fields: list[bytes], seen: Seen) -> bytes:
    _, root, form = fields
    return status_text(View(root, seen), form == b"json", form == b"colour").encode()


def _bare(fields: list[bytes], seen: Seen) -> bytes:
    _, root, form = fields
    return bare_text(View(root, seen), form == b"json", form == b"colour").encode()


class Connections:
    """A connection to each forge that was asked lately, and what is asked through it. No error is said here.

    Whatever is not as it should be, the command that asked meets it itself, and has the words for it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[str, tuple[Client, float]] = {}
        self._channels: dict[tuple[bytes, bytes], tuple[grpc.Channel, float]] = {}
        self._forges: dict[bytes, tuple[bytes, float]] = {}
        self._loading: threading.Thread | None = None

    def log(self, fields: list[bytes]) -> bytes | None:
        """`mic log -n COUNT` in a workspace."""
        _, root, form, number, *theirs = fields
        if theirs != [os.environb.get(name, b"") for name in LIKE_MINE] or not self._loaded():
            return None
        from mic.cli.context.place import Place
        from mic.cli.history.log import newest
        from mic.cli.terminal.output import Output

        to = io.StringIO()
        try:
            place = Place(None, os.fsdecode(root))
            out = Output(as_json=form == b"json", to=to, colour=form == b"colour")
            newest(out, self._client(place.address.instance), place, int(number))
        except (MicError, OSError, RuntimeError, ValueError):
            self.close()
            return None
        return to.getvalue().encode("utf-8", "backslashreplace")

    def forge(self, fields: list[bytes]) -> bytes | None:
        """What a forge says of itself, asked no more than a few seconds ago (`connection.told_by_daemon`)."""
        _, instance, *theirs = fields
        if theirs != surroundings(os.environb) or not self._loaded():
            return None
        from mic.rpc.discovery import discover

        known = self._forges.get(instance)
        if known is None or time.monotonic() - known[1] > _BELIEVED:
            try:
                found = discover(instance.decode())
            except (MicError, ValueError):
                self._forges.pop(instance, None)
                return None
            known = self._forges[instance] = json.dumps(found).encode(), time.monotonic()
        return known[0]

    def call(self, fields: list[bytes]) -> bytes | None:
        """A question to a forge, in the asker's name, passed on as it is (`told.passed_on_by_daemon`)."""
        _, address, tls, method, seconds, token, *rest = fields
        mine = surroundings(os.environb)
        if rest[: len(mine)] != mine or not self._loaded():
            return None
        import grpc

        from mic.rpc.status import MOVED_KEY

        request = b"\x00".join(rest[len(mine) :])
        metadata = (("authorization", token.decode()),) if token else ()
        try:
            answer, call = (
                self._channel(address, tls)
                .unary_unary(method.decode(), None, None)
                .with_call(request, timeout=float(seconds), metadata=metadata)
            )
        except (grpc.RpcError, MicError, ValueError) as error:
            # After one that was not reached, gRPC waits for up to two minutes before it tries again.
            if not isinstance(error, grpc.RpcError) or error.code() == grpc.StatusCode.UNAVAILABLE:
                self._drop(address, tls)
            return None
        # That a project has moved is for the command to say, once.
        return None if MOVED_KEY in dict(call.trailing_metadata() or ()) else answer

    def _channel(self, address: bytes, tls: bytes) -> grpc.Channel:
        from mic.rpc.channel import open_channel

        with self._lock:
            kept = self._channels.get((address, tls))
            channel = kept[0] if kept else open_channel(address.decode(), insecure=not tls)
            self._channels[address, tls] = channel, time.monotonic()
        return channel

    def _drop(self, address: bytes, tls: bytes) -> None:
        with self._lock:
            gone = self._channels.pop((address, tls), None)
        if gone:
            gone[0].close()

    def _loaded(self) -> bool:
        """Whether the half second of imports is behind us; whoever asks before that does not wait for it."""
        if self._loading is None:
            self._loading = threading.Thread(target=importlib.import_module, args=("mic.cli.history.log",), daemon=True)
            self._loading.start()
        return not self._loading.is_alive()

    def _client(self, instance: str) -> Client:
        from mic.cli.context.known import keep_answers
        from mic.cli.forge.connection import connect
        from mic.cli.forge.credentials import Tokens

        with self._lock:
            kept = self._clients.get(instance)
            client = kept[0] if kept else connect(instance, waiting=_not_here)
            if not kept:
                keep_answers(client, instance)
            client.on_move = _not_here
            # Who is signed in may have changed since the last question.
            client.use(Tokens(instance))
            self._clients[instance] = client, time.monotonic()
        return client

    def tidy(self) -> None:
        """Ends connections that nobody asked through for a while."""
        with self._lock:
            old = [name for name, (_, asked) in self._clients.items() if time.monotonic() - asked > _KEPT]
            gone: list[Any] = [self._clients.pop(name)[0] for name in old]
            unused = [name for name, (_, asked) in self._channels.items() if time.monotonic() - asked > _KEPT]
            gone += [self._channels.pop(name)[0] for name in unused]
        for one in gone:
            one.close()

    def close(self) -> None:
        """Ends all connections."""
        with self._lock:
            gone: list[Any] = [kept[0] for kept in (*self._clients.values(), *self._channels.values())]
            self._clients, self._channels = {}, {}
        for one in gone:
            one.close()


def _not_here(_: object) -> None:
    raise RuntimeError("something that only the command itself can say")


def _changes(fields: list[bytes], seen: Seen) -> bytes:
    return encode_changes(seen.changes, seen.columns.check)


ANSWERS: dict[bytes, Callable[[list[bytes], Seen], bytes]] = {b"status": _status, b"bare": _bare, b"changes": _changes}
