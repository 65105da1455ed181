"""Everything that people do to a forge, at once and for a while; says in JSON how often each went as it should.

Run as `python -m bench.soak.load SECONDS BASE_URL GRPC_ADDRESS TOKEN`.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import random
import socket
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator

import grpc

from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, Refused, added, frame, history, landing, upload

FILES = 300  # of the project that is cloned
BURST = 96  # calls at once at the start: pools are full before anything is judged


class Load:
    """One forge and the organization `soak` in it; every method named in `WORK` is one act of one kind."""

    def __init__(self, base_url: str, address: str, token: str) -> None:
        self.base_url, self.address, self.token = urllib.parse.urlsplit(base_url), address, token
        self.done: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.caller = Caller(address, token)
        self.names = itertools.count()
        self.caller("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle="soak"))
        self.busy, self.edits, self.stock = (self._project(name) for name in ("busy", "edits", "stock"))
        self.caller("SessionService.LandSession", self._wish(self.edits, b"same.txt"))
        list(self.caller("ProjectService.ImportHistory", history(self.stock, FILES)))
        self.base = 0

    def _project(self, handle: str) -> pb.ProjectRef:
        request = pb.CreateProjectRequest(organization="soak", handle=handle, visibility="public")
        self.caller("ProjectService.CreateProject", request)
        return pb.ProjectRef(organization="soak", handle=handle)

    def _wish(self, project: pb.ProjectRef, *paths: bytes, base: int = 0) -> pb.LandSessionRequest:
        files = {path: os.urandom(8).hex().encode() * 60 for path in paths}
        return landing(project, files, id=os.urandom(16), base_position=base, goal="Change what is asked for")

    def _fresh(self) -> list[bytes]:
        return [b"src/%02x/%s.txt" % (random.randrange(64), os.urandom(8).hex().encode()) for _ in range(2)]

    # ------------------------------------------------------------ what goes well

    def land(self) -> None:
        """Land two new files; the position is kept to compare with at the end."""
        answer = self.caller("SessionService.LandSession", self._wish(self.busy, *self._fresh(), base=self.base))
        assert answer.position > 0
        self.base = max(self.base, answer.position)

    def land_later(self) -> None:
        """Have it accepted, and wait for the position."""
        wish = self._wish(self.busy, *self._fresh(), base=self.base)
        wish.asynchronous = True
        assert self.caller("SessionService.LandSession", wish).queued
        asked = pb.AwaitLandingRequest(project=self.busy, session_id=wish.session.id, wait_ms=10_000)
        assert self.caller("SessionService.AwaitLanding", asked).position

    def clash(self) -> None:
        """Add a file that is there with other bytes: a conflicted session is kept."""
        assert self.caller("SessionService.LandSession", self._wish(self.edits, b"same.txt")).clashes

    def sessions(self) -> None:
        """Open a session, look at it, give it up."""
        opened = self.caller("SessionService.StartSession", pb.StartSessionRequest(project=self.edits, goal="Try"))
        asked = pb.GetSessionRequest(project=self.edits, session_id=opened.session.id)
        assert self.caller("SessionService.GetSession", asked).session.state == "active"
        self.caller(
            "SessionService.AbandonSession",
            pb.AbandonSessionRequest(project=self.edits, session_id=opened.session.id),
        )

    def lists(self) -> None:
        """First and deep pages of everything that is listed."""
        self.caller("ProjectService.ListProjects", pb.ListProjectsRequest(organization="soak"))
        for before in (0, self.base // 2):
            asked = pb.ListLandingsRequest(project=self.busy, before_position=before, page_size=50)
            self.caller("SessionService.ListLandings", asked)
        self.caller("SessionService.ListSessions", pb.ListSessionsRequest(project=self.edits, page_size=100))

    def clone(self) -> None:
        """The tree and all contents of a project, as `mic clone` asks for them."""
        tree = self.caller("ProjectService.GetProjectTree", pb.GetProjectTreeRequest(project=self.stock))
        found = self.caller("ProjectService.StreamBlobs", pb.StreamBlobsRequest(project=self.stock, hashes=tree.hashes))
        assert sum(len(chunk.frames) for chunk in found) == len(tree.paths) == FILES

    def take_in(self) -> None:
        """Import a history into a new project, and delete it."""
        project = self._project(f"made{next(self.names)}")
        answers = self.caller("ProjectService.ImportHistory", history(project, 40))
        assert answers[-1].position == 40
        self.caller("ProjectService.DeleteProject", pb.DeleteProjectRequest(project=project))

    def pages(self) -> None:
        """One page of each kind, on one connection."""
        web = http.client.HTTPConnection(self.base_url.hostname or "", self.base_url.port, timeout=30)
        at = max(1, self.base - random.randrange(50))
        with contextlib.closing(web):
            for path in (
                "/soak/busy", "/soak/busy/-/landings", f"/soak/busy/-/landings/{at}", "/soak/edits/-/sessions",
                "/soak/stock", "/soak/stock/-/file/head/f1.txt", "/soak/stock/-/raw/head/f2.txt",
            ):  # fmt: skip
                web.request("GET", path, headers={"Accept-Encoding": "gzip"})
                answer = web.getresponse()
                answer.read()
                assert answer.status == 200, f"{path}: {answer.status}"

    # ------------------------------------------------------------ what does not

    def refused(self) -> None:
        """Calls that must fail, each with its own code."""
        absent = pb.ProjectRef(organization="soak", handle="absent")
        wish = self._wish(self.busy)
        wish.session.changes.append(added(b"../out.txt", b"x"))
        wish.frames.append(frame(b"x"))
        unknown = pb.StreamBlobsRequest(project=self.stock, hashes=bytes(32))
        with Caller(self.address, "no-token-of-ours") as stranger:
            said = [
                stranger.refused("ProjectService.ListProjects", pb.ListProjectsRequest()),
                self.caller.refused("ProjectService.GetProject", pb.GetProjectRequest(project=absent)),
                self.caller.refused("SessionService.LandSession", wish),
                self.caller.refused("ProjectService.StreamBlobs", unknown),
            ]
        codes = [one.code for one in said]
        assert codes == ["unauthenticated", "not_found", "invalid_path", "invalid_input"], codes

    def cancelled(self) -> None:
        """Calls that are given up half-way. Whether a landing was, nobody can say, so it has a project of its own."""
        tree = self.caller("ProjectService.GetProjectTree", pb.GetProjectTreeRequest(project=self.stock))
        stream = self.caller.start(
            "ProjectService.StreamBlobs", pb.StreamBlobsRequest(project=self.stock, hashes=tree.hashes * 20)
        )
        next(iter(stream))
        stream.cancel()
        self.caller.start("SessionService.LandSession", self._wish(self.edits, *self._fresh())).cancel()
        with contextlib.suppress(Refused, grpc.RpcError):
            self.caller.start("SessionService.LandSession", self._wish(self.edits, *self._fresh()), 0.003).result()

    def disconnected(self) -> None:
        """Clients that are gone in the middle of an upload, a download, a request, a handshake."""

        def half() -> Iterator[pb.UploadBlobsRequest]:
            yield from upload(self.edits, [frame(os.urandom(1000))])
            begun.set()
            closed.wait(10)

        begun, closed = threading.Event(), threading.Event()
        gone = Caller(self.address, self.token)
        call = gone.start("ProjectService.UploadBlobs", half())
        begun.wait(10)
        gone.__exit__()
        closed.set()
        with contextlib.suppress(grpc.RpcError, grpc.FutureCancelledError):
            call.result()
        web = (self.base_url.hostname or "", self.base_url.port or 0)
        host, _, port = self.address.rpartition(":")
        begun_requests = ((web, b"GET /soak/busy HTTP/1.1\r\nHost: localhost\r\n"), (web, b""), (web, b"\x16\x03\x01"))
        begun_requests += (((host, int(port)), b"PRI * HTTP/2.0\r\n\r\nSM\r\n"), ((host, int(port)), b"GET / HTTP/1"))
        for address, said in begun_requests:
            with socket.create_connection(address, timeout=10) as connection:
                connection.sendall(said)


# An act, how many do it, and how many seconds they pause after each.
WORK: tuple[tuple[str, int, float], ...] = (
    ("land", 4, 0.2), ("land_later", 1, 0.5), ("clash", 1, 1.0), ("sessions", 1, 0.5), ("lists", 1, 0.3),
    ("clone", 1, 2.0), ("take_in", 1, 15.0), ("pages", 2, 0.5), ("refused", 1, 0.5), ("cancelled", 1, 0.5),
    ("disconnected", 1, 0.5),
)  # fmt: skip


def burst(load: Load) -> None:
    """Many landings at once, so that every pool has all its threads and they their connections."""
    many = [Caller(load.address, load.token) for _ in range(BURST)]
    for _ in range(3):
        calls = [one.start("SessionService.LandSession", load._wish(load.edits, *load._fresh())) for one in many]
        for call in calls:
            assert call.result().position
    for one in many:
        one.__exit__()


def main(seconds: float, base_url: str, address: str, token: str) -> None:
    """Work until the time is over, then say what was done and what went wrong."""
    load = Load(base_url, address, token)
    burst(load)
    end = time.monotonic() + seconds
    over, counting = threading.Event(), threading.Lock()

    def work(name: str, act: Callable[[], None], pause: float) -> None:
        while not over.wait(random.uniform(0, 2 * pause)):
            try:
                act()
            except Exception as error:
                with counting:
                    load.wrong[f"{name}: {type(error).__name__}: {str(error)[:200]}"] += 1
            else:
                with counting:
                    load.done[name] += 1

    threads = [
        threading.Thread(target=work, args=(name, getattr(load, name), pause))
        for name, many, pause in WORK
        for _ in range(many)
    ]
    for thread in threads:
        thread.start()
    over.wait(max(0.0, end - time.monotonic()))
    over.set()
    for thread in threads:
        thread.join()
    head = load.caller("ProjectService.GetProject", pb.GetProjectRequest(project=load.busy)).project.head_position
    acknowledged = load.done["land"] + load.done["land_later"]
    print(json.dumps({"done": load.done, "wrong": load.wrong, "acknowledged": acknowledged, "head": head}))


if __name__ == "__main__":
    main(float(sys.argv[1]), *sys.argv[2:5])
