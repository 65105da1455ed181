"""A front end in a process of its own, reduced to the ledger: it lands what it is told to, until somebody kills it.

Reads lines `number base` and lands session `number`, which writes a file of its own;
answers `number position`. Run as `python -m front_end STORE PROJECT`.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ledgers import land
from mic.core.errors import Unavailable
from mic.ledger.project import Ledger
from mic.store import DirectoryStore

THREADS = 8


def own_file(number: int) -> bytes:
    """The path that session `number` writes and nobody else."""
    return b"own/%d" % number


def main(store: str, name: str) -> None:
    project = Ledger(DirectoryStore(Path(store))).open(name)
    project.head()
    speaking = threading.Lock()

    def one(number: int, base: int) -> None:
        try:
            position = land(project, number, base, {own_file(number): b"%d" % number}).position
        except Unavailable:
            position = 0  # not known: whoever asked asks again
        with speaking:
            print(number, position, flush=True)

    print("ready", flush=True)
    with ThreadPoolExecutor(THREADS) as threads:
        for line in sys.stdin:
            number, base = map(int, line.split())
            threads.submit(one, number, base)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
