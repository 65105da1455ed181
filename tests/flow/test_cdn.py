"""A forge behind an edge network: what it asks of it, and what it gives to it."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World
from web_server import WebServer

DATA = b"public words\n" * 3000


class Edge(WebServer):
    """A network of one machine: keeps nothing, passes on to the origin, and can be told to misbehave."""

    def __init__(self) -> None:
        self.origin = ""
        self.asked: list[str] = []
        self.mood = ""
        super().__init__(self._pass_on)

    def _pass_on(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        headers = {name: request.headers[name] for name in ("Range",) if name in request.headers}
        found = httpx.get(f"{self.origin}/-/cdn{request.path}", headers=headers)
        status, body, kept = found.status_code, found.content, dict(found.headers)
        if self.mood == "broken":
            status, body = 500, b"sorry"
        elif self.mood == "short":
            body = body[:-1]
        request.send_response(status)
        for name in ("content-range", "etag", "cache-control"):
            if name in kept:
                request.send_header(name, kept[name])
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def edge() -> Iterator[Edge]:
    made = Edge()
    yield made
    made.close()


@pytest.fixture
def world(edge: Edge, tmp_path: Path) -> Iterator[World]:
    """People and projects in a forge that has this edge; memory in front, so that the counting is of first reads."""
    forge = Forge(
        tmp_path / "data",
        STORAGE_CDN_BASE_URL=edge.url,
        MICELIO_OUTGOING_ALLOW="127.0.0.1",
        MICELIO_CACHE_RAM_MB="0",
    )
    edge.origin = forge.base_url
    made = World(forge)
    for project in (made.open, made.closed):
        made.land(made.rita, project, {b"large.txt": DATA})
    edge.asked.clear()
    yield made
    made.close()
    forge.stop()


def contents(world: World, project: pb.ProjectRef) -> bytes:
    """The large file, read through the typed surface."""
    tree = world.rita("ProjectService.GetProjectTree", pb.GetProjectTreeRequest(project=project))
    at = list(tree.paths).index(b"large.txt")
    wanted = tree.hashes[32 * at : 32 * at + 32]
    chunks = world.rita("ProjectService.StreamBlobs", pb.StreamBlobsRequest(project=project, hashes=wanted))
    import zstandard

    parts = [frame for chunk in chunks for frame in chunk.frames]
    return b"".join(zstandard.decompress(part.data) if part.encoding else part.data for part in parts)


def keys(world: World) -> dict[str, str | None]:
    """The key of each project in the database."""
    with world.forge.database.opened() as database:
        return dict(database.execute("SELECT handle, cdn_key FROM projects_project"))


def test_public_objects_come_through_the_edge_and_private_ones_never(world: World, edge: Edge) -> None:
    known = keys(world)
    assert known["closed"] is None
    assert contents(world, world.open) == DATA
    asked = set(edge.asked)
    assert asked
    assert all(path.startswith(f"/{known['open']}/") for path in asked)
    assert not any("head" in path or "sessions" in path for path in asked)
    edge.asked.clear()
    assert contents(world, world.closed) == DATA
    assert edge.asked == []


@pytest.mark.parametrize("mood", ["broken", "short"])
def test_an_edge_that_fails_is_not_noticed(world: World, edge: Edge, mood: str) -> None:
    edge.mood = mood
    assert contents(world, world.open) == DATA
    assert edge.asked


def test_the_origin_serves_ranges_for_ever_and_nothing_else(world: World, edge: Edge) -> None:
    key = keys(world)["open"]
    contents(world, world.open)
    path = next(path for path in edge.asked if "landing-log/tail" in path)
    with httpx.Client(base_url=world.forge.base_url) as client:
        whole = client.get(f"/-/cdn{path}")
        assert whole.status_code == 200
        assert whole.content.startswith(b"MICE")
        assert whole.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert whole.headers["content-length"] == str(len(whole.content))
        part = client.get(f"/-/cdn{path}", headers={"Range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, whole.content[4:8])
        assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"
        beyond = client.get(f"/-/cdn{path}", headers={"Range": f"bytes={len(whole.content)}-"})
        assert beyond.status_code == 416
        assert client.head(f"/-/cdn{path}").headers["content-length"] == str(len(whole.content))
        tag = whole.headers["etag"]
        assert client.get(f"/-/cdn{path}", headers={"If-None-Match": tag}).status_code == 304
        other = client.get(f"/-/cdn{path}", headers={"Range": "bytes=4-7", "If-Range": '"other"'})
        assert (other.status_code, other.content) == (200, whole.content)
        nothing = client.get(f"/-/cdn/{'0' * 32}/{path.split('/', 2)[2]}")
        refused = [
            f"/-/cdn/{key}/head",
            f"/-/cdn/{key}/packs%2f..%2fhead",
            f"/-/cdn/{key}/packs/{'0' * 64}.pack",
            f"/-/cdn/{key}/",
            f"/-/cdn/{key}/%2e%2e/registry",
            f"/-/cdn/None/{path.split('/', 2)[2]}",
        ]
        for address in refused:
            answer = client.get(address)
            assert (answer.status_code, answer.text) == (404, nothing.text), address
        with world.forge.database.opened() as database:
            database.change("UPDATE projects_project SET visibility = 'private' WHERE handle = 'open'")
        private = client.get(f"/-/cdn{path}")
        assert (private.status_code, private.text) == (404, nothing.text)
        assert private.headers["cache-control"] == "no-store"
