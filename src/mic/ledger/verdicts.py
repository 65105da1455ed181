"""What of a session could land on the head before, so that after a lost swap only what moved is checked again.

A verdict holds on a new head when nothing that it looked at is another: the paths of the session, the directories above
them, what lies below them. What moved is in the records that landed in between and, of the group itself, in
the sessions before it whose own verdict has changed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from mic.core.head import Head
from mic.ledger.batch import Encoded
from mic.ledger.conflict import Verdict, ancestors
from mic.ledger.line import Line
from mic.ledger.request import Prepared


class Verdicts:
    """Verdicts of one group, by the number of the request. `encoded` are tree nodes in stored form, by hash."""

    def __init__(self) -> None:
        self.encoded: Encoded = {}
        self._kept: dict[int, Verdict] = {}
        self._head: Head | None = None
        self._moved: Moved | None = None

    def begin(self, line: Line, head: Head, keep: bool) -> None:
        """The group is judged on this head now; without `keep`, or when what moved is not known, from nothing."""
        self._moved = moved_since(line, self._head, head) if keep and self._head is not None else None
        if self._moved is None:
            self._kept.clear()
            self._moved = Moved(())
        self._head = head

    def known(self, at: int, wish: Prepared) -> Verdict | None:
        """The verdict from before if it still holds."""
        verdict = self._kept.get(at)
        assert self._moved is not None
        if verdict is None or any(map(self._moved.touches, wish.wanted)):
            return None
        # Nor is another what its gate went by: who may land that may have changed with what landed in between.
        gate = wish.request.gate
        return None if gate is not None and self._moved.touches(gate.path) else verdict

    def keep(self, at: int, verdict: Verdict) -> None:
        """The request was taken in with this verdict."""
        old = self._kept.get(at)
        if old is not verdict:
            assert self._moved is not None
            self._moved.add(verdict.edits)
            if old is not None:
                self._moved.add(old.edits)
            self._kept[at] = verdict

    def refused(self, at: int) -> None:
        """The request was not taken in: what it did before, if anything, is no longer there."""
        old = self._kept.pop(at, None)
        if old is not None:
            assert self._moved is not None
            self._moved.add(old.edits)


class Moved:
    """A set of changed paths, which can tell whether a path has to do with one of them."""

    def __init__(self, paths: Iterable[bytes]) -> None:
        self._paths = set(paths)
        self._sorted: list[bytes] | None = None

    def add(self, paths: Iterable[bytes]) -> None:
        """More paths."""
        self._paths.update(paths)
        self._sorted = None

    def touches(self, path: bytes) -> bool:
        """Whether the path, a directory above it, or something below it, has changed."""
        if not self._paths:
            return False
        if path in self._paths or any(above in self._paths for above in ancestors(path)):
            return True
        if self._sorted is None:
            self._sorted = sorted(self._paths)
        below = path + b"/"
        at = bisect_left(self._sorted, below)
        return at < len(self._sorted) and self._sorted[at].startswith(below)


def moved_since(line: Line, old: Head, new: Head) -> Moved | None:
    """The paths that landings changed between two heads of a line; None when they are not at hand."""
    if old == new:
        return Moved(())
    records = [record for epoch in reversed(line.tail) if epoch.new.position > old.position for record in epoch.records]
    between = [record for record in records if record.position > old.position]
    if len(between) != new.position - old.position:
        return None
    return Moved(change.path for record in between for change in record.changes)
