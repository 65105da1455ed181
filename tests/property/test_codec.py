"""Every decoder on damaged and random bytes: Corrupt or a value, nothing else, within bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mic.core.blob import (
    compress,
    decode_blob,
    encode_blob,
    encode_node,
    inflate_node,
)
from mic.core.chunklist import Chunk, decode_chunk_list, decode_list, decode_page, encode_chunk_list, encode_page_list
from mic.core.codec import Reader, crc32c
from mic.core.commit_point import CommitPoint, decode_commit_point
from mic.core.delta import decode_delta, decode_group, encode_delta, encode_group, open_delta, open_group
from mic.core.epoch import HEADER_BYTES, PackRef, Stored, decode_epoch, encode_toc, make_epoch, meta_bytes, read_toc
from mic.core.errors import Corrupt
from mic.core.head import Head, decode_head
from mic.core.ids import content_hash
from mic.core.indexrun import IndexRun, Place, encode_run
from mic.core.intent import decode_intent, encode_intent
from mic.core.origin import Origin, decode_origin, encode_origin
from mic.core.pack import FOOTER_BYTES, decode_toc, encode_pack, toc_bytes
from mic.core.record import PathChange, Record, encode_record, read_record
from mic.core.segment import decode_segment, encode_segment
from mic.core.session import Author, Change, Decision, Session, decode_session, encode_session
from mic.core.tree import EMPTY_TREE, Child, Entry, decode_node, inner, leaf

NAME = "projects/p/some-object"
# Above what is decoded: the largest value that a damaged length may make a decoder allocate for these small objects.
PEAK = 16 << 20

H = bytes(range(32))
RECORD = Record(
    1,
    bytes(16),
    H,
    0,
    5,
    H,
    (
        PathChange(b"a/b", 0, Entry(b"a/b", 0o100644, 0, 300, H)),
        PathChange(b"a/c", 2, None),
        PathChange(b"z", 1, Entry(b"z", 0o100664, 1, 9, H)),
    ),
)
LEAF = leaf([Entry(b"a/b", 0o100644, 0, 300, H), Entry(b"z", 0o100664, 1, 9, H)])
INNER = inner(1, [Child(b"a/b", 3, 301, H), Child(b"z", 2, 7, H)])
SESSION = Session(
    bytes(16),
    "Goal",
    author=Author("A"),
    decisions=(Decision("D"),),
    changes=(Change(b"\xff", 0),),
    metadata={"a": [1]},
)
_, EPOCH = make_epoch(Head(0, EMPTY_TREE, 1), Head(1, H, 5), bytes(8), [RECORD], [PackRef(H, 9)], [(H, 0, b"data")])
RUN = encode_run(1, Head(1, H, 5), {H: Place("k/1", 1, 2, 3)}, {bytes(16): 1})
SEGMENT = encode_segment([Record(n, bytes(16), H, 0, n, H, (PathChange(b"f", 2, None),)) for n in range(1, 1001)])


INTENT = encode_intent(
    encode_session(SESSION),
    [PackRef(H, 9)],
    {content_hash(data): encode_blob(data) for data in (b"hello\n" * 99, b"other")},
)


def _pack(raw: bytes) -> object:
    length = toc_bytes(raw[-FOOTER_BYTES:], NAME)
    return decode_toc(raw[-FOOTER_BYTES - length :], len(raw), NAME)


def _epoch(raw: bytes) -> object:
    meta_bytes(raw[:HEADER_BYTES], NAME)
    return decode_epoch(raw, NAME)


def _run(raw: bytes) -> object:
    run = IndexRun(raw, NAME)
    return run.find(H), run.session(bytes(16))


BASE = b"hello\n" * 99
MEMBERS = {content_hash(data): data for data in (BASE + b"a", b"b" + BASE, b"c")}


def _delta(raw: bytes) -> object:
    return open_delta(decode_delta(raw, NAME), BASE, content_hash(BASE + b"a"), NAME)


def _group(raw: bytes) -> object:
    found = open_group(decode_group(raw, NAME), BASE, list(MEMBERS), NAME)
    assert found == MEMBERS
    return found


def _stored_node(raw: bytes) -> object:
    return decode_node(inflate_node(raw, LEAF.hash, NAME), NAME)


def _crc_at_end(raw: bytes) -> bytes:
    return raw[:-4] + crc32c(raw[:-4])


def _crc_of_epoch(raw: bytes) -> bytes:
    stop = HEADER_BYTES + int.from_bytes(raw[HEADER_BYTES - 4 : HEADER_BYTES], "big")
    return raw[:stop] + crc32c(raw[:stop]) + raw[stop + 4 :]


def _crc_of_pack(raw: bytes) -> bytes:
    length = int.from_bytes(raw[-8:-4], "big")
    return raw[:-4] + crc32c(raw[-8 - length : -8])


def _crc_of_intent(raw: bytes) -> bytes:
    session, packs, contents = (int.from_bytes(raw[a:b], "big") for a, b in ((8, 12), (12, 14), (14, 18)))
    stop = 18 + session + 36 * packs + 36 * contents
    return raw[:stop] + crc32c(raw[:stop]) + raw[stop + 4 :] if stop + 4 <= len(raw) else raw


def _same(raw: bytes) -> bytes:
    return raw


# name -> (a good object, its decoder, how a damaged one gets a checksum that holds)
Decoder = tuple[bytes, Callable[[bytes], object], Callable[[bytes], bytes]]
DECODERS: dict[str, Decoder] = {
    "head": (Head(1, H, 5).encode(), lambda raw: decode_head(raw, NAME), _same),
    "origin": (encode_origin(Origin("p", Head(1, H, 5))), lambda raw: decode_origin(raw, NAME), _crc_at_end),
    "commit point": (
        CommitPoint(7, Head(1, H, 5)).encode(),
        lambda raw: decode_commit_point(raw, NAME),
        _crc_at_end,
    ),
    "intent": (INTENT, lambda raw: decode_intent(raw, NAME), _crc_of_intent),
    "record": (encode_record(RECORD), lambda raw: read_record(Reader(raw, NAME)), _same),
    "epoch": (EPOCH, _epoch, _crc_of_epoch),
    "segment": (SEGMENT, lambda raw: decode_segment(raw, NAME), _crc_at_end),
    "pack": (encode_pack([(H, 1, b"data")])[1], _pack, _crc_of_pack),
    "run": (RUN, _run, _crc_at_end),
    "node": (LEAF.raw, lambda raw: decode_node(raw, NAME), _same),
    "inner node": (INNER.raw, lambda raw: decode_node(raw, NAME), _same),
    "stored node": (encode_node(LEAF.raw), _stored_node, _same),
    "blob": (encode_blob(b"hello\n" * 99), lambda raw: decode_blob(raw, content_hash(b"hello\n" * 99), NAME), _same),
    "delta": (encode_delta(content_hash(BASE), BASE, 1, BASE + b"a"), _delta, _same),
    "group": (encode_group(content_hash(BASE), BASE, 1, list(MEMBERS.items())), _group, _same),
    "page list": (encode_page_list([Chunk(H, 7), Chunk(H, 1 << 30)]), lambda raw: decode_list(raw, NAME), _same),
    "list page": (encode_chunk_list([Chunk(H, 7)]), lambda raw: decode_page(raw, NAME), _same),
    "chunk list": (encode_chunk_list([Chunk(H, 7), Chunk(H, 9)]), lambda raw: decode_chunk_list(raw, NAME), _same),
    "session": (encode_session(SESSION), lambda raw: decode_session(raw, NAME), _same),
}


def _decode(decode: Callable[[bytes], object], raw: bytes) -> None:
    """A value or Corrupt that names the object; little memory either way."""
    damage: Corrupt | None = None
    tracemalloc.start()
    try:
        decode(raw)
    except Corrupt as error:
        damage = error
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < PEAK
    assert damage is None or (damage.details["object"] == NAME and NAME in damage.message)


Edits = Sequence[tuple[int, bytes, int]]
EDITS = st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(max_size=9), st.integers(0, 9)), min_size=1, max_size=4)


def _edited(raw: bytes, edits: Edits) -> bytes:
    """`raw` with some places overwritten, made longer or cut out."""
    for place, put, cut in edits:
        at = place % (len(raw) + 1)
        raw = raw[:at] + put + raw[at + cut :]
    return raw


@pytest.mark.parametrize("name", DECODERS)
def test_a_good_object_decodes_and_one_byte_more_or_less_does_not(name: str) -> None:
    """A record is read out of something longer; of a pack and an epoch only the list is looked at."""
    raw, decode, _ = DECODERS[name]
    decode(raw)
    with pytest.raises(Corrupt):
        decode(raw[:-1] if name != "epoch" else raw[: meta_bytes(raw, NAME) - 1])
    if name not in ("record", "epoch"):
        with pytest.raises(Corrupt):
            decode(raw + b"x")


@pytest.mark.parametrize("name", DECODERS)
@given(raw=st.binary(max_size=600))
@example(raw=b"")
@settings(max_examples=60, deadline=None)
def test_random_bytes(name: str, raw: bytes) -> None:
    """Alone, behind the right first bytes, and with a checksum that holds."""
    good, decode, repair = DECODERS[name]
    for candidate in (raw, good[:8] + raw, good[: len(good) // 2] + raw):
        _decode(decode, candidate)
        if len(candidate) > 8:
            _decode(decode, repair(candidate))


@pytest.mark.parametrize("name", DECODERS)
@given(edits=EDITS)
@settings(max_examples=120, deadline=None)
def test_damaged_objects(name: str, edits: Edits) -> None:
    """Edited anywhere, with and without a checksum that holds."""
    good, decode, repair = DECODERS[name]
    damaged = _edited(good, edits)
    _decode(decode, damaged)
    if len(damaged) > 8:
        _decode(decode, repair(damaged))


@pytest.mark.parametrize("name", [name for name in DECODERS if name != "segment"])
def test_every_single_byte(name: str) -> None:
    """Each byte of a good object set to 0, to 255 and flipped, with and without a checksum that holds."""
    good, decode, repair = DECODERS[name]
    for at, byte in enumerate(good):
        for value in (0, 255, byte ^ 1, byte ^ 128):
            damaged = good[:at] + bytes([value]) + good[at + 1 :]
            _decode(decode, damaged)
            _decode(decode, repair(damaged))


BODY = st.recursive(
    st.none() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["goal", "author", "conversation", "decisions", "changes", "metadata", "agent", "other"])


@given(st.dictionaries(FIELDS, BODY))
@settings(max_examples=200, deadline=None)
def test_session_bodies_of_other_shapes(body: dict[str, object]) -> None:
    """Well-formed msgpack that is no session."""
    _decode(DECODERS["session"][1], encode_session(SESSION)[:64] + compress(msgspec.msgpack.encode(body)))


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_session_bodies_of_noise(body: bytes) -> None:
    """A frame that inflates well and holds anything: text that is not UTF-8, nesting without an end."""
    header = encode_session(SESSION)[:64]
    _decode(DECODERS["session"][1], header + compress(body))
    goal = b"\x82\xa4goal" + bytes([0xA0 | min(len(body), 31)]) + body[:31] + b"\xa6author\x81\xa4name\xa0"
    _decode(DECODERS["session"][1], header + compress(goal))


@pytest.mark.parametrize("filler", [b"\x91", b"\x81\xa1a", b"\xdd\xff\xff\xff\xff", b"\xc7\xff\x01", b"\xd6\xff"])
def test_nesting_and_counts_without_an_end(filler: bytes) -> None:
    """100,000 levels of nesting, and counts of 4 billion, inside the part of a session that may be anything."""
    body = b"\x83\xa4goal\xa1g\xa6author\x81\xa4name\xa0\xa8metadata\x81\xa1x" + filler * 100_000
    _decode(DECODERS["session"][1], encode_session(SESSION)[:64] + compress(body))


@pytest.mark.parametrize("claimed", [1 << 16, (1 << 28) + 1, (1 << 32) - 1])
def test_frames_that_claim_more_than_they_hold(claimed: int) -> None:
    """A few bytes that claim up to 4 GiB are refused before anything is inflated."""
    frame = bytes.fromhex("28b52ffd") + bytes([0xA0]) + claimed.to_bytes(4, "little") + bytes([1, 0, 0])
    _decode(DECODERS["stored node"][1], frame)
    _decode(DECODERS["session"][1], encode_session(SESSION)[:64] + frame)
    _decode(DECODERS["blob"][1], b"MICB" + claimed.to_bytes(4, "big") + frame)


def test_positions_of_an_epoch_follow_each_other() -> None:
    """A checksum that holds over records that cannot be one log."""
    twice = [RECORD, RECORD, RECORD._replace(position=3)]
    _, raw = make_epoch(Head(0, EMPTY_TREE, 1), Head(3, H, 5), bytes(8), twice, [], [])
    with pytest.raises(Corrupt, match="do not follow"):
        decode_epoch(raw, NAME)


def test_places_that_no_file_can_have() -> None:
    """An offset of 2**63 would be refused by the operating system with an error of another kind."""
    with pytest.raises(Corrupt, match="beyond the end"):
        read_toc(Reader(encode_toc([Stored(H, 1, 1 << 63, 4)]), NAME))
    run = IndexRun(encode_run(1, Head(1, H, 5), {H: Place("k", 1, 1 << 63, 3)}, {}), NAME)
    with pytest.raises(Corrupt, match="names byte"):
        run.find(H)
