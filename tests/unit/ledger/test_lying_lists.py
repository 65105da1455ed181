"""Packs and epochs whose contents lists lie behind checksums that hold: damage that is named, never wrong bytes."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledgers import REGULAR, Files, check_history, contents, damage_of, land, request, traced
from mic.core.blob import MAX_WHOLE, encode_blob
from mic.core.codec import crc32c
from mic.core.epoch import (
    BLOB,
    CHUNK_LIST,
    DELTA,
    ENTRY_BYTES,
    GROUP,
    HEADER_BYTES,
    NODE,
    SESSION,
    PackRef,
    Stored,
    decode_epoch,
    encode_toc,
    meta_bytes,
)
from mic.core.errors import Corrupt, InvalidInput, MicError
from mic.core.ids import content_hash
from mic.core.pack import FOOTER_BYTES, MAX_PACK, decode_toc, encode_pack, fits, toc_bytes
from mic.core.session import encode_session
from mic.ledger.compact import Writer
from mic.ledger.frame import Frame
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import MemoryStore, ObjectStore

Entries = list[Stored]
Lie = Callable[[Entries], Entries]

SMALL = {b"s%d" % n: random.Random(n).randbytes(300 + n) for n in range(4)}
LARGE = random.Random(9).randbytes(MAX_WHOLE + 70_000)


def _frames(data: bytes) -> list[Frame]:
    return [
        Frame(content_hash(data), len(data), at, len(data[at : at + MAX_WHOLE]), False, data[at : at + MAX_WHOLE])
        for at in range(0, len(data), MAX_WHOLE)
    ]


def _upload(project: Project, *wanted: bytes) -> list[PackRef]:
    upload = project.upload()
    for data in wanted:
        for frame in _frames(data):
            project.run(upload.receive(frame))
    return project.run(upload.finish())


def _story() -> tuple[MemoryStore, PackRef]:
    """Landing 1 brought small contents in its epoch, landing 2 small ones and a large one in a pack; a neighbour."""
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    land(project, 1, 0, {b"first": b"of the epoch", b"dir/second": b"also"})
    (pack,) = _upload(project, *SMALL.values(), LARGE)
    project.land(request(project, 2, 1, {**SMALL, b"large": LARGE}, send=False)._replace(packs=[pack]))
    neighbour = Ledger(store).open("q")
    neighbour.create()
    land(neighbour, 1, 0, {b"mine": b"stays"})
    return store, pack


STORED, PACK = _story()
PACK_KEY = f"projects/p/packs/{PACK.hash.hex()}.pack"
EPOCH_KEYS = [item.key for item in STORED.list("projects/p/landing-log/tail/")]
EXPECTED: Files = {path: (REGULAR, data) for path, data in SMALL.items()} | {
    b"first": (REGULAR, b"of the epoch"),
    b"dir/second": (REGULAR, b"also"),
    b"large": (REGULAR, LARGE),
}


@pytest.fixture
def store() -> MemoryStore:
    return _copy()


def _copy() -> MemoryStore:
    copy = MemoryStore()
    for item in STORED.list(""):
        copy.put(item.key, STORED.get(item.key).data)
    return copy


def _pack_with(raw: bytes, lie: Lie) -> bytes:
    """The pack with another list of the same length, under a checksum that holds."""
    size = toc_bytes(raw[-FOOTER_BYTES:], "pack")
    listed = encode_toc(lie(list(decode_toc(raw[-FOOTER_BYTES - size :], len(raw), "pack"))))
    assert len(listed) == size
    return raw[: -FOOTER_BYTES - size] + listed + raw[-FOOTER_BYTES:-4] + crc32c(listed)


def _epoch_with(raw: bytes, lie: Lie) -> bytes:
    epoch = decode_epoch(raw, "epoch")
    listed = encode_toc(lie(list(epoch.objects)))
    head = raw[: epoch.data_start - 4 - len(listed)] + listed
    return head + crc32c(head) + raw[epoch.data_start :]


def _first(kind: int, /, **changed: int) -> Lie:
    """Change the entry of the first object of a kind."""

    def lie(entries: Entries) -> Entries:
        at = next(at for at, item in enumerate(entries) if item.kind == kind)
        entries[at] = entries[at]._replace(**changed)
        return entries

    return lie


def _by(kind: int, field: str, amount: int) -> Lie:
    def lie(entries: Entries) -> Entries:
        at = next(at for at, item in enumerate(entries) if item.kind == kind)
        entries[at] = entries[at]._replace(**{field: getattr(entries[at], field) + amount})
        return entries

    return lie


def _swapped(kind: int) -> Lie:
    """Two objects of a kind under each other's names: every range is that of an object."""

    def lie(entries: Entries) -> Entries:
        one, two = [at for at, item in enumerate(entries) if item.kind == kind][:2]
        entries[one], entries[two] = (
            entries[two]._replace(hash=entries[one].hash),
            entries[one]._replace(hash=entries[two].hash),
        )
        return entries

    return lie


