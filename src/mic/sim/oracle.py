"""Judges a run against the naive model: every swap of the head when it takes effect, every answer when it is given.

The model follows the head object itself. When the bucket changes it, the epochs from the new head back to
the old one are read from the raw bucket and must say what the model says; so a lost, doubled, torn or
wrongly judged landing fails at the very event that makes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol

from mic.core.epoch import Epoch, decode_epoch, epoch_name
from mic.core.errors import (
    Busy,
    Conflicted,
    Corrupt,
    Expired,
    InvalidInput,
    MicError,
    NotFound,
    Unavailable,
)
from mic.core.head import Head, decode_head
from mic.core.record import Record
from mic.ledger.land import Landed
from mic.sim.commit_points import BOUNDARIES, POINTS, CommitPoints
from mic.sim.front import PROJECT, Front, StartedAnew, Task
from mic.sim.model import Edits, Files, Model, Sent


class Violation(Exception):
    """Something that must never happen did."""


class Purges(Protocol):
    """What an oracle asks of erasures; `mic.sim.purging` has them."""

    def watch(self, oracle: Oracle, key: str, before: bytes | None, after: bytes | None) -> bool:
        """Whether a change of the bucket is one of theirs, and right."""

    def landed(self, oracle: Oracle, record: Record) -> None:
        """A landing takes effect; raises Violation when it brings back what was erased."""

    def tells(self, oracle: Oracle, record: Record) -> bool:
        """Whether a landing tells of an erasure."""

    def explains(self, front: Front, error: BaseException, since: int) -> bool:
        """Whether an error is theirs."""

    def same(self, files: Files, wanted: Files) -> bool:
        """Whether these are the same files but for what was erased."""

    def asked_for(self, data: bytes) -> bool:
        """Whether somebody wants this content to go."""


Watch = Callable[[str, bytes | None, bytes | None], None]


def _fail(why: str) -> NoReturn:
    raise Violation(why)


class Oracle:
    """The model of one project, what was sent to it, and the bucket that is watched. `origin` is that of a fork."""

    def __init__(self, project: str = PROJECT, origin: Oracle | None = None) -> None:
        self.origin = origin
        self.forks: list[Oracle] = []
        if origin is not None:
            origin.forks.append(self)
        self.asked: int | None = None  # where the origin stood when the fork was first asked for
        self.expected = 0  # how many are still trying to make the project
        self.born: Head | None = None
        self.independent = -1  # since when a fork reads nothing of its origin any more
        self.condemned = self.gone = False
        self.project = project
        self.prefix = f"projects/{project}/"
        self.head_key = f"{self.prefix}head"
        self.model = Model()
        self.head: Head | None = None
        self.heads: set[Head] = set()
        self.roots: list[bytes] = [b""]
        self.sent: dict[bytes, list[Sent]] = {}
        self.imports: dict[bytes, Sequence[Edits]] = {}  # by the id of the first session
        self.ids: dict[bytes, list[bytes]] = {}  # of an import, by the first of them
        self.lost: bytes | None = None  # the head that somebody removed
        self.objects: dict[str, bytes] = {}
        self.answers: dict[str, int] = {}
        self.points = CommitPoints(self._moved, _fail)
        self.collected = False  # whether somebody removes what nothing names
        self.named: set[str] = set()  # epochs and packs of the log
        self.damaged: Callable[[], bool] = lambda: False  # whether anybody was given wrong bytes
        self.views = f"{self.prefix}git/views/"
        self.watch_views: Watch | None = None  # where Git's refs move
        self.purges: Purges | None = None  # where something is erased

    # ------------------------------------------------------------ the bucket

    def watch(self, key: str, before: bytes | None, after: bytes | None) -> None:
        """The bucket changed."""
        if key.startswith(self.prefix + POINTS):
            self.points.point(key, before, after)
        elif key.startswith(self.prefix + BOUNDARIES):
            self.points.boundary(key, before, after)
        elif key == self.head_key:
            self._head_object(before, after)
        elif self.watch_views is not None and key.startswith(self.views):
            self.watch_views(key, before, after)
        elif after is None and self.collected and not self.condemned:
            if key in self.named:
                raise Violation(f"{key} is removed, and the log names it")
        elif self.purges is not None and self.purges.watch(self, key, before, after):
            return
        elif before is not None and before != after and "/sessions/" not in key:
            raise Violation(f"{key} was there and is overwritten")

    def _head_object(self, before: bytes | None, after: bytes | None) -> None:
        if self.lost is not None or after is None:
            raise Violation("the head was written although it was gone")
        if self.points.head_object(self.head_key, before, after, self.head):
            return
        if self.head is not None and before != self.head.encode():
            raise Violation("the head moved unseen")
        self._moved(decode_head(after, self.head_key))

    def _moved(self, new: Head) -> None:
        """There is a newer head."""
        if self.head is not None:
            self._commit(self.head, new)
        else:
            self._begins(new)
        self.head = new
        self.heads.add(new)

    def _begins(self, new: Head) -> None:
        origin = self.origin
        if origin is None:
            if new.position:
                raise Violation(f"the first head stands at position {new.position}")
        elif (new not in origin.heads and new.position) or new.position < (self.asked or 0):
            raise Violation(f"{self.project} begins at {new}; its origin never had it, or not since it was asked for")
        else:
            self.model.begin_at(origin.model, new.position, new.hlc)
            self.roots = origin.roots[: new.position + 1]
        self.born = new

    def behead(self) -> None:
        """Somebody removes the head object, unless nothing has landed that could be lost with it."""
        if self.model.head and self.lost is None:
            self.lost = self.objects.pop(self.head_key)

    def restore(self) -> None:
        """And puts it back."""
        if self.lost is not None:
            self.objects[self.head_key], self.lost = self.lost, None

    def _commit(self, old: Head, new: Head) -> None:
        if new.position <= old.position:
            raise Violation(f"the head went from position {old.position} to {new.position}")
        epochs: list[Epoch] = []
        at = new
        while at.position > old.position:
            key = f"{self.prefix}landing-log/tail/{epoch_name(at)}"
            raw = self.objects.get(key)
            if raw is None:
                raise Violation(f"the head names position {at.position}, whose record {key} is not there")
            epoch = decode_epoch(raw, key)
            if epoch.new != at:
                raise Violation(f"{key} made another head than the one that names it")
            epochs.append(epoch)
            self.named.add(key)
            for pack in epoch.packs:
                self.named.add(f"{self.prefix}packs/{pack.hash.hex()}.pack")
                if f"{self.prefix}packs/{pack.hash.hex()}.pack" not in self.objects:
                    raise Violation(f"{key} names the pack {pack.hash.hex()}, which is gone")
            at = epoch.prev
        if at.position != old.position or (old.position and at != old):
            raise Violation(f"position {new.position} does not follow on the head before it")
        records = [record for epoch in reversed(epochs) for record in epoch.records]
        if records[0].session in self.imports:
            self._imported(records)
        else:
            for record in records:
                self._landed(record)

    def _next(self, record: Record) -> None:
        """The clock only grows. But nothing vouches for that of position 0, and a read of it may give a wrong bit."""
        model = self.model
        if record.position != model.head + 1:
            raise Violation(f"position {record.position} follows on {model.head}")
        if record.hlc <= model.clock and (model.head or not self.damaged()):
            raise Violation(f"the clock went back at position {record.position}")
        if record.session in model.positions:
            raise Violation(
                f"session {record.session.hex()} landed at {model.positions[record.session]} and at {record.position}"
            )
        model.clock = record.hlc
        if self.purges is not None:
            self.purges.landed(self, record)

    def _landed(self, record: Record) -> None:
        self._next(record)
        model = self.model
        if self.purges is not None and self.purges.tells(self, record):
            model.append(record.session, {})
            self.roots.append(record.root_after)
            return
        why = []
        for sent in self.sent.get(record.session, []):
            decided = model.decide(sent, model.head)
            if decided.refused or decided.clashes:
                why.append(f"must be refused: {decided.refused or decided.clashes}")
            elif _changes(record) != _expected(decided.edits):
                why.append(f"must change {sorted(decided.edits)}")
            elif record.base_position != sent.base:
                why.append(f"has base {sent.base}")
            else:
                uploaded = [file.data for file in sent.wants.values() if file is not None] if sent.packed else []
                model.append(record.session, decided.edits, frozenset(uploaded))
                self.roots.append(record.root_after)
                return
        raise Violation(
            f"position {record.position}: session {record.session.hex()} based on {record.base_position} changed "
            f"{[change.path for change in record.changes]} and {'; '.join(why) or 'was never sent'}"
        )

    def _imported(self, records: Sequence[Record]) -> None:
        commits, ids = self.imports[records[0].session], self.ids[records[0].session]
        if len(records) != len(commits):
            raise Violation(f"an import of {len(commits)} commits became {len(records)} landings")
        for record, edits, session in zip(records, commits, ids, strict=True):
            self._next(record)
            if record.session != session or _changes(record) != _expected(edits):
                raise Violation(f"position {record.position} is not the commit of the import")
            self.model.append(session, edits)
            self.roots.append(record.root_after)

    def are(self, files: Files | None, position: int) -> bool:
        """Whether these are the files at a position, but for what was erased."""
        wanted = self.model.at(position).whole()
        return files == wanted if self.purges is None or files is None else self.purges.same(files, wanted)

    def contents(self, position: int) -> dict[bytes, bytes]:
        """Every content that the project has had at a position, by hash."""
        return {
            hashlib.sha256(data).digest(): data
            for data, landed in self.model.contents.items()
            if landed <= position and data and (self.purges is None or not self.purges.asked_for(data))
        }

    # ------------------------------------------------------------ answers

    def torn(self, since: int) -> bool:
        """Whether objects may be gone for who looked at the head then: the project is, or an origin before its time."""
        erased, changed, at = self.gone, -1, self
        while at.origin is not None:
            changed = max(changed, at.independent)
            at = at.origin
            erased = erased or (at.gone and since <= changed)
        return erased

    def _error(self, front: Front, task: Task, error: BaseException, headless: bool, since: int | None = None) -> None:
        """An error that is no judgement must have its reason. `since` is when the head was looked at."""
        if self.purges is not None and self.purges.explains(front, error, task.began if since is None else since):
            return
        if isinstance(error, (Corrupt, NotFound)) and self.torn(task.began if since is None else since):
            return
        if isinstance(error, Unavailable):
            if not task.disturbed and not isinstance(error, StartedAnew):
                raise Violation(f"unavailable without a reason: {error}")
        elif isinstance(error, Corrupt):
            if not task.damaged and not headless:
                raise Violation(f"damage is reported where there is none: {error}")
        elif isinstance(error, NotFound) and headless:
            return  # the head was put back between two looks at it
        elif not isinstance(error, Busy):
            raise Violation(f"an answer that nobody expects: {type(error).__name__}: {error}")

    def count(self, answer: str) -> None:
        """For the statistics."""
        self.answers[answer] = self.answers.get(answer, 0) + 1

    def answered(self, sent: Sent, front: Front, task: Task, value: Any, error: BaseException | None) -> None:
        """A front end answers a landing."""
        model, headless = self.model, front.world.headless(task.began)
        if error is None:
            assert isinstance(value, Landed)
            self.count("already" if value.already else "merged" if value.merged else "landed")
            self._acknowledged(sent, value)
            return
        assert isinstance(error, MicError)
        self.count(error.code)
        if isinstance(error, Expired) and sent.packed and (self.collected or self.torn(task.began)):
            return
        if not isinstance(error, (Conflicted, InvalidInput)):
            self._error(front, task, error, headless)
            return
        head = task.judged if task.judged >= 0 else front.line.head.position if front.line.head else 0
        if head < task.started:
            raise Violation(f"judged at position {head}; {task.started} was there when it was asked")
        # A session may meet its neighbours of a group: some position since it was asked must explain the answer.
        if not any(self._explains(sent, at, error) for at in range(task.started, head + 1)):
            said = {clash.path: clash.reason for clash in error.details.get("clashes", ())}
            raise Violation(
                f"session {sent.id.hex()} is answered {error.code} {said or error}; at {task.started} it must be "
                f"{model.decide(sent, task.started)}, at {head} {model.decide(sent, head)}"
            )

    def _explains(self, sent: Sent, at: int, error: MicError) -> bool:
        """Whether a refusal is right when the head is at a position: one that had landed is never refused."""
        if self.model.positions.get(sent.id, at + 1) <= at:
            return False
        decided = self.model.decide(sent, at)
        if not isinstance(error, Conflicted):
            return decided.refused == error.code
        clashes = error.details["clashes"]
        if {clash.path: clash.reason for clash in clashes} != decided.clashes:
            return False
        for clash in clashes:
            path = clash.theirs.path if clash.theirs else clash.path
            touched = self.model.touched(path, at)
            if clash.theirs_position != (touched if touched > sent.base else 0):
                return False
        return True

    def _acknowledged(self, sent: Sent, landed: Landed) -> None:
        model = self.model
        if self.gone and self.head_key in self.objects:
            return  # a late write brought the head back, and nobody but who landed knows of it
        if model.positions.get(sent.id) != landed.position:
            raise Violation(
                f"session {sent.id.hex()} is told position {landed.position}; it is at {model.positions.get(sent.id)}"
            )
        if landed.tree != self.roots[landed.position]:
            raise Violation(f"position {landed.position} is told to have another tree than it has")
        if landed.already:
            return
        edits = model.decide(sent, landed.position - 1).edits
        merged = {path: file for path, file in edits.items() if file is not None and file != sent.wants[path]}
        if {change.path: (change.mode, change.hash) for change in landed.merged} != {
            path: (file.mode, file.hash) for path, file in merged.items()
        }:
            raise Violation(f"position {landed.position} merged {sorted(merged)}, is told {landed.merged}")

    def read(
        self, position: int, since: int, front: Front, task: Task, files: Files | None, error: BaseException | None
    ) -> None:
        """A front end that looked at the head `since` then shows the files at a position."""
        if error is not None:
            self.answered_late("read", since, front, task, error)
            return
        self.count("read")
        if not self.are(files, position):
            raise Violation(f"the tree at {position} is shown as {files}, is {self.model.at(position).whole()}")

    def answered_late(self, what: str, since: int, front: Front, task: Task, error: BaseException | None) -> None:
        """A question whose head was looked at `since` then could not be answered."""
        assert error is not None
        self.count(f"no {what}")
        self._error(front, task, error, front.world.headless(task.began), since)

    def found(
        self,
        session: bytes,
        front: Front,
        task: Task,
        value: Any,
        error: BaseException | None,
    ) -> None:
        """A front end says where the head is and where a session landed."""
        self.count("found" if error is None else "unfound")
        if error is not None:
            self._error(front, task, error, front.world.headless(task.began))
            return
        head, position = value
        if head < task.started:
            raise Violation(f"the head is said to be at {head}; {task.started} was there when it was asked")
        true = self.model.positions.get(session)
        if position != (true if true is not None and true <= head else None):
            raise Violation(f"session {session.hex()} is said to be at {position}, is at {true}, head {head}")

    def done(self, what: str, front: Front, task: Task, error: BaseException | None) -> None:
        """Work that has no answer but that it is done."""
        self.count(what if error is None else f"no {what}")
        if error is not None:
            self._error(front, task, error, front.world.headless(task.began))


def _changes(record: Record) -> dict[bytes, tuple[int, bytes, int] | None]:
    return {
        change.path: (change.entry.mode, change.entry.hash, change.entry.size) if change.entry else None
        for change in record.changes
    }


def _expected(edits: Edits) -> dict[bytes, tuple[int, bytes, int] | None]:
    return {path: (file.mode, file.hash, len(file.data)) if file else None for path, file in edits.items()}
