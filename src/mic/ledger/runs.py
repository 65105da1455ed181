"""Index runs of a line: reading the chain of them, writing the next one, and one over many.

A run over the landings since the last is written each time a segment is due. When eight neighbours of a level
stand, one run over all of them is written beside them, so that a million landings are some thirty runs. All of it
is derived and create-only: any number of front ends may do it at once, and a reader who finds one run damaged or
gone takes the finer ones, or the epochs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from mmap import MADV_DONTNEED, mmap

from mic.core.errors import AlreadyExists, Corrupt, NotFound
from mic.core.indexrun import Buffer, IndexRun, Place, RunName, encode_run, parse_run_name
from mic.core.segment import SEGMENT
from mic.ledger.effects import List, Map, Protocol, PutNew
from mic.ledger.line import Line

FANOUT = 8  # runs of a level that make one of the next
# No merge makes a run of more than this: it is made in memory, at about four times its size.
MAX_MERGED = 128 << 20


def load_runs(line: Line, most: int | None = None) -> Protocol[None]:
    """Take in the chain of index runs behind what is covered that reaches furthest, with the fewest runs.

    Runs that reach beyond position `most` are left alone: a fork sees its origin as it was at the fork point. One
    that is damaged or gone is noted in `line.faults` and left out; the chain is chosen again without it.
    """
    listed = yield List(line.run_prefix)
    found = (parse_run_name(entry.key.rsplit("/", 1)[1]) for entry in listed)
    names = {name for name in found if name is not None and (most is None or name.last <= most)}
    opened: dict[RunName, IndexRun] = {}
    while True:
        chain = choose_chain(names, line.covered.position + 1)
        unread = [name for name in chain if name not in opened]
        if not unread:
            break
        for name in unread:
            try:
                opened[name] = yield from _open(line, name)
            except (Corrupt, NotFound) as error:
                line.faults.append(error)
                names.discard(name)
                break
    if chain:
        line.objects.runs = [*line.objects.runs, *(opened[name] for name in chain)]
        line.covered = line.objects.runs[-1].head


def choose_chain(names: Iterable[RunName], start: int = 1) -> list[RunName]:
    """The runs from position `start` on, each behind the one before, that reach furthest; the fewest that do.

    A run of a higher generation stands for everything below it: a run that contains its positions and is of a
    lower one still points to where objects lay before, and does not count.
    """
    newest: dict[tuple[int, int], RunName] = {}
    for name in names:
        known = newest.setdefault((name.first, name.last), name)
        if name.generation > known.generation:
            newest[name.first, name.last] = name
    fresher = [name for name in newest.values() if name.generation]
    # From the back: for each start (how far, how many runs, the first of them).
    best: dict[int, tuple[int, int, RunName]] = {}
    for name in sorted(newest.values(), reverse=True):
        if any(
            other.generation > name.generation and name.first <= other.first and other.last <= name.last
            for other in fresher
        ):
            continue
        reach, more, _ = best.get(name.last + 1, (name.last, 0, name))
        known_best = best.get(name.first)
        if known_best is None or (reach, -more - 1) > (known_best[0], -known_best[1]):
            best[name.first] = (reach, more + 1, name)
    chain = []
    at = start
    while at in best:
        chain.append(best[at][2])
        at = chain[-1].last + 1
    return chain


def _open(line: Line, name: RunName) -> Protocol[IndexRun]:
    key = line.run_key(*name)
    raw: Buffer = yield Map(key)
    run = IndexRun(raw, key)
    if (run.first, run.last) != (name.first, name.last) or run.head.position != name.last:
        raise Corrupt(f"{key} covers other positions than its name says", object=key)
    mapped = raw.obj if isinstance(raw, memoryview) else raw
    if isinstance(mapped, mmap):
        # The checksum has read every page; only those that are searched need to stay with this process.
        mapped.madvise(MADV_DONTNEED)
    return run


def write_run(line: Line) -> Protocol[None]:
    """One run over every epoch beyond the last run."""
    first = line.covered.position + 1
    epochs = [epoch for epoch in line.tail if epoch.new.position >= first]
    places: dict[bytes, Place] = {}
    sessions: dict[bytes, int] = {}
    keys = {line.epoch_key(epoch.new) for epoch in epochs}
    keys |= {line.pack_key(pack.hash) for epoch in epochs for pack in epoch.packs}
    for object_hash, place in line.objects.recent.items():
        if place.key in keys:
            places[object_hash] = place
    for epoch in epochs:
        for record in epoch.records:
            sessions[record.session] = record.position
    head = epochs[-1].new
    name = RunName(first, head.position)
    run = yield from create_run(line, name, encode_run(first, head, places, sessions))
    line.objects.runs = [*line.objects.runs, run]
    line.covered = head
    for object_hash in places:
        del line.objects.recent[object_hash]
    for session in sessions:
        line.sessions.pop(session, None)


def create_run(line: Line, name: RunName, raw: bytes) -> Protocol[IndexRun]:
    """Write a run; as it stands in the store then, or when that is damaged, as it was made here."""
    key = line.run_key(*name)
    with contextlib.suppress(AlreadyExists):  # another front end was faster
        yield PutNew(key, raw)
    try:
        return (yield from _open(line, name))
    except (Corrupt, NotFound) as error:
        line.faults.append(error)
        return IndexRun(raw, key)


def level(positions: int) -> int:
    """0 for a run of less than 8 segments, 1 below 64, 2 below 512, ..."""
    found, span = 0, positions // (SEGMENT * FANOUT)
    while span:
        found, span = found + 1, span // FANOUT
    return found


def due_for_merge(runs: Sequence[IndexRun]) -> Sequence[IndexRun]:
    """The newest runs that one run should stand for, or none.

    For the lowest level for which it is so: eight runs or more at the end, none of them above that level, that
    make one that is. So an object is written once a level, whatever else stands between.
    """
    levels = [level(run.last - run.first + 1) for run in runs]
    for limit in range(max(levels, default=-1) + 1):
        start = len(runs)
        while start and levels[start - 1] <= limit:
            start -= 1
        stop, size = start, 0
        while stop < len(runs) and (size := size + runs[stop].size) <= MAX_MERGED:
            stop += 1
        if stop - start >= FANOUT and level(runs[stop - 1].last - runs[start].first + 1) > limit:
            return runs[start:stop]
    return ()


def merge(line: Line, parts: Sequence[IndexRun]) -> Protocol[IndexRun]:
    """Write the run over neighbouring ones. The line is not changed: see `adopt`."""
    from mic.core.runmerge import merge_runs  # brings numpy, which only this needs

    names = [parse_run_name(part.name.rsplit("/", 1)[1]) for part in parts]
    generation = max(name.generation for name in names if name is not None)
    return (yield from create_run(line, RunName(parts[0].first, parts[-1].last, generation), merge_runs(parts)))


def adopt(line: Line, run: IndexRun, parts: Sequence[IndexRun]) -> None:
    """Let a run stand for its parts; nothing happens where one of them, or all, are not known or not known any more.

    Readers go on with the list that they hold.
    """
    gone = {id(part) for part in parts}
    kept = [old for old in line.objects.runs if id(old) not in gone]
    if parts and len(kept) == len(line.objects.runs) - len(parts):
        line.objects.runs = sorted([*kept, run], key=lambda each: each.first)
