"""Judges a line that commits by creating commit points: what is created, removed, and said by its head object.

Independent of the production code: a point counts when its number is the next one, at the moment when it appears.
"""

from __future__ import annotations

from collections.abc import Callable

from mic.core.commit_point import decode_commit_point, is_commit_point
from mic.core.head import Head

POINTS, BOUNDARIES = "landing-log/seq/", "landing-log/boundary/"


class CommitPoints:
    """Which head each number has. `commit(new)` is called when a point takes effect, `fail` when one must not be."""

    def __init__(self, commit: Callable[[Head], None], fail: Callable[[str], None]) -> None:
        self._commit, self._fail = commit, fail
        self.heads: list[Head] = []  # by number; empty while heads are swapped
        self._boundary = 0

    def head_object(self, key: str, before: bytes | None, after: bytes, head: Head | None) -> bool:
        """The head object was written; True when it holds a commit point now. `head` is the newest one so far."""
        if not is_commit_point(after):
            if self.heads:
                self._fail("a head was swapped in where commit points count")
            return False
        point = decode_commit_point(after, key)
        if not self.heads:
            if point.number:
                self._fail(f"the first commit point has number {point.number}")
            if head is None:
                self._commit(point.head)
            elif before != head.encode() or (point.head != head and (head.position or point.head.position)):
                # At position 0 nothing vouches for the clock in a head, and it may have been misread.
                self._fail("commit points begin at another head than the newest")
            self.heads.append(point.head)
        elif point.number >= len(self.heads) or self.heads[point.number] != point.head:
            self._fail(f"the head object says of number {point.number} what is not so")
        return True

    def point(self, key: str, before: bytes | None, after: bytes | None) -> None:
        """A commit point was created or removed."""
        number = int(key.rsplit("/", 1)[1], 16)
        if after is None:
            if before is not None and number >= self._boundary:
                self._fail(f"{key} is removed, and the boundary is {self._boundary}")
            return
        if before is not None and before != after:
            self._fail(f"{key} was there and is overwritten")
        point = decode_commit_point(after, key)
        if point.number != number or not 0 < number <= len(self.heads):
            self._fail(f"{key} is created behind number {len(self.heads) - 1}")
        if number == len(self.heads):
            self.heads.append(point.head)
            self._commit(point.head)
        # Else somebody who slept creates what was removed: it does not count, and must not be believed.

    def boundary(self, key: str, before: bytes | None, after: bytes | None) -> None:
        """A boundary was created or removed."""
        number = int(key.rsplit("/", 1)[1], 16)
        if after is None:
            if before is not None and number >= self._boundary:
                self._fail(f"{key} is removed, and there is none beyond it")
            return
        point = decode_commit_point(after, key)
        if point.number != number or number >= len(self.heads) or self.heads[number] != point.head:
            self._fail(f"{key} says of number {number} what is not so")
        self._boundary = max(self._boundary, number)
