"""Versions read one after the other: what a chain of deltas makes on the way is made once, and verified when read."""

from __future__ import annotations

import io

import pytest

from mic.core.errors import Corrupt
from mic.git import packs as room
from mic.git.packentry import BLOB, apply_delta, make_delta, object_id
from mic.git.packindex import PackIndex
from mic.git.packs import Pack, Packs
from mic.git.packwrite import PackWriter

VERSIONS = 40


def _chain(spoilt: int = -1) -> tuple[Packs, list[tuple[bytes, bytes]]]:
    """A file of forty versions, each a delta on the one before; of version `spoilt` the pack says another id."""
    out = io.BytesIO()
    writer = PackWriter(out)
    versions, before = [], b""
    for number in range(VERSIONS):
        data = b"".join(b"line %d\n" % (line if line != number else -line) for line in range(200))
        oid = bytes([number]) * 20 if number == spoilt else object_id(BLOB, data)
        if versions:
            delta = make_delta(before, data)
            assert delta is not None
            writer.add(BLOB, oid, data, versions[-1][0], delta)
        else:
            writer.add(BLOB, oid, data)
        versions.append((oid, data))
        before = data
    written = writer.finish()
    raw = out.getvalue()
    pack = Pack("p", PackIndex(written.index, "p"), lambda offset, length: raw[offset : offset + length])
    return Packs([pack], lambda sha256: iter(())), versions


def test_each_delta_is_applied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by whoever reads the newest version first, and then the older ones."""
    packs, versions = _chain()
    applied = []

    def counted(base: bytes, delta: bytes) -> bytes:
        applied.append(delta)
        return apply_delta(base, delta)

    monkeypatch.setattr(room, "apply_delta", counted)
    for oid, data in reversed(versions):
        assert packs.read(oid) == (BLOB, data)
    assert len(applied) == VERSIONS - 1


def test_what_was_met_on_the_way_is_verified_when_it_is_read() -> None:
    """The versions that stand on it are what they should be; it itself is not what its id says."""
    packs, versions = _chain(spoilt=20)
    assert packs.read(versions[30][0])[1] == versions[30][1]
    for _ in range(2):
        with pytest.raises(Corrupt, match="is damaged"):
            packs.read(versions[20][0])
    assert packs.read(versions[10][0])[1] == versions[10][1]


def test_the_memory_for_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read lately stays; what was met and pushed out again is made again."""
    monkeypatch.setattr(room, "_CACHE_BYTES", 10_000)
    packs, versions = _chain()
    for oid, data in (*reversed(versions), *versions):
        assert packs.read(oid) == (BLOB, data)
    assert packs._cached <= 10_000
    assert packs._unverified <= packs._cache.keys()
