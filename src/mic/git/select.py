"""Which objects a fetch sends: those that the wanted commits and tags name and the client does not have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mic.core.errors import InvalidInput
from mic.git.graph import Boundary, Graph
from mic.git.objects import EMPTY_TREE_OID, tag_target
from mic.git.packentry import BLOB, COMMIT, TAG, TREE
from mic.git.packindex import PackIndex
from mic.git.packs import Packs
from mic.git.serving import FetchRequest
from mic.git.tree_entries import TreeEntry, parse_tree

_LIMIT = re.compile(r"blob:limit=(\d{1,15})([kmg]?)")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_DEPTH = re.compile(r"tree:(\d{1,9})")
_PARSED = 20_000
_TAGS_OF_TAGS = 64


class Filter(NamedTuple):
    """What a partial clone leaves out: contents of `blobs` bytes and more, trees `depth` below the root and deeper."""

    blobs: int | None = None
    depth: int | None = None


def parse_filter(text: str) -> Filter:
    """A filter as Git spells it. Raises InvalidInput for one that is not served."""
    if not text:
        return Filter()
    if text == "blob:none":
        return Filter(blobs=0)
    if found := _LIMIT.fullmatch(text):
        return Filter(blobs=int(found[1]) * _UNITS[found[2]])
    if found := _DEPTH.fullmatch(text):
        return Filter(depth=int(found[1]))
    raise InvalidInput(f"The filter {text[:60]!r} is not served here.", hint="Use blob:none, blob:limit=N or tree:N.")


class Selection(NamedTuple):
    """The objects to send, in order; `held` are objects that the client is known to have."""

    oids: list[bytes]
    held: set[bytes]
    boundary: Boundary | None


class _Walk:
    """Gathers objects in the order in which they are to be sent."""

    def __init__(self, packs: Packs, chosen: Filter) -> None:
        self.packs, self.filter = packs, chosen
        self.oids: dict[bytes, None] = {}
        self.held: set[bytes] = set()
        self._depths: dict[bytes, int] = {}
        self._parsed: dict[bytes, list[TreeEntry]] = {}

    def entries(self, tree: bytes) -> list[TreeEntry]:
        if tree == EMPTY_TREE_OID:
            return []
        known = self._parsed.get(tree)
        if known is None:
            if len(self._parsed) > _PARSED:
                self._parsed.clear()
            known = self._parsed[tree] = parse_tree(self.packs.tree(tree), tree)
        return known

    def trees(self, tree: bytes, olds: Iterable[bytes], held: bool) -> None:
        """What is in `tree` and in none of `olds` at the same place; what is in these the client has, if `held`."""
        todo: list[tuple[bytes, list[bytes], int]] = [(tree, list(olds), 0)]
        while todo:
            oid, before, depth = todo.pop()
            if oid in before or not self._wants(oid, depth):
                continue
            # Every Git knows the empty tree, and some never send it.
            if oid != EMPTY_TREE_OID or self.packs.has(oid):
                self.oids[oid] = None
            old = [entry for known in before for entry in self.entries(known)]
            same = {entry.oid for entry in old}
            if held:
                self.held.update(before, same)
            below: dict[bytes, list[bytes]] = {}
            for entry in old:
                if entry.is_tree:
                    below.setdefault(entry.name, []).append(entry.oid)
            for entry in self.entries(oid):
                if entry.oid in same or entry.is_gitlink:
                    continue
                if entry.is_tree:
                    todo.append((entry.oid, below.get(entry.name, []), depth + 1))
                elif self.filter.depth is None or depth + 1 < self.filter.depth:
                    self.blob(entry.oid)

    def _wants(self, tree: bytes, depth: int) -> bool:
        """Whether a tree is to be sent with what is below it; again, when it was met deeper before."""
        limit = self.filter.depth
        if tree in self.held or (limit is not None and depth >= limit):
            return False
        met = self._depths.get(tree)
        if met is not None and (limit is None or met <= depth):
            return False
        self._depths[tree] = depth
        return True

    def blob(self, oid: bytes) -> None:
        limit = self.filter.blobs
        if limit == 0 or oid in self.oids or oid in self.held:
            return
        if limit is None or self.packs.require(oid).size < limit:
            self.oids[oid] = None


def select(
    packs: Packs,
    graph: Graph,
    request: FetchRequest,
    tags: Mapping[bytes, bytes],
) -> Selection:
    """What to send. `tags` are the annotated tags by what they peel to.

    Raises NotFound for a want that is not here, InvalidInput for a filter that is not served.
    """
    walk = _Walk(packs, parse_filter(request.filter))
    commits = _wanted(walk, request.wants)
    shallow = set(request.shallow)
    boundary = _deepened(graph, request, commits, shallow)
    has = graph.behind(request.haves, shallow)
    if boundary is not None:
        new = boundary.commits - has
    else:
        new = graph.reach(commits, has) if has else set(graph.closure(commits))
    ordered = graph.newest_first(new)
    walk.oids.update(dict.fromkeys(ordered))
    for oid in reversed(ordered):
        line = graph.lines[oid]
        parents = [parent for parent in line.parents if parent in has or parent in new]
        held = all(parent in has for parent in parents)
        walk.trees(line.tree, [graph.lines[parent].tree for parent in parents], held)
    if request.include_tag:
        for target, tag in tags.items():
            if target in walk.oids:
                walk.oids[tag] = None
    return Selection(list(walk.oids), walk.held, boundary)


def asked_for(packs: Packs, wants: Iterable[bytes]) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """(commits behind the wants, all else that they name themselves). Raises NotFound for a want that is not here."""
    walk = _Walk(packs, Filter(blobs=0, depth=0))
    commits = _wanted(walk, wants)
    return frozenset(commits), frozenset(walk.oids)


def takes_all(indexes: Iterable[PackIndex], request: FetchRequest, commits: frozenset[bytes]) -> bool:
    """Whether a request for these commits is for all commits that the packs of these indexes hold.

    It is where each of them that is nobody's parent is asked for: whoever walks from any other to its children, and on
    to theirs, ends at one of those. So no commit has to be walked.
    """
    if request.haves or request.shallow or request.filter:
        return False
    if request.depth or request.deepen_since or request.deepen_not:
        return False
    ends = [index.ends for index in indexes]
    heads: frozenset[bytes] = frozenset().union(*(each.heads for each in ends))
    return heads.difference(commits, *(each.outside for each in ends)) == frozenset()


def _wanted(walk: _Walk, wants: Iterable[bytes]) -> list[bytes]:
    """The commits behind the wants; tags, trees and contents that are wanted themselves are put into the walk."""
    commits = []
    for want in wants:
        oid, kind = want, 0
        for _ in range(_TAGS_OF_TAGS):
            kind = walk.packs.require(oid).kind
            if kind != TAG:
                break
            walk.oids[oid] = None
            oid = tag_target(oid, walk.packs.read(oid, TAG)[1])[0]
        if kind == COMMIT:
            commits.append(oid)
        elif kind == TREE:
            if walk.filter.depth is None:
                walk.trees(oid, (), False)
            walk.oids[oid] = None
        elif kind == BLOB:
            walk.oids[oid] = None
    return commits


def _deepened(graph: Graph, request: FetchRequest, commits: list[bytes], shallow: set[bytes]) -> Boundary | None:
    """Where a shallow history is to end; None for a client that asks for no other end than it has."""
    if request.depth:
        depth = request.depth
        if request.deepen_relative and shallow:
            depth += graph.depth_of(commits, shallow)
        return graph.within_depth(commits, min(depth, len(graph.lines) + 1), shallow)
    if request.deepen_since or request.deepen_not:
        return graph.since(commits, request.deepen_since, graph.behind(request.deepen_not), shallow)
    return None
