"""One path of a difference."""

from __future__ import annotations

from dataclasses import dataclass

from mic.core.tree import Entry


@dataclass(frozen=True)
class PathChange:
    """One path before and after; one of the two may be absent. `number` counts a session's changes from 1, by path.

    A new path may have a `source`, the file before that it was made from; `renamed`: that is not there any more. Of a
    path that is gone so, `became` is the new one.
    """

    path: bytes
    old: Entry | None
    new: Entry | None
    number: int = 0
    source: Entry | None = None
    renamed: bool = False
    became: bytes = b""

    @property
    def before(self) -> Entry | None:
        """What it is compared with."""
        return self.old or self.source
