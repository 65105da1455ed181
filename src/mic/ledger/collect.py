"""Collection: what the log of a project does not name is removed.

    list what is there -> promised landings, pushed work, the index, and the log name -> the next stage for each other
    pack, written down -> remove

Packs go in stages, one a round at most: `keep` until what nobody names is condemned, `grace` until what is condemned is
removed, and `free` until its name may be used again. Landings name nothing that is condemned, and nobody makes
anew what is written down. So whatever a round finds unnamed after the grace stays so, and a round that is killed, or
loses against another one, has done nothing or what it wrote down.

Epochs that lost their race go at once. Only those count at positions that the log has, and that its links pass by: the
head never goes back, so no landing can make one there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mic.core.epoch import HEADER_BYTES, Links, decode_links, epoch_name, meta_bytes
from mic.core.errors import AlreadyExists, Busy, Corrupt, MicError, NotFound
from mic.core.head import Head
from mic.core.indexrun import IndexRun, parse_run_name
from mic.core.leavings import Leaving, Stage
from mic.ledger.effects import Attempt, Delete, Get, GetRange, List, Map, Now, Protocol
from mic.ledger.follow import read_epoch, refresh
from mic.ledger.intents import read, waiting
from mic.ledger.leavings import Kept, read_leavings, write_leavings
from mic.ledger.line import Line
from mic.ledger.pushed import pushes, read_push
from mic.ledger.tombstones import read_graves
from mic.store.port import Listed

DAY = 86_400_000  # ms
KEEP, GRACE, FREE = 7 * DAY, DAY, 30 * DAY
# The share of the time that a round works while others land: nobody waits for it.
GENTLY = 0.2
# Positions below the head that a daily round looks at for epochs that lost.
NEWEST = 20_000
# Epochs whose beginnings are read at once, and the bytes of each that usually are enough.
_AT_ONCE = 64
_FIRST = 4 << 10
# Packs that are written down, and epochs that are removed in a round: the rest waits for the next.
MOST = 10_000
_PACKS, _TAIL, _RUNS = "packs/", "landing-log/tail/", "packs/index/"
PACK_NAME = re.compile(r"packs/[0-9a-f]{64}\.pack")
EPOCH_NAME = re.compile(r"landing-log/tail/([0-9a-f]{16})-[0-9a-f]{16}-[0-9a-f]{16}")


class Move(NamedTuple):
    """An object that nothing names: its name behind the project's prefix, its size, and where it stands now."""

    name: str
    size: int
    stage: Stage
    since: int
    moved: bool  # in this round


class Round(NamedTuple):
    """What a round found. `removed` counts objects, `freed` bytes; `spared` are those that turned out to be named.

    `stuck` are names that could not be removed, and why.
    """

    listed: int
    left: Sequence[Move]
    removed: int
    freed: int
    spared: Sequence[str]
    stuck: Mapping[str, MicError]


class _Made(NamedTuple):
    """What of an epoch matters here."""

    prev: Head
    packs: tuple[str, ...]


def collect(
    line: Line, keep: int = KEEP, grace: int = GRACE, *, free: int = FREE, dry: bool = False, newest: int = 1 << 62
) -> Protocol[Round]:
    """One round over a line of its own. `keep`, `grace`, `free` in ms; a dry one writes and removes nothing.

    Raises what reading the log raises: of a damaged one nothing is removed. Busy when another round was faster.
    """
    now: int = yield Now()
    kept = yield from read_leavings(line)
    # In this order: what is listed was there before, and everything that landed until the head is read is named.
    packs = yield from _there(line, _PACKS, PACK_NAME)
    epochs = yield from _there(line, _TAIL, EPOCH_NAME)
    promised = yield from _promised(line)
    head = yield from refresh(line)
    promised |= yield from _pushed(line, dry=dry)
    named, lost = yield from _judge(line, head, packs.keys() - promised, epochs, newest)
    left = [name for name in packs if name not in named and name not in promised]
    entries, moves = _stages(kept, left, packs, now, (keep, grace, free))
    for name in sorted(lost)[:MOST]:
        moves.append(Move(name, epochs[name], Stage.GONE, now, moved=True))
    spared = [name for name in kept.entries if name in packs and name not in left]
    if not dry:
        yield from _write(line, kept, entries)
    removed, freed = 0, 0
    stuck: dict[str, MicError] = {}
    for move in moves:
        if dry or move.stage is not Stage.GONE:
            continue
        if (yield Now()) - now > grace // 2:
            break  # whoever slept so long must look again
        try:
            yield Delete(line.prefix + move.name)
        except MicError as error:
            stuck[move.name] = error
            continue
        removed, freed = removed + 1, freed + move.size
    return Round(len(packs) + len(epochs), moves, removed, freed, spared, stuck)


