"""Landings a second on one project through eight front ends, on stores that behave as buckets do from afar.

The store is simulated, the rest is real: each front end is a process with its own `Project`, driver, threads, beacons
and callers, and forwarding goes through sockets. The store is a process too, which all reach through sockets. A request
takes 60 ms; one key takes so many writes a second, and a swap that comes too early waits as the S3 adapter does on a
429. A store with one write a second gets commit points instead of a head, as the doctor orders. Callers come when
their time has come, whether or not those before have their answer.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Client, Connection, Listener
from multiprocessing.managers import BaseManager
from typing import Any, NamedTuple

from bench.measure import Row, ms
from mic.core.blob import encode_blob
from mic.core.errors import AlreadyExists, MicError, NotFound, PreconditionFailed
from mic.core.ids import content_hash
from mic.core.session import Change, Op, Session
from mic.ledger.effects import Forward
from mic.ledger.forwarded import decode_landings, decode_outcomes, encode_landings, encode_outcomes
from mic.ledger.front_ends import FrontEnds
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.request import LandRequest
from mic.store import Listed, MemoryStore, Tagged

FRONT_ENDS = 8
FAR = 0.06
# Callers of one front end that may be waiting at once.
THREADS = 100
# From when all are ready until the first landing is due.
HEAD_START = 1.0
_ERRORS = {error.__name__: error for error in (AlreadyExists, NotFound, PreconditionFailed)}


class Bucket:
    """The store's process. `pace` is the least time between two swaps of one key."""

    def __init__(self) -> None:
        self._store = MemoryStore()
        self._counting = threading.Lock()
        self._next: dict[str, float] = {}
        self._counts = {"writes": 0, "swaps": 0, "lost": 0}

    def ask(self, method: str, key: str, *rest: Any) -> tuple[str, Any]:
        """The name of an error, or "", and the answer."""
        commits = method == "put_new" and "/landing-log/seq/" in key
        with self._counting:
            self._counts["writes"] += method.startswith("put")
            self._counts["swaps"] += commits or method == "put_if"
        try:
            found = getattr(self._store, method)(key, *rest)
        except MicError as error:
            with self._counting:
                self._counts["lost"] += commits or method == "put_if"
            return type(error).__name__, str(error)
        return "", list(found) if method == "list" else found

    def wait(self, key: str, pace: float) -> float:
        """How many seconds a swap that arrives now must wait for its turn."""
        with self._counting:
            now = time.monotonic()
            arrives = max(now, self._next.get(key, 0.0))
            self._next[key] = arrives + pace
        return arrives - now

    def counts(self, clear: bool) -> dict[str, int]:
        """Writes, swaps and those of them that were lost."""
        with self._counting:
            found = dict(self._counts)
            if clear:
                self._counts = dict.fromkeys(self._counts, 0)
        return found


class _Manager(BaseManager):
    pass


_BUCKET: list[Bucket] = []


def _bucket() -> Bucket:
    if not _BUCKET:
        _BUCKET.append(Bucket())
    return _BUCKET[0]


_Manager.register("bucket", _bucket, exposed=("ask", "wait", "counts"))


class Far:
    """The store as a front end sees it: 60 ms for each request."""

    def __init__(self, bucket: Any, pace: float) -> None:
        self._bucket, self._pace = bucket, pace

    def _ask(self, method: str, key: str, *rest: Any) -> Any:
        time.sleep(FAR / 2)
        if method == "put_if" and (wait := self._bucket.wait(key, self._pace)) > 0:
            time.sleep(wait)
        error, found = self._bucket.ask(method, key, *rest)
        time.sleep(FAR / 2)
        if error:
            raise _ERRORS[error](found)
        return found

    def get(self, key: str) -> Tagged:
        return self._ask("get", key)  # type: ignore[no-any-return]

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self._ask("get_range", key, start, length)  # type: ignore[no-any-return]

    def put(self, key: str, data: bytes) -> None:
        self._ask("put", key, data)

    def put_new(self, key: str, data: bytes) -> None:
        self._ask("put_new", key, data)

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        return self._ask("put_if", key, data, tag)  # type: ignore[no-any-return]

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        return iter(self._ask("list", prefix, start_after))

    def delete(self, key: str) -> None:
        self._ask("delete", key)


