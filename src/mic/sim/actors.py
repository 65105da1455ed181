"""Those who ask: clients that land, look and look up, an import, a keeper that seals. Each is a generator.

An actor yields `Wait` or `Ask` and is sent the answer as (value, error). It knows of the world only what it
was told: a base is a position that it has seen.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Generator, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

from mic.core.blob import encode_blob
from mic.core.errors import Conflicted, Erased, Expired, InvalidInput, Unavailable
from mic.core.session import Author, Change, Op, Session
from mic.core.tree import Entry, scan
from mic.ledger import follow, history, runs, seal, tip, trees, upload
from mic.ledger.contents import read_blob
from mic.ledger.effects import Protocol
from mic.ledger.frame import Frame
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects
from mic.ledger.request import LandRequest
from mic.sim.front import EPOCH_MS, PROJECT, Front, StartedAnew, Task
from mic.sim.heap import SECOND
from mic.sim.model import EXECUTABLE, LINK, REGULAR, Edits, File, Files, Sent
from mic.sim.oracle import Oracle, Violation

ERASED = b"erased "  # and the hash
LINES = 7
TOKENS = (b"a", b"b", b"c")
# A line is its number and noise that does not get smaller: a version that changed a line is worth storing as a delta.
_ROWS = [
    {token: b"%d:%s\n" % (at, b64encode(hashlib.sha256(b"%d%s" % (at, token)).digest())[:32]) for token in TOKENS}
    for at in range(LINES)
]
PATHS = (b"a", b"a/b", b"a/b/c", b"a/d", b"a-b", b"e", b"f/g", b"f/h", b"f", b"i/j/k", b"l", b"m")


class Wait(NamedTuple):
    """Do nothing for so many microseconds."""

    micros: int


class Ask(NamedTuple):
    """Have a front end do some work, or land; `check` judges the answer whether or not anybody still waits for it."""

    front: int
    work: Callable[[Front], Protocol[Any]] | LandRequest
    check: Callable[[Front, Task, Any, BaseException | None], None]
    locked: bool = True


class Through(NamedTuple):
    """Have a front end do work that drives many protocols: `run` takes one to its end, and time passes meanwhile.

    `check` is given what it returned or raised, and a task with all that befell it.
    """

    front: int
    work: Callable[[Callable[[Protocol[Any]], Any]], Any]
    check: Callable[[Front, Task, Any, BaseException | None], None]


class Spawn(NamedTuple):
    """Another actor that begins now."""

    actor: Actor


Order = Wait | Ask | Through | Spawn
Steps = Generator[Order, Any, None]  # a part of what an actor does
Actor = Generator[Order, Any, Any]


class Plan(NamedTuple):
    """What an actor may ask of whom."""

    oracle: Oracle
    fronts: int
    paths: Sequence[bytes]
    skip: frozenset[tuple[int, int]]  # (client, session) that are left out
    collected: bool = False  # what nobody lands in time is removed


def idle(rnd: Random, seconds: float) -> Wait:
    """Up to so many seconds."""
    return Wait(int(rnd.uniform(0.02, 1.0) * seconds * SECOND))


# ---------------------------------------------------------------- creating


def creator(plan: Plan, rnd: Random) -> Steps:
    """Makes the project, again until it is told that it is there."""
    while True:
        _, error = yield Ask(
            rnd.randrange(plan.fronts),
            lambda front: follow.create(front.line),
            lambda front, task, value, error: plan.oracle.done("created", front, task, error),
        )
        if error is None:
            return
        yield idle(rnd, 1)


# ---------------------------------------------------------------- landing


class Client:
    """Client `number` lands `count` sessions one after the other, as far as it knows the history.

    It begins after `begin` seconds, and pauses for at most `pause` seconds between two sessions.
    """

    def __init__(self, plan: Plan, number: int, count: int, begin: float, pause: float, rnd: Random) -> None:
        self.plan, self.number, self.count, self.pause, self.rnd = plan, number, count, pause, rnd
        self.model = plan.oracle.model
        self.begin = begin
        self.known = 0

    def run(self) -> Steps:
        """Everything that it does."""
        yield Wait(int((self.begin + self.rnd.uniform(0, 3) * self.pause) * SECOND))
        for at in range(self.count):
            rnd = Random(self.rnd.getrandbits(64))  # a session left out changes nothing for the next one
            yield idle(rnd, self.pause)
            if (self.number, at) not in self.plan.skip:
                yield from self._session(at, rnd)

    def _session(self, at: int, rnd: Random) -> Steps:
        session = hashlib.sha256(b"%d/%d" % (self.number, at)).digest()[:16]
        if rnd.random() < 0.3:
            yield from self._look_up(session, rnd)
        for attempt in range(4):
            base = self.known if rnd.random() < 0.6 else rnd.randint(0, self.known)
            sent = self._sent(session, base, rnd)
            if sent is None:
                return
            self.plan.oracle.sent.setdefault(session, []).append(sent)
            if attempt == 0 and rnd.random() < 0.15:
                yield Spawn(self._land(sent, Random(rnd.getrandbits(64))))
            if attempt == 0 and rnd.random() < 0.15:
                # Somebody else does the very same at the same time.
                twin = sent._replace(id=hashlib.sha256(session).digest()[:16])
                self.plan.oracle.sent[twin.id] = [twin]
                yield Spawn(self._land(twin, Random(rnd.getrandbits(64))))
            error = yield from self._land(sent, rnd)
            if not isinstance(error, Conflicted):
                return
            if rnd.random() < 0.5:
                return
            yield from self._look_up(session, rnd)

    def _sent(self, session: bytes, base: int, rnd: Random) -> Sent | None:
        """A change set over what the base holds; the client's workspace shows exactly that."""
        files = self.model.at(base)
        wants: dict[bytes, File | None] = {}
        for path in rnd.sample(self.plan.paths, min(len(self.plan.paths), rnd.choice((1, 1, 2, 3)))):
            new = edited(files.get(path), rnd)
            if new != files.get(path) and not _crosses(path, new, wants):
                wants[path] = new
        if not wants:
            return None
        claims = {path: files.get(path) for path in wants}
        if rnd.random() < 0.05:
            path = next(iter(wants))
            claims[path] = None if files.get(path) else File(REGULAR, b"never\n")
        unsent: frozenset[bytes] = frozenset()
        if rnd.random() < 0.2:
            unsent = frozenset(file.data for file in wants.values() if file is not None)
        return Sent(session, base, wants, claims, unsent, packed=not unsent and rnd.random() < 0.2)

    def _land(self, sent: Sent, rnd: Random) -> Generator[Order, Any, BaseException | None]:
        """Land until there is an answer that asking again would not change."""
        oracle, ready = self.plan.oracle, request(sent)
        error: BaseException | None
        while True:
            asked = ready
            if sent.packed:
                packs, error = yield Ask(
                    rnd.randrange(self.plan.fronts),
                    lambda front: _upload(front, sent),
                    lambda front, task, value, error: oracle.done("uploaded", front, task, error),
                    locked=False,
                )
                if error is not None:
                    if oracle.gone or isinstance(error, Erased):
                        return error
                    yield idle(rnd, 3)
                    continue
                asked = ready._replace(packs=packs)
                if self.plan.collected and rnd.random() < 0.5:
                    yield idle(rnd, 120)  # long enough for what was uploaded to be condemned, or gone
            value, error = yield Ask(
                rnd.randrange(self.plan.fronts),
                asked,
                lambda front, task, value, error: oracle.answered(sent, front, task, value, error),
            )
            if error is None and rnd.random() < 0.02:
                error = Unavailable("the answer is lost on its way to the client")
            if error is None:
                self.known = max(self.known, value.position)
                return None
            if isinstance(error, Expired):
                continue
            if isinstance(error, (Conflicted, InvalidInput, Erased)) or oracle.gone:
                return error
            yield idle(rnd, 3)

    def _look_up(self, session: bytes, rnd: Random) -> Steps:
        """Learn the newest position, and where a session landed."""
        oracle = self.plan.oracle
        value, error = yield Ask(
            rnd.randrange(self.plan.fronts),
            lambda front: _find(front, session),
            lambda front, task, value, error: oracle.found(session, front, task, value, error),
        )
        if error is None:
            self.known = max(self.known, value[0])


