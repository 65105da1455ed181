"""Timing whole processes and calls, and the table that comes of it."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One figure of the table. `met` is None where nothing was asked."""

    what: str
    ours: str
    peer: str
    result: str
    asked: str
    met: bool | None


class Ran(NamedTuple):
    """One process: wall seconds and peak resident bytes."""

    seconds: float
    peak: int


def run(command: Sequence[str], env: dict[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """Run a process to its end; it must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    assert process.stderr is not None
    problem = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    assert process.returncode == 0, f"{' '.join(command)}: {problem.decode()}"
    return Ran(seconds, usage.ru_maxrss * 1024)


def alternate(rounds: int, *actions: Callable[[], float]) -> list[float]:
    """Medians of actions that take turns, after one round that is not counted: drift hits all alike."""
    taken: list[list[float]] = [[] for _ in actions]
    for number in range(rounds + 1):
        for action, times in zip(actions, taken, strict=True):
            seconds = action()
            if number:
                times.append(seconds)
    return [statistics.median(times) for times in taken]


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return sorted(values)[int(len(values) * 0.95)]


def ms(seconds: float) -> str:
    """Milliseconds, with one decimal below a hundred."""
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def resident(pid: int) -> int:
    """Resident bytes of a process now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
