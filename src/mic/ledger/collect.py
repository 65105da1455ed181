"""Collection: what the log of a project does not name is written down, condemned, and removed.

    list what is there -> what intents and the log name -> the next stage for each of the rest, written down -> remove

One round moves an object by one stage at most, and a stage lasts: `keep` until what nobody names is condemned, `grace`
until what is condemned is removed, and as long again until its name may be used again. Landings name nothing that is
condemned, so whatever a round finds unnamed after the grace stays so. A round that is killed, or loses against another
one, has done nothing or what it wrote down; the next one goes on from there.

Only packs and epochs are looked at. Of the epochs only those at positions that the log has: the head never goes back,
so no landing can make one there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mic.core.epoch import HEADER_BYTES, Epoch, decode_epoch, epoch_name, meta_bytes
from mic.core.errors import AlreadyExists, Busy, Corrupt, MicError, NotFound
from mic.core.head import Head
from mic.core.indexrun import IndexRun
from mic.core.leavings import Leaving, Stage
from mic.core.segment import SEGMENT
from mic.ledger.effects import Attempt, Delete, GetRange, List, Map, Now, Protocol
from mic.ledger.follow import refresh
from mic.ledger.intents import read, waiting
from mic.ledger.leavings import read_leavings, write_leavings
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.store.port import Listed

DAY = 86_400_000  # ms
KEEP, GRACE = 7 * DAY, DAY
# Epochs whose beginnings are read at once, and the bytes of each that usually are enough.
_AT_ONCE = 64
_FIRST = 4 << 10
# Objects of one round: the rest waits for the next.
MOST = 100_000


class Move(NamedTuple):
    """An object that nothing names: its name behind the project's prefix, its size, and where it stands now."""

    name: str
    size: int
    stage: Stage
    since: int
    moved: bool  # in this round


class Round(NamedTuple):
    """What a round found. `removed` counts objects, `freed` bytes; `spared` are those that turned out to be named."""

    listed: int
    named: int
    left: Sequence[Move]
    removed: int
    freed: int
    spared: Sequence[str]


def collect(line: Line, keep: int = KEEP, grace: int = GRACE, *, dry: bool = False) -> Protocol[Round]:
    """One round over a line of its own. `keep` and `grace` in ms; a dry one writes and removes nothing.

    Raises what reading the log raises: of a damaged log nothing is removed. Busy when another round was faster.
    """
    now = yield Now()
    kept = yield from read_leavings(line)
    # In this order: what is listed was there before, and everything that landed until the head is read is named.
    there = yield from _there(line)
    promised = yield from _promised(line)
    head = yield from refresh(line)
    named = promised | (yield from _named(line, head, there))
    entries: dict[str, Leaving] = {}
    going: list[str] = []
    moves: list[Move] = []
    for name, size in there.items():
        if name in named:
            continue
        before = kept.entries.get(name)
        if before is None and (_ahead(name, head) or len(entries) >= MOST):
            continue
        after = _next(before, now, keep, grace)
        entries[name] = after
        moves.append(Move(name, size, after.stage, after.since, after != before))
        if after.stage is Stage.GONE:
            going.append(name)
    for name, left in kept.entries.items():
        # Removed, and its name is not free yet: a late request to remove it may still arrive.
        if name not in there and left.stage is Stage.GONE and now - left.since < grace:
            entries[name] = left
    spared = [name for name in kept.entries if name in named]
    if not dry and (entries != dict(kept.entries) or kept.old):
        try:
            yield from write_leavings(line, kept, entries)
        except AlreadyExists as error:
            raise Busy("another collection was faster", hint="it does the same; look again later") from error
    removed, freed = 0, 0
    for name in () if dry else going:
        yield Delete(line.prefix + name)
        removed, freed = removed + 1, freed + there[name]
    return Round(len(there), len(named & there.keys()), moves, removed, freed, spared)


def _next(before: Leaving | None, now: int, keep: int, grace: int) -> Leaving:
    """Where an object stands that nothing names and that is still there."""
    if before is None:
        return Leaving(Stage.SEEN, now)
    if before.stage is Stage.SEEN and now - before.since >= keep:
        return Leaving(Stage.CONDEMNED, now)
    if before.stage is not Stage.SEEN and now - before.since >= grace:
        return Leaving(Stage.GONE, now)
    return before


def _there(line: Line) -> Protocol[dict[str, int]]:
    """Packs and epochs of the line's own: name and size."""
    found: dict[str, int] = {}
    for folder, ending in (("packs/", ".pack"), ("landing-log/tail/", "")):
        listed: list[Listed] = yield List(line.prefix + folder)
        found |= {item.key.removeprefix(line.prefix): item.size for item in listed if item.key.endswith(ending)}
    return found


def _promised(line: Line) -> Protocol[set[str]]:
    """The packs of landings that were accepted and are not done."""
    names: set[str] = set()
    for item in (yield from waiting(line)):
        intent = yield from read(item)
        if intent is not None:
            names |= {_name(line, line.pack_key(pack.hash)) for pack in intent.packs}
    return names


def _named(line: Line, head: Head, there: Mapping[str, int]) -> Protocol[set[str]]:
    """What the log and the index name, of what is there."""
    epochs: set[str] = set()
    for start in range(line.start.position + 1, head.position + 1, SEGMENT):
        for record in (yield from records(line, start, min(start + SEGMENT - 1, head.position))):
            made = Head(record.position, record.root_after, record.hlc)
            epochs.add(f"landing-log/tail/{epoch_name(made)}")
    names = {_name(line, key) for key in (yield from _indexed(line))}
    names |= {_name(line, line.pack_key(pack.hash)) for epoch in line.tail for pack in epoch.packs}
    if any(name not in names for name in there if name.startswith("packs/")):
        # No run names a pack of which everything lies elsewhere, too. Its epoch does.
        names |= yield from _packs(line, [name for name in there if name in epochs])
    return names | epochs


def _indexed(line: Line) -> Protocol[set[str]]:
    """All keys that any index run names, also those that no reader would choose: somebody may have it open."""
    keys: set[str] = set()
    listed: list[Listed] = yield List(line.run_prefix)
    for item in listed:
        try:
            run = IndexRun((yield Map(item.key)), item.key)
        except NotFound:
            continue
        keys |= {run.key(container) for container in range(run.containers)}
    return keys


def _packs(line: Line, epochs: Sequence[str]) -> Protocol[set[str]]:
    """The packs that epochs name."""
    names: set[str] = set()
    for start in range(0, len(epochs), _AT_ONCE):
        keys = [line.prefix + name for name in epochs[start : start + _AT_ONCE]]
        begun = yield tuple(Attempt(GetRange(key, 0, _FIRST)) for key in keys)
        for key, raw in zip(keys, begun, strict=True):
            if isinstance(raw, MicError):
                raise raw
            names |= {_name(line, line.pack_key(pack.hash)) for pack in (yield from _epoch(key, raw)).packs}
    return names


def _epoch(key: str, raw: bytes) -> Protocol[Epoch]:
    if len(raw) < HEADER_BYTES:
        raise Corrupt(f"{key} is damaged: {len(raw)} bytes are less than its header", object=key)
    if len(raw) < (needed := meta_bytes(raw, key)):
        raw = yield GetRange(key, 0, needed)
    return decode_epoch(raw, key)


def _ahead(name: str, head: Head) -> bool:
    """Whether it is an epoch of a position that the log has not reached: it may yet be landed."""
    tail = name.removeprefix("landing-log/tail/")
    return tail != name and not tail[:16] <= f"{head.position:016x}"


def _name(line: Line, key: str) -> str:
    return key.removeprefix(line.prefix)
