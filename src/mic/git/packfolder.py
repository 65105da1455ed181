"""Packs in the store, each beside its index and named by the SHA-256 of its bytes: written once, read in ranges."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import BinaryIO

from mic.core.errors import AlreadyExists
from mic.git.packindex import PackIndex
from mic.git.packs import Pack
from mic.git.packwrite import WrittenPack
from mic.ledger import single
from mic.ledger.project import Project
from mic.store import MapsObjects

# Of a far store, packs are read in blocks: what is sent lies side by side.
BLOCK = 1 << 20
# A larger pack goes from its file to the store part by part.
WHOLE = 8 << 20


class PackFolder:
    """The packs below `prefix`, which ends with a slash."""

    def __init__(self, project: Project, prefix: str) -> None:
        self._project, self.prefix = project, prefix

    def key(self, name: str) -> str:
        """The key of a pack."""
        return f"{self.prefix}{name}.pack"

    def index_key(self, name: str) -> str:
        return f"{self.prefix}{name}.idx"

    def index(self, name: str) -> PackIndex:
        """The index of a pack. NotFound, Corrupt."""
        key = self.index_key(name)
        return PackIndex(self._project.run(single.get(key)), key)

    def opened(self, name: str) -> Pack:
        """A pack to be read. NotFound when it was removed, Corrupt."""
        return Pack(self.key(name), self.index(name), self.bytes_of(name))

    def keep(self, written: WrittenPack, out: BinaryIO) -> None:
        """Store a pack and its index; doing it again changes nothing."""
        # The name is that of the content: what is there already is the same.
        if written.size > WHOLE:
            self._project.run(single.put_file(self.key(written.name), out))
        else:
            out.seek(0)
            self._put(self.key(written.name), out.read())
        self._put(self.index_key(written.name), written.index)

    def _put(self, key: str, data: bytes) -> None:
        with contextlib.suppress(AlreadyExists):
            self._project.run(single.put_new(key, data))

    def remove(self, name: str) -> None:
        """Remove a pack and its index, if they are there."""
        for key in (self.key(name), self.index_key(name)):
            self._project.run(single.delete(key))

    def bytes_of(self, name: str) -> Callable[[int, int], bytes | memoryview]:
        """Ranges of a pack: of a mapping where the store has files, else of blocks that are read one by one."""
        key = self.key(name)
        if isinstance(self._project.driver.store, MapsObjects):
            mapped: list[memoryview] = []

            def read_mapped(offset: int, length: int) -> memoryview:
                if not mapped:
                    mapped.append(memoryview(self._project.run(single.get_mapped(key))))
                return mapped[0][offset : offset + length]

            return read_mapped
        last: list[tuple[int, bytes]] = [(0, b"")]

        def read_blocks(offset: int, length: int) -> bytes:
            start, block = last[0]
            if not start <= offset <= offset + length <= start + len(block):
                block = self._project.run(single.get_range(key, offset, max(length, BLOCK)))
                last[0] = start, block = offset, block
            return block[offset - start : offset - start + length]

        return read_blocks