def _renamed(kind: int) -> Lie:
    """Another object than the one that is named: what is asked for is in no list."""

    def lie(entries: Entries) -> Entries:
        at = next(at for at, item in enumerate(entries) if item.kind == kind)
        item = entries[at]
        entries[at] = item._replace(hash=item.hash[:31] + bytes([item.hash[31] ^ 1]))
        return entries

    return lie


def _twice(entries: Entries) -> Entries:
    return [entries[0], entries[0], *entries[2:]]


def _onto_the_next(entries: Entries) -> Entries:
    entries[0] = entries[0]._replace(offset=entries[1].offset, length=entries[1].length)
    return entries


LIES: dict[str, Lie] = {
    "before the data": _first(BLOB, offset=0),
    "behind the data": _first(BLOB, offset=1 << 30),
    "beyond everything": _first(BLOB, offset=(1 << 64) - 1),
    "longer than all": _first(BLOB, length=(1 << 32) - 1),
    "into the next": _by(BLOB, "length", 1),
    "too short": _by(BLOB, "length", -1),
    "empty": _first(BLOB, length=0),
    "shifted": _by(BLOB, "offset", 1),
    "of the next": _onto_the_next,
    "swapped": _swapped(BLOB),
    "renamed": _renamed(BLOB),
    "twice": _twice,
    "unsorted": lambda entries: entries[::-1],
    "a content as a node": _first(BLOB, kind=NODE),
    "a content as a session": _first(BLOB, kind=SESSION),
    "a content as a list": _first(BLOB, kind=CHUNK_LIST),
    "a content as a delta": _first(BLOB, kind=DELTA),
    "a content as a group": _first(BLOB, kind=GROUP),
    "of no kind": _first(BLOB, kind=255),
}
PACK_LIES = LIES | {
    "a list as a content": _first(CHUNK_LIST, kind=BLOB),
    "a list as a node": _first(CHUNK_LIST, kind=NODE),
    "a list as a session": _first(CHUNK_LIST, kind=SESSION),
    "all are lists": lambda entries: [item._replace(kind=CHUNK_LIST) for item in entries],
}
EPOCH_LIES = LIES | {
    "a node as a content": _first(NODE, kind=BLOB),
    "a node as a session": _first(NODE, kind=SESSION),
    "a session as a content": _first(SESSION, kind=BLOB),
    "a session as a node": _first(SESSION, kind=NODE),
    "a session as a list": _first(SESSION, kind=CHUNK_LIST),
    "a node as a list": _first(NODE, kind=CHUNK_LIST),
    "a session in the next": _by(SESSION, "offset", 1),
}


def _everything(project: Project) -> None:
    check_history(project)
    project.landings()
    contents(project, 1)
    assert contents(project, 2) == EXPECTED
    listed = [entry.hash for entry in project.files(project.tree_at(2))]
    assert {frame.hash for frame in project.frames(listed)} == set(listed)


def _is_damaged(store: ObjectStore, key: str) -> None:
    error = damage_of(lambda: _everything(Ledger(store).open("p")))
    hashes = [item.hash.hex() for item in _entries(key)]
    text = f"{error.message} {error.details.get('object')}"
    assert key in text or any(name in text for name in hashes), text
    neighbour = Ledger(store).open("q")
    check_history(neighbour)
    assert land(neighbour, 2, 1, {b"more": b"x"}).position == 2


def _entries(key: str) -> tuple[Stored, ...]:
    raw = STORED.get(key).data
    if key != PACK_KEY:
        return decode_epoch(raw, key).objects
    return decode_toc(raw[-FOOTER_BYTES - toc_bytes(raw[-FOOTER_BYTES:], key) :], len(raw), key)


def test_the_story_is_read_as_it_was_told(store: MemoryStore) -> None:
    _everything(Ledger(store).open("p"))


@pytest.mark.parametrize("lie", PACK_LIES.values(), ids=list(PACK_LIES))
def test_a_pack_whose_list_lies_is_damage(store: MemoryStore, lie: Lie) -> None:
    store.put(PACK_KEY, _pack_with(STORED.get(PACK_KEY).data, lie))
    _is_damaged(store, PACK_KEY)