def _crosses(path: bytes, new: File | None, wants: dict[bytes, File | None]) -> bool:
    """Whether a session would want a file and a directory of one name."""
    if new is None:
        return False
    there = [name for name, file in wants.items() if file is not None]
    return any(path.startswith(name + b"/") or name.startswith(path + b"/") for name in there)


def text(rnd: Random) -> bytes:
    """A new text: few of them, so that two clients often write the same."""
    return b"".join(row[rnd.choice(TOKENS)] for row in _ROWS)


def edited(old: File | None, rnd: Random) -> File | None:
    """What a client makes of a file, or of none."""
    drawn = rnd.random()
    if old is None:
        return File(LINK, b"to-" + rnd.choice(TOKENS)) if drawn < 0.1 else File(REGULAR, text(rnd))
    if drawn < 0.15:
        return None
    if drawn < 0.25 and old.mode != LINK:
        return File(REGULAR if old.mode == EXECUTABLE else EXECUTABLE, old.data)
    if drawn < 0.35 or old.mode == LINK:
        return File(LINK, b"to-" + rnd.choice(TOKENS)) if drawn < 0.28 else File(REGULAR, text(rnd))
    lines = old.data.splitlines(True)
    for at in rnd.sample(range(LINES), rnd.choice((1, 1, 2))):
        lines[at] = _ROWS[at][rnd.choice(TOKENS)]
    return File(old.mode, b"".join(lines))


