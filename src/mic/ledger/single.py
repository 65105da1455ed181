"""Protocols of one effect, for whoever needs no more than that of the store."""

from __future__ import annotations

from typing import BinaryIO

from mic.ledger.effects import Delete, Get, GetRange, List, Map, Now, Protocol, Put, PutFile, PutNew
from mic.store.port import Listed


def get(key: str) -> Protocol[bytes]:
    """The bytes of an object. NotFound."""
    return (yield Get(key)).data  # type: ignore[no-any-return]


def get_range(key: str, start: int, length: int) -> Protocol[bytes]:
    """`length` bytes from `start` on, or fewer at the end. NotFound."""
    return (yield GetRange(key, start, length))  # type: ignore[no-any-return]


def get_mapped(key: str) -> Protocol[bytes]:
    """An object that never changes, mapped where the store can. NotFound."""
    return (yield Map(key))  # type: ignore[no-any-return]


def listed(prefix: str) -> Protocol[list[Listed]]:
    """What begins with the prefix."""
    return (yield List(prefix))  # type: ignore[no-any-return]


def put(key: str, data: bytes) -> Protocol[None]:
    """Write an object, in place of what is there."""
    yield Put(key, data)


def put_file(key: str, file: BinaryIO) -> Protocol[None]:
    """Write an object that is named by its content: all that the file holds."""
    yield PutFile(key, file)


def put_new(key: str, data: bytes) -> Protocol[None]:
    """Write an object that is not there. AlreadyExists."""
    yield PutNew(key, data)


def delete(key: str) -> Protocol[None]:
    """Remove an object, if it is there."""
    yield Delete(key)


def now() -> Protocol[int]:
    """Unix milliseconds."""
    return (yield Now())  # type: ignore[no-any-return]