@pytest.mark.parametrize("lie", EPOCH_LIES.values(), ids=list(EPOCH_LIES))
def test_an_epoch_whose_list_lies_is_damage(store: MemoryStore, lie: Lie) -> None:
    store.put(EPOCH_KEYS[0], _epoch_with(STORED.get(EPOCH_KEYS[0]).data, lie))
    _is_damaged(store, EPOCH_KEYS[0])


def test_a_tree_that_no_list_names_is_made_again_from_the_records(store: MemoryStore) -> None:
    store.put(EPOCH_KEYS[0], _epoch_with(STORED.get(EPOCH_KEYS[0]).data, _renamed(NODE)))
    _everything(Ledger(store).open("p"))


@pytest.mark.parametrize("count", [0, 1, 0xFFFFFFFF])
def test_a_list_of_an_absurd_length_is_damage(store: MemoryStore, count: int) -> None:
    raw = STORED.get(PACK_KEY).data
    size = toc_bytes(raw[-FOOTER_BYTES:], "pack")
    listed = count.to_bytes(4, "big") + raw[-FOOTER_BYTES - size + 4 : -FOOTER_BYTES]
    store.put(PACK_KEY, raw[: -FOOTER_BYTES - size] + listed + raw[-FOOTER_BYTES:-4] + crc32c(listed))
    _is_damaged(store, PACK_KEY)
    store.put(PACK_KEY, raw[:-FOOTER_BYTES] + b"\xff" * 4 + raw[-4:])
    _is_damaged(store, PACK_KEY)


@pytest.mark.parametrize("size", [0, 7, 8, PACK.size - 1, PACK.size + 1, MAX_PACK, MAX_PACK + 1, 0xFFFFFFFF])
def test_an_epoch_that_lies_about_the_size_of_its_pack_is_damage(store: MemoryStore, size: int) -> None:
    key = EPOCH_KEYS[1]
    raw = STORED.get(key).data
    stop = meta_bytes(raw[:HEADER_BYTES], key) - 4
    assert raw.count(PACK.hash + PACK.size.to_bytes(4, "big")) == 1
    head = raw[:stop].replace(PACK.hash + PACK.size.to_bytes(4, "big"), PACK.hash + size.to_bytes(4, "big"))
    store.put(key, head + crc32c(head) + raw[stop + 4 :])
    assert PACK_KEY in damage_of(lambda: _everything(Ledger(store).open("p"))).message


def test_a_receipt_for_a_part_of_a_pack_is_none(store: MemoryStore) -> None:
    """A content that holds what looks like the end of a pack, which says that the project's files lie elsewhere."""
    project = Ledger(store).open("p")
    victim = content_hash(SMALL[b"s0"])
    for attempt in range(64):
        listed = encode_toc([Stored(victim, BLOB, 8, 8 + attempt)])
        noise = random.Random(attempt).randbytes(2000)
        data = noise + listed + len(listed).to_bytes(4, "big") + crc32c(listed)
        (pack,) = _upload(project, data)
        raw = store.get(f"projects/p/packs/{pack.hash.hex()}.pack").data
        end = raw.find(listed) + len(listed) + FOOTER_BYTES
        if raw.find(listed) > 0:
            break
    assert raw.find(listed) > 0, "the noise was to be stored as it is"
    lie = request(project, 3, 2, {b"new": data}, send=False)._replace(packs=[pack._replace(size=end)])
    with pytest.raises((Corrupt, InvalidInput)):
        project.land(lie)
    assert project.head().position == 2
    _everything(Ledger(store).open("p"))
    assert project.land(lie._replace(packs=[pack])).position == 3


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_noise_in_a_pack_or_an_epoch_is_damage_or_does_no_harm(data: st.DataObject) -> None:
    """One to three changes of any kind to any of them: right bytes, or an error of the house."""
    store = _copy()
    for _ in range(data.draw(st.integers(1, 3))):
        key = data.draw(st.sampled_from([PACK_KEY, *EPOCH_KEYS]))
        raw = store.get(key).data
        # Most of a pack is one content: look closer at both ends.
        last = max(len(raw) - 1, 0)
        at = data.draw(st.integers(0, min(last, 600)) | st.integers(max(last - 600, 0), last) | st.integers(0, last))
        how = data.draw(st.sampled_from(["flip", "cut", "fill", "grow"]))
        if how == "flip" and raw:
            raw = raw[:at] + bytes([raw[at] ^ (1 << data.draw(st.integers(0, 7)))]) + raw[at + 1 :]
        elif how == "cut":
            raw = raw[:at]
        elif how == "fill":
            noise = data.draw(st.binary(max_size=80))
            raw = raw[:at] + noise + raw[at + len(noise) :]
        else:
            raw += data.draw(st.binary(min_size=1, max_size=80))
        store.put(key, raw)
    with contextlib.suppress(MicError):
        project = Ledger(store).open("p")
        for path, entry in project.entries(project.tree_at(2), sorted(EXPECTED)).items():
            with contextlib.suppress(MicError):
                assert project.blob(entry.hash) == EXPECTED[path][1]
        check_history(project)


