"""What landed last on each path, kept to store the next version as a delta over it.

Only what this process landed, and only a little of it: looking a version up in the store would cost a landing more
than the delta saves, and compaction groups what was missed. An import, which stores a version of a path in each of its
epochs, keeps more.
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
# zstd, of a landing's delta.
LEVEL = 3

# The stored form of a delta, and its depth.
Leaning = tuple[bytes, int]


class _Kept(NamedTuple):
    hash: bytes
    whole: bytes  # in stored form
    depth: int
    root: _Kept | None = None  # the whole content at the bottom of the chain, where that is kept too

    @property
    def bytes(self) -> int:
        return len(self.whole) + (len(self.root.whole) if self.root is not None else 0)


class Previous:
    """The last content of each path, least recently landed first out. Not thread-safe, as the line that has it."""

    def __init__(
        self, kept_bytes: int | None = None, level: int = LEVEL, least: int | None = None, *, roots: bool = False
    ) -> None:
        """At most `kept_bytes` are kept, in stored form; deltas are made at this `level` of zstd.

        What takes less than `least` bytes leans on nothing. With `roots` a chain that is as long as it may be is
        followed by another one over the same whole content.
        """
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._bytes = 0
        self._most = KEPT_BYTES if kept_bytes is None else kept_bytes
        self._least = LEAST if least is None else least
        self._level, self._roots = level, roots

    def delta(self, path: bytes, object_hash: bytes, whole: bytes, data: bytes | None = None) -> Leaning | None:
        """A content in stored form as a delta over what landed last on the path, and the delta's depth.

        `data` is the content itself where it is at hand. None when nothing is kept, the chain is as long as it may be,
        or it would not be less than half as large.
        """
        base = self._kept.get(path)
        if base is not None and base.depth >= DELTA_DEPTH:
            base = base.root
        if base is None or base.hash == object_hash or len(whole) < self._least:
            return None
        if data is None:
            data = _plain(whole)
        raw = encode_delta(base.hash, _plain(base.whole), base.depth + 1, data, self._level)
        return (raw, base.depth + 1) if len(raw) < len(whole) // 2 else None

    def put(self, path: bytes, object_hash: bytes, whole: bytes, depth: int) -> None:
        """Note what has landed: `whole` is its stored form without a base, `depth` that of the form in the store."""
        old = self._kept.pop(path, None)
        if old is not None:
            self._bytes -= old.bytes
        if len(whole) > self._most // 4:
            return
        root = None
        if self._roots and old is not None and depth:
            root = old.root if old.depth else old
        kept = self._kept[path] = _Kept(object_hash, whole, depth, root)
        self._bytes += kept.bytes
        while self._bytes > self._most:
            self._bytes -= self._kept.popitem(last=False)[1].bytes


def _plain(whole: bytes) -> bytes:
    name = "a content that was verified when it was sent"
    return inflate(whole[8:], blob_size(whole, name), name)
