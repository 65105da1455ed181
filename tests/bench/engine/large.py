"""Large files: cutting and hashing, what an edit sends, and memory in both directions."""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.client import MIC, environment
from bench.measure import Row, run
from bench.relay import Relay
from forge_process import Forge
from mic.core.chunking import chunk_stream, cutter_with, numpy_finder

MIB = 1 << 20
CUT = 256 * MIB
SMALLER, LARGER = 256 * MIB, 1024 * MIB


def rows() -> Iterator[Row]:
    """The figures of large files."""
    home = Path(tempfile.mkdtemp(prefix="micelio-large-"))
    try:
        yield from _cutting(home)
        forge = Forge(home / "data")
        relay = Relay(forge)
        try:
            env = environment(forge, home) | {"MICELIO_INSTANCE": relay.instance}
            run([MIC, "org", "create", "bench"], env)
            yield from _memory(forge, env, home)
            yield _edit(relay, env, home / f"file{LARGER}")
        finally:
            relay.close()
            forge.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _cutting(home: Path) -> Iterator[Row]:
    """Bytes a second of one core: chunk ids alone, and with the hash of the whole content."""
    path = home / "noise"
    _noise(path, CUT)

    def chunked(whole: bool) -> None:
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            for piece in chunk_stream(file.read):
                hashlib.sha256(piece).digest()
                if whole:
                    digest.update(piece)

    def peer() -> None:
        with open(path, "rb") as file:
            hashlib.file_digest(file, "sha256")

    def plain() -> None:
        with open(path, "rb") as file:
            start = file.read(32 * MIB)
        for _ in cutter_with(numpy_finder())(start):
            pass

    git = min(run(["git", "hash-object", str(path)]).seconds for _ in range(3))
    ids, both, sha = (_rate(action) for action in (lambda: chunked(False), lambda: chunked(True), peer))
    slow = _rate(plain, 32 * MIB)
    peers = f"sha256 {sha:.2f} GB/s, git hash-object {CUT / git / 1e9:.2f} GB/s"
    asked = ">= 0.6 GB/s"
    yield Row(
        "cut + hash each chunk, one core", f"{ids:.2f} GB/s", peers, f"{ids / sha:.2f}x sha256", asked, ids >= 0.6
    )
    yield Row("the same and the hash of the whole", f"{both:.2f} GB/s", peers, f"{both / sha:.2f}x sha256", "-", None)
    yield Row("cutting alone, by numpy", f"{slow:.2f} GB/s", peers, f"{slow / sha:.2f}x sha256", "-", None)
    path.unlink()


def _rate(action: Callable[[], None], size: int = CUT) -> float:
    """Bytes a nanosecond of processor time, median of three."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        action()
        taken.append(time.process_time() - start)
    return size / statistics.median(taken) / 1e9


def _memory(forge: Forge, env: dict[str, str], home: Path) -> Iterator[Row]:
    """Peak resident memory of a landing and of a clone, of client and forge, four times the size against once."""
    land, clone, server = [], [], []
    for size in (SMALLER, LARGER):
        folder = home / f"file{size}"
        run([MIC, "project", "create", f"bench/file{size}"], env)
        run([MIC, "clone", f"bench/file{size}", str(folder)], env)
        _noise(folder / "large", size)
        land.append(run([MIC, "land", "Large"], env, folder).peak)
        clone.append(run([MIC, "clone", f"bench/file{size}", str(home / "copy")], env).peak)
        server.append(_peak(forge.process.pid))
        shutil.rmtree(home / "copy")
    for what, peaks in (("client that lands", land), ("client that clones", clone), ("forge", server)):
        grown = peaks[1] / peaks[0]
        yield Row(
            f"peak memory of the {what}, 1 GiB : 256 MiB",
            f"{peaks[1] >> 20} MiB", f"{peaks[0] >> 20} MiB", f"{grown:.2f}x", "flat (<= 1.3x)", grown <= 1.3,
        )  # fmt: skip


def _edit(relay: Relay, env: dict[str, str], folder: Path) -> Row:
    """One byte inserted into 1 GiB: every byte that `mic land` sends, questions and framing included."""
    costs: list[int] = []
    for at in (LARGER // 2, LARGER // 3, LARGER // 7):
        _insert(folder / "large", at)
        before = relay.sent
        run([MIC, "land", "One byte"], env, folder)
        costs.append(relay.sent - before)
    cost, least, most = statistics.median(costs), min(costs), max(costs)
    return Row(
        "1-byte insert into 1 GiB, sent, median of 3",
        f"{cost / 1000:.0f} KB ({least / 1000:.0f} to {most / 1000:.0f})",
        f"sending all {LARGER / 1e6:,.0f} MB", f"1/{LARGER / cost:,.0f}", "<= 200 KB", most <= 200_000,
    )  # fmt: skip


def _noise(path: Path, size: int) -> None:
    with open(path, "wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))


def _insert(path: Path, at: int) -> None:
    """One byte more in front of the MiB that holds this place; what follows moves on."""
    with open(path, "rb") as old, open(path.with_suffix(".new"), "wb") as new:
        for _ in range(at // MIB):
            new.write(old.read(MIB))
        new.write(b"!")
        shutil.copyfileobj(old, new, MIB)
    path.with_suffix(".new").replace(path)


def _peak(pid: int) -> int:
    """Highest resident bytes of a process so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