class Ran(NamedTuple):
    """What a run gave. `cpu` is of all front ends and their callers, `busiest` of the front end that took most."""

    rate: float
    latencies: list[float]
    cpu: float
    busiest: float
    writes: float  # requests that write, a landing
    lost: float  # swaps, of all
    epochs: int


class Offer(NamedTuple):
    """What is asked of a run: landings a second, for so many seconds, through so many front ends."""

    pace: float
    rate: float
    seconds: float
    fronts: int


def _front_end(number: int, offer: Offer, store: Any, parent: Connection) -> None:
    """A front end, from its start to its end; what it is told and tells goes through `parent`."""
    manager = _Manager(store, b"bench")
    manager.connect()
    ledger = Ledger(Far(manager.bucket(), offer.pace), parallel=16, sequenced=offer.pace >= 1)  # type: ignore[attr-defined]
    project = ledger.open("p")
    listener = Listener(("127.0.0.1", 0), backlog=64, authkey=None)
    threading.Thread(target=_serve, args=(listener, ledger), daemon=True).start()
    parent.send(listener.address)
    addresses = parent.recv()
    ends = ledger.driver.front_ends = FrontEnds(bytes([number]) * 16, f"10.0.0.{number + 1}:4001")
    ledger.driver.call = _caller(addresses)
    if number == 0:
        project.create()
    for _ in range(2):
        ledger.driver.run(ends.beat())
        parent.send("beat")
        parent.recv()
    if number == 0:
        for warm in range(3):
            project.land(request(10_000_000 + warm))
    project.head()
    parent.send("ready")
    begin = parent.recv()
    threading.Thread(target=_beat, args=(ledger, ends), daemon=True).start()
    cpu = time.process_time()
    times = _land(project, offer, number, begin)
    parent.send((times, time.monotonic(), time.process_time() - cpu))
    parent.recv()  # others may forward until all have their answers


