"""Contents that landed here or were read for a merge lately, so that merging the next version asks nobody for them.

Who lands for many meets the same paths again and again, and a store that is far has slow answers now and then.
"""

from __future__ import annotations

from collections import OrderedDict

# Of one line, in memory, and of one content. A process keeps a few hundred lines at most.
KEPT_BYTES = 2 << 20
MOST = 64 << 10
# What an entry costs beside its bytes: two bytes objects and a slot.
_ENTRY = 200


class Recent:
    """Contents by hash, least recently used first out. Not thread-safe, as the line that has it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def get(self, object_hash: bytes) -> bytes | None:
        """A content, None when it is not kept."""
        data = self._kept.get(object_hash)
        if data is not None:
            self._kept.move_to_end(object_hash)
        return data

    def put(self, object_hash: bytes, data: bytes) -> None:
        """Keep a content that is known to be the one of that hash; large ones are not kept."""
        if len(data) > MOST or object_hash in self._kept:
            return
        self._kept[object_hash] = data
        self._bytes += len(data) + _ENTRY
        while self._bytes > KEPT_BYTES:
            self._bytes -= len(self._kept.popitem(last=False)[1]) + _ENTRY