def request(sent: Sent) -> LandRequest:
    """What goes over the wire for it."""
    changes, contents = [], {}
    for path, file in sent.wants.items():
        claim = sent.claims.get(path)
        base_hash, base_mode = (claim.hash, claim.mode) if claim else (b"", 0)
        if file is None:
            changes.append(Change(path, int(Op.DELETED), 0, base_hash=base_hash, base_mode=base_mode))
            continue
        op = int(Op.MODIFIED if claim else Op.ADDED)
        changes.append(Change(path, op, file.mode, file.hash, len(file.data), base_hash, base_mode))
        if not sent.packed and file.data not in sent.unsent:
            contents[file.hash] = encode_blob(file.data)
    session = Session(sent.id, "Goal", base_position=sent.base, author=Author("Ada", ""), changes=tuple(changes))
    return LandRequest(session, contents)


def _upload(front: Front, sent: Sent) -> Protocol[Any]:
    receiving = upload.Upload(front.line)
    for file in sent.wants.values():
        if file is not None:
            size = len(file.data)
            yield from receiving.receive(Frame(file.hash, size, 0, size, False, file.data))
    return (yield from receiving.finish())


def _find(front: Front, session: bytes) -> Protocol[tuple[int, int | None]]:
    head = yield from follow.refresh(front.line)
    return head.position, front.line.find_session(session)


# ---------------------------------------------------------------- reading


def reader(plan: Plan, count: int, pause: float, rnd: Random) -> Steps:
    """Looks at the tree of some position: its root in turn, its files and contents beside a landing."""
    for _ in range(count):
        yield idle(rnd, pause * 3)
        front_number, part = rnd.randrange(plan.fronts), rnd.random()
        told, error = yield Ask(
            front_number,
            partial(_root, part=part),
            lambda front, task, value, error: plan.oracle.done("root", front, task, error),
        )
        if error is not None:
            continue
        life, since, position, root = told
        yield Ask(
            front_number,
            partial(_files, life=life, root=root),
            partial(plan.oracle.read, position, since),
            locked=False,
        )


def _root(front: Front, part: float) -> Protocol[tuple[int, int, int, bytes]]:
    since = front.world.heap.now
    head = yield from follow.refresh(front.line)
    position = min(int(part * (head.position + 2)), head.position)
    return front.life, since, position, (yield from trees.tree_at(front.line, position))


def _files(front: Front, life: int, root: bytes) -> Protocol[Files]:
    if front.life != life:
        raise StartedAnew
    line = front.line
    entries: list[Entry] = yield from with_nodes(line.objects, line.cache, scan(line.cache, root))
    files = {}
    for entry in entries:
        files[entry.path] = File(entry.mode, (yield from shown(line.objects, entry.hash)))
    return files


def shown(objects: Objects, content: bytes) -> Protocol[bytes]:
    """A content, or what is shown in the place of one that was erased."""
    try:
        return (yield from read_blob(objects, content, 1 << 20))
    except Erased:
        return ERASED + content


# ---------------------------------------------------------------- importing and sealing


