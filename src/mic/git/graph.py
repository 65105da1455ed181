"""The graph of commits of a project, as its packs list them: who is reachable from whom."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from mic.core.errors import NotFound
from mic.git.packindex import CommitLine


class Boundary(NamedTuple):
    """The commits that a shallow clone ends with, and those of the client's that it no longer ends with."""

    commits: set[bytes]
    shallow: list[bytes]
    unshallow: list[bytes]


class Graph:
    """Commits by id. Kept in memory: about 300 bytes each, from when somebody first asks for them.

    A clone of everything asks for none. Threads may ask at once. Where `lines` are given that are looked up elsewhere,
    none are held, and nothing is added.
    """

    def __init__(self, lines: Mapping[bytes, CommitLine] | None = None) -> None:
        self._lines: dict[bytes, CommitLine] = lines if isinstance(lines, dict) else {}
        self._elsewhere = None if isinstance(lines, dict) else lines
        self._unread: list[Callable[[], Iterable[CommitLine]]] = []
        self._lock = threading.Lock()
        self._closures: dict[frozenset[bytes], frozenset[bytes]] = {}

    @property
    def lines(self) -> Mapping[bytes, CommitLine]:
        """All commits by id."""
        if self._elsewhere is not None:
            return self._elsewhere
        return self._held()

    def _held(self) -> dict[bytes, CommitLine]:
        if self._unread:
            with self._lock:
                while self._unread:
                    self._lines.update((line.oid, line) for line in self._unread[0]())
                    del self._unread[0]  # behind the update: until then the others wait
        return self._lines

    def add(self, lines: Iterable[CommitLine]) -> None:
        """Commits of one more pack."""
        assert self._elsewhere is None
        self._held().update((line.oid, line) for line in lines)

    def add_later(self, read: Callable[[], Iterable[CommitLine]]) -> None:
        """Commits of one more pack, read when somebody asks."""
        self._unread.append(read)

    def with_more(self, lines: Iterable[CommitLine]) -> Graph:
        """Another graph that has these commits too."""
        made = Graph(dict(self.lines))
        made.add(lines)
        return made

    def __contains__(self, oid: bytes) -> bool:
        return oid in self.lines

    def reach(self, tips: Iterable[bytes], stop: set[bytes], cut: Iterable[bytes] = ()) -> set[bytes]:
        """All commits reachable from `tips` without those of `stop` and what is behind them; `cut` have no parents."""
        cut = set(cut)
        found: set[bytes] = set()
        todo = [tip for tip in tips if tip not in stop]
        while todo:
            oid = todo.pop()
            if oid in found:
                continue
            line = self.lines.get(oid)
            if line is None:
                raise NotFound(f"There is no Git commit {oid.hex()} here.", hint="Fetch again.")
            found.add(oid)
            if oid not in cut:
                todo += [parent for parent in line.parents if parent not in found and parent not in stop]
        return found

    def closure(self, tips: Iterable[bytes]) -> frozenset[bytes]:
        """All commits reachable from `tips`. Those of two sets are remembered: clones ask for the same again."""
        key = frozenset(tips)
        known = self._closures.get(key)
        if known is None:
            known = frozenset(self.reach(key, set()))
            self._closures = {**dict(list(self._closures.items())[-1:]), key: known}
        return known

    def behind(self, haves: Sequence[bytes], cut: Iterable[bytes] = ()) -> set[bytes]:
        """What a client has that has these commits, and whose history is cut at `cut`."""
        return self.reach([oid for oid in haves if oid in self.lines], set(), cut)

    def is_ancestor(self, old: bytes, new: bytes) -> bool:
        """Whether `old` is `new` or reachable from it."""
        return old == new or old in self.reach([new], set())

    def newest_first(self, commits: set[bytes]) -> list[bytes]:
        """The commits so that none comes after one of its parents; by date where the graph leaves it open."""
        children = dict.fromkeys(commits, 0)
        for oid in commits:
            for parent in self.lines[oid].parents:
                if parent in children:
                    children[parent] += 1
        ready = [(-self.lines[oid].committed, oid) for oid, count in children.items() if not count]
        heapq.heapify(ready)
        out = []
        while ready:
            _, oid = heapq.heappop(ready)
            out.append(oid)
            for parent in self.lines[oid].parents:
                if parent in children:
                    children[parent] -= 1
                    if not children[parent]:
                        heapq.heappush(ready, (-self.lines[parent].committed, parent))
        return out

    def depth_of(self, tips: Sequence[bytes], shallow: set[bytes]) -> int:
        """How many commits deep a history is that ends with `shallow`."""
        depth, level, seen = 0, [oid for oid in tips if oid in self.lines], set(tips)
        while level:
            depth += 1
            if not shallow.isdisjoint(level):
                return depth
            level = [parent for oid in level for parent in self.lines[oid].parents if parent not in seen]
            seen.update(level)
        return depth

    def within_depth(self, tips: Sequence[bytes], depth: int, held: set[bytes]) -> Boundary:
        """Commits at most `depth` away from a tip, the tip being 1. `held` are the client's shallow commits now."""
        found: dict[bytes, int] = {}
        level = [oid for oid in tips if oid in self.lines]
        for distance in range(1, depth + 1):
            following: list[bytes] = []
            for oid in level:
                if oid not in found:
                    found[oid] = distance
                    following += self.lines[oid].parents
            level = following
        return self._boundary(set(found), held)

    def since(self, tips: Sequence[bytes], seconds: int, without: set[bytes], held: set[bytes]) -> Boundary:
        """Commits not older than `seconds` (Unix) and not in `without`."""
        found: set[bytes] = set()
        todo = [oid for oid in tips if oid in self.lines]
        while todo:
            oid = todo.pop()
            line = self.lines[oid]
            if oid in found or oid in without or line.committed < seconds:
                continue
            found.add(oid)
            todo += line.parents
        return self._boundary(found, held)

    def _boundary(self, found: set[bytes], held: set[bytes]) -> Boundary:
        ends = {oid for oid in found if any(parent not in found for parent in self.lines[oid].parents)}
        unshallow = sorted(oid for oid in held if oid in found and oid not in ends)
        return Boundary(found, sorted(ends - held), unshallow)