@settings(max_examples=60)
@given(st.data())
def test_lists_of_any_numbers_are_damage_or_do_no_harm(data: st.DataObject) -> None:
    """Behind checksums that hold: offsets, lengths and kinds of some entries are anything."""
    key = data.draw(st.sampled_from([PACK_KEY, EPOCH_KEYS[0], EPOCH_KEYS[1]]))
    size = len(STORED.get(key).data)

    def lie(entries: Entries) -> Entries:
        for at in data.draw(st.lists(st.integers(0, len(entries) - 1), min_size=1, max_size=3)):
            entries[at] = Stored(
                entries[at].hash,
                data.draw(st.integers(0, 7)),
                data.draw(st.integers(0, size) | st.integers(0, (1 << 64) - 1)),
                data.draw(st.integers(0, 400) | st.integers(0, (1 << 32) - 1)),
            )
        return entries

    store = _copy()
    change = _pack_with if key == PACK_KEY else _epoch_with
    store.put(key, change(STORED.get(key).data, lie))
    with contextlib.suppress(MicError):
        assert contents(Ledger(store).open("p"), 2) == EXPECTED


@pytest.mark.parametrize("way", ["with the session", "uploaded"])
def test_files_of_the_bytes_of_a_node_and_a_session_harm_nobody(store: MemoryStore, way: str) -> None:
    """Both can be computed or read by who may write. They, and the tree and the landing, are read as before."""
    project = Ledger(store).open("p")
    _everything(project)
    root = project.line.cache.get(project.tree_at(2))
    assert root is not None
    session = encode_session(project.landing(1).session)
    files = {b"node": root.raw, b"session": session}
    sent = request(project, 3, 2, files)
    if way == "uploaded":
        sent = request(project, 3, 2, files, send=False)._replace(packs=_upload(project, *files.values()))
    assert project.land(sent).position == 3
    for reader in (project, Ledger(store).open("p")):
        check_history(reader)
        assert contents(reader, 2) == EXPECTED
        assert contents(reader)[b"node"] == (REGULAR, root.raw)
        assert reader.session_of(reader.records(1, 1)[0]) == project.landing(1).session
        assert b"".join(reader.pieces(content_hash(session))) == session
        asked = [content_hash(data) for data in files.values()]
        assert {frame.hash for frame in reader.frames(asked)} == set(asked)


def test_an_upload_of_many_tiny_contents_makes_packs_within_their_limit(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is the whole pack: of one byte contents the list is larger than the data."""
    monkeypatch.setattr("mic.core.pack.PACK_BYTES", 10_000)
    project = Ledger(store).open("p")
    wanted = [b"%d" % n for n in range(2000)]
    packs = _upload(project, *wanted)
    assert len(packs) > 5
    assert max(pack.size for pack in packs) <= 10_000 + 8 + 4 + FOOTER_BYTES
    changed = {b"t/%s" % data: data for data in wanted}
    assert project.land(request(project, 3, 2, changed, send=False)._replace(packs=packs)).position == 3
    assert contents(Ledger(store).open("p")) == EXPECTED | {path: (REGULAR, data) for path, data in changed.items()}


def test_no_pack_outgrows_its_limit(store: MemoryStore) -> None:
    """Contents of the largest size that do not compress, and one that comes when a pack is all but full."""
    assert fits(0, 1)
    assert fits((32 << 20) - ENTRY_BYTES, 1)
    assert not fits((32 << 20) - ENTRY_BYTES + 1, 1)
    project = Ledger(store).open("p")
    noise = [random.Random(n).randbytes(MAX_WHOLE) for n in range(9)]
    packs = _upload(project, *noise)
    assert [pack.size <= 32 << 20 for pack in packs] == [True, True]
    writer = Writer(project.line)
    for data in noise:
        project.run(writer.add([content_hash(data)], BLOB, encode_blob(data)))
    project.run(writer.flush())
    assert len({place.key for place in writer.places.values()}) == 2
    for item in store.list("projects/p/packs/"):
        assert item.size <= 32 << 20
    with pytest.raises(AssertionError):
        encode_pack([(bytes(32), BLOB, bytes(MAX_PACK))])
