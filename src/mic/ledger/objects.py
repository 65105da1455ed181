"""Finding and reading immutable objects: nodes, contents, sessions.

`Objects` knows where each object of a line lies; `NodeCache` keeps decoded nodes within a byte budget.
Every byte read is verified against the hash it was asked for. An object that a reachable object names
and that cannot be found is damage, never an empty answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import TypeVar

from mic.core import epoch as stored
from mic.core.blob import Chunk, blob_size, decode_blob, decode_chunk_list, inflate_node
from mic.core.errors import Corrupt, NotFound, TooLarge
from mic.core.ids import content_hash
from mic.core.indexrun import IndexRun, Place
from mic.core.session import Session, decode_session
from mic.core.tree import Node, decode_node
from mic.core.tree.edit import Found, Need
from mic.ledger.effects import GetRange, Protocol

T = TypeVar("T")

# A decoded node costs about this many times its encoded size in Python objects.
_NODE_WEIGHT = 3


class NodeCache:
    """Decoded tree nodes, least recently used first out. Shared by all projects of a process."""

    def __init__(self, max_bytes: int = 128 << 20) -> None:
        self.max_bytes = max_bytes
        self._nodes: OrderedDict[bytes, Node] = OrderedDict()
        self._weights: dict[bytes, int] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: bytes, /) -> Node | None:
        node = self._nodes.get(key)
        if node is not None:
            with self._lock:
                if key in self._nodes:
                    self._nodes.move_to_end(key)
        return node

    def put(self, node: Node, raw_bytes: int) -> None:
        with self._lock:
            if node.hash in self._nodes:
                return
            weight = raw_bytes * _NODE_WEIGHT + 512
            self._nodes[node.hash] = node
            self._weights[node.hash] = weight
            self._bytes += weight
            while self._bytes > self.max_bytes and len(self._nodes) > 1:
                old, _ = self._nodes.popitem(last=False)
                self._bytes -= self._weights.pop(old)


class Objects:
    """Where the objects of one line lie: index runs for the sealed past, a dictionary for what came since.

    `reads` counts ranged reads, for the cost line at the foot of a page.
    """

    def __init__(self, name: str, below: Objects | None = None) -> None:
        self.name = name  # of the project, for messages
        self.runs: list[IndexRun] = []
        self.recent: dict[bytes, Place] = {}
        self.pinned: OrderedDict[bytes, Mapping[bytes, Node]] = OrderedDict()
        self.below = below
        self.reads = 0

    def find(self, object_hash: bytes) -> Place | None:
        place = self.recent.get(object_hash)
        if place is None:
            for run in reversed(self.runs):
                if (place := run.find(object_hash)) is not None:
                    break
        if place is None and self.below is not None:
            return self.below.find(object_hash)
        return place

    def add(self, key: str, base: int, objects: Iterable[stored.Stored]) -> None:
        """Objects of a container whose offsets count from byte `base`."""
        for item in objects:
            self.recent[item.hash] = Place(key, item.kind, base + item.offset, item.length)

    def require(self, object_hash: bytes, what: str) -> Place:
        place = self.find(object_hash)
        if place is None:
            raise Corrupt(
                f"{what} {object_hash.hex()} of project {self.name} is missing from the store",
                hint="restore the project's objects from a backup",
                object=object_hash.hex(),
            )
        return place

    def pin(self, root: bytes, nodes: Mapping[bytes, Node]) -> None:
        """Keep the nodes of a tree that was made again from records and is stored nowhere."""
        self.pinned[root] = nodes
        self.pinned.move_to_end(root)
        while len(self.pinned) > 64:
            self.pinned.popitem(last=False)

    def pinned_node(self, node_hash: bytes) -> Node | None:
        for nodes in reversed(self.pinned.values()):
            if (node := nodes.get(node_hash)) is not None:
                return node
        return None


def read_place(objects: Objects, place: Place, what: str) -> Protocol[bytes]:
    """The stored bytes at a place; raises Corrupt when the container is absent or too short."""
    objects.reads += 1
    try:
        raw = yield GetRange(place.key, place.offset, place.length)
    except NotFound as error:
        raise Corrupt(
            f"{place.key} is missing from the store; it holds {what} of project {objects.name}",
            hint="restore the object from a backup",
            object=place.key,
        ) from error
    _check_length(place, raw, what)
    return raw  # type: ignore[no-any-return]


def _check_length(place: Place, raw: bytes, what: str) -> None:
    if len(raw) != place.length:
        raise Corrupt(
            f"{place.key} is cut short: {what} needs {place.length} bytes at {place.offset}, {len(raw)} are there",
            hint="restore the object from a backup",
            object=place.key,
            offset=place.offset,
        )


def fetch_nodes(objects: Objects, cache: NodeCache, hashes: Sequence[bytes]) -> Protocol[dict[bytes, Node]]:
    """Nodes by hash, from the cache, the pinned trees, or the store (all reads of one call at once)."""
    found: dict[bytes, Node] = {}
    wanted: list[tuple[bytes, Place]] = []
    for node_hash in hashes:
        node = cache.get(node_hash) or objects.pinned_node(node_hash)
        if node is not None:
            found[node_hash] = node
        else:
            wanted.append((node_hash, objects.require(node_hash, "tree node")))
    if len(wanted) == 1:
        raws = [(yield from read_place(objects, wanted[0][1], "a tree node"))]
    elif wanted:
        objects.reads += len(wanted)
        try:
            raws = yield tuple(GetRange(place.key, place.offset, place.length) for _, place in wanted)
        except NotFound as error:
            raise Corrupt(f"tree nodes of project {objects.name} are missing: {error.message}") from error
    for (node_hash, place), raw in zip(wanted, raws if wanted else [], strict=True):
        name = f"tree node {node_hash.hex()} in {place.key}"
        _check_length(place, raw, name)
        plain = inflate_node(raw, node_hash, name)
        node = decode_node(plain, name)
        node.raw = b""  # the columns are enough from here on
        cache.put(node, len(plain))
        found[node_hash] = node
    return found


def with_nodes(objects: Objects, cache: NodeCache, algorithm: Generator[Need, Found, T]) -> Protocol[T]:
    """Run a tree algorithm, fetching the nodes that it asks for."""
    try:
        need = next(algorithm)
        while True:
            need = algorithm.send((yield from fetch_nodes(objects, cache, need)))
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def read_session(objects: Objects, object_hash: bytes) -> Protocol[Session]:
    """A landed session by the hash of its encoded bytes."""
    place = objects.require(object_hash, "session object")
    raw = yield from read_place(objects, place, "a session object")
    name = f"session object {object_hash.hex()} in {place.key}"
    if content_hash(raw) != object_hash:
        raise Corrupt(f"{name} is damaged: its bytes have another hash", object=place.key)
    return decode_session(raw, name)


def blob_chunks(objects: Objects, object_hash: bytes) -> Protocol[list[Chunk] | None]:
    """The chunk list of a large content, None when it is stored whole."""
    place = objects.require(object_hash, "content")
    if place.kind != stored.CHUNK_LIST:
        return None
    raw = yield from read_place(objects, place, "a chunk list")
    return decode_chunk_list(raw, f"chunk list {object_hash.hex()} in {place.key}")


def read_blob(objects: Objects, object_hash: bytes, limit: int) -> Protocol[bytes]:
    """A whole content of at most `limit` bytes, verified; raises TooLarge before reading more."""
    chunks = yield from blob_chunks(objects, object_hash)
    if chunks is None:
        place = objects.require(object_hash, "content")
        raw = yield from read_place(objects, place, "a content")
        name = f"content {object_hash.hex()} in {place.key}"
        _check_limit(blob_size(raw, name), limit, object_hash)
        return decode_blob(raw, object_hash, name)
    _check_limit(sum(chunk.length for chunk in chunks), limit, object_hash)
    parts = []
    for chunk in chunks:
        parts.append((yield from read_blob(objects, chunk.hash, chunk.length)))
    data = b"".join(parts)
    if content_hash(data) != object_hash:
        raise Corrupt(f"content {object_hash.hex()} is damaged: its chunks make other bytes", object=object_hash.hex())
    return data


def _check_limit(size: int, limit: int, object_hash: bytes) -> None:
    if size > limit:
        raise TooLarge(f"content {object_hash.hex()} has {size} bytes; the limit here is {limit}", size=size)
