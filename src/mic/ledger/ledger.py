"""All projects of a store: opened on demand, forked, and removed."""

from __future__ import annotations

import threading
from collections import OrderedDict

from mic.core.head import Head
from mic.ledger.blame_cache import BlameCache
from mic.ledger.driver import Driver
from mic.ledger.fork import DELETED, deleted_key, erase, fork, forks, head_at, release
from mic.ledger.line import Inspect, Line
from mic.ledger.nodes import NodeCache
from mic.ledger.project import Project
from mic.store import ObjectStore


class Ledger:
    """All projects of a store, opened on demand; the least recently used are forgotten.

    `inspect` is asked of every merged text (`mic.ledger.line.Inspect`).
    `sequenced`: on this store landings are committed by a sequence of new objects, not by swapping a head.
    """

    def __init__(
        self,
        store: ObjectStore,
        cache_bytes: int = 128 << 20,
        parallel: int = 0,
        keep: int = 256,
        sequenced: bool = False,
        inspect: Inspect | None = None,
    ) -> None:
        self._inspect = inspect
        self.driver = Driver(store, parallel)
        self.sequenced = sequenced
        self.cache = NodeCache(cache_bytes)
        self.blames = BlameCache()
        self._keep = keep
        self._projects: OrderedDict[str, Project] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, project: str) -> Project:
        """The project's data plane; nothing is read yet."""
        with self._lock:
            found = self._projects.get(project)
            if found is None:
                found = self._projects[project] = Project(
                    self.driver, project, self.cache, self.sequenced, self._inspect, self.blames
                )
                while len(self._projects) > self._keep:
                    self._projects.popitem(last=False)
            self._projects.move_to_end(project)
            return found

    # ------------------------------------------------------------ forks and deletion

    def fork(self, origin: str, project: str) -> Head:
        """Begin a project where another stands now; three small writes. Errors as `mic.ledger.fork.fork`."""
        # A view of its own: the shared one belongs to whoever holds its lock.
        return self.driver.run(fork(Line(origin, self.cache), Line(project, self.cache, self.sequenced)))

    def branch(self, origin: str, line: str, position: int | None = None) -> tuple[str, Head]:
        """Begin a line where another stands now, or where it stood at a position: the line that landed that, and the
        head that both share. Errors as `mic.ledger.fork.head_at` and `fork`."""
        owner, at = Line(origin, self.cache), None
        if position is not None:
            owner, at = self.driver.run(head_at(owner, position))
        return owner.project, self.driver.run(fork(owner, Line(line, self.cache, self.sequenced), at))

    def condemn(self, project: str) -> None:
        """Mark a project as going: it cannot be forked any more."""
        self.driver.store.put(deleted_key(project), b"")

    def pardon(self, project: str) -> None:
        """Take the mark away again."""
        self.driver.store.delete(deleted_key(project))

    def condemned(self) -> list[str]:
        """Projects that are marked as going and not gone yet."""
        return [listed.key.removeprefix(DELETED) for listed in self.driver.store.list(DELETED)]

    def release_forks(self, project: str) -> int:
        """Make every fork of a condemned project independent; how many had something to copy. Raises Corrupt."""
        origin = Line(project, self.cache)
        return sum(self.driver.run(release(origin, Line(name, self.cache))) for name in self.driver.run(forks(origin)))

    def erase(self, project: str) -> int:
        """Remove all objects of a condemned project, whose forks have been released; how many there were.

        Where it was a fork itself, its origin need not keep anything for it any more.
        """
        removed = self.driver.run(erase(Line(project, self.cache)))
        with self._lock:
            self._projects.pop(project, None)
        return removed
