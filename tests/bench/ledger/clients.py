"""How many clients can be connected at once: each with a connection of its own, landing now and then.

At each level all connect, land at a steady rate together, and then all land at the same moment. Levels rise until a
call fails or latency breaks. Afterwards the forge must be as it was: what was
acknowledged is there, descriptors are back.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import grpc.aio

from bench.client import MIC, environment
from bench.measure import Row, ms, p95, resident, run
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc
from rpc_world import Caller

LEVELS = (100, 1_000, 4_000, 16_000)
PROCESSES = 2
RATE = 40  # landings a second, of all together
SECONDS = 8.0
MOST = 1.0  # second; above it the median of the steady rate has broken
REF = pb.ProjectRef(organization="bench", handle="busy")


class _Level(NamedTuple):
    clients: int
    connected: float  # seconds until all were
    steady: list[float]  # seconds of each landing
    storm: float  # seconds until the last of all at once had its answer
    failed: Counter[str]
    landed: int
    descriptors: int
    memory: int


def rows() -> Iterator[Row]:
    """The highest level that stood, what it cost, and the forge afterwards."""
    home = Path(tempfile.mkdtemp(prefix="micelio-bench-"))
    forge = Forge(home / "data")
    try:
        env = environment(forge, home)
        run([MIC, "org", "create", "bench"], env)
        run([MIC, "project", "create", "bench/busy"], env)
        before = _descriptors(forge)
        levels: list[_Level] = []
        for clients in LEVELS:
            levels.append(_level(forge, clients))
            yield _row(levels)
            if levels[-1].failed or _median(levels[-1]) > MOST:
                break
        yield _afterwards(forge, levels, before)
    finally:
        forge.stop()
        shutil.rmtree(home, ignore_errors=True)


def _median(level: _Level) -> float:
    return sorted(level.steady)[len(level.steady) // 2]


def _row(levels: list[_Level]) -> Row:
    level, first = levels[-1], levels[0]
    failed = ", ".join(f"{count} {what}" for what, count in level.failed.most_common(3)) or "none failed"
    return Row(
        f"{level.clients:,} clients connected in {level.connected:.1f} s; {RATE} landings/s of all together",
        f"p50 {ms(_median(level))}, p95 {ms(p95(level.steady))}",
        f"{first.clients} clients: p50 {ms(_median(first))}, p95 {ms(p95(first.steady))}",
        f"{failed}; all at once: {level.storm:.1f} s; {level.descriptors:,} descriptors, {level.memory >> 20} MiB",
        "",
        None,
    )


def _afterwards(forge: Forge, levels: list[_Level], before: int) -> Row:
    """Whether the forge is well when all have gone, and knows every landing that it acknowledged."""
    with Caller(forge.grpc_address, forge.token("admin")) as caller:
        answer = caller("ProjectService.GetProject", pb.GetProjectRequest(project=REF))
        for _ in range(100):
            if _descriptors(forge) <= before + 400:  # the pools' own
                break
            caller("ProjectService.GetProject", pb.GetProjectRequest(project=REF))
    landed, failed = sum(level.landed for level in levels), sum(sum(level.failed.values()) for level in levels)
    head = answer.project.head_position
    stood = [level.clients for level in levels if not level.failed]
    # A call that failed may have landed; none that was acknowledged is missing.
    well = landed <= head <= landed + failed and forge.process.poll() is None
    return Row(
        "the most clients without a failure", f"{max(stood, default=0):,}",
        f"{landed:,} landings acknowledged, head @{head:,}",
        f"{_descriptors(forge)} descriptors when they had gone, {before} before they came", "none lost", well,
    )  # fmt: skip


def _descriptors(forge: Forge) -> int:
    return len(os.listdir(f"/proc/{forge.process.pid}/fd"))


def _level(forge: Forge, clients: int) -> _Level:
    tests = Path(__file__).parents[2]
    paths = os.pathsep.join((str(tests), str(tests.parent / "src")))
    command = [sys.executable, "-m", "bench.ledger.clients", forge.grpc_address, forge.token("admin")]
    start = time.perf_counter()
    running = [
        subprocess.Popen(
            [*command, str(clients // PROCESSES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        for _ in range(PROCESSES)
    ]

    def all_do(what: str) -> list[dict[str, Any]]:
        for process in running:
            assert process.stdin is not None
            process.stdin.write(what + "\n")
            process.stdin.flush()
        said = [process.stdout.readline() for process in running if process.stdout is not None]
        return [json.loads(line) for line in said]

    try:
        opened = all_do("connect")
        connected = time.perf_counter() - start
        steady = all_do("steady")
        start = time.perf_counter()
        stormed = all_do("storm")
        storm = time.perf_counter() - start
        descriptors, memory = _descriptors(forge), resident(forge.process.pid)
    finally:
        for process in running:
            process.communicate()
    failed: Counter[str] = Counter()
    for one in (*opened, *steady, *stormed):
        failed.update(one["failed"])
    times = [seconds for one in steady for seconds in one["times"]]
    landed = sum(len(one["times"]) for one in (*steady, *stormed))
    return _Level(clients, connected, times, storm, failed, landed, descriptors, memory)


class _Clients:
    """The clients of one process, each with a channel of its own."""

    def __init__(self, address: str, token: str, count: int) -> None:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
        self.channels = [grpc.aio.insecure_channel(address, options) for _ in range(count)]
        self.metadata = (("authorization", f"Bearer {token}"),)
        self.base = 0
        self.times: list[float] = []
        self.failed: Counter[str] = Counter()

    def told(self) -> str:
        said = json.dumps({"times": self.times, "failed": self.failed})
        self.times, self.failed = [], Counter()
        return said

    async def connect(self) -> None:
        """Every one its first call, a hundred at a time."""
        few = asyncio.Semaphore(100)

        async def one(channel: grpc.aio.Channel) -> None:
            async with few:
                try:
                    stub = mic_pb2_grpc.ProjectServiceStub(channel)
                    asked = pb.GetProjectRequest(project=REF)
                    answer = await stub.GetProject(asked, metadata=self.metadata, timeout=30, wait_for_ready=True)
                    self.base = answer.project.head_position
                except grpc.aio.AioRpcError as error:
                    self.failed[f"could not connect: {error.code().name}"] += 1

        await asyncio.gather(*map(one, self.channels))

    async def steady(self) -> None:
        """Landings at a steady rate, whoever's turn it is."""
        tasks = []
        start = time.perf_counter()
        number = 0
        while (now := time.perf_counter() - start) < SECONDS:
            while number < now * RATE / PROCESSES:
                tasks.append(asyncio.create_task(self.land(random.choice(self.channels), 30)))
                number += 1
            await asyncio.sleep(0.01)
        await asyncio.gather(*tasks)

    async def storm(self) -> None:
        """All at the same moment."""
        await asyncio.gather(*(self.land(channel, 120) for channel in self.channels))

    async def land(self, channel: grpc.aio.Channel, seconds: float) -> None:
        name = os.urandom(8).hex().encode()
        path, data = b"src/%s/%s.txt" % (name[:2], name), name * 40
        digest = hashlib.sha256(data).digest()
        request = pb.LandSessionRequest(project=REF)
        request.session.CopyFrom(pb.Session(id=os.urandom(16), goal="Now and then", base_position=self.base))
        request.frames.add(hash=digest, size=len(data), length=len(data), data=data)
        request.session.changes.add(path=path, op=pb.Change.ADDED, mode=0o100644, hash=digest, size=len(data))
        start = time.perf_counter()
        stub = mic_pb2_grpc.SessionServiceStub(channel)
        try:
            answer = await stub.LandSession(request, metadata=self.metadata, timeout=seconds)
        except grpc.aio.AioRpcError as error:
            code = dict(error.trailing_metadata() or ()).get("mic-error-code", "")
            self.failed[f"{error.code().name} {code}".strip()] += 1
        else:
            self.times.append(time.perf_counter() - start)
            self.base = max(self.base, answer.position)

    async def obey(self) -> None:
        """One line of input, one act, one line of output."""
        loop = asyncio.get_running_loop()
        while what := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            await getattr(self, what)()
            print(self.told(), flush=True)
        await asyncio.gather(*(channel.close() for channel in self.channels))


async def _main(address: str, token: str, count: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    await _Clients(address, token, count).obey()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
