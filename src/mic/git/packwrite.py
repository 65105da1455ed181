"""Writing a pack that is kept: a valid Git pack file and its index.

Deltas may lean on objects of other kept packs, and contents that are kept elsewhere are only named by the index: so a
kept pack is one part of a whole, and its own count is of what it holds itself.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from mic.git.packentry import PACK_HEADER, REF_DELTA, entry_header
from mic.git.packindex import CommitLine, Packed, encode_index

# 250 MB/s where level 6 does 60; what is kept is read far more often than it is sent over slow lines.
LEVEL = 1


@dataclass(frozen=True, slots=True)
class WrittenPack:
    """A finished pack: its name (SHA-256 of its bytes, hex), size, index, and how many objects and commits it lists."""

    name: str
    size: int
    index: bytes
    objects: int
    commits: tuple[CommitLine, ...]


class PackWriter:
    """Adds entries to a file that is open for reading and writing, from its start."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._listed: dict[bytes, Packed] = {}
        self._commits: list[CommitLine] = []
        self._entries = 0
        self._at = PACK_HEADER
        out.write(bytes(PACK_HEADER))

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._at

    @property
    def objects(self) -> int:
        return len(self._listed)

    def holds(self, oid: bytes) -> bool:
        """Whether an object was added already."""
        return oid in self._listed

    def add(self, kind: int, oid: bytes, data: bytes, base: bytes = b"", delta: bytes = b"") -> None:
        """An object, whole or as a delta on the object `base`. One that is there already is not added again."""
        if oid in self._listed:
            return
        if base:
            entry = entry_header(REF_DELTA, len(delta)) + base + zlib.compress(delta, LEVEL)
        else:
            entry = entry_header(kind, len(data)) + zlib.compress(data, LEVEL)
        self.copy(Packed(oid, kind, 0, len(entry), len(data), base), entry)

    def copy(self, item: Packed, entry: bytes | memoryview) -> int:
        """An entry as it is, for the object that `item` describes; where it begins."""
        at = self._at
        self._out.write(entry)
        self._listed[item.oid] = item._replace(offset=at, stored=len(entry))
        self._at += len(entry)
        self._entries += 1
        return at

    def elsewhere(self, kind: int, oid: bytes, size: int, other: bytes) -> None:
        """An object whose content the project keeps under a SHA-256."""
        self._listed.setdefault(oid, Packed(oid, kind, 0, 0, size, b"", other))

    def commit(self, line: CommitLine) -> None:
        """What a commit names that was added."""
        self._commits.append(line)

    def finish(self) -> WrittenPack:
        """Write header and trailer."""
        out = self._out
        out.seek(0)
        out.write(b"PACK" + (2).to_bytes(4, "big") + self._entries.to_bytes(4, "big"))
        out.seek(0)
        sha1, sha256 = hashlib.sha1(), hashlib.sha256()  # noqa: S324 - a pack's trailer
        while piece := out.read(1 << 20):
            sha1.update(piece)
            sha256.update(piece)
        out.write(sha1.digest())
        sha256.update(sha1.digest())
        size = self._at + 20
        index = encode_index(size, list(self._listed.values()), self._commits)
        return WrittenPack(sha256.hexdigest(), size, index, len(self._listed), tuple(self._commits))