def _stages(
    kept: Kept, left: Sequence[str], packs: Mapping[str, int], now: int, times: tuple[int, int, int]
) -> tuple[dict[str, Leaving], list[Move]]:
    """Where each pack stands now that nothing names, those that were known first; and what else stays written down."""
    keep, grace, free = times
    entries: dict[str, Leaving] = {}
    moves: list[Move] = []
    for name, before in kept.entries.items():
        # Removed, and its name is not free yet: a late request to remove it may still arrive.
        if name not in packs and before.stage is Stage.GONE and now - min(before.since, now) < free:
            entries[name] = before
    for name in sorted(left, key=lambda name: name not in kept.entries):
        known = kept.entries.get(name)
        if known is None and len(entries) >= MOST:
            break
        after = _next(known, now, keep, grace)
        entries[name] = after
        moves.append(Move(name, packs[name], after.stage, after.since, after != known))
    return entries, moves


def _next(before: Leaving | None, now: int, keep: int, grace: int) -> Leaving:
    """Where a pack stands that nothing names and that is still there. A clock that was ahead counts from now on."""
    if before is None:
        return Leaving(Stage.SEEN, now)
    before = before._replace(since=min(before.since, now))
    if before.stage is Stage.SEEN and now - before.since >= keep:
        return Leaving(Stage.CONDEMNED, now)
    if before.stage is not Stage.SEEN and now - before.since >= grace:
        return Leaving(Stage.GONE, now)
    return before


def _write(line: Line, kept: Kept, entries: Mapping[str, Leaving]) -> Protocol[None]:
    """Write down where everything stands; Busy unless that is the newest then."""
    if entries == dict(kept.entries) and not kept.old:
        return
    busy = Busy("another collection was faster", hint="it does the same; look again later")
    try:
        yield from write_leavings(line, kept, entries)
    except AlreadyExists as error:
        raise busy from error
    if (yield from read_leavings(line)).number != kept.number + 1:
        raise busy  # this one slept, and its number was free again
    try:
        yield Get(line.head_key)
    except NotFound:  # the project was erased meanwhile
        yield Delete(line.leavings_key(kept.number + 1))
        raise


def _there(line: Line, folder: str, form: re.Pattern[str]) -> Protocol[dict[str, int]]:
    """Names and sizes in one of the line's own folders; what has another form is nobody's here."""
    listed: list[Listed] = yield List(line.prefix + folder)
    found = ((item.key.removeprefix(line.prefix), item.size) for item in listed)
    return {name: size for name, size in found if form.fullmatch(name)}


def _promised(line: Line) -> Protocol[set[str]]:
    """The packs of landings that were accepted and are not done."""
    names: set[str] = set()
    for item in (yield from waiting(line)):
        intent = yield from read(item)
        if intent is not None:
            names.update(_name(line, line.pack_key(pack.hash)) for pack in intent.packs)
    return names


def _pushed(line: Line, *, dry: bool) -> Protocol[set[str]]:
    """The packs of pushed sessions. A push whose session has landed goes: the log names its packs."""
    names: set[str] = set()
    for item in (yield from pushes(line)):
        intent = yield from read_push(item)
        if intent is None:
            continue
        names.update(_name(line, line.pack_key(pack.hash)) for pack in intent.packs)
        if line.find_session(item.session) is not None and not dry:
            yield Delete(item.key)
    return names