def importer(plan: Plan, commits: Sequence[Edits], rnd: Random) -> Steps:
    """Takes in a history, again until it is there or somebody else was first."""
    oids = [hashlib.sha256(b"commit %d" % at).digest()[:20] for at in range(len(commits))]
    ids = session_ids(oids, 0)
    plan.oracle.imports[ids[0]], plan.oracle.ids[ids[0]] = commits, ids
    while True:
        attempt: list[history.HistoryImport] = []

        def work(front: Front, attempt: list[history.HistoryImport] = attempt) -> Protocol[Any]:
            attempt.append(history.HistoryImport(front.line, "sim", bytes(16)))
            return _import(attempt[0], commits, oids)

        def check(
            front: Front,
            task: Task,
            value: Any,
            error: BaseException | None,
            attempt: list[history.HistoryImport] = attempt,
        ) -> None:
            oracle = plan.oracle
            if isinstance(error, InvalidInput):
                if not oracle.model.head:
                    raise Violation(f"an empty project takes no history: {error}")
                if attempt[0].head.position and attempt[0].head in oracle.heads:
                    raise Violation(f"the import landed and is refused: {error}")
                oracle.count("import refused")
                return
            oracle.done("imported", front, task, error)
            if error is None and value not in oracle.heads:
                raise Violation(f"an import is told the head {value}, which was never written")

        _, error = yield Ask(rnd.randrange(plan.fronts), work, check)
        if error is None or isinstance(error, (InvalidInput, Erased)) or plan.oracle.gone:
            return
        yield idle(rnd, 2)


def session_ids(oids: Sequence[bytes], onto: int) -> list[bytes]:
    """The sessions that a history becomes behind a position."""
    return [
        EPOCH_MS.to_bytes(6, "big") + hashlib.sha256(PROJECT.encode() + oid + at.to_bytes(8, "big")).digest()[:10]
        for at, oid in enumerate(oids, onto + 1)
    ]


def _import(taking: history.HistoryImport, commits: Sequence[Edits], oids: Sequence[bytes]) -> Protocol[Any]:
    yield from import_of(taking, commits, oids, {})
    return (yield from taking.finish())


def import_of(
    taking: history.HistoryImport, commits: Sequence[Edits], oids: Sequence[bytes], before: Files
) -> Protocol[None]:
    """All of a history but its end. `before` are the files that it begins with."""
    yield from taking.begin()
    files = dict(before)
    for oid, edits in zip(oids, commits, strict=True):
        changes = []
        for path, file in edits.items():
            if file is None:
                changes.append((path, int(Op.DELETED), 0, b"", 0))
                continue
            taking.add_content(file.hash, len(file.data), encode_blob(file.data))
            op = int(Op.MODIFIED if path in files else Op.ADDED)
            changes.append((path, op, file.mode, file.hash, len(file.data)))
        files.update({path: file for path, file in edits.items() if file is not None})
        commit = history.HistoryCommit(oid, b"raw", Author("Ada", ""), EPOCH_MS, "Message", changes)
        yield from taking.add_commit(commit)


def commits(rnd: Random, count: int, before: Files | None = None, first: int = 0) -> list[Edits]:
    """A history of flat files, each commit another content: a new one, or the old one with two lines changed.

    It goes on with the files `before`, at position `first`.
    """
    out: list[Edits] = []
    files: Files = dict(before or {})
    for at in range(first, first + count):
        path = b"h%d" % rnd.randrange(4)
        old = files.get(path)
        lines = (old.data if old is not None else text(rnd)).splitlines(True)
        lines[0] = b"0:%d\n" % at
        changed = rnd.randrange(1, LINES)
        lines[changed] = _ROWS[changed][rnd.choice(TOKENS)]
        edits: Edits = {path: None if old is not None and rnd.random() < 0.2 else File(REGULAR, b"".join(lines))}
        for name, file in edits.items():
            if file is None:
                del files[name]
            else:
                files[name] = file
        out.append(edits)
    return out


def keeper(plan: Plan, count: int, pause: float, rnd: Random) -> Steps:
    """Seals what is due, now here, now there, and merges index runs while others land."""
    for _ in range(count):
        yield idle(rnd, pause * 2)
        front_number = rnd.randrange(plan.fronts)
        yield Ask(
            front_number,
            _seal,
            lambda front, task, value, error: plan.oracle.done("sealed", front, task, error),
        )
        yield Ask(
            front_number,
            _merge,
            lambda front, task, value, error: plan.oracle.done(
                "merged runs" if value else "unmerged", front, task, error
            ),
            locked=False,
        )


def _seal(front: Front) -> Protocol[int]:
    line = front.line
    yield from follow.refresh(line)
    if seal.due(line):
        yield from seal.seal(line)
    if tip.due_to_tidy(line):
        yield from tip.tidy(line)
    return line.sealed


def _merge(front: Front) -> Protocol[int]:
    line, made = front.line, 0
    while parts := runs.due_for_merge(line.objects.runs):
        runs.adopt(line, (yield from runs.merge(line, parts)), parts)
        made += 1
    return made
