"""A large repository brought and cloned: what it takes of the forge's memory, which must not grow with it.

What counts is anonymous memory. Files that are mapped stand in the peak of the process too, but the system takes their
pages back whenever it wants them.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.git_histories import git, import_stream
from bench.git_sides import Sides, mib, sides
from bench.measure import Row

MIB = int(os.environ.get("MIB", "300"))
# Contents that nothing makes smaller, and so many that a clone which leaves something out is kept.
_EACH = 100 << 10
# Objects read lately (48 MiB), an epoch of landings (24 MiB and what packs it), a part of a pack, and what lies around.
_BOUND = 256 << 20


def rows() -> Iterator[Row]:
    """A push, the clone of everything, and one that leaves something out, which makes a pack of its own."""
    with sides() as both:
        source = _made(both.served / "large.git")
        url = both.project("large")
        yield _measured(both, f"{MIB} MiB, brought by git push --mirror", lambda: _pushed(both, source, url))
        both.settle()
        yield _measured(both, f"{MIB} MiB, the first clone", lambda: both.clone(url, "--bare"))
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        aside = git(source, *identity, "commit-tree", "main^{tree}", "-p", "main", "-m", "A request")
        git(source, "push", "-q", url, f"{aside}:refs/changes/1")
        both.settle()
        what = f"{MIB} MiB, the first clone that leaves something out"
        yield _measured(both, what, lambda: both.clone(url, "--bare"))


def _pushed(both: Sides, source: Path, url: str) -> None:
    both.git("-C", str(source), "push", "-q", "--mirror", url)


def _made(path: Path) -> Path:
    count = max(MIB * (1 << 20) // _EACH // 10, 1)
    draw = random.Random(1)
    data = []
    for number in range(10):
        data.append(b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 1\nx\n" % (1_700_000_000 + number))
        for name in range(count):
            content = draw.randbytes(_EACH)
            data += [b"M 100644 inline %d/%d\ndata %d\n" % (number, name, len(content)), content, b"\n"]
    import_stream(path, data)
    return path


def _measured(both: Sides, what: str, act: Callable[[], object]) -> Row:
    with Watched(both.forge.process.pid) as watched:
        act()
    return Row(
        f"memory of the forge: {what}", f"{mib(watched.grown)} more than {mib(watched.before)} before", "", "",
        "bounded", watched.grown <= _BOUND,
    )  # fmt: skip


class Watched:
    """Anonymous memory of a process within a block: `before`, and by how many bytes it was `grown` at most."""

    def __init__(self, pid: int) -> None:
        self.before, self.grown = _anonymous(pid), 0
        self._pid, self._done = pid, threading.Event()
        self._watcher = threading.Thread(target=self._watch)

    def __enter__(self) -> Watched:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self.grown = max(self.grown, _anonymous(self._pid) - self.before)


def _anonymous(pid: int) -> int:
    """Bytes of a process that are no file's."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) << 10
    raise AssertionError("no RssAnon")
