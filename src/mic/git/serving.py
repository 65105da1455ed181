"""What the Git protocol asks of a repository that is served, and what it is told: the face between wire and objects.

Object ids are 20 bytes, ref names bytes as in Git (`refs/heads/main`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple, Protocol

import msgspec

ABSENT = bytes(20)


class Ref(NamedTuple):
    """A ref, what it names, and of an annotated tag what that finally points at."""

    name: bytes
    oid: bytes
    peeled: bytes | None = None


class Refs(NamedTuple):
    """All refs that are shown, sorted by name; `head` is the one that HEAD names, also while it is unborn.

    `said` remembers answers that list them, for as long as whoever made them remembers these refs.
    """

    head: bytes
    refs: Sequence[Ref]
    said: dict[tuple[object, ...], bytes] | None = None


class FetchRequest(msgspec.Struct, frozen=True):
    """What a client wants and has. `filter`: "", "blob:none", "blob:limit=N", "tree:N"; `deepen_not` are ref names."""

    wants: tuple[bytes, ...]
    haves: tuple[bytes, ...] = ()
    shallow: tuple[bytes, ...] = ()
    depth: int = 0
    deepen_relative: bool = False
    deepen_since: int = 0
    deepen_not: tuple[bytes, ...] = ()
    filter: str = ""
    thin: bool = False
    ofs_delta: bool = False
    include_tag: bool = False


class PackStream(NamedTuple):
    """One valid pack file in pieces, header and trailer included; and how the client's shallow commits change.

    A piece may be a view of what is kept, to be used before the next one is asked for.
    """

    objects: int
    shallow: Sequence[bytes]
    unshallow: Sequence[bytes]
    data: Iterator[bytes | memoryview]


class RefUpdate(NamedTuple):
    """A ref from one id to another; ABSENT for none."""

    name: bytes
    old: bytes
    new: bytes


class RefResult(NamedTuple):
    """What became of an update: "" when it was done, else why not, in one line.

    `became` is what really moved, where that is not what was asked for; `said` are lines for whoever pushed.
    """

    name: bytes
    error: str = ""
    forced: bool = False
    became: RefUpdate | None = None
    said: tuple[str, ...] = ()


class GitRepositoryView(Protocol):
    """A repository as the protocol sees it. The methods may wait for the store."""

    def refs(self) -> Refs:
        """What is advertised; hidden refs are left out."""

    def hidden(self, names: Sequence[bytes]) -> list[Ref]:
        """Those of the names that are refs which are served but not advertised (`refs/landings/7`)."""

    def common(self, haves: Sequence[bytes]) -> list[bytes]:
        """Those of the objects that are here."""

    def ready(self, wants: Sequence[bytes], haves: Sequence[bytes]) -> bool:
        """Whether every want has an ancestor among the haves, so that negotiation may stop."""

    def sizes(self, oids: Sequence[bytes]) -> list[int | None]:
        """Sizes of objects in bytes, None for one that is not here."""

    def fetch(self, request: FetchRequest) -> PackStream:
        """What the client lacks. NotFound for a want that is not here."""

    def receive(
        self, updates: Sequence[RefUpdate], pack: BinaryIO | None, *, atomic: bool, options: Sequence[bytes]
    ) -> list[RefResult]:
        """Take a pushed pack (from its first byte; may be None when only refs are deleted) and move refs."""
