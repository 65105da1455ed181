"""Erasures among all the rest: who asks for them, and what they must never do.

Judged when it takes effect: what is written over gets zeros, in ranges that are written down, and nothing else.
Judged at the end: no entry of any epoch or pack holds what was erased, what stands in is shown, and a check finds
nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from random import Random
from typing import Any

from mic.core import epoch as stored
from mic.core.delta import decode_group
from mic.core.epoch import Stored, decode_epoch
from mic.core.errors import Corrupt, Erased, InvalidInput
from mic.core.pack import FOOTER_BYTES, decode_toc, toc_bytes
from mic.core.record import Record
from mic.core.redaction import Parts, Redaction
from mic.core.stand_in import without_words
from mic.core.tombstone import Reason, decode_displaced
from mic.ledger import erase, redact
from mic.ledger.effects import Now, Protocol
from mic.ledger.follow import refresh
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.nodes import NodeCache
from mic.ledger.session_object import read_session
from mic.ledger.tombstones import bury
from mic.sim.actors import ERASED, Ask, Plan, Steps, idle
from mic.sim.bucket import Bucket
from mic.sim.direct import drive
from mic.sim.front import PROJECT, Front, Task
from mic.sim.model import File, Files
from mic.sim.oracle import Oracle, Violation
from mic.sim.world import World

_ID = slice(8, 24)  # of a session, in its object


class Purges:
    """What was asked for, in all projects of a run: they share what a fork reads through its origin."""

    def __init__(self, world: World, oracles: Mapping[str, Oracle]) -> None:
        self._world, self._oracles = world, oracles
        self.contents: dict[bytes, bytes] = {}  # by hash; from when they were asked for
        self.gone: set[bytes] = set()
        self.silent: dict[bytes, set[str]] = {}  # sessions of the project, and what may be said instead, when done
        self._ranges: dict[str, list[tuple[int, int]]] = {}  # that may be zeros, by key
        self._changed = -1  # when an erasure wrote last
        for oracle in oracles.values():
            oracle.purges = self

    # ------------------------------------------------------------ the bucket

    def watch(self, oracle: Oracle, key: str, before: bytes | None, after: bytes | None) -> bool:
        """Whether a change of the bucket is one of an erasure, and right."""
        if key.startswith(f"{oracle.prefix}erased/") and before is None:
            assert after is not None
            self._changed = self._world.heap.now
            if after.startswith(b"MICM"):
                made = decode_displaced(after, key)
                for name, offset, length in made.ranges:
                    self._ranges.setdefault(oracle.prefix + name, []).append((offset, length))
                oracle.named.update(oracle.prefix + moved.name for moved in made.moved)
            return True
        if before is None or after is None or before == after or key not in self._ranges:
            return False
        self._changed = self._world.heap.now
        left, new = bytearray(before), bytearray(after)
        for offset, length in self._ranges[key]:
            was, now = left[offset : offset + length], new[offset : offset + length]
            if any(now) and now != was and self._world.profile.swaps:
                raise Violation(f"{key} holds again what was erased from it at {offset}")
            left[offset : offset + length] = new[offset : offset + length] = bytes(length)
        if left != new:
            raise Violation(f"an erasure writes over what nobody wanted to go, in {key}")
        return True

    def landed(self, oracle: Oracle, record: Record) -> None:
        """A landing takes effect; raises Violation when it brings back what was erased."""
        for change in record.changes:
            if change.entry is not None and change.entry.hash in self._gone(oracle):
                raise Violation(f"position {record.position} brings back {change.entry.hash.hex()}, which was erased")

    def tells(self, oracle: Oracle, record: Record) -> bool:
        """Whether a landing tells of an erasure: it changes nothing, and no client sent it."""
        if record.changes or record.session in oracle.sent:
            return False
        if record.root_after != oracle.roots[-1] and len(oracle.roots) > 1:
            raise Violation(f"an erasure changed the tree at position {record.position}")
        oracle.count("told of an erasure")
        return True

    # ------------------------------------------------------------ answers

    def explains(self, front: Front, error: BaseException, since: int) -> bool:
        """Whether an error is an erasure's: of a content that goes, or of bytes that went since the head was read.

        As a process does that finds damage, the front end looks what was erased before it tries again.
        """
        if isinstance(error, Erased):
            return bool(self.contents)
        if not isinstance(error, Corrupt):
            return False
        line = front.line
        stale = line.head is not None and drive(self._world.bucket, bury(line))
        return stale or self._changed >= since

    def same(self, files: Files, wanted: Files) -> bool:
        """Whether these are the same files but for what was erased."""
        if files.keys() != wanted.keys():
            return False
        return all(
            found == wanted[path] or (wanted[path].hash in self.contents and found == _words(wanted[path]))
            for path, found in files.items()
        )

    def asked_for(self, data: bytes) -> bool:
        """Whether somebody wants this content to go."""
        return hashlib.sha256(data).digest() in self.contents

    # ------------------------------------------------------------ the end

    def sweep(self, bucket: Bucket) -> None:
        """What the daily job does: look once more for what came late."""
        for oracle in self._oracles.values():
            if oracle.head is not None:
                drive(bucket, erase.sweep(oracle.project))
                drive(bucket, redact.sweep_words(oracle.project))

    def check(self, bucket: Bucket) -> None:
        """Of the bucket that a run leaves; raises Violation."""
        for oracle in self._oracles.values():
            if oracle.head is None:
                continue
            self._check_copies(bucket, oracle)
            self._check_shown(bucket, oracle)

    def _gone(self, oracle: Oracle) -> set[bytes]:
        """What was erased here: a fork that did not read it may have landed the same by itself."""
        return {content for content in self.gone if f"{oracle.prefix}erased/{content.hex()}" in oracle.objects}

    def _check_copies(self, bucket: Bucket, oracle: Oracle) -> None:
        gone = self._gone(oracle)
        for key, item, raw in _held(bucket, oracle.prefix):
            if not any(raw):
                continue
            if item.hash in gone and item.kind in stored.SMALL:
                raise Violation(f"{key} holds {item.hash.hex()}, which was erased")
            if item.kind == stored.GROUP and gone & {m.hash for m in decode_group(raw, key).members}:
                raise Violation(f"{key} holds a group with a content that was erased")
            if item.kind == stored.SESSION and self._is_silent(oracle, raw[_ID]):
                raise Violation(f"{key} holds the words of session {raw[_ID].hex()}, which were erased")

    def _check_shown(self, bucket: Bucket, oracle: Oracle) -> None:
        line = Line(oracle.project, NodeCache(1 << 20))
        drive(bucket, refresh(line))
        for content in sorted(self._gone(oracle)):
            if line.objects.holds(content) or line.objects.find_bytes(content) is not None:
                raise Violation(f"{oracle.project} still finds {content.hex()}, which was erased")
        for session in oracle.model.sessions:
            position = line.find_session(session)
            assert position is not None
            (record,) = drive(bucket, records(line, position, position))
            found = drive(bucket, read_session(line.objects, record.session_object))
            wanted = self.silent[session] if self._is_silent(oracle, session) else set()
            if found.id != session or (wanted and found.goal not in wanted):
                raise Violation(f"session {session.hex()} says {found.goal!r}, was to say one of {wanted}")

    def _is_silent(self, oracle: Oracle, session: bytes) -> bool:
        """Whether words of a session were erased here: a fork may have landed one of the same id by itself."""
        if session not in self.silent:
            return False
        while oracle.origin is not None:
            assert oracle.born is not None
            if oracle.model.positions.get(session, 1 << 62) > oracle.born.position:
                return False
            oracle = oracle.origin
        return True


def _words(file: File) -> File:
    return File(file.mode, ERASED + file.hash)


def _held(bucket: Bucket, prefix: str) -> Iterator[tuple[str, Stored, bytes]]:
    """Every entry of every container below a prefix, named or not, with its bytes."""
    for key, raw in sorted(bucket.objects.items()):
        if key.startswith(f"{prefix}landing-log/tail/"):
            epoch = decode_epoch(raw, key)
            items, base = epoch.objects, epoch.data_start
        elif key.startswith(f"{prefix}packs/") and key.endswith(".pack"):
            items, base = decode_toc(raw[-FOOTER_BYTES - toc_bytes(raw[-FOOTER_BYTES:], key) :], len(raw), key), 0
        else:
            continue
        for item in items:
            yield key, item, raw[base + item.offset : base + item.offset + item.length]


# ---------------------------------------------------------------- who asks


def purger(plan: Plan, judge: Purges, number: int, count: int, most: float, rnd: Random) -> Steps:
    """Erases contents, and now and then the words of a session, in the project and all its forks.

    So often that two of them meet in one object.
    """
    for at in range(count):
        yield idle(rnd, min(most, 3) * 4)
        model = plan.oracle.model
        if rnd.random() < 0.35:
            landed = [session for session in model.sessions if session in plan.oracle.sent]
            if landed:
                yield from _silence(plan, judge, rnd.choice(landed), b"%d/%d" % (number, at), rnd)
            continue
        contents = sorted(data for data in model.contents if data)
        if contents:
            yield from _erase(plan, judge, rnd.choice(contents), rnd)


def _erase(plan: Plan, judge: Purges, data: bytes, rnd: Random) -> Steps:
    content = hashlib.sha256(data).digest()
    judge.contents[content] = data
    while True:
        _, error = yield Ask(
            rnd.randrange(plan.fronts),
            lambda front: erase.erase(PROJECT, content, Reason.SECRET, "sim", with_forks=True),
            partial(_done, plan.oracle, "erased a content"),
            locked=False,
        )
        if error is None:
            judge.gone.add(content)
            return
        if isinstance(error, InvalidInput):
            return
        yield idle(rnd, 5)


def _silence(plan: Plan, judge: Purges, session: bytes, name: bytes, rnd: Random) -> Steps:
    asked: list[Redaction] = []

    def work(front: Front) -> Protocol[Any]:
        if not asked:
            now = yield Now()
            asked.append(Redaction(hashlib.sha256(name).digest(), Reason.SECRET, Parts.WORDS, now, "sim"))
        return (yield from redact.redact(PROJECT, asked[0], [session], without_words, with_forks=True))

    while True:
        _, error = yield Ask(
            rnd.randrange(plan.fronts), work, partial(_done, plan.oracle, "erased words"), locked=False
        )
        if error is None:
            judge.silent.setdefault(session, set()).add(asked[0].text)
            return
        if isinstance(error, InvalidInput):
            return
        yield idle(rnd, 5)


def _done(oracle: Oracle, what: str, front: Front, task: Task, value: Any, error: BaseException | None) -> None:
    if isinstance(error, InvalidInput):
        oracle.count(f"refused: {what}")
        return
    if error is not None:
        oracle.count(f"erasing met {getattr(error, 'code', error)}")
    oracle.done(what, front, task, error)
