"""Entries from columns, as lists of files travel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from mic.core.tree.node import Entry

_ENTRY: Callable[[tuple[bytes, int, int, int, bytes]], Entry] = partial(tuple.__new__, Entry)


def entries_of(
    paths: Iterable[bytes], modes: Iterable[int], kinds: Iterable[int], sizes: Iterable[int], hashes: Iterable[bytes]
) -> list[Entry]:
    """As many as the shortest column has. Without a call in Python for each: three times as fast."""
    return list(map(_ENTRY, zip(paths, modes, kinds, sizes, hashes, strict=False)))
