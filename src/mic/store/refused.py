"""A store that is read and not written, because it was found unsafe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NoReturn

from mic.core.errors import UnsafeStore
from mic.store.port import Listed, ObjectStore, Tagged


class RefusedStore:
    """Reads of `inner`; every write raises UnsafeStore with `reason`, a full sentence."""

    def __init__(self, inner: ObjectStore, reason: str) -> None:
        self.inner = inner
        self.reason = reason

    def get(self, key: str) -> Tagged:
        return self.inner.get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        return self.inner.get_range(key, start, length)

    def put(self, key: str, data: bytes) -> None:
        self._refuse()

    def put_file(self, key: str, file: BinaryIO) -> None:
        self._refuse()

    def put_new(self, key: str, data: bytes) -> None:
        self._refuse()

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        self._refuse()

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        return self.inner.list(prefix, start_after)

    def delete(self, key: str) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UnsafeStore(
            self.reason, hint="move to another store; `micelio store doctor` says what it must be able to"
        )