def _judge(
    line: Line, head: Head, packs: Iterable[str], epochs: Mapping[str, int], newest: int
) -> Protocol[tuple[set[str], set[str]]]:
    """Which of the packs anything names, and which epochs lost."""
    left = set(packs)
    # What the line knows anyway names most of them.
    left -= {_name(line, line.pack_key(pack.hash)) for epoch in line.tail for pack in epoch.packs}
    left -= {_name(line, run.key(at)) for run in line.objects.runs for at in range(run.containers)}
    if left:
        left -= yield from _indexed(line)
        # What an erasure has written anew is named by what tells of it, and by nothing else.
        displaced = (yield from read_graves(line)).displaced
        left -= {moved.name for item in displaced for moved in item.moved}
    origin = line.origin
    while left and origin is not None:
        # Copies on their way, of what this line still reads through.
        left -= (yield from _there(origin, _PACKS, PACK_NAME)).keys()
        origin = origin.origin
    floor = line.start.position if left else max(line.start.position, head.position - newest)
    made = yield from _made(line, [name for name in epochs if _position(name) > floor], head)
    chain: set[str] = set()
    at = head
    while at.position > floor:
        name = _name(line, line.epoch_key(at))
        if name not in made:  # landed since it was listed, or else damage, as this finds out
            epoch = yield from read_epoch(line, at)
            made[name] = _Made(epoch.prev, tuple(_name(line, line.pack_key(pack.hash)) for pack in epoch.packs))
        chain.add(name)
        at = made[name].prev
    lost = {name for name in epochs if floor < _position(name) <= head.position and name not in chain}
    for name, found in made.items():
        if name not in lost:  # of the log, or ahead of it: an import that is under way, or may be taken up again
            left.difference_update(found.packs)
    return set(packs) - left, lost


def _indexed(line: Line) -> Protocol[set[str]]:
    """What any index run names, also one that nobody would choose or that was set aside: a reader may have it open."""
    names: set[str] = set()
    listed: list[Listed] = yield List(line.run_prefix)
    for item in listed:
        if parse_run_name(item.key.removeprefix(line.run_prefix)) is None:
            continue
        try:
            run = IndexRun((yield Map(item.key)), item.key)
        except NotFound:
            continue
        names.update(_name(line, run.key(at)) for at in range(run.containers))
    listed = yield List(f"{line.prefix}set-aside/{_RUNS}")
    for item in listed:
        try:
            run = IndexRun((yield Map(item.key)), item.key)
            names.update(_name(line, run.key(at)) for at in range(run.containers))
        except (NotFound, Corrupt):
            continue  # it was set aside because nobody can read it
    return names


def _made(line: Line, names: Sequence[str], head: Head) -> Protocol[dict[str, _Made]]:
    """What the epochs of these names say. One at a position of the log that cannot be read is left out."""
    found: dict[str, _Made] = {}
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        begun = yield tuple(Attempt(GetRange(line.prefix + name, 0, _FIRST)) for name in some)
        for name, raw in zip(some, begun, strict=True):
            try:
                if isinstance(raw, MicError):
                    raise raw
                links = yield from _links(line.prefix + name, raw)
            except NotFound:
                continue  # somebody removed it since it was listed
            except Corrupt:
                if _position(name) > head.position:
                    raise
                continue
            if f"{_TAIL}{epoch_name(links.new)}" == name:
                packs = tuple(_name(line, line.pack_key(pack.hash)) for pack in links.packs)
                found[name] = _Made(links.prev, packs)
    return found


def _links(key: str, raw: bytes) -> Protocol[Links]:
    if len(raw) < HEADER_BYTES:
        raise Corrupt(f"{key} is damaged: {len(raw)} bytes are less than its header", object=key)
    if len(raw) < (needed := meta_bytes(raw, key)):
        raw = yield GetRange(key, 0, needed)
    return decode_links(raw, key)


def _position(name: str) -> int:
    return int(name.removeprefix(_TAIL)[:16], 16)


def _name(line: Line, key: str) -> str:
    return key.removeprefix(line.prefix)
