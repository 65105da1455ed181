"""Versions of a path put into groups: which content leans on which.

The newest version stays whole. The older ones stand in groups, newest first, so that the versions that are asked for
most are inflated first. The first group leans on the newest version, each later one on the first member of an
earlier group, chosen as in a Fenwick tree: near enough to differ by little, few steps above the whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

from mic.core import epoch as stored
from mic.core.blob import MAX_WHOLE, encode_blob
from mic.core.delta import GROUP_DEPTH, MAX_GROUP, decode_group, encode_group, open_group
from mic.core.ids import content_hash
from mic.core.record import PathChange, Record
from mic.core.tree import BLOB
from mic.ledger.previous import Previous

# A group of 2 MiB inflates in about 2 ms, the versions in front in less; groups of 4 MiB are a tenth smaller.
GROUP_BYTES = 2 << 20
# The table costs 36 bytes a member, all of them read with any member.
GROUP_MEMBERS = 256
# A group must save this much of what its members take alone: else reading them costs more than keeping them.
_SAVES = 0.9
# Text takes some fifth of its bytes; what takes so much less is not compared.
_CLEARLY = 0.05
# zstd, for an import: over versions of one file level 6 is faster than level 3, since it finds the long matches.
LEVEL = 6

assert GROUP_BYTES <= MAX_GROUP == MAX_WHOLE  # a content above the first is a group of its own


class Anchors:
    """The bases that the groups of one path can lean on; keeps as many contents as a binary number has ones."""

    def __init__(self, newest: bytes, depth: int = 0) -> None:
        """`depth` is that of the newest content's own stored form."""
        self._at: dict[int, tuple[bytes, bytes]] = {0: (content_hash(newest), newest)}
        self._last = 0
        self._depth = depth

    def next(self) -> tuple[bytes, bytes, int]:
        """Hash and bytes of the base of the next group, and that group's depth."""
        parent = self._last + 1
        parent &= parent - 1
        while parent.bit_count() >= GROUP_DEPTH:
            parent &= parent - 1
        return *self._at[parent], self._depth + parent.bit_count() + 1

    def add(self, first: bytes) -> None:
        """Note the first member of the group that was made."""
        self._last += 1
        self._at[self._last] = content_hash(first), first
        kept, at = {0}, self._last
        while at:
            kept.add(at)
            at &= at - 1
        self._at = {at: anchor for at, anchor in self._at.items() if at in kept}


def portions(sizes: Sequence[int]) -> Iterator[range]:
    """Which neighbours make a group, by the sizes of the contents: at most GROUP_BYTES, or one that is larger."""
    start = total = 0
    for at, size in enumerate(sizes):
        if at > start and (total + size > GROUP_BYTES or at - start == GROUP_MEMBERS):
            yield range(start, at)
            start, total = at, 0
        total += size
    if start < len(sizes):
        yield range(start, len(sizes))


def make_group(
    anchors: Anchors, contents: Sequence[tuple[bytes, bytes]], alone: int | Callable[[], int], level: int
) -> bytes | None:
    """The stored form of (hash, bytes) as one group, read back; None when it saves too little of `alone` bytes.

    That is what its members take each by itself; where it is to be found out, only when there is a doubt.
    """
    base_hash, base, depth = anchors.next()
    raw = encode_group(base_hash, base, depth, contents, level)
    if callable(alone):
        alone = alone() if len(raw) > _CLEARLY * sum(len(data) for _, data in contents) else len(raw) * 2
    if len(raw) > alone * _SAVES:
        return None
    name = "a group that was made just now"
    assert open_group(decode_group(raw, name), base, [item[0] for item in contents], name) == dict(contents)
    anchors.add(contents[0][1])
    return raw


