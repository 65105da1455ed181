"""Which versions lean on which, and an import whose older versions are in groups."""

from __future__ import annotations

import random

from ledgers import NOON, REGULAR, check_history, contents, traced
from mic.core.blob import encode_blob
from mic.core.delta import GROUP_DEPTH, Group, decode_delta, decode_group
from mic.core.epoch import BLOB, DELTA, GROUP, decode_epoch
from mic.core.ids import content_hash
from mic.core.record import PathChange
from mic.core.session import Author
from mic.core.tree import Entry
from mic.ledger.grouping import GROUP_BYTES, Anchors, make_group, portions, version_lists
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.ledger.previous import Previous
from mic.ledger.project import Project
from mic.store import MemoryStore


def test_bases_are_near_and_never_deep() -> None:
    """Group n leans on n with its lowest one bits cleared; with few contents kept, whatever n."""
    anchors = Anchors(b"0")
    bases = []
    for number in range(1, 300):
        base_hash, base, depth = anchors.next()
        assert content_hash(base) == base_hash
        assert 1 <= depth <= GROUP_DEPTH
        bases.append((int(base), depth))
        anchors.add(b"%d" % number)
        assert len(anchors._at) <= 9
    assert bases[:8] == [(0, 1), (0, 1), (2, 2), (0, 1), (4, 2), (4, 2), (6, 3), (0, 1)]
    assert bases[30] == (28, 4)  # 31 is five ones: 30 would be the fifth step
    by_number = {0: 0} | {number: depth for number, (_, depth) in enumerate(bases, 1)}
    assert all(by_number[base] == depth - 1 for base, depth in bases)


