"""Somebody who may know already what a scan would find. Set by the program that uses this room; None: nobody."""

from __future__ import annotations

from collections.abc import Callable

# (root, checksum of the index) -> (path, op, Git mode, number in the columns or -1), sorted; None: look yourself.
changes: Callable[[bytes, int], list[tuple[bytes, int, int, int]] | None] | None = None
