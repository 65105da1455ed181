"""Both sides of the Git benchmarks at once: a forge, and `git http-backend` over bare repositories on the same disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.client import GIT, MIC, environment
from bench.git_peer import HttpBackend, cpu_of
from bench.measure import Ran, run
from forge_process import Forge


class Sides:
    """A forge with the organization `bench`, a peer, and a folder for clients. `env` is that of the clients."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.served = home / "served"
        self.served.mkdir()
        self.forge = Forge(home / "data")
        self.peer = HttpBackend(self.served)
        self.env = {
            **os.environ, **GIT, "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "A", "GIT_COMMITTER_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_EMAIL": "a@example.org",
        }  # fmt: skip
        self.mic_env = environment(self.forge, home)
        run([MIC, "org", "create", "bench"], self.mic_env)
        self._made = 0

    def project(self, name: str, visibility: str = "private") -> str:
        """A new project's address for Git, with a token in it."""
        run([MIC, "project", "create", f"bench/{name}", "--visibility", visibility], self.mic_env)
        return self.url(name)

    def url(self, name: str) -> str:
        """The address of a project for Git, with a token in it."""
        return f"http://x-token:{self.forge.token('admin')}@{self.forge.base_url.removeprefix('http://')}/bench/{name}"

    def git(self, *arguments: str, cwd: Path | None = None) -> Ran:
        """One git command, as a client runs it."""
        return run(["git", "-c", "gc.auto=0", "-c", "maintenance.auto=false", *arguments], self.env, cwd)

    def fresh(self) -> Path:
        """A path where nothing is yet."""
        self._made += 1
        return self.home / f"copy{self._made}"

    def clone(self, url: str, *arguments: str) -> float:
        """Seconds of a clone that is thrown away."""
        folder = self.fresh()
        seconds = self.git("clone", "-q", *arguments, url, str(folder)).seconds
        shutil.rmtree(folder)
        return seconds

    @property
    def forge_cpu(self) -> float:
        """Seconds of processor time of the forge so far."""
        return cpu_of(self.forge.process.pid)

    def idle(self) -> float:
        """Seconds of processor time that the forge takes in a second in which nobody asks it anything."""
        before = self.forge_cpu
        time.sleep(5)
        return (self.forge_cpu - before) / 5

    def settle(self) -> None:
        """Wait until the forge has done what a push left to do: rows, rollups, an index of the words; ten minutes."""
        until = time.monotonic() + 600
        before, quiet = self.forge_cpu, 0
        while quiet < 3 and time.monotonic() < until:
            time.sleep(0.5)
            used, before = self.forge_cpu - before, self.forge_cpu
            quiet = quiet + 1 if used <= 0.01 else 0


@contextmanager
def sides() -> Iterator[Sides]:
    """Both sides, taken down afterwards."""
    home = Path(tempfile.mkdtemp(prefix="micelio-bench-"))
    made = Sides(home)
    try:
        yield made
    finally:
        made.peer.stop()
        made.forge.stop()
        shutil.rmtree(home, ignore_errors=True)


def at_once(commands: list[list[str]], env: dict[str, str]) -> tuple[float, int]:
    """(seconds until all of them ended, how many failed)."""
    start = time.perf_counter()
    running = [
        subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands
    ]
    failed = sum(process.wait() != 0 for process in running)
    return time.perf_counter() - start, failed


def mib(size: float) -> str:
    """Mebibytes."""
    return f"{size / (1 << 20):,.1f} MiB"
