"""Landing and pages: time in the forge."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import statistics
import time
import urllib.parse
from pathlib import Path

import grpc

from bench.client import MIC, environment
from bench.corpora import make_repository, path_of
from bench.measure import Row, ms, p95, run
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc
from mic.store import DirectoryStore

ROUNDS = 40


def bench_landing(forge: Forge, home: Path) -> list[Row]:
    """Landing ten files into projects of 1,000 and 100,000 files, over what the store's own flushes cost."""
    env = environment(forge, home)
    channel = grpc.insecure_channel(forge.grpc_address)
    taken = {}
    for files in (1000, 100_000):
        source = make_repository(home / f"land{files}.git", files, 1, lines=4)
        run([MIC, "import", "git", str(source), f"bench/land{files}"], env)
        taken[files] = _land(forge, channel, f"land{files}", files)
    flush = _flush_cost(forge.data_dir / "store-probe")
    channel.close()
    over = {files: seconds - flush for files, seconds in taken.items()}
    ratio = over[100_000] / over[1000]
    return [
        Row(
            "landing 10 files into 100,000", ms(taken[100_000]), f"the store's flushes {ms(flush)}",
            f"{ms(over[100_000])} over them", "<= 30 ms", over[100_000] <= 0.030,
        ),
        Row(
            "the same into 1,000 files", ms(taken[1000]), "", f"100,000 takes {ratio:.2f}x", "<= 1.5x", ratio <= 1.5,
        ),
    ]  # fmt: skip


def _land(forge: Forge, channel: grpc.Channel, name: str, files: int) -> float:
    """Median seconds of a LandSession call, the client's side of the wire included."""
    metadata = [("authorization", f"Bearer {forge.token('admin')}")]
    ref = pb.ProjectRef(organization="bench", handle=name)
    projects = mic_pb2_grpc.ProjectServiceStub(channel)
    sessions = mic_pb2_grpc.SessionServiceStub(channel)
    head = projects.GetProject(pb.GetProjectRequest(project=ref), metadata=metadata).project.head_position
    known: dict[bytes, bytes] = {}
    token = ""
    while True:
        page = projects.GetProjectTree(
            pb.GetProjectTreeRequest(project=ref, head=True, page_size=10_000, page_token=token), metadata=metadata
        )
        known |= {path: page.hashes[at * 32 : at * 32 + 32] for at, path in enumerate(page.paths)}
        token = page.next_page_token
        if not token:
            break
    times = []
    for number in range(ROUNDS):
        paths = sorted(path_of((number * 7919 + step * (files // 10)) % files) for step in range(10))
        contents = {path: b"%s %d\n" % (path, number) * 20 for path in paths}
        request = pb.LandSessionRequest(project=ref)
        request.session.CopyFrom(pb.Session(id=os.urandom(16), goal=f"Round {number}", base_position=head + number))
        for path, data in contents.items():
            digest = hashlib.sha256(data).digest()
            request.frames.add(hash=digest, size=len(data), length=len(data), data=data)
            request.session.changes.add(
                path=path, op=pb.Change.MODIFIED, mode=0o100644, hash=digest, size=len(data),
                base_hash=known[path], base_mode=0o100644,
            )  # fmt: skip
            known[path] = digest
        start = time.perf_counter()
        answer = sessions.LandSession(request, metadata=metadata)
        times.append(time.perf_counter() - start)
        assert answer.position == head + number + 1, answer
    return statistics.median(times[5:])


def _flush_cost(folder: Path) -> float:
    """Median seconds of the two writes that a landing cannot do without: create the epoch, swap the head."""
    store = DirectoryStore(folder)
    store.put("head", bytes(48))
    times = []
    for number in range(ROUNDS):
        tag = store.get("head").tag
        data = os.urandom(60_000)
        start = time.perf_counter()
        store.put_new(f"landing-log/tail/{number}", data)
        store.put_if("head", number.to_bytes(48, "big"), tag)
        times.append(time.perf_counter() - start)
    return statistics.median(times[5:])


def bench_pages(forge: Forge) -> list[Row]:
    """Server time of warm pages, as the Server-Timing header tells it, and their weight on the wire."""
    host = urllib.parse.urlsplit(forge.base_url).netloc
    connection = http.client.HTTPConnection(host)
    rows = []
    pages = {
        "home": "/",
        "project": "/micelio/micelio",
        "file": "/micelio/micelio/-/file/head/README.md",
        "landings": "/micelio/micelio/-/landings",
        "session": "/micelio/micelio/-/landings/1",
    }
    style = 0
    for name, path in pages.items():
        times, weight = [], 0
        for number in range(120):
            connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Accept": "text/html"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, (path, answer.status)
            found = re.search(r"total;dur=([\d.]+)", answer.headers.get("Server-Timing", ""))
            assert found, answer.headers
            if number >= 20:
                times.append(float(found[1]) / 1000)
            weight = len(body)
        if not style:
            style = _stylesheet(connection)
        slow = p95(times)
        rows.append(
            Row(
                f"page: {name}, p95 of 100 warm",
                ms(slow),
                f"{(weight + style) / 1024:.1f} KiB cold",
                ms(slow),
                "<= 50 ms",
                slow <= 0.050,
            )
        )
    connection.close()
    return rows


def _stylesheet(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/")
    page = connection.getresponse().read().decode()
    found = re.search(r'<link rel="stylesheet" href="([^"]+)"', page)
    assert found
    connection.request("GET", found[1], headers={"Accept-Encoding": "gzip"})
    return len(connection.getresponse().read())
