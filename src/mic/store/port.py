"""What the ledger asks of storage: eight calls."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from mmap import mmap
from typing import BinaryIO, NamedTuple, Protocol, runtime_checkable

from mic.core.errors import InvalidInput

# Objects that are compared and swapped are small; a larger one has no tag and cannot be swapped.
MAX_TAGGED = 1 << 20
_KEY = re.compile(r"[A-Za-z0-9._@=+-]+(/[A-Za-z0-9._@=+-]+)*")


class Tagged(NamedTuple):
    """An object's bytes and the tag that `put_if` wants back; "" when it is too large to swap."""

    data: bytes
    tag: str


class Listed(NamedTuple):
    """A key and the size of its object in bytes."""

    key: str
    size: int


class ObjectStore(Protocol):
    """Raises NotFound, AlreadyExists, PreconditionFailed, StorageFull, Unavailable; nothing else is expected.

    Keys are ASCII, slash-separated, without empty, `.` or `..` parts, and do not begin with a dot (an adapter
    keeps its own files there). Writes are atomic and durable when the call returns: a reader sees the old bytes
    or the new ones, whole.
    """

    def get(self, key: str) -> Tagged:
        """The whole object. NotFound when absent."""

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`; shorter at the end of the object. NotFound when absent."""

    def put(self, key: str, data: bytes) -> None:
        """Create or replace."""

    def put_file(self, key: str, file: BinaryIO) -> None:
        """Create or replace by all that a file holds, from its first byte; a part of it is in memory at a time.

        For what is named by its content: who reads meanwhile sees the old bytes, the new ones, or NotFound.
        """

    def put_new(self, key: str, data: bytes) -> None:
        """Create; AlreadyExists when there is an object, which stays as it was."""

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        """Replace the object whose tag this is; PreconditionFailed when it is another or absent.

        The new tag, or "" when the store does not say it.
        """

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        """Keys that begin with `prefix`, sorted, after `start_after`. `prefix` ends with a slash or is empty."""

    def delete(self, key: str) -> None:
        """Remove; nothing happens when absent."""


@runtime_checkable
class MapsObjects(Protocol):
    """What a store with local files offers beside its eight calls."""

    def map(self, key: str) -> bytes | memoryview | mmap:
        """The whole of an object that never changes: mapped when that pays, else its bytes. NotFound when absent.

        A memoryview is of a mapping that holds the object somewhere inside.

        The file must not be cut short while it is mapped; removing or replacing it by another is safe.
        """


def check_key(key: str) -> str:
    """The key, or InvalidInput when it could mean another place."""
    if not _KEY.fullmatch(key) or key.startswith(".") or any(part in (".", "..") for part in key.split("/")):
        raise InvalidInput(f"{key[:200]!r} is not a store key")
    return key


def content_tag(data: bytes) -> str:
    """A tag made of the content: a swap is safe because a head never repeats."""
    return hashlib.sha256(data).hexdigest()[:32] if len(data) <= MAX_TAGGED else ""
