"""Collection in a process of its own, see `micelio.projects.collector`."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping

import msgspec

from mic.core.errors import Unavailable
from micelio.projects.collector import Asked, Told


def collect_apart(asked: Asked, environment: Mapping[str, str] | None = None) -> Iterator[Told]:
    """How the round of each line ended, as they end. Settings are read from the environment, this process's or that.

    Raises Unavailable when the process ends before its work: killed, or the store cannot be opened.
    """
    command = [sys.executable, "-m", "micelio.projects.collector"]
    told = 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # it says why, or how it ended
            process.stdin.write(msgspec.json.encode(asked) + b"\n")
            process.stdin.flush()
        for line in process.stdout:
            told += 1
            yield msgspec.json.decode(line, type=Told)
    if told < len(asked.lines):
        raise Unavailable(
            f"the process that collects ended with {process.returncode} before its work was done",
            hint="What it wrote down stays; the next round goes on.",
        )