def test_portions_are_neighbours_up_to_a_size_and_a_number() -> None:
    assert list(portions([])) == []
    assert list(portions([GROUP_BYTES // 2] * 5)) == [range(2), range(2, 4), range(4, 5)]
    assert list(portions([1, GROUP_BYTES * 2, 1, 1])) == [range(1), range(1, 2), range(2, 4)]
    assert list(portions([1] * 600)) == [range(256), range(256, 512), range(512, 600)]


def test_what_does_not_pay_is_no_group() -> None:
    noise, other = random.Random(1).randbytes(4000), random.Random(2).randbytes(4000)
    anchors = Anchors(noise)
    assert make_group(anchors, [(content_hash(other), other)], 4016, 3) is None
    near = noise[:3000] + b"x"
    raw = make_group(anchors, [(content_hash(near), near)], 3016, 3)
    assert raw is not None
    assert len(raw) < 150


def _change(path: bytes, letter: bytes, kind: int = 0, size: int = 9) -> PathChange:
    return PathChange(path, 1, Entry(path, REGULAR, kind, size, letter * 32))


def test_each_content_is_in_one_list_and_no_newest_is_in_any() -> None:
    changes = [
        _change(b"p", b"A"),
        _change(b"p", b"B"),
        _change(b"q", b"B"),
        _change(b"p", b"C"),
        PathChange(b"p", 2, None),
        _change(b"q", b"C"),
        _change(b"p", b"A"),  # back again: the newest of p
        _change(b"q", b"D"),
        _change(b"p", b"E", size=0),  # nothing to save
        _change(b"p", b"F", size=5 << 20),
        _change(b"p", b"G", kind=1),
        _change(b"q", b"H"),
        _change(b"p", b"X"),
    ]
    taken = {b"X" * 32}
    found = list(version_lists(changes, lambda object_hash: object_hash != b"H" * 32, taken))
    assert found == [(b"A" * 32, [(b"C" * 32, 9), (b"B" * 32, 9)])]  # q: D is whole, C and B are in p's list
    assert taken == {letter * 32 for letter in (b"A", b"B", b"C", b"D", b"X")}
    assert list(version_lists([_change(b"p", b"A"), _change(b"p", b"B")], lambda _: True, taken)) == []


def versions(seed: int, count: int, lines: int = 80) -> list[bytes]:
    """A file of noise, each time with a line changed, put in, moved or taken out."""
    rnd = random.Random(seed)
    file = [rnd.randbytes(15).hex().encode() + b"\n" for _ in range(lines)]
    out = []
    for number in range(count):
        file = [*file]
        at = rnd.randrange(len(file))
        if number % 4 == 0:
            file[at] = rnd.randbytes(15).hex().encode() + b"\n"
        elif number % 4 == 1:
            file.insert(at, rnd.randbytes(15).hex().encode() + b"\n")
        elif number % 4 == 2:
            file.insert((at + rnd.randrange(1, len(file))) % len(file), file.pop(at))
        else:
            file.pop(at)
        out.append(b"".join(file))
    return out


def imported(store: MemoryStore, count: int) -> Project:
    """A project whose landing n makes version n of three files, as one import."""
    project, _ = traced(store)
    project.create()
    history = project.import_history("test", bytes(16))
    files = {b"src/%d.py" % seed: versions(seed, count) for seed in range(3)}
    for number in range(count):
        changes = []
        for path, all_of_it in files.items():
            data = all_of_it[number]
            history.add_plain(content_hash(data), data, lasts=number == count - 1)
            changes.append((path, int(number > 0), REGULAR, content_hash(data), len(data)))
        oid = number.to_bytes(20, "big")
        project.run(history.add_commit(HistoryCommit(oid, b"", Author("A"), NOON + number, "Commit", changes)))
    project.finish_import(history)
    return project


def test_an_import_groups_older_versions_and_keeps_the_newest_whole() -> None:
    """Cold, through every door: each version has its bytes, what lasts is read without a base."""
    store = MemoryStore()
    imported(store, 300)
    cold = Ledger(store).open("p")
    head = cold.head()
    check_history(cold)
    for seed in range(3):
        for number, data in enumerate(versions(seed, 300)):
            assert cold.blob(content_hash(data)) == data, number
    assert contents(cold) == {b"src/%d.py" % seed: (REGULAR, versions(seed, 300)[-1]) for seed in range(3)}
    newest = [entry.hash for entry in cold.files(head.tree)]
    assert all(cold.line.objects.require(object_hash, "").kind == BLOB for object_hash in newest)
    kinds = [item.kind for epoch in cold.line.tail for item in epoch.objects]
    # Two epochs of 256 landings keep one version of each file whole: nothing is left of the file of the one before.
    assert [kinds.count(kind) for kind in (BLOB, DELTA, GROUP)] == [6, 0, 3 * 300 - 3 * 2]


def test_versions_of_an_import_lean_on_one_whole_content_and_never_far_above_it() -> None:
    """Twelve epochs: one whole content, chains of deltas no longer than landings make them, groups four above."""
    store, previous = MemoryStore(), Previous(1 << 20, 6, roots=True)
    project, _ = traced(store)
    project.create()
    history = project.import_history("test", bytes(16))
    all_of_it = versions(7, 60)
    depths: list[int] = []
    for number, data in enumerate(all_of_it):
        name = content_hash(data)
        history.add_plain(name, data)
        changes = [(b"f", int(number > 0), REGULAR, name, len(data))]
        oid = number.to_bytes(20, "big")
        project.run(history.add_commit(HistoryCommit(oid, b"", Author("A"), NOON + number, "Commit", changes)))
        if number % 5 == 4:
            project.run(history._flush())
            whole = encode_blob(data)
            leaning = previous.delta(b"f", name, whole)
            depths.append(0 if leaning is None else leaning[1])
            previous.put(b"f", name, whole, depths[-1])
    project.finish_import(history)
    assert depths == [0, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3]
    cold = Ledger(store).open("p")
    cold.head()
    objects = cold.line.objects
    for number, data in enumerate(all_of_it):
        assert cold.blob(content_hash(data)) == data, number
    newest = [content_hash(all_of_it[number]) for number in range(4, 60, 5)]
    assert [objects.require(name, "").kind for name in newest] == [BLOB] + [DELTA] * 11
    for number, name in enumerate(newest):
        place = objects.require(name, "")
        if number:
            raw = store.get_range(place.key, place.offset, place.length)
            assert decode_delta(raw, "").depth == depths[number]
        older = objects.require(content_hash(all_of_it[5 * number]), "")
        group = decode_group(store.get_range(older.key, older.offset, older.length), "")
        assert (group.depth, group.base) == (depths[number] + 1, name)


def test_the_members_of_a_group_share_one_range_of_the_epoch() -> None:
    store = MemoryStore()
    project = imported(store, 40)
    key = project.line.epoch_key(project.line.tail[0].new)
    epoch = decode_epoch(store.get(key).data, key)
    ranges = {(item.offset, item.length) for item in epoch.objects if item.kind == GROUP}
    assert len(ranges) == 3
    raw = store.get(key).data
    start, length = min(ranges)
    group: Group = decode_group(raw[epoch.data_start + start : epoch.data_start + start + length], "group")
    newest_first = [content_hash(data) for seed in range(3) for data in versions(seed, 40)[-2::-1]]
    assert [member.hash for member in group.members] in (newest_first[:39], newest_first[39:78], newest_first[78:])
    assert len(raw) == epoch.data_start + max(item.offset + item.length for item in epoch.objects)


def test_frames_of_an_import_are_whole_contents() -> None:
    """What a client is sent is what was sent in; neighbours in a group are read with one range."""
    project = imported(MemoryStore(), 40)
    wanted = {content_hash(data): data for data in versions(0, 40)}
    before = project.object_reads
    frames = list(project.frames(list(wanted)))
    assert {frame.hash: encode_blob(wanted[frame.hash])[8:] for frame in frames} == {f.hash: f.data for f in frames}
    assert len(frames) == 40
    assert project.object_reads - before == 3  # the newest, the group, its base
