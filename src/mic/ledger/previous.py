"""What landed last on each path, kept to store the next version as a delta over it.

Only what this process landed, and only a little of it: looking a version up in the store would cost a landing more
than the delta saves, and compaction groups what was missed.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from mic.core.blob import blob_size, inflate
from mic.core.delta import DELTA_DEPTH, encode_delta

# Of one line, in stored form: some hundred source files. A process keeps a few hundred lines at most.
KEPT_BYTES = 1 << 20
# Below, a whole content is hardly larger than a delta of it and the read that the delta needs.
LEAST = 1 << 10


class _Kept(NamedTuple):
    hash: bytes
    whole: bytes  # in stored form
    depth: int


class Previous:
    """The last content of each path, least recently landed first out. Not thread-safe, as the line that has it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._bytes = 0

    def delta(self, path: bytes, object_hash: bytes, whole: bytes) -> tuple[bytes, int] | None:
        """A content in stored form as a delta over what landed last on the path, and the delta's depth.

        None when nothing is kept, the chain is as long as it may be, or it would not be less than half as large.
        """
        base = self._kept.get(path)
        if base is None or base.depth >= DELTA_DEPTH or base.hash == object_hash or len(whole) < LEAST:
            return None
        raw = encode_delta(base.hash, _plain(base.whole), base.depth + 1, _plain(whole))
        return (raw, base.depth + 1) if len(raw) < len(whole) // 2 else None

    def put(self, path: bytes, object_hash: bytes, whole: bytes, depth: int) -> None:
        """Note what has landed: `whole` is its stored form without a base, `depth` that of the form in the store."""
        old = self._kept.pop(path, None)
        if old is not None:
            self._bytes -= len(old.whole)
        if len(whole) > KEPT_BYTES // 4:
            return
        self._kept[path] = _Kept(object_hash, whole, depth)
        self._bytes += len(whole)
        while self._bytes > KEPT_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1].whole)


def _plain(whole: bytes) -> bytes:
    name = "a content that was verified when it was sent"
    return inflate(whole[8:], blob_size(whole, name), name)
