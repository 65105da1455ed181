"""Stands between `mic` and a real forge, and changes what it says: as other versions, proxies and bad lines would."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc

from forge_process import Forge
from mic.rpc.discovery import WELL_KNOWN

# What to do with message `number` (from 0) of an answer to a method, by its last name.
Change = Callable[[str, int, bytes], bytes]


class Cut(Exception):
    """The line breaks here."""


class Ended(Exception):
    """The answer ends here, as if that were all."""


class Between(grpc.GenericRpcHandler):
    """A forge that says what `forge` says, after `change`. `silent` are methods that never answer, `unknown` those
    that it does not know; `described` is added to what it says of itself. `base_url` and `token` are as a forge's.
    """

    def __init__(self, forge: Forge) -> None:
        self.change: Change = lambda method, number, message: message
        self.silent: set[str] | None = set()  # None: all of them
        self.unknown: set[str] | None = set()  # None: all of them
        self.described: dict[str, Any] = {}
        self.token, self._forge = forge.token, forge
        self._channel = grpc.insecure_channel(forge.grpc_address, [("grpc.enable_http_proxy", 0)])
        self._server = grpc.server(futures.ThreadPoolExecutor(16), [self])
        self.grpc_address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        self._web = _web(self._said)
        self.base_url = f"http://127.0.0.1:{self._web.server_address[1]}"

    def end(self) -> None:
        self._server.stop(None)
        self._channel.close()
        self._web.shutdown()
        self._web.server_close()

    def plain(self) -> None:
        """Change nothing from now on."""
        self.change, self.silent, self.unknown, self.described = lambda _, __, message: message, set(), set(), {}

    def _said(self) -> bytes:
        with urllib.request.urlopen(self._forge.base_url + WELL_KNOWN) as answer:
            said = json.load(answer)
        return json.dumps(said | {"grpc": self.grpc_address, "grpc_tls": False} | self.described).encode()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        name = handler_call_details.method
        method = name.rpartition("/")[2]
        if self.unknown is None or method in self.unknown:
            return None

        def relay(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            if self.silent is None or method in self.silent:
                while context.is_active():
                    time.sleep(0.02)
                return
            there = self._channel.stream_stream(name)(requests, metadata=_ours(context))
            number = 0
            try:
                for message in there:
                    yield self.change(method, number, message)
                    number += 1
            except Ended:
                return
            except Cut:
                context.abort(grpc.StatusCode.UNAVAILABLE, "Connection reset by peer")
            except grpc.RpcError as error:
                context.set_trailing_metadata(tuple(error.trailing_metadata() or ()))
                context.abort(error.code(), error.details())
            finally:
                there.cancel()
            context.set_trailing_metadata(tuple(there.trailing_metadata() or ()))

        return grpc.stream_stream_rpc_method_handler(relay)


def _ours(context: grpc.ServicerContext) -> list[Any]:
    return [item for item in context.invocation_metadata() if item[0] == "authorization"]


def _web(said: Callable[[], bytes]) -> http.server.ThreadingHTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = said()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def html_page(status: int) -> tuple[socket.socket, str]:
    """A proxy that answers every call over HTTP/2 with a page; it listens until it is closed. With its address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=_answer, args=(peer, status), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listening, f"127.0.0.1:{listening.getsockname()[1]}"


def _frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def _answer(peer: socket.socket, status: int) -> None:
    """RFC 9113 and the literals of RFC 7541, as little of them as answers a call."""
    page = b"<html><title>Bad Gateway</title></html>"
    with peer, peer.makefile("rb") as asked:
        asked.read(24)  # the preface
        peer.sendall(_frame(4, 0, 0))
        while head := asked.read(9):
            kind, flags, stream = head[3], head[4], int.from_bytes(head[5:], "big")
            body = asked.read(int.from_bytes(head[:3], "big"))
            if kind == 4 and not flags & 1:
                peer.sendall(_frame(4, 1, 0))
            elif kind == 6 and not flags & 1:
                peer.sendall(_frame(6, 1, 0, body))
            elif kind == 1:
                fields = b"\x08\x03%d" % status + b"\x0f\x10\x09text/html"
                peer.sendall(_frame(1, 4, stream, fields) + _frame(0, 1, stream, page))
