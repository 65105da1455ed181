"""Epochs, packs, segments and index runs: contents lists, sizes, and records that do not belong together."""

from __future__ import annotations

import hashlib

import pytest

from mic.core.codec import crc32c
from mic.core.epoch import HEADER_BYTES, PackRef, decode_epoch, make_epoch, meta_bytes
from mic.core.errors import Corrupt
from mic.core.head import Head
from mic.core.indexrun import IndexRun, Place, encode_run
from mic.core.pack import FOOTER_BYTES, decode_toc, encode_pack, toc_bytes
from mic.core.record import Record
from mic.core.segment import decode_segment, encode_segment, segment_start
from mic.core.tree import EMPTY_TREE

H = bytes(range(32))
PREV, HEAD = Head(0, EMPTY_TREE, 1), Head(3, H, 9)
RECORDS = [Record(n, n.to_bytes(16, "big"), H, n - 1, 6 + n, H, ()) for n in (1, 2, 3)]


def _objects(count: int) -> list[tuple[bytes, int, bytes]]:
    return [(hashlib.sha256(b"%d" % n).digest(), n % 4, b"object %d" % n) for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_objects_of_an_epoch_and_a_pack_are_where_the_list_says(count: int) -> None:
    """Sorted by hash, one entry a hash, each slice exactly the object; the list alone is enough to read."""
    objects = _objects(count)
    _, raw = make_epoch(PREV, HEAD, bytes(8), RECORDS, [PackRef(H, 9)], objects + objects[:5])
    epoch = decode_epoch(raw[: meta_bytes(raw[:HEADER_BYTES], "epoch")], "epoch")
    assert [item.hash for item in epoch.objects] == sorted(item[0] for item in objects)
    data = raw[epoch.data_start :]
    assert {i.hash: (i.kind, data[i.offset : i.offset + i.length]) for i in epoch.objects} == {
        item[0]: item[1:] for item in objects
    }
    name, pack = encode_pack(objects)
    assert name == hashlib.sha256(pack).digest()
    tail = pack[-FOOTER_BYTES - toc_bytes(pack[-FOOTER_BYTES:], "pack") :]
    listed = decode_toc(tail, len(pack), "pack")
    assert {i.hash: (i.kind, pack[i.offset : i.offset + i.length]) for i in listed} == {
        item[0]: item[1:] for item in objects
    }


def test_a_pack_that_is_shorter_than_its_list_says_is_damage() -> None:
    _, pack = encode_pack(_objects(3))
    tail = pack[-FOOTER_BYTES - toc_bytes(pack[-FOOTER_BYTES:], "pack") :]
    with pytest.raises(Corrupt, match="outside of the pack"):
        decode_toc(tail, len(pack) - 1, "pack")


@pytest.mark.parametrize(
    ("prev", "new", "records", "why"),
    [
        (Head(0, EMPTY_TREE, 1), Head(3, bytes(32), 9), RECORDS, "not what its head says"),
        (Head(0, EMPTY_TREE, 1), Head(4, H, 9), RECORDS, "not what its head says"),
        (Head(1, EMPTY_TREE, 1), Head(3, H, 9), RECORDS, "do not follow"),
        (Head(0, EMPTY_TREE, 1), Head(3, H, 9), [RECORDS[0], RECORDS[2]], "do not follow"),
    ],
)
def test_an_epoch_that_contradicts_its_heads_is_damage(prev: Head, new: Head, records: list[Record], why: str) -> None:
    """With a checksum that holds, as a faulty writer would leave it."""
    raw = bytearray(
        make_epoch(PREV, HEAD, bytes(8), RECORDS if len(records) == 3 else [*records, RECORDS[2]], [], [])[1]
    )
    raw[16:64], raw[64:112] = prev.encode(), new.encode()
    stop = meta_bytes(bytes(raw[:HEADER_BYTES]), "epoch") - 4
    raw[stop : stop + 4] = crc32c(bytes(raw[:stop]))
    with pytest.raises(Corrupt, match=why):
        decode_epoch(bytes(raw), "epoch")


@pytest.mark.parametrize(("position", "start"), [(1, 1), (1000, 1), (1001, 1001), (2000, 1001), (2001, 2001)])
def test_where_segments_start(position: int, start: int) -> None:
    assert segment_start(position) == start


def test_a_segment_with_a_gap_is_damage() -> None:
    records = [Record(n, n.to_bytes(16, "big"), H, n - 1, n, H, ()) for n in range(1, 1001)]
    raw = encode_segment(records)
    assert decode_segment(raw, "segment") == tuple(records)
    records[500] = records[500]._replace(position=500)
    with pytest.raises(Corrupt, match="not consecutive"):
        decode_segment(encode_segment(records), "segment")


@pytest.mark.parametrize("count", [0, 1, 2, 999])
def test_everything_of_a_run_is_found_and_nothing_else(count: int) -> None:
    """First, last and all between; hashes beside them are not there."""
    places = {item[0]: Place(f"k/{n % 3}", item[1], n, n + 1) for n, item in enumerate(_objects(count))}
    sessions = {n.to_bytes(16, "big"): n for n in range(1, count + 1)}
    run = IndexRun(encode_run(1, HEAD, places, sessions), "run")
    assert {name: run.find(name) for name in places} == places
    assert {name: run.session(name) for name in sessions} == sessions
    for absent in (bytes(32), b"\xff" * 32, hashlib.sha256(b"absent").digest()):
        assert run.find(absent) is None
        assert run.session(absent[:16]) is None
