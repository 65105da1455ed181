"""The commits of packs, looked up in their indexes: the same lines as a graph that holds them."""

from __future__ import annotations

import random

import pytest

from mic.core.errors import Corrupt
from mic.git.pack_lines import PackLines
from mic.git.packindex import CommitLine, Packed, PackIndex, encode_index


def _index(lines: list[CommitLine], rnd: random.Random) -> PackIndex:
    """A pack of commits, with a blob between each of them."""
    objects, at = [], 12
    for line in lines:
        for oid, kind in ((line.oid, 1), (rnd.randbytes(20), 3)):
            objects.append(Packed(oid, kind, at, 10, 100))
            at += 10
    return PackIndex(encode_index(at, objects, lines), "it")


def test_lines_are_those_of_all_packs_and_of_what_is_known() -> None:
    rnd = random.Random(1)
    oids = [rnd.randbytes(20) for _ in range(90)]
    lines = [
        CommitLine(oid, rnd.randbytes(20), tuple(oids[max(0, at - at % 4) : at]), at - 45)
        for at, oid in enumerate(oids)
    ]
    packs = [_index(lines[30:60], rnd), _index([], rnd), _index(lines[60:], rnd)]
    found = PackLines({line.oid: line for line in lines[:30]}, packs)
    assert len(found) == 90
    assert sorted(found) == sorted(oids)
    assert [found[oid] for oid in oids] == lines
    assert {len(line.parents) for line in lines} == {0, 1, 2, 3}
    blob = next(item.oid for item in packs[0].objects() if item.kind == 3)
    for absent in (bytes(20), blob):
        assert absent not in found
        assert found.get(absent) is None
        with pytest.raises(KeyError):
            found[absent]


def test_a_table_that_names_more_parents_than_there_are_is_damage() -> None:
    line = CommitLine(b"\x11" * 20, b"\x22" * 20, (b"\x33" * 20,), 1)
    index = _index([line], random.Random(2))
    index._parent_count = 0
    with pytest.raises(Corrupt, match="table of commits"):
        PackLines({}, [index])
