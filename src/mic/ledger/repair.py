"""Repairing a project: what can be derived is derived again, what cannot is set aside, nothing is invented.

    1 segments, index runs and rollups that are damaged, missing or contradictory are made again from the log
    2 a head that leads nowhere is put on the newest landing whose log is complete, when there is exactly one
    3 what was replaced is kept under set-aside/ in the project

Contents, sessions and epochs that are gone are gone: they come back from a backup only, and the check afterwards
names them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from mic.core.epoch import Epoch, decode_epoch
from mic.core.errors import AlreadyExists, Corrupt, InvalidInput, NotFound
from mic.core.head import Head
from mic.core.origin import Tie, decode_origin
from mic.ledger.effects import Delete, Get, List, Protocol, PutNew
from mic.ledger.follow import refresh
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.seal import due, seal
from mic.ledger.tip import points, put_tip, read_tip
from mic.ledger.verify import Finding
from mic.store import Listed

_CACHE = 8 << 20


def repair(project: str, findings: Sequence[Finding], known: int = 0, accept_loss: bool = False) -> Protocol[list[str]]:
    """Repair what the findings of a check name; what was done, one sentence each.

    `known` is the newest position that somebody remembers. Nobody else may write to the project meanwhile. Raises
    InvalidInput when the head can only be put back below landings that are known and `accept_loss` is not given, or
    when two histories end equally far; then only derived objects were touched.
    """
    line = Line(project, NodeCache(_CACHE))
    done = yield from _set_aside_derived(line, findings)
    done += yield from _set_aside_points(line, findings, newest=False)
    try:
        yield from refresh(line)
    except (Corrupt, NotFound):
        done += yield from _put_head_back(line, known, accept_loss)
        done += yield from _set_aside_points(line, findings, newest=True)
        line = Line(project, NodeCache(_CACHE))
        try:
            yield from refresh(line)
        except Corrupt:
            return done  # what is still missing is nothing that can be derived; a check names it
    if due(line):
        done.append(f"segments and index runs stand up to @{(yield from seal(line))}")
    if any("/bloom-index/" in sentence for sentence in done):
        from mic.ledger.rollups import roll  # brings numpy, which only this needs

        done.append(f"{(yield from roll(line))} rollups were made again")
    return done


def _set_aside_derived(line: Line, findings: Sequence[Finding]) -> Protocol[list[str]]:
    """Move bad segments and runs away. With one bad there go all runs: they are written after the segments."""
    bad = {finding.object for finding in findings if finding.kind != "unreachable"}
    segments = [key for key in bad if key.startswith(f"{line.prefix}landing-log/") and key.endswith(".log")]
    runs = [key for key in bad if key.startswith(f"{line.prefix}packs/index/")]
    done: list[str] = []
    for key in sorted(key for key in bad if key.startswith(f"{line.prefix}landing-log/bloom-index/")):
        if (yield from _set_aside(line, key)):
            done.append(f"{key} was set aside")
    for key in sorted(key for key in bad if key.startswith(f"{line.prefix}pushed/")):
        # Its owner pushes it again; until it is away, nothing is collected.
        if (yield from _set_aside(line, key)):
            done.append(f"{key} was set aside")
    if any(key.startswith(line.leavings_prefix) for key in bad):
        # Collection begins anew. Nothing lands meanwhile, so nobody misses what was condemned.
        listed: list[Listed] = yield List(line.leavings_prefix)
        for item in listed:
            if (yield from _set_aside(line, item.key)):
                done.append(f"{item.key} was set aside")
    if not segments and not runs:
        return done
    index: list[Listed] = yield List(f"{line.prefix}packs/index/")
    for key in sorted({*segments, *runs, *(listed.key for listed in index)}):
        if (yield from _set_aside(line, key)):
            done.append(f"{key} was set aside")
    return done


def _set_aside_points(line: Line, findings: Sequence[Finding], newest: bool) -> Protocol[list[str]]:
    """Move bad commit points away. The newest one only when the head does not rest on it any more."""
    bad = {finding.object for finding in findings if finding.kind != "unreachable"}
    listed = [item.key for item in (yield from points(line)) if item.key.startswith(line.points_prefix)]
    done: list[str] = []
    for key in listed if newest else listed[:-1]:
        if key in bad and (yield from _set_aside(line, key)):
            done.append(f"{key} was set aside")
    return done


def _set_aside(line: Line, key: str) -> Protocol[bool]:
    """Copy an object below set-aside/ and remove it; False when there is none."""
    try:
        data: bytes = (yield Get(key)).data
    except NotFound:
        return False
    number = 0
    while True:
        name = f"{line.prefix}set-aside/{key.removeprefix(line.prefix)}.{number}"
        try:
            yield PutNew(name, data)
            break
        except AlreadyExists:
            number += 1
    yield Delete(key)
    return True


def _put_head_back(line: Line, known: int, accept_loss: bool) -> Protocol[list[str]]:
    """Put the head on the newest landing that can be followed to the beginning."""
    said = None
    with contextlib.suppress(NotFound, Corrupt):
        said = yield from read_tip(Line(line.project, line.cache))
    ends = yield from _complete_ends(line)
    if not ends:
        raise InvalidInput(
            f"no landing of project {line.project} can be followed to the beginning of its log",
            hint="restore the project's landing-log from a backup",
        )
    if len(ends) > 1:
        names = " and ".join(line.epoch_key(head) for head in ends)
        raise InvalidInput(
            f"two histories of project {line.project} end at @{ends[0].position}: {names}",
            hint="restore the head from a backup; which of them was acknowledged cannot be told from here",
        )
    end = ends[0]
    if said == end:
        return []
    newest = max(known, said.position if said else 0)
    if newest > end.position and not accept_loss:
        raise InvalidInput(
            f"@{newest} has landed, and the log is complete up to @{end.position} only",
            hint=f"restore the landing-log from a backup, or give up @{end.position + 1} to @{newest} for good "
            "with --accept-loss",
        )
    yield from _set_aside(line, line.head_key)
    yield from put_tip(line, end)
    lost = f"; @{end.position + 1} to @{newest} are lost" if newest > end.position else ""
    return [f"the head stands at @{end.position} again{lost}"]


def _complete_ends(line: Line) -> Protocol[list[Head]]:
    """The heads of the highest position from which every epoch down to the beginning is there and sound."""
    listed: list[Listed] = yield List(f"{line.prefix}landing-log/tail/")
    sound: dict[str, Epoch] = {}
    for item in listed:
        with contextlib.suppress(Corrupt, ValueError):
            position, hlc, _ = item.key.rsplit("/", 1)[1].split("-")
            # The name holds eight bytes of the tree; the object holds all of it, and is read by its name alone.
            epoch = yield from _read_named(line, item.key, int(position, 16), int(hlc, 16))
            sound[item.key] = epoch
    start = yield from _fork_point(line)
    follows: dict[str, bool] = {}
    ends: list[Head] = []
    for key in sorted(sound):  # oldest first: what a landing follows on is decided before it
        epoch = sound[key]
        before = line.epoch_key(epoch.prev)
        begins = epoch.prev.position == 0 if start is None else epoch.prev == start
        follows[key] = begins or (follows.get(before, False) and sound[before].new == epoch.prev)
        if follows[key]:
            ends = [head for head in ends if head.position == epoch.new.position] + [epoch.new]
    # A fork that nobody has landed in stands where it began.
    return ends or ([start] if start is not None else [])


def _fork_point(line: Line) -> Protocol[Head | None]:
    try:
        origin = decode_origin((yield Get(line.origin_key)).data, line.origin_key)
    except NotFound:
        return None
    return origin.head if origin.tie is Tie.READS_THROUGH else None


def _read_named(line: Line, key: str, position: int, hlc: int) -> Protocol[Epoch]:
    epoch = decode_epoch((yield Get(key)).data, key)
    if (epoch.new.position, epoch.new.hlc) != (position, hlc) or line.epoch_key(epoch.new) != key:
        raise Corrupt(f"{key} is damaged: it made another head than its name says", object=key)
    return epoch
