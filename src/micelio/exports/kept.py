"""The file of an export in the store: parts of 8 MiB, written one after the other, read from any byte on.

exports/{run}/{number:08x}
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from uuid import UUID

from mic.core.errors import Corrupt, NotFound
from mic.store import ObjectStore
from micelio.projects.ledgers import bucket

PREFIX = "exports/"
PART = 8 << 20


class FileWriter:
    """Writes the file of a run, in place of what an attempt before has left."""

    def __init__(self, run: UUID) -> None:
        self._run = run
        self._store: ObjectStore = bucket()
        self._held = bytearray()
        self._number = 0
        self._digest = hashlib.sha256()
        self.size = 0
        remove(run)

    def write(self, data: bytes) -> None:
        """The next bytes."""
        self._held += data
        self.size += len(data)
        self._digest.update(data)
        while len(self._held) >= PART:
            self._put(bytes(self._held[:PART]))
            del self._held[:PART]

    def finish(self) -> str:
        """Write the rest; the SHA-256 of all in hexadecimal."""
        if self._held:
            self._put(bytes(self._held))
            self._held.clear()
        return self._digest.hexdigest()

    def _put(self, data: bytes) -> None:
        self._store.put(_key(self._run, self._number), data)
        self._number += 1


def pieces(run: UUID, stop: int, offset: int = 0) -> Iterator[bytes]:
    """The bytes of the file from one up to another. Raises Corrupt when a part is missing."""
    store, step = bucket(), 1 << 20
    while offset < stop:
        number, within = divmod(offset, PART)
        try:
            data = store.get_range(_key(run, number), within, min(step, PART - within, stop - offset))
        except NotFound as error:
            raise Corrupt(f"the file of export {run} is not whole", hint="export it again") from error
        if not data:
            raise Corrupt(f"the file of export {run} is not whole", hint="export it again")
        offset += len(data)
        yield data


def remove(run: UUID) -> None:
    """Remove the file, if there is one."""
    store = bucket()
    for item in list(store.list(f"{PREFIX}{run.hex}/")):
        store.delete(item.key)


def runs() -> set[UUID]:
    """The runs of which there is a part."""
    found = set()
    for item in bucket().list(PREFIX):
        name = item.key.removeprefix(PREFIX).partition("/")[0]
        if len(name) == 32:
            found.add(UUID(name))
    return found


def _key(run: UUID, number: int) -> str:
    return f"{PREFIX}{run.hex}/{number:08x}"
