"""A check of one project: how it reads, and what it has learned on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mic.core.epoch import Epoch
from mic.core.record import Record
from mic.ledger.chunked import Runner
from mic.ledger.effects import Get, List, Protocol
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.tip import read_tip
from mic.store import Listed, Tagged

_CACHE = 64 << 20

Told = Callable[[str, int, int], None]  # what is being checked, how many are done, of how many


class Link(NamedTuple):
    """An epoch of the log, and whose it is: the line's, or that of an origin it reads through."""

    owner: Line
    epoch: Epoch


class Check:
    """What the parts of a check share, in the order in which they fill it."""

    def __init__(self, project: str, run: Runner, told: Told) -> None:
        self.line = Line(project, NodeCache(_CACHE))
        self.objects = self.line.objects
        self.run, self.told = run, told
        self.links: list[Link] = []  # oldest first
        self.whole = False  # whether the log was followed to its beginning: only then is the rest unreachable
        self.own = 0  # positions up to here are an origin's
        self.named: set[str] = set()
        self.gone: dict[bytes, list[str]] = {}  # contents of which no byte is left, below which prefixes
        self.silent: set[bytes] = set()  # objects of sessions of which no word is left
        self.epochs: set[str] = set()  # every epoch of the log, where the line has it or would have its copy

    def records(self) -> Iterator[Record]:
        """Of every landing, oldest first."""
        return (record for _, epoch in self.links for record in epoch.records)

    def newest(self) -> int:
        """Where the head is now."""
        return self.run(read_tip(Line(self.line.project, self.line.cache))).position  # type: ignore[no-any-return]

    def came_since(self, position: int) -> bool:
        """Whether it has landed since the head was read, so that nothing is known of it here."""
        known = self.links[-1].epoch.new.position if self.links else 0
        return known < position <= self.newest()

    def list(self, prefix: str) -> list[Listed]:
        """What lies below a prefix now."""
        return self.run(_listed(prefix))  # type: ignore[no-any-return]


def get(key: str) -> Protocol[Tagged]:
    """One object; raises NotFound."""
    return (yield Get(key))  # type: ignore[no-any-return]


def _listed(prefix: str) -> Protocol[list[Listed]]:
    return (yield List(prefix))  # type: ignore[no-any-return]
