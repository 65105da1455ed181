"""Whole histories of four kinds imported with `mic import git`, beside `git fast-import` of the same from a file."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.client import MIC
from bench.git.memory import Watched
from bench.git_histories import git, packed, stream
from bench.git_sides import Sides, mib, sides
from bench.measure import Row

PARTS = ("long", "merges", "files", "tags")
ROUNDS = 3


class Took(NamedTuple):
    """Seconds of an import, of the clock and of processors."""

    wall: float
    cpu: float


def rows(kind: str) -> Iterator[Row]:
    """How long a history of this kind takes to come, what it takes of memory, and how many bytes are kept of it.

    What the forge does besides, rows and the index of words, is in its processor time as far as it is done by the end.
    """
    with sides() as both:
        said = both.home / "history.fast-import"
        with said.open("wb") as file:
            file.writelines(stream(kind))
        source = packed(_fed(both, said, "source")[0])
        objects = len(git(source, "rev-list", "--objects", "--all").splitlines())
        commits = int(git(source, "rev-list", "--all", "--count"))
        ours, peer, memory, kept = [], [], [], 0
        for number in range(ROUNDS):
            before = _stored(both)
            with Watched(both.forge.process.pid) as watched:
                ours.append(_imported(both, source, f"{kind}{number}"))
            memory.append(watched)
            both.settle()
            kept = _stored(both) - before
            folder, took = _fed(both, said, "peer")
            peer.append(took)
            shutil.rmtree(folder)
        mine, theirs = _median(ours), _median(peer)
        what = f"{kind}: {commits:,} commits, {objects:,} objects, imported"
        yield Row(
            what, f"{mine.wall:.1f} s, {commits / mine.wall:,.0f} commits/s, {objects / mine.wall:,.0f} objects/s",
            f"git fast-import {theirs.wall:.1f} s", f"{mine.wall / theirs.wall:.2f}x", "<= 1x git fast-import",
            mine.wall <= theirs.wall,
        )  # fmt: skip
        yield Row(
            f"{what}: processor time of forge and client", f"{mine.cpu:.1f} s", f"git fast-import {theirs.cpu:.1f} s",
            f"{mine.cpu / theirs.cpu:.2f}x", "-", None,
        )  # fmt: skip
        yield Row(
            f"{kind}: memory of the forge while imported",
            f"the first time {mib(memory[0].grown)} more, the last {mib(memory[-1].grown)}",
            f"before {mib(memory[0].before)}", "", "flat", None,
        )  # fmt: skip
        pack = sum(file.stat().st_size for file in source.glob("objects/pack/*.pack"))
        yield Row(
            f"{kind}: bytes kept of an import", mib(kept), f"pack of git gc {mib(pack)}", f"{kept / pack:.2f}x",
            "<= 1.2x the pack", kept <= 1.2 * pack,
        )  # fmt: skip


def _imported(both: Sides, source: Path, name: str) -> Took:
    """A new project with this history: the whole command, until all of it is visible."""
    both.project(name, "public")
    before, start = both.forge_cpu, time.perf_counter()
    process = subprocess.Popen(
        [MIC, "import", "git", str(source), f"bench/{name}"], env=both.mic_env, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return Took(time.perf_counter() - start, both.forge_cpu - before + used.ru_utime + used.ru_stime)


def _fed(both: Sides, said: Path, name: str) -> tuple[Path, Took]:
    """A new bare repository that fast-import made of the file."""
    folder = both.served / f"{name}.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    start = time.perf_counter()
    with said.open("rb") as file:
        process = subprocess.Popen(["git", "-C", str(folder), "fast-import", "--quiet"], stdin=file)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return folder, Took(time.perf_counter() - start, used.ru_utime + used.ru_stime)


def _stored(both: Sides) -> int:
    return sum(file.stat().st_size for file in both.forge.data_dir.glob("store/projects/**/*") if file.is_file())


def _median(taken: list[Took]) -> Took:
    return Took(*(statistics.median(values) for values in zip(*taken, strict=True)))
