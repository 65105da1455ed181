"""The daemon asks a forge for its doors once in a while, for commands that would have to do so each."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from mic.cli.context import known
from mic.cli.forge import connection
from mic.cli.forge.told import surroundings
from mic.cli.program import daemon_answers
from mic.cli.program.daemon_answers import Connections
from mic.cli.transfer.content_cache import content_cache
from mic.rpc.client import Client
from mic.rpc.discovery import Forge
from mic.rpc.v1 import mic_pb2 as pb

SAID = {
    "grpc": "localhost:1", "grpc_tls": False, "device_authorization_endpoint": "d", "token_endpoint": "t",
    "revocation_endpoint": "r", "client_id": "c", "scope": "s",
}  # fmt: skip


@pytest.fixture
def forge() -> Iterator[tuple[str, list[str]]]:
    """Its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that the base class asks for
            asked.append(self.path)
            body = json.dumps(SAID).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("localhost", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_asked_once(forge: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    instance, asked = forge
    connections, mine = Connections(), surroundings(os.environb)
    until = time.monotonic() + 20
    while (first := connections.forge([b"forge", instance.encode(), *mine])) is None:
        assert time.monotonic() < until  # it loads what it needs, and nobody waits for it
    for _ in range(3):
        assert connections.forge([b"forge", instance.encode(), *mine]) == first
    assert len(asked) == 1
    assert Forge(*json.loads(first)) == Forge(instance, "localhost:1", False, "d", "t", "r", "c", "s")
    # Who goes another way may come to another one.
    assert connections.forge([b"forge", instance.encode(), *mine[:-1], b"elsewhere"]) is None
    monkeypatch.setattr(daemon_answers, "_BELIEVED", 0.0)
    assert connections.forge([b"forge", instance.encode(), *mine]) == first
    assert len(asked) == 2
    assert connections.forge([b"forge", b"http://localhost:1", *mine]) is None


def test_what_it_is_told_is_known_when_the_forge_is_not_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`mic log` that the daemon answers, and `mic log` by itself off line, keep and read one answer."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    content_cache.cache_clear()
    told = pb.ListLandingsResponse(landings=[pb.Session(landed_position=7)])

    class Stub:
        _method = b"/mic.v1.SessionService/ListLandings"
        _response_deserializer = pb.ListLandingsResponse.FromString

    class Told(Client):
        def call(self, method: object, request: object, *, seconds: float = 0) -> Any:
            return told

    monkeypatch.setattr(connection, "connect", lambda instance, waiting: Told("localhost:1", insecure=True))
    client = Connections()._client("http://localhost")
    client.call(Stub(), pb.ListLandingsRequest(page_size=20))  # type: ignore[arg-type]
    name = known._name("http://localhost", Stub, pb.ListLandingsRequest(page_size=3))
    assert name is not None
    assert content_cache().answer(name) == told.SerializeToString()
    content_cache.cache_clear()