def _land(project: Project, offer: Offer, number: int, begin: float) -> list[float]:
    """Callers of one front end, each at its time; what is late counts from when it should have come."""
    mine = range(number, int(offer.rate * offer.seconds), offer.fronts)
    wishes = [request(at + 1) for at in mine]
    times = [0.0] * len(wishes)

    def one(at: int, due: float) -> None:
        project.land(wishes[at])
        times[at] = time.monotonic() - due

    with ThreadPoolExecutor(THREADS * FRONT_ENDS // offer.fronts) as threads:
        for at, overall in enumerate(mine):
            due = begin + overall / offer.rate
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            threads.submit(one, at, due)
    assert all(times)
    return times


def _serve(listener: Listener, ledger: Ledger) -> None:
    while True:
        threading.Thread(target=_answer, args=(listener.accept(), ledger), daemon=True).start()


def _answer(caller: Connection, ledger: Ledger) -> None:
    with contextlib.suppress(EOFError, OSError):  # the other one has ended
        while True:
            came = decode_landings(caller.recv_bytes())
            caller.send_bytes(encode_outcomes(ledger.open(came.project).land_forwarded(came.requests)))


def _caller(addresses: Sequence[Any]) -> Any:
    """Calls another front end, each thread through a connection of its own."""
    local = threading.local()

    def call(wanted: Forward) -> object:
        number = int(wanted.address.split(":")[0].split(".")[3]) - 1
        known: dict[int, Connection] = local.__dict__.setdefault("known", {})
        if number not in known:
            known[number] = Client(addresses[number])
        known[number].send_bytes(encode_landings(wanted.project, wanted.address, wanted.requests))
        return decode_outcomes(known[number].recv_bytes())

    return call


def _beat(ledger: Ledger, ends: FrontEnds) -> None:
    while True:
        time.sleep(2.0)
        ledger.driver.run(ends.beat())


def request(number: int) -> LandRequest:
    """A session that adds one small file, on an old base."""
    data = b"file %d\n" % number * 8
    path = b"src/%02x/%d.txt" % (number * 37 & 255, number)
    change = Change(path, int(Op.ADDED), 0o100644, content_hash(data), len(data))
    session = Session(number.to_bytes(16, "big"), f"Goal {number}", base_position=0, changes=(change,))
    return LandRequest(session, {change.hash: encode_blob(data)})


def offered(pace: float, rate: float, seconds: float, count: int = FRONT_ENDS) -> Ran:
    """Callers at a rate, spread over all front ends."""
    offer = Offer(pace, rate, seconds, count)
    spawn = multiprocessing.get_context("spawn")
    manager = _Manager(("127.0.0.1", 0), b"bench", ctx=spawn)
    manager.start()
    pipes, processes = [], []
    for number in range(count):
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_front_end, args=(number, offer, manager.address, theirs), daemon=True)
        process.start()
        pipes.append(ours)
        processes.append(process)
    addresses = [pipe.recv() for pipe in pipes]
    _tell(pipes, addresses)
    for _ in range(2):
        assert [pipe.recv() for pipe in pipes] == ["beat"] * count
        _tell(pipes, None)
    assert [pipe.recv() for pipe in pipes] == ["ready"] * count
    bucket = manager.bucket()  # type: ignore[attr-defined]
    bucket.counts(True)
    begin = time.monotonic() + HEAD_START
    _tell(pipes, begin)
    found = [pipe.recv() for pipe in pipes]
    counts = bucket.counts(False)
    project = Ledger(Far(bucket, pace), sequenced=pace >= 1).open("p")
    landed = project.head().position - 3
    _tell(pipes, None)
    for process in processes:
        process.join()
    manager.shutdown()
    times = sorted(each for mine, _, _ in found for each in mine)
    assert landed == len(times) == int(rate * seconds), (landed, len(times))
    cpu = [spent for _, _, spent in found]
    return Ran(
        landed / (max(ended for _, ended, _ in found) - begin), times, sum(cpu) / landed, max(cpu) / landed,
        counts["writes"] / landed, counts["lost"] / max(counts["swaps"], 1), counts["swaps"],
    )  # fmt: skip


def _tell(pipes: Sequence[Connection], what: object) -> None:
    for pipe in pipes:
        pipe.send(what)


def at(times: list[float], share: float) -> float:
    """A quantile."""
    return times[min(int(len(times) * share), len(times) - 1)]


def rows() -> Iterator[Row]:
    """S3, a store with one write a second, and a lone caller."""
    for name, pace, rate, seconds, asked, worst in (
        ("S3 (60 ms, 15 swaps a second on a key)", 1 / 15, 1000.0, 10.0, 1000, 0.3),
        ("one write a second on a key", 1.0, 250.0, 12.0, 200, 2.5),
    ):
        ran = offered(pace, rate, seconds)
        p99 = at(ran.latencies, 0.99)
        yield Row(
            f"{rate:,.0f} landings/s offered through {FRONT_ENDS} front ends, {name}",
            f"{ran.rate:,.0f}/s, p50 {ms(at(ran.latencies, 0.5))}, p99 {ms(p99)}, {ran.epochs} swaps",
            f"{ms(ran.cpu)} of one core each, callers included; {ms(ran.busiest)} in the front end that lands",
            f"{ran.lost:.1%} of the swaps lost",
            f">= {asked:,}/s, p99 <= {ms(worst)}, < 5 % lost",
            ran.rate >= asked * 0.97 and p99 <= worst and ran.lost < 0.05,
        )
    alone, some = offered(1 / 15, 4.0, 4.0, 1), offered(1 / 15, 58.0, 6.0)
    yield Row(
        "Requests that write, a landing", f"{alone.writes:.2f} alone", "",
        f"{some.writes:.2f} at 58 landings/s through {FRONT_ENDS}", "<= 3 alone, <= 0.4 at 58/s",
        alone.writes <= 3 and some.writes <= 0.4,
    )  # fmt: skip
