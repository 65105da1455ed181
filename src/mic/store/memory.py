"""A store in memory, for tests and simulations: the same answers as a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import BinaryIO

from mic.core.errors import AlreadyExists, NotFound, PreconditionFailed
from mic.store.port import Listed, Tagged, check_key, content_tag


class MemoryStore:
    """Objects in a dictionary behind one lock."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Tagged:
        with self._lock:
            data = self._objects.get(check_key(key))
        if data is None:
            raise NotFound(f"{key} does not exist")
        return Tagged(data, content_tag(data))

    def get_range(self, key: str, start: int, length: int) -> bytes:
        with self._lock:
            data = self._objects.get(check_key(key))
        if data is None:
            raise NotFound(f"{key} does not exist")
        return data[start : start + length]

    def put(self, key: str, data: bytes) -> None:
        with self._lock:
            self._objects[check_key(key)] = bytes(data)

    def put_file(self, key: str, file: BinaryIO) -> None:
        file.seek(0)
        self.put(key, file.read())

    def put_new(self, key: str, data: bytes) -> None:
        with self._lock:
            if check_key(key) in self._objects:
                raise AlreadyExists(f"{key} exists already")
            self._objects[key] = bytes(data)

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        with self._lock:
            current = self._objects.get(check_key(key))
            if current is None or content_tag(current) != tag or not tag:
                raise PreconditionFailed(f"{key} has changed")
            self._objects[key] = bytes(data)
        return content_tag(data)

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        with self._lock:
            found = [
                Listed(key, len(data))
                for key, data in self._objects.items()
                if key.startswith(prefix) and key > start_after
            ]
        return iter(sorted(found))

    def delete(self, key: str) -> None:
        with self._lock:
            self._objects.pop(check_key(key), None)
