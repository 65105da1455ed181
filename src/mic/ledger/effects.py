"""What a ledger protocol can ask of the world, as values.

A protocol is a generator: it yields an effect (or a tuple of effects that may run at once) and is sent
the result, or has the error thrown into it. It never touches a store, a clock or a random source, so
the same code runs in production and, step by step, under injected faults.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar

if TYPE_CHECKING:
    from mic.ledger.request import LandRequest

T = TypeVar("T")


class Get(NamedTuple):
    """-> Tagged"""

    key: str


class GetRange(NamedTuple):
    """-> bytes"""

    key: str
    start: int
    length: int


class Fresh(NamedTuple):
    """-> bytes, as `GetRange`, of the store itself: what a cache remembers does not count"""

    key: str
    start: int
    length: int


class FreshWhole(NamedTuple):
    """-> Tagged, as `Get`, of the store itself"""

    key: str


class Map(NamedTuple):
    """-> bytes, memoryview or mmap: an immutable object whole, mapped where the store can; NotFound"""

    key: str


class Put(NamedTuple):
    """-> None"""

    key: str
    data: bytes


class PutFile(NamedTuple):
    """-> None"""

    key: str
    file: BinaryIO


class PutNew(NamedTuple):
    """-> None; AlreadyExists"""

    key: str
    data: bytes


class PutIf(NamedTuple):
    """-> str, the new tag, "" when the store does not say it; PreconditionFailed"""

    key: str
    data: bytes
    tag: str


class List(NamedTuple):
    """-> list[Listed]"""

    prefix: str
    start_after: str = ""


class Delete(NamedTuple):
    """-> None"""

    key: str


class Sleep(NamedTuple):
    """-> None, after so many seconds"""

    seconds: float


class Now(NamedTuple):
    """-> int, Unix milliseconds"""


class Random(NamedTuple):
    """-> bytes"""

    length: int


class Attempt(NamedTuple):
    """-> what the effect gives, or the MicError that it raises, as a value: for effects that run at once"""

    effect: Request


class Forward(NamedTuple):
    """-> list of Landed or MicError, what the front end at an address says to requests; Unavailable"""

    address: str
    project: str
    requests: tuple[LandRequest, ...]


Request = Get | GetRange | Fresh | FreshWhole | Map | Put | PutFile | PutNew | PutIf | List | Delete
Effect = Request | Sleep | Now | Random | Attempt | Forward
Protocol = Generator[Effect | tuple[Effect, ...], Any, T]