def version_lists(
    changes: Iterable[PathChange], eligible: Callable[[bytes], bool], taken: set[bytes]
) -> Iterator[tuple[bytes, list[tuple[bytes, int]]]]:
    """For each path with several versions: the newest content's hash, then (hash, size) of the older, newest first.

    `changes` come in the order in which they landed. No content is in two lists of older ones, and none that is
    the newest of any path is in one: every list can be stored without looking at another. `taken` are the contents
    of earlier calls to leave out; all of this one are added.
    """
    for _, newest, older in versions(changes, eligible, taken):
        if older:
            yield newest, older


def versions(
    changes: Iterable[PathChange], eligible: Callable[[bytes], bool], taken: set[bytes]
) -> Iterator[tuple[bytes, bytes, list[tuple[bytes, int]]]]:
    """As `version_lists`, with the path in front, and also of paths with one version. Two may have one newest."""
    by_path: dict[bytes, dict[bytes, int]] = {}
    for change in changes:
        entry = change.entry
        if entry is None or entry.kind != BLOB or not 0 < entry.size <= MAX_WHOLE or entry.hash in taken:
            continue
        if eligible(entry.hash):
            found = by_path.setdefault(entry.path, {})
            found.pop(entry.hash, None)  # what came back counts as new again
            found[entry.hash] = entry.size
    taken.update([next(reversed(found)) for found in by_path.values()])
    for path in sorted(by_path):
        (newest, _), *older = reversed(by_path[path].items())
        mine = [(object_hash, size) for object_hash, size in older if object_hash not in taken]
        taken.update(object_hash for object_hash, _ in mine)
        yield path, newest, mine


def group_epoch(
    records: Iterable[Record],
    packed: Sequence[tuple[bytes, int, bytes]],
    plain: Mapping[bytes, bytes],
    previous: Previous,
    lasting: Container[bytes] = (),
    level: int = LEVEL,
) -> list[tuple[bytes, int, bytes]]:
    """The objects of an epoch, (hash, kind, stored bytes): the newest version of each path, the older ones in groups.

    `plain` are the contents of one piece, whose bytes in `packed` are still to be made. The newest version leans on
    what an epoch before has of the path, as `previous` knows, unless it is one of the `lasting`.
    """
    changes = (change for record in records for change in record.changes)
    forms: dict[bytes, tuple[int, bytes]] = {}
    depths: dict[bytes, int] = {}
    for path, newest, older in versions(changes, plain.__contains__, set()):
        if newest not in depths:
            depths[newest] = _newest(path, newest, plain[newest], forms, previous, newest not in lasting)
        anchors = Anchors(plain[newest], depths[newest])
        for portion in portions([size for _, size in older]):
            hashes = [object_hash for object_hash, _ in older[portion.start : portion.stop]]
            alone = {object_hash: b"" for object_hash in hashes}

            def each_alone(alone: dict[bytes, bytes] = alone) -> int:
                alone.update({object_hash: encode_blob(plain[object_hash]) for object_hash in alone})
                return sum(map(len, alone.values()))

            raw = make_group(anchors, [(name, plain[name]) for name in hashes], each_alone, level)
            if raw is not None:
                forms.update(dict.fromkeys(hashes, (stored.GROUP, raw)))
            else:
                forms.update({object_hash: (stored.BLOB, blob) for object_hash, blob in alone.items()})
    for object_hash, data in plain.items():  # empty ones, and those that only a session names
        if object_hash not in forms:
            forms[object_hash] = stored.BLOB, encode_blob(data)
    return [
        (object_hash, *forms[object_hash]) if object_hash in plain and kind == stored.BLOB else (object_hash, kind, raw)
        for object_hash, kind, raw in packed
    ]


def _newest(
    path: bytes, object_hash: bytes, data: bytes, forms: dict[bytes, tuple[int, bytes]], previous: Previous, leans: bool
) -> int:
    """Store the newest version of a path; the depth of its form."""
    whole = encode_blob(data)
    leaning = previous.delta(path, object_hash, whole, data) if leans else None
    forms[object_hash] = (stored.BLOB, whole) if leaning is None else (stored.DELTA, leaning[0])
    depth = 0 if leaning is None else leaning[1]
    previous.put(path, object_hash, whole, depth)
    return depth
