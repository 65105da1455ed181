"""The golden vectors of docs/formats.md, read from there: every encoder makes them, every decoder reads them."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mic.core.attribution import Attribution, FileLines, Writer, parse, stored
from mic.core.beacon import Beacon, decode_beacon, encode_beacon
from mic.core.blob import (
    compress,
    decode_blob,
    encode_blob,
    encode_node,
    frame_size,
    inflate,
    inflate_node,
)
from mic.core.chunking import check_content, cutter_with, find_plain
from mic.core.chunklist import Chunk, ChunkList, decode_chunk_list, decode_list, encode_chunk_list, encode_page_list
from mic.core.codec import Reader, varint
from mic.core.commit_point import CommitPoint, decode_commit_point
from mic.core.delta import Delta, Group, Member, decode_delta, decode_group, encode_delta, encode_group
from mic.core.epoch import (
    BLOB,
    CHUNK_LIST,
    Epoch,
    PackRef,
    Stored,
    decode_epoch,
    decode_links,
    encode_pack_ref,
    epoch_name,
    make_epoch,
    meta_bytes,
)
from mic.core.epoch import read_pack_ref as decode_pack_ref
from mic.core.errors import Corrupt
from mic.core.head import Head, decode_head
from mic.core.ids import content_hash, parse_ulid, ulid_text
from mic.core.indexrun import IndexRun, Place, encode_run
from mic.core.intent import Intent, decode_intent, encode_intent
from mic.core.leavings import Leaving, Stage, decode_leavings, encode_leavings
from mic.core.origin import Origin, Tie, decode_origin, encode_origin
from mic.core.pack import FOOTER_BYTES, decode_toc, encode_pack, toc_bytes
from mic.core.record import PathChange, Record, encode_record, read_record
from mic.core.redaction import Parts, Redaction, StandIn, decode_redaction, encode_redaction
from mic.core.rollup import head_bytes, roll_records
from mic.core.segment import decode_segment, encode_segment
from mic.core.session import Alternative, Author, Change, Decision, Message, Session, decode_session, encode_session
from mic.core.tombstone import (
    Displaced,
    Moved,
    Range,
    Reason,
    Tombstone,
    decode_displaced,
    decode_tombstone,
    encode_displaced,
    encode_tombstone,
)
from mic.core.tree import EMPTY_TREE, Child, Entry, Leaf, decode_node, inner, leaf
from mic.store.disk_cache import DiskCache

DOCUMENT = Path(__file__).parents[3] / "docs" / "formats.md"
VECTORS = {
    name: bytes.fromhex("".join(text.split()))
    for name, text in re.findall(r"^```hex ([a-z0-9-]+)\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)
}


def h(digit: int) -> bytes:
    """The 32 bytes that the document writes as eleven, twenty-two and so on."""
    return bytes([digit * 17]) * 32


# Checked in tests/unit/git.
OF_GIT = {"git-view", "git-view-unchecked", "git-index", "git-ready", "git-notes"}
# SHA-256 of `hello` with a line end, as sha256sum prints it.
HELLO = bytes.fromhex("5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
HLC = 0x01A19467E8000001
PREV = Head(0, EMPTY_TREE, HLC - 1)
HEAD = Head(1, h(2), HLC)
REDACTION = Redaction(h(9), Reason.SECRET, Parts.WORDS, 1_793_491_200_000, "ada")
SESSION_ID = bytes.fromhex("0190a0b0c0d0e0f0a1a2a3a4a5a6a7a8")
RECORD = Record(
    1,
    SESSION_ID,
    h(1),
    0,
    HLC,
    h(2),
    (
        PathChange(b"a", 0, Entry(b"a", 0o100644, 0, 1, h(3))),
        PathChange(b"ab/c", 1, Entry(b"ab/c", 0o100755, 1, 300, h(4))),
        PathChange(b"ab/d", 2, None),
        PathChange(b"ab/e", 0, Entry(b"ab/e", 0o100664, 0, 0, h(5))),
    ),
)
PACK_OBJECTS = [(h(7), BLOB, b"data"), (h(8), CHUNK_LIST, b"list")]
ENTRIES = (
    Entry(b"a", 0o100644, 0, 1, h(3)),
    Entry(b"ab/c", 0o100755, 1, 300, h(4)),
    Entry(b"ab/e", 0o100664, 0, 0, h(5)),
)
CHILDREN = (Child(b"ab/e", 3, 301, h(6)), Child(b"z", 2, 7, h(7)))
PAGES = [Chunk(h(3), 8_388_608), Chunk(h(4), 20_000)]
CHUNKS = [Chunk(h(1), 65_536), Chunk(h(2), 20_000)]
SESSION = Session(
    SESSION_ID,
    "Say why",
    state=2,
    base_position=0,
    hlc_created=HLC - 1,
    hlc_updated=HLC,
    owner=bytes(range(16)),
    author=Author("Ada", "ada@example.org"),
    conversation=(Message("human", "ada", "Why?", 1_793_491_200_000),),
    decisions=(Decision("Tea", "Coffee was out", (Alternative("Water", "too plain"),), "ada", "cup.txt:1"),),
    changes=(Change(b"\xff", 0, 0o100644, h(3), 1),),
    agent="claude-code",
)
SEGMENT = [
    Record(
        n, n.to_bytes(16, "big"), h(1), n - 1, HLC + n, h(2), (PathChange(b"f", 1, Entry(b"f", 0o100644, 0, n, h(3))),)
    )
    for n in range(1, 1001)
]


def _record(raw: bytes) -> Record:
    reader = Reader(raw, "vector")
    found = read_record(reader)
    reader.done()
    return found


def _receipt(raw: bytes) -> PackRef:
    reader = Reader(raw, "vector")
    found = decode_pack_ref(reader)
    reader.done()
    return found


DISPLACED = Displaced(h(1), (Range("k", 8, 4),), (Moved(h(2), 1, "m", 12, 5),), (h(3),))


def _varints(raw: bytes) -> list[int]:
    reader = Reader(raw, "vector")
    found = []
    while reader.pos < reader.end:
        found.append(reader.varint())
    return found


def _node(raw: bytes) -> tuple[Any, ...]:
    node = decode_node(raw, "vector")
    if isinstance(node, Leaf):
        return tuple(node.entry(at) for at in range(node.count))
    return node.level, *node.entries()


def _pack(raw: bytes) -> tuple[Stored, ...]:
    tail = raw[-FOOTER_BYTES - toc_bytes(raw[-FOOTER_BYTES:], "vector") :]
    return decode_toc(tail, len(raw), "vector")


def _run(raw: bytes) -> tuple[Any, ...]:
    run = IndexRun(raw, "vector")
    found = [run.find(h(n)) for n in (6, 7, 8)], [run.session(session) for session in (SESSION_ID, bytes(16))]
    return (run.first, run.last, run.head, *found)


EPOCH_OBJECTS = (Stored(h(7), BLOB, 0, 4), Stored(h(8), CHUNK_LIST, 4, 4))
RUN_FOUND = (1, 1, HEAD, [None, Place("k/1", 1, 8, 4), Place("k/2", 2, 12, 4)], [1, None])
# Without an encoder: a form that is read and no longer written.
CASES: dict[str, tuple[Callable[[], bytes] | None, Callable[[bytes], object], object]] = {
    "varint": (
        lambda: b"".join(map(varint, [0, 127, 128, 300, 16_384, (1 << 64) - 1])),
        _varints,
        [0, 127, 128, 300, 16_384, (1 << 64) - 1],
    ),
    "head": (HEAD.encode, lambda raw: decode_head(raw, "vector"), HEAD),
    "commit-point": (
        lambda: CommitPoint(7, HEAD).encode(),
        lambda raw: decode_commit_point(raw, "vector"),
        CommitPoint(7, HEAD),
    ),
    "beacon": (
        lambda: encode_beacon(Beacon(bytes(range(16)), 1_793_491_200_000, "10.0.0.7:4001")),
        lambda raw: decode_beacon(raw, "vector"),
        Beacon(bytes(range(16)), 1_793_491_200_000, "10.0.0.7:4001"),
    ),
    "tombstone": (
        lambda: encode_tombstone(Tombstone(h(1), 40, Reason.TAKEDOWN, 1_793_491_200_000, "ada")),
        lambda raw: decode_tombstone(raw, "vector"),
        Tombstone(h(1), 40, Reason.TAKEDOWN, 1_793_491_200_000, "ada"),
    ),
    "displaced": (
        lambda: encode_displaced(DISPLACED),
        lambda raw: decode_displaced(raw, "vector"),
        DISPLACED,
    ),
    "redaction": (
        lambda: encode_redaction(REDACTION, [(SESSION_ID, h(1), b"in")]),
        lambda raw: decode_redaction(raw, "vector"),
        REDACTION._replace(
            stand_ins=(StandIn(SESSION_ID, h(1), hashlib.sha256(b"in").digest(), 157, 2),),
        ),
    ),
    "leavings": (
        lambda: encode_leavings({"packs/": Leaving(Stage.CONDEMNED, 1_793_491_200_000)}),
        lambda raw: decode_leavings(raw, "vector"),
        {"packs/": Leaving(Stage.CONDEMNED, 1_793_491_200_000)},
    ),
    "origin": (
        lambda: encode_origin(Origin("0123456789abcdef" * 2, HEAD)),
        lambda raw: decode_origin(raw, "vector"),
        Origin("0123456789abcdef" * 2, HEAD, Tie.READS_THROUGH),
    ),
    "intent": (
        lambda: encode_intent(VECTORS["session"], [PackRef(h(6), 100)], {HELLO: VECTORS["blob"]}),
        lambda raw: decode_intent(raw, "vector"),
        Intent(SESSION, (PackRef(h(6), 100),), {HELLO: VECTORS["blob"]}),
    ),
    "record": (lambda: encode_record(RECORD), _record, RECORD),
    "receipt": (lambda: encode_pack_ref(PackRef(h(6), 100)), _receipt, PackRef(h(6), 100)),
    "epoch": (
        None,
        lambda raw: decode_epoch(raw, "vector")[:-1],
        (PREV, HEAD, bytes(8), (RECORD,), (PackRef(h(6), 100),), EPOCH_OBJECTS),
    ),
    "epoch-2": (
        lambda: make_epoch(PREV, HEAD, b"\xaa" * 8, [RECORD], [PackRef(h(6), 100)], PACK_OBJECTS)[1],
        lambda raw: decode_epoch(raw, "vector")[:-1],
        (PREV, HEAD, b"\xaa" * 8, (RECORD,), (PackRef(h(6), 100),), EPOCH_OBJECTS),
    ),
    "pack": (
        lambda: encode_pack(PACK_OBJECTS)[1],
        _pack,
        (Stored(h(7), BLOB, 8, 4), Stored(h(8), CHUNK_LIST, 12, 4)),
    ),
    "run": (None, _run, RUN_FOUND),
    "run-2": (
        lambda: encode_run(1, HEAD, {h(8): Place("k/2", 2, 12, 4), h(7): Place("k/1", 1, 8, 4)}, {SESSION_ID: 1}),
        _run,
        RUN_FOUND,
    ),
    "leaf": (
        lambda: leaf(ENTRIES).raw,
        _node,
        ENTRIES,
    ),
    "inner": (lambda: inner(1, CHILDREN).raw, _node, (1, *CHILDREN)),
    "empty-leaf": (lambda: leaf([]).raw, _node, ()),
    "blob": (
        lambda: encode_blob(b"hello\n"),
        lambda raw: decode_blob(raw, HELLO, "v"),
        b"hello\n",
    ),
    "delta": (
        lambda: encode_delta(h(6), b"one\ntwo\nthree\n", 2, b"one\n2\nthree\n"),
        lambda raw: decode_delta(raw, "vector"),
        Delta(12, 2, h(6), VECTORS["delta"][41:]),
    ),
    "group": (
        lambda: encode_group(h(6), b"one\ntwo\nthree\n", 1, [(h(7), b"one\n2\nthree\n"), (h(8), b"one\ntwo\n")]),
        lambda raw: decode_group(raw, "vector"),
        Group(1, h(6), (Member(h(7), 12), Member(h(8), 8)), VECTORS["group"][115:]),
    ),
    "chunk-lengths": (
        lambda: b"".join(size.to_bytes(4, "big") for size in cutter_with(find_plain)(check_content())),
        lambda raw: struct.unpack(">9I", raw),
        (65_874, 97_786, 76_560, 73_123, 75_380, 75_067, 51_810, 131_072, 77_617),
    ),
    "page-list": (lambda: encode_page_list(PAGES), lambda raw: decode_list(raw, "vector"), ChunkList(True, PAGES)),
    "chunk-list": (lambda: encode_chunk_list(CHUNKS), lambda raw: decode_chunk_list(raw, "vector"), CHUNKS),
    "session": (lambda: encode_session(SESSION), lambda raw: decode_session(raw, "vector"), SESSION),
}


@pytest.mark.parametrize("name", CASES)
def test_a_decoder_reads_its_vector(name: str) -> None:
    _, decode, expected = CASES[name]
    assert decode(VECTORS[name]) == expected


@pytest.mark.parametrize("name", [name for name, (encode, _, _) in CASES.items() if encode])
def test_an_encoder_makes_its_vector(name: str) -> None:
    """Byte for byte; of a session the part behind the header is compared inflated."""
    encode, _, _ = CASES[name]
    assert encode is not None
    made, written = encode(), VECTORS[name]
    if name == "session":
        assert made[:64] == written[:64]
        assert inflate(made[64:], frame_size(made[64:], "made"), "made") == VECTORS["session-body"]
    else:
        assert made.hex() == written.hex()


def test_the_body_of_a_session_is_msgpack_that_anyone_can_read() -> None:
    """Decoded without our types: names of fields, paths and hashes as bytes, words as text."""
    body = msgspec.msgpack.decode(VECTORS["session-body"])
    assert body == {
        "goal": "Say why",
        "author": {"name": "Ada", "email": "ada@example.org"},
        "conversation": [{"role": "human", "author": "ada", "text": "Why?", "at": 1_793_491_200_000, "redactions": 0}],
        "decisions": [
            {
                "what": "Tea",
                "why": "Coffee was out",
                "alternatives": [{"what": "Water", "why_not": "too plain"}],
                "by": "ada",
                "evidence": "cup.txt:1",
            }
        ],
        "changes": [
            {
                "path": b"\xff",
                "op": 0,
                "mode": 0o100644,
                "hash": h(3),
                "size": 1,
                "base_hash": b"",
                "base_mode": 0,
                "kind": 0,
                "copied_from": b"",
            }
        ],
        "agent": "claude-code",
    }


def test_a_segment_is_pinned_by_its_header_and_hash() -> None:
    """1,000 records are too long to print: the header in full, the whole as SHA-256."""
    raw = encode_segment(SEGMENT)
    assert raw[:100].hex() == VECTORS["segment-header"].hex()
    assert content_hash(raw).hex() == VECTORS["segment-hash"].hex()
    assert decode_segment(raw, "vector") == tuple(SEGMENT)
    digests = b"".join(hashlib.sha256(encode_record(record)).digest() for record in SEGMENT)
    assert raw[20:52] == hashlib.sha256(digests).digest()


def test_the_head_of_a_rollup() -> None:
    """What follows it is packed by zstd, and so not pinned byte for byte."""
    nothing = bytes(32)
    changes = {7: (PathChange(b"p", 1, Entry(b"p", 0o100644, 0, 1, nothing)),), 9: (PathChange(b"p", 2, None),)}
    records = [Record(n, n.to_bytes(16, "big"), nothing, n - 1, n, nothing, changes.get(n, ())) for n in range(1, 1001)]
    raw = roll_records(records)
    assert raw[: head_bytes(raw, "vector")].hex() == VECTORS["rollup-head"].hex()


def test_a_stored_node_is_a_zstd_frame_of_its_bytes() -> None:
    assert (
        inflate_node(encode_node(VECTORS["leaf"]), hashlib.sha256(VECTORS["leaf"]).digest(), "vector")
        == VECTORS["leaf"]
    )
    assert compress(b"hello\n") == VECTORS["blob"][8:]


def test_names_are_functions_of_the_bytes() -> None:
    """An epoch is named by its head, a pack by its SHA-256, the empty tree by the empty leaf, a session by its ULID."""
    assert epoch_name(HEAD) == "0000000000000001-01a19467e8000001-2222222222222222"
    assert encode_pack(PACK_OBJECTS)[0] == hashlib.sha256(VECTORS["pack"]).digest()
    assert hashlib.sha256(VECTORS["empty-leaf"]).digest() == EMPTY_TREE
    assert ulid_text(SESSION_ID) == "01J2GB1G6GW3RA38N3MJJTD9X8"
    assert parse_ulid(ulid_text(SESSION_ID).lower()) == SESSION_ID


def test_attribution() -> None:
    said = Attribution((Writer("agent", "m", 1),), {b"f": FileLines(b"f", b"\x66" * 32, ((2, 1, 0),))})
    assert msgspec.msgpack.encode(stored(said)["lines"]) == VECTORS["attribution"]
    assert parse({"lines": msgspec.msgpack.decode(VECTORS["attribution"])}) == said


def test_a_decision_that_answers_a_message() -> None:
    decision = Decision("Tea", at=1_793_491_200_000, message=1)
    assert msgspec.msgpack.encode(decision) == VECTORS["decision"]
    assert msgspec.msgpack.decode(VECTORS["decision"], type=Decision) == decision


def test_every_vector_is_checked() -> None:
    assert (
        set(VECTORS)
        == set(CASES)
        | {"session-body", "decision", "attribution", "segment-header", "segment-hash", "cache-file", "rollup-head"}
        | OF_GIT
    )


def test_cache_file(tmp_path: Path) -> None:
    """The file that a cache on disk writes, and one made by hand that it reads."""
    made = DiskCache(tmp_path / "made", 1 << 20, {"blobs": None})
    made.put("blobs", b"key", b"bytes")
    (path,) = (path for path in (tmp_path / "made").rglob("*") if path.is_file())
    assert path.read_bytes() == VECTORS["cache-file"]
    path.write_bytes(b"")
    path.write_bytes(VECTORS["cache-file"])
    assert made.get("blobs", b"key") == b"bytes"


def test_an_epoch_is_known_as_it_reads_back() -> None:
    """Whoever wrote an epoch goes on with it, and never decodes what it has just encoded."""
    epoch, raw = make_epoch(PREV, HEAD, b"\xaa" * 8, [RECORD], [PackRef(h(6), 100)], PACK_OBJECTS)
    assert epoch == decode_epoch(raw, "written")
    assert all(raw[epoch.data_start + item.offset :][: item.length] == data for item, data in _laid(epoch))


def test_what_an_epoch_leads_to() -> None:
    """The same as all of it says, from its beginning; a wrong bit in that is damage."""
    _, raw = make_epoch(PREV, HEAD, b"\xaa" * 8, [RECORD], [PackRef(h(6), 100)], PACK_OBJECTS)
    begun = raw[: meta_bytes(raw, "it")]
    assert decode_links(begun, "it") == (PREV, HEAD, (PackRef(h(6), 100),))
    for at in range(len(begun)):
        with pytest.raises(Corrupt):
            decode_links(begun[:at] + bytes((begun[at] ^ 1,)) + begun[at + 1 :], "it")
    with pytest.raises(Corrupt):
        decode_links(begun[:-1], "it")


def _laid(epoch: Epoch) -> list[tuple[Stored, bytes]]:
    by_hash = {object_hash: data for object_hash, _, data in PACK_OBJECTS}
    return [(item, by_hash[item.hash]) for item in epoch.objects]
