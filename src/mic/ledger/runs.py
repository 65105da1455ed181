"""Index runs of a line: reading the chain of them, writing the next one."""

from __future__ import annotations

import contextlib

from mic.core.errors import AlreadyExists, Corrupt
from mic.core.indexrun import IndexRun, Place, encode_run
from mic.ledger.effects import Get, List, Protocol, PutNew
from mic.ledger.line import Line


def load_runs(line: Line, most: int | None = None) -> Protocol[None]:
    """Take in the longest chain of index runs behind what is covered: for each start the run that reaches furthest.

    Runs that reach beyond position `most` are left alone: a fork sees its origin as it was at the fork point.
    """
    listed = yield List(f"{line.prefix}packs/index/")
    names = [entry.key for entry in listed if entry.key.endswith(".run")]
    furthest: dict[int, tuple[int, str]] = {}
    for key in names:
        first, last = (int(part) for part in key.rsplit("/", 1)[1][:-4].split("-"))
        if most is None or last <= most:
            furthest[first] = max(furthest.get(first, (0, "")), (last, key))
    at = line.covered.position + 1
    while at in furthest:
        last, key = furthest[at]
        run = IndexRun((yield Get(key)).data, key)
        if (run.first, run.last) != (at, last):
            raise Corrupt(f"{key} covers other positions than its name says", object=key)
        line.objects.runs.append(run)
        line.covered = run.head
        at = last + 1


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
    raw = encode_run(first, head, places, sessions)
    key = line.run_key(first, head.position)
    with contextlib.suppress(AlreadyExists):  # another front end was faster and wrote the same
        yield PutNew(key, raw)
    line.objects.runs.append(IndexRun(raw, key))
    line.covered = head
    for object_hash in places:
        del line.objects.recent[object_hash]
    for session in sessions:
        line.sessions.pop(session, None)
