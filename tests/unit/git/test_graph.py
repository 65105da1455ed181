"""Which commits a graph knows, when it reads them, and where the commits of packs end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from mic.git.graph import Graph
from mic.git.packentry import COMMIT
from mic.git.packindex import CommitLine, Packed, PackIndex, encode_index
from mic.git.select import takes_all
from mic.git.serving import FetchRequest

A, B, C, D, E = (bytes([n]) * 20 for n in (1, 2, 3, 4, 5))
TREE = bytes([9]) * 20


def index(**parents: tuple[bytes, ...]) -> PackIndex:
    """The index of a pack with these commits: a=(), b=(A,)."""
    oids = {"a": A, "b": B, "c": C, "d": D, "e": E}
    objects = [Packed(oids[name], COMMIT, 12 + 10 * at, 10, 200) for at, name in enumerate(parents)]
    lines = [CommitLine(oids[name], TREE, named, 1) for name, named in parents.items()]
    return PackIndex(encode_index(1000, objects, lines), "a pack")


def test_where_the_commits_of_a_pack_end() -> None:
    # a - b - c, and d beside them on a commit of another pack
    ends = index(a=(), b=(A,), c=(B,), d=(A, E)).ends
    assert ends.heads == {C, D}
    assert ends.outside == {E}


def test_all_is_taken_where_no_commit_is_left_out() -> None:
    packs = [index(a=(), b=(A,)), index(c=(B,), d=(A, B))]
    for wanted, all_of_it in (({C, D}, True), ({C}, False), ({D}, False), ({A, B, C, D}, True), ({B}, False)):
        request = FetchRequest(wants=tuple(sorted(wanted)))
        assert takes_all(packs, request, frozenset(wanted)) is all_of_it, wanted
    whole = FetchRequest(wants=(C, D), depth=1)
    assert not takes_all(packs, whole, frozenset({C, D}))


def test_a_commit_that_no_ref_names_is_not_all() -> None:
    """What a push left that died before its refs moved."""
    assert not takes_all([index(a=()), index(b=(A,))], FetchRequest(wants=(A,)), frozenset({A}))
    assert not takes_all([index(a=()), index(e=())], FetchRequest(wants=(A,)), frozenset({A}))


def test_commits_are_read_once_and_when_asked_for() -> None:
    graph, read = Graph(), []

    def lines() -> Iterator[CommitLine]:
        read.append(1)
        yield CommitLine(A, TREE, (), 1)

    graph.add_later(lines)
    assert read == []
    threads = [threading.Thread(target=lambda: graph.lines[A]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert A in graph
    assert read == [1]
    more = graph.with_more([CommitLine(B, TREE, (A,), 2)])
    assert B in more
    assert B not in graph
