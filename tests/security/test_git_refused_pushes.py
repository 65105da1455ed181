"""A push that is refused leaves refs, log, store and rows as they were, byte for byte, and says why in one line.

Packs that lie in every way of `fuzz.packs`, limits, connections that break, clients that say nothing, and many at once.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import random
import re
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from forge_process import Forge
from fuzz.packs import SHAPES, Shape, Story, framed, sound
from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World

ZERO = "0" * 40
# What tells of the asking and not of the project: when a token was used last, who is signed in, what the forge does by
# itself meanwhile.
# Nor what is found by: a thread follows the log with it, a moment later.
_OF_THE_ASKING = re.compile(r"token|session$|job|beacon|django_|cache|seen|sqlite_|search_")


class Place:
    """A forge of these tests alone with one project of two landings, and everything that it keeps."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.forge = Forge(folder / "data", MICELIO_LIMITS="off")
        self.world = World(self.forge)
        self.project: pb.ProjectRef = self.world.project()
        for number in range(2):
            self.world.land(self.world.rita, self.project, {b"f%d" % number: b"%d\n" % number})
        where = urlsplit(self.forge.base_url)
        self.address = (where.hostname or "", where.port or 0)
        self.path = f"/{self.project.organization}/{self.project.handle}"
        self.url = self.forge.base_url.replace("://", f"://x:{self.forge.token('max')}@") + self.path
        self.main = self.refs()["refs/heads/main"]
        self.before = self.kept()

    def end(self) -> None:
        self.world.close()
        self.forge.end()

    def refs(self) -> dict[str, str]:
        """What a client is shown, HEAD aside."""
        said = subprocess.run(["git", "ls-remote", self.url], capture_output=True, text=True, check=True).stdout
        return {name: oid for oid, _, name in (line.partition("\t") for line in said.splitlines()) if name != "HEAD"}

    def kept(self) -> tuple[dict[str, str], dict[str, str], dict[str, list[str]]]:
        """Refs; every file of the store by the hash of its bytes; every row that is the project's business."""
        store = self.forge.data_dir / "store"
        files = {
            str(path.relative_to(store)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(store.rglob("*"))
            if path.is_file()
        }
        with self.forge.database.opened() as rows:
            tables = [str(name) for (name,) in rows.execute(_TABLES[type(self.forge.database).__name__])]
            found = {
                name: sorted(map(repr, rows.execute(f'SELECT * FROM "{name}"')))
                for name in tables
                if _OF_THE_ASKING.search(name) is None
            }
        return self.refs(), files, found

    def post(self, body: bytes, **headers: str) -> tuple[int, bytes]:
        """Status and answer of a push."""
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        with contextlib.closing(connection):
            sent = {
                "Authorization": f"Bearer {self.forge.token('max')}",
                "Content-Type": "application/x-git-receive-pack-request",
                **headers,
            }
            connection.request("POST", f"{self.path}/git-receive-pack", body, sent)
            answer = connection.getresponse()
            return answer.status, answer.read()

    @contextlib.contextmanager
    def begun(
        self, size: int | None, service: str = "git-receive-pack", *, expect: bool = False
    ) -> Iterator[socket.socket]:
        """A connection with the headers of a request sent; its body is to have `size` bytes, None for chunks."""
        with socket.create_connection(self.address, timeout=60) as line:
            headers = {
                "Host": "forge",
                "Authorization": f"Bearer {self.forge.token('max')}",
                "Content-Type": f"application/x-{service}-request",
                **({"Transfer-Encoding": "chunked"} if size is None else {"Content-Length": str(size)}),
                **({"Expect": "100-continue"} if expect else {}),
            }
            said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            line.sendall(f"POST {self.path}/{service} HTTP/1.1\r\n{said}\r\n".encode())
            yield line


_TABLES = {
    "Sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    "Postgres": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("refused") / "forge")
    yield made
    made.end()


def push(tip: bytes, pack: bytes, old: str, ref: str = "refs/heads/main") -> bytes:
    """The body of a push of one ref."""
    command = f"{old} {tip.hex()} {ref}\0report-status".encode()
    return b"%04x" % (len(command) + 4) + command + b"0000" + pack


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_pack_that_lies(place: Place, shape: Shape) -> None:
    """Onto main and onto a branch: 200, one line that says why, and nothing has changed."""
    for ref, old, parent in (("refs/heads/main", place.main, place.main), ("refs/heads/x", ZERO, "")):
        pack, tip = shape(Story(random.Random(4), bytes.fromhex(parent)))
        status, said = place.post(push(tip, pack, old, ref))
        assert status == 200
        words = re.search(rb"ng %b ([^\n]+)\n" % ref.encode(), said)
        assert words is not None, said
        assert re.search(r"[A-Za-z ]{12,}", words[1].decode()), words[1]
        assert b"log says more" not in said
    assert place.kept() == place.before


def test_a_pack_is_larger_than_any(place: Place) -> None:
    """By what the request states, before a byte of it is read."""
    with place.begun(5 << 30) as line:
        assert line.recv(12) == b"HTTP/1.1 413"
    assert place.kept() == place.before


@pytest.mark.parametrize("how", ["stated", "chunked"])
def test_a_connection_that_breaks_off(place: Place, how: str) -> None:
    """In the middle of a pack: nothing has changed, and the next push of the same lands."""
    pack, tip = sound(Story(random.Random(5), bytes.fromhex(place.main)))
    body = push(tip, pack, ZERO, f"refs/heads/{how}")
    with place.begun(len(body) if how == "stated" else None) as line:
        half = body[: len(body) - 40]
        line.sendall(half if how == "stated" else b"%x\r\n" % len(half) + half + b"\r\n")
    assert place.kept() == place.before
    told = b"000eunpack ok\n%04xok refs/heads/%b\n0000" % (19 + len(how), how.encode())
    assert place.post(push(tip, pack, ZERO, f"refs/heads/{how}"))[1] == told
    assert place.refs()[f"refs/heads/{how}"] == tip.hex()
    assert place.post(push(bytes(20), b"", tip.hex(), f"refs/heads/{how}"))[1] == told
    place.before = place.kept()


def test_clients_that_send_nothing(place: Place) -> None:
    """More of them than there are places: whoever sends is answered meanwhile, a push and a clone."""
    with contextlib.ExitStack() as stack:
        for service, count in (("git-receive-pack", 20), ("git-upload-pack", 140)):
            for _ in range(count):
                stack.enter_context(place.begun(1000, service))
        pack, tip = SHAPES["no-tree"](Story(random.Random(6)))
        assert b"ng refs/heads/x " in place.post(push(tip, pack, ZERO, "refs/heads/x"))[1]
        assert place.refs() == place.before[0]
    assert place.kept() == place.before


def test_bodies_of_every_kind(place: Place) -> None:
    """Gzip, chunks, `Expect: 100-continue`, and a probe before: each is read whole, and refused for what it holds."""
    pack, tip = SHAPES["no-blob"](Story(random.Random(7)))
    body = push(tip, pack, ZERO, "refs/heads/x")
    assert place.post(b"0000") == (200, b"")
    zipped = place.post(gzip.compress(body), **{"Content-Encoding": "gzip"})
    for size in (None, len(body)):
        with place.begun(size, expect=True) as line:
            assert line.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"
            line.sendall(body if size else b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
            said = http.client.HTTPResponse(line)
            said.begin()
            assert (said.status, said.read()) == zipped
    assert b"was not sent" in zipped[1]
    assert place.kept() == place.before


def test_commands_that_are_refused(place: Place) -> None:
    """Names, old values, deletions and options that cannot be: one line for each ref, and nothing has changed."""
    main = place.main.encode()
    for command, words in (
        (b"%b %b refs/heads/none" % (b"0" * 40, b"0" * 40), b"there is no such ref to delete"),
        (b"%b %b refs/heads/none" % (main, b"0" * 40), b"fetch first"),
        (b"%b %b refs/heads/main" % (main, b"0" * 40), b"cannot be deleted"),
        (b"%b %b refs/heads/none" % (b"0" * 40, b"ab" * 20), b"was not sent|is not|not here"),
        (b"%b %b refs/landings/1" % (main, b"0" * 40), b"the forge's own"),
        (b"%b %b refs/heads/a..b" % (b"0" * 40, main), b"no name for a ref"),
        (b"%b %b HEAD" % (b"0" * 40, main), b"no name for a ref"),
        (b"%b %b refs/heads/main/x" % (b"0" * 40, main), b""),
    ):
        line = command + b"\0report-status"
        status, said = place.post(b"%04x" % (len(line) + 4) + line + b"0000" + framed([]))
        assert status == 200
        assert re.search(rb"ng [^ ]+ [^\n]*(?:" + words + rb")[^\n]*\n", said), (command, said)
    assert place.kept() == place.before


def test_twenty_pushes_at_once_beside_landings(place: Place, tmp_path: Path) -> None:
    """To main and to branches of their own, while mic lands: what git was told is so, and the project is sound."""
    clients = [GitClient(tmp_path / f"c{number}") for number in range(20)]
    for number, git in enumerate(clients):
        git("clone", "-q", place.url, ".")
        git("commit", "-q", "--allow-empty", "-m", f"of client {number}")
    landed = [0]
    with ThreadPoolExecutor(21) as pool:
        pushes = [
            pool.submit(git.run, "push", "--porcelain", "origin", "HEAD:main", f"HEAD:refs/heads/b{number}")
            for number, git in enumerate(clients)
        ]
        for number in range(5):
            place.world.land(place.world.rita, place.project, {b"beside%d" % number: b"x\n"})
            landed[0] += 1
        told = [push.result().stdout.decode() for push in pushes]
    refs = place.refs()
    mains = 0
    for number, (git, said) in enumerate(zip(clients, told, strict=True)):
        tip = git("rev-parse", "HEAD")
        assert re.search(rf"^\*\tHEAD:refs/heads/b{number}\t\[new branch\]", said, re.M), said
        assert refs[f"refs/heads/b{number}"] == tip
        moved = re.search(r"^ \tHEAD:refs/heads/main\t", said, re.M) is not None
        mains += moved
        assert moved or re.search(r"^!\tHEAD:refs/heads/main\t.*fetch first", said, re.M), said
    listed = place.world.nobody("SessionService.ListLandings", pb.ListLandingsRequest(project=place.project)).landings
    assert len(listed) == 2 + landed[0] + mains
    assert mains <= 1
    clone = GitClient(tmp_path / "clone")
    clone("clone", "-q", "--mirror", place.url, ".")
    clone("fsck", "--full", "--strict")
    assert clone("rev-list", "--count", "main") == str(len(listed))
    assert "sound" in place.forge.run("verify")
    place.main, place.before = refs["refs/heads/main"], place.kept()
