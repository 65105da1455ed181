"""A process of its own that collects: `python -m micelio.projects.collector`, started by `micelio.projects.collecting`.

A round compares the names of everything there is. In the forge's own process that would hold the interpreter from
landings for tenths of a second; here it costs them nothing but what the machine has left. One JSON document comes in,
one line of JSON goes out for each project. It ends when its input ends: whoever began it is gone, and a round may be
killed at any step.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

import msgspec

from mic.core.errors import MicError
from mic.ledger.collect import GENTLY, GRACE, KEEP, NEWEST
from mic.ledger.ledger import Ledger
from micelio.config import load
from micelio.projects.stores import judged_store

# Others come first.
NICE = 15


class Asked(msgspec.Struct):
    """Which lines are to be collected, and as what `mic.ledger.collect.collect` takes; times in ms.

    Whoever asks has found the store fit to be written to; `sequenced` is how landings are committed there.
    """

    lines: list[str]
    keep: int = KEEP
    grace: int = GRACE
    newest: int = NEWEST
    share: float = GENTLY
    sequenced: bool = False


class Told(msgspec.Struct):
    """How the round of one line ended: `error` is why it did not. `stuck` are names that cannot be removed, and why."""

    line: str
    removed: int = 0
    stuck: dict[str, str] = msgspec.field(default_factory=dict)
    error: str = ""


def main() -> None:
    """Do what the first line of the input asks for."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches it with the forge; there is nothing to clear up
    os.nice(NICE)
    asked = msgspec.json.decode(sys.stdin.buffer.readline(), type=Asked)
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        store = judged_store(load())  # what a tier remembers would not count here
    except MicError as error:
        sys.exit(f"micelio: {error}")
    ledger = Ledger(store, sequenced=asked.sequenced)
    for line in asked.lines:
        sys.stdout.buffer.write(msgspec.json.encode(_round(ledger, line, asked)) + b"\n")
        sys.stdout.buffer.flush()


def _round(ledger: Ledger, line: str, asked: Asked) -> Told:
    try:
        found = ledger.open(line).collect(asked.keep, asked.grace, newest=asked.newest, share=asked.share)
    except (MicError, OSError) as error:
        return Told(line, error=str(error))
    return Told(line, found.removed, {name: str(why) for name, why in found.stuck.items()})


def _end_with_input() -> None:
    while os.read(0, 1 << 10):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
