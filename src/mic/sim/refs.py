"""Git's refs under every fault: pushes that move them at once, pushes that move them with main, and catching up.

Every view is judged when it appears in the bucket: it follows on the one before, tells of no landing that is not there,
and its refs are those of the view before with one push applied, or with those that landed since. So an atomic push that
landed without its refs, or whose refs moved without it, fails at the view that says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from mic.core.errors import InvalidInput, PreconditionFailed
from mic.git.moving import RefMove, advance, begin, move, withdraw
from mic.git.serving import ABSENT
from mic.git.view import Numbered, Overtaken, View, decode_view, newest_view, write_view
from mic.ledger import follow, history, log
from mic.ledger.effects import Now, Protocol
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.sim import limits
from mic.sim.actors import Ask, Plan, Spawn, Steps, commits, idle, import_of, session_ids
from mic.sim.bucket import Bucket
from mic.sim.direct import drive
from mic.sim.front import Front, Task
from mic.sim.model import Edits, Files
from mic.sim.oracle import Oracle, Violation

_NAMES = (b"refs/heads/a", b"refs/heads/b", b"refs/tags/v1", b"refs/tags/v2")
_AT_ONCE = 4  # landings that get their commits in one view
_WHO = "view"

Refs = dict[bytes, bytes]
Edit = Callable[[View, int], View | None]


class Attempt(NamedTuple):
    """A push. `session` is that of the newest landing that it makes, b"" for one that moves refs alone."""

    moves: tuple[RefMove, ...]
    atomic: bool
    session: bytes


# ---------------------------------------------------------------- the judge


class RefsOracle:
    """The refs of one project as they must be. `views` are all that ever counted, by number."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.views: list[View] = [View()]
        self.attempts: list[Attempt] = []
        self.strays: set[int] = set()  # written again under a number that was removed; they count for nothing
        oracle.watch_views = self.watch

    @property
    def newest(self) -> int:
        """The number of the view that counts."""
        return len(self.views) - 1

    def watch(self, key: str, before: bytes | None, after: bytes | None) -> None:
        """A view came or went."""
        if self.oracle.condemned:
            return
        number = int(key.rpartition("/")[2], 16)
        if after is None:
            if before is not None and number > self.newest - limits.SMALL["VIEWS_LOST"] and number not in self.strays:
                raise Violation(f"view {number} is removed, and {self.newest} is the newest")
            self.strays.discard(number)
        elif before is not None:
            if after != before:
                raise Violation(f"{key} was there and is overwritten")
        elif number <= self.newest:
            self.strays.add(number)
        elif number > self.newest + 1:
            raise Violation(f"view {number} follows on {self.newest}")
        else:
            self._follows(self.views[-1], decode_view(after, key))

    def _follows(self, old: View, new: View) -> None:
        model = self.oracle.model
        if not old.position <= new.position <= model.head:
            raise Violation(f"the view goes from position {old.position} to {new.position}, {model.head} landed")
        if new.tip != (commit_of(model.sessions[new.position - 1]) if new.position else b""):
            raise Violation(f"the tip of position {new.position} is said to be {new.tip.hex()}")
        landed = model.sessions[old.position : new.position]
        must = dict(old.refs)
        for attempt in self.attempts:
            if attempt.session in landed:
                must.update({item.name: item.new for item in attempt.moves})
        must = _present(must)
        if new.refs != must and (landed or not self._is_a_push(old.refs, new.refs)):
            raise Violation(f"after {old} comes {new}, which must have {must}")
        self.views.append(new)

    def _is_a_push(self, old: Mapping[bytes, bytes], new: Mapping[bytes, bytes]) -> bool:
        """Whether one push without main makes the one of the other."""
        changed = {name: (old.get(name, ABSENT), new.get(name, ABSENT)) for name in old.keys() | new.keys()}
        changed = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
        return any(
            changed.items() <= {item.name: (item.old, item.new) for item in attempt.moves}.items()
            and (not attempt.atomic or len(changed) == len(attempt.moves))
            for attempt in self.attempts
        )

    def told(self, since: int, view: Numbered) -> None:
        """Somebody who asked when view `since` was the newest is shown this one."""
        if view.number < since:
            raise Violation(f"view {view.number} is shown; {since} was there when it was asked for")
        if view.view != self.views[view.number]:
            raise Violation(f"view {view.number} is shown as {view.view}, it is {self.views[view.number]}")

    def moved(self, since: int, attempt: Attempt, refused: Mapping[bytes, str]) -> None:
        """A push is answered, but not one that landed: what it moved moved, and what is refused has its reason."""
        made = {item.name: (item.old, item.new) for item in attempt.moves if item.name not in refused}
        if made and attempt.atomic and refused:
            raise Violation(f"a part of an atomic push is refused: {refused}")
        views = self.views[since:]
        if made and not any(
            all((old.refs.get(name, ABSENT), new.refs.get(name, ABSENT)) == pair for name, pair in made.items())
            for old, new in pairwise(views)
        ):
            raise Violation(f"{made} is said to be done, and no view since {since} does it")
        left = [item for item in attempt.moves if item.name in refused]
        for item in left:
            if not attempt.atomic and not _in_the_way(views, item):
                raise Violation(f"{item} is refused, and nothing was in its way since view {since}")
        self.refused(since, attempt, left)

    def refused(self, since: int, attempt: Attempt, left: Sequence[RefMove]) -> None:
        """A push is told that these did not move; of an atomic one, one reason is enough for all."""
        views = self.views[since:]
        if any(view.refs.get(item.name) == item.new for view in views for item in left):
            raise Violation(f"{left} are refused, and moved")
        if left and not any(_in_the_way(views, item) for item in attempt.moves):
            raise Violation(f"{attempt} is refused, and nothing was in its way since view {since}")


def _in_the_way(views: Sequence[View], item: RefMove) -> bool:
    return any(view.refs.get(item.name, ABSENT) != item.old or _holds(view, item.name) for view in views)


def _holds(view: View, name: bytes) -> bool:
    return any(name in moving.refs for moving in view.movings)


def _present(refs: Refs) -> Refs:
    return {name: oid for name, oid in refs.items() if oid != ABSENT}


def commit_of(session: bytes) -> bytes:
    """What stands for the commit of a landing."""
    return hashlib.sha256(session).digest()[:20]


def check(bucket: Bucket, refs: RefsOracle) -> None:
    """The bucket that is left, once somebody caught up: every landing has its commit, every ref is where it must be."""
    oracle = refs.oracle
    if oracle.gone or oracle.head is None:
        return
    line = Line(oracle.project, NodeCache(8 << 20))
    head = drive(bucket, follow.refresh(line))
    while (found := drive(bucket, newest_view(oracle.project, Numbered(0, View())))).view.position < head.position:
        drive(bucket, _derive(line, found, head.position))
    refs.told(refs.newest, found)
    for attempt in refs.attempts:
        if attempt.session in oracle.model.positions:
            oracle.count("atomic push")


# ---------------------------------------------------------------- catching up


def follower(plan: Plan, refs: RefsOracle, count: int, pause: float, rnd: Random) -> Steps:
    """Gives the landings their commits, now here, now there, as whoever fetches does."""
    for _ in range(count):
        yield idle(rnd, pause * 2)
        if plan.oracle.gone:
            return
        yield Ask(rnd.randrange(plan.fronts), _catch_up, partial(_shown, refs, refs.newest), locked=False)


def _catch_up(front: Front) -> Protocol[Numbered]:
    line = Line(front.line.project, front.cache)
    head = yield from follow.refresh(line)
    while True:
        known = yield from _newest(front)
        if known.view.position >= head.position:
            return known
        yield from _derive(line, known, head.position)


def _newest(front: Front) -> Protocol[Numbered]:
    found = yield from newest_view(front.line.project, front.remembered.get(_WHO, Numbered(0, View())))
    front.remembered[_WHO] = found
    return found


def _derive(line: Line, known: Numbered, last: int) -> Protocol[None]:
    """The next landings, as `mic.git.kept` does it, but that a commit is a name here."""
    first = known.view.position + 1
    records = yield from log.records(line, first, min(last, first + _AT_ONCE - 1))
    clocks = {record.position: record.hlc for record in records}
    new = advance(known.view, records[-1].position, commit_of(records[-1].session), clocks)
    yield from write_view(line.project, known, new)


def _shown(
    refs: RefsOracle, since: int, front: Front, task: Task, value: Numbered | None, error: BaseException | None
) -> None:
    _done(refs, "caught up", front, task, error)
    if value is not None and not refs.oracle.condemned:
        refs.told(since, value)


def _done(refs: RefsOracle, what: str, front: Front, task: Task, error: BaseException | None) -> None:
    if isinstance(error, Overtaken):
        refs.oracle.count(f"overtaken, not {what}")
        return
    refs.oracle.done(what, front, task, error)


# ---------------------------------------------------------------- pushing


def pusher(plan: Plan, refs: RefsOracle, number: int, count: int, pause: float, rnd: Random) -> Steps:
    """Pushes branches and tags, atomically or not, every other time with commits on main."""
    oracle, known = plan.oracle, Numbered(0, View())
    for at in range(count):
        yield idle(rnd, pause)
        if oracle.gone:
            return
        if rnd.random() < 0.8:  # else it believes what it saw before
            told, error = yield Ask(
                rnd.randrange(plan.fronts), _catch_up, partial(_shown, refs, refs.newest), locked=False
            )
            if error is None:
                known = told
        moves = tuple(_moves(known.view, b"%d/%d" % (number, at), rnd))
        commits_too = rnd.random() < 0.5
        if not commits_too:
            attempt = Attempt(moves, rnd.random() < 0.5, b"")
            refs.attempts.append(attempt)
            push = Ask(
                rnd.randrange(plan.fronts),
                partial(_move, attempt=attempt),
                partial(_moved, refs, refs.newest, attempt),
                locked=False,
            )
        else:
            push = _to_main(plan, refs, known.view.position, moves, b"%d/%d" % (number, at), rnd)
        if rnd.random() < 0.2:
            yield Spawn(_beside(push))
        else:
            yield push


def _beside(push: Ask) -> Steps:
    yield push


def _moves(view: View, salt: bytes, rnd: Random) -> list[RefMove]:
    moves = []
    for at, name in enumerate(rnd.sample(_NAMES, rnd.choice((1, 1, 2)))):
        old = view.refs.get(name, ABSENT)
        new = hashlib.sha256(b"%s %d" % (salt, at)).digest()[:20]
        if at and old != ABSENT and rnd.random() < 0.5:
            new = ABSENT
        moves.append(RefMove(name, old, new, rnd.random() < 0.5))
    return moves


def _move(front: Front, attempt: Attempt) -> Protocol[dict[bytes, str]]:
    refused: dict[bytes, str] = {}

    def edit(view: View, now: int) -> View | None:
        moved = move(view, attempt.moves, attempt.atomic, now)
        refused.clear()
        refused.update({item.name: "" for item in attempt.moves} if attempt.atomic and moved.refused else moved.refused)
        return moved.view

    yield from _change(front, edit)
    return refused


def _change(front: Front, edit: Edit) -> Protocol[bool]:
    """As `mic.git.kept` does it; False when `edit` gave up."""
    while True:
        before = yield from _newest(front)
        view = edit(before.view, (yield Now()))
        if view is None:
            return False
        if (yield from write_view(front.line.project, before, view)) is not None:
            return True


def _moved(
    refs: RefsOracle,
    since: int,
    attempt: Attempt,
    front: Front,
    task: Task,
    value: dict[bytes, str] | None,
    error: BaseException | None,
) -> None:
    _done(refs, "moved refs" if not value else "refs refused", front, task, error)
    if value is not None and not refs.oracle.condemned:
        refs.moved(since, attempt, value)


def _to_main(plan: Plan, refs: RefsOracle, position: int, moves: Sequence[RefMove], salt: bytes, rnd: Random) -> Ask:
    """Commits behind the landing that the pusher knows as the newest, and refs that move with them."""
    oracle = plan.oracle
    whole = oracle.model.at(position).whole()
    files: Files = {path: file for path, file in whole.items() if path.startswith(b"h")}
    edits = commits(rnd, rnd.choice((1, 1, 2, 4)), files, position)
    oids = [hashlib.sha256(b"push %s %d" % (salt, at)).digest()[:20] for at in range(len(edits))]
    ids = session_ids(oids, position)
    oracle.imports[ids[0]], oracle.ids[ids[0]] = edits, ids
    attempt = Attempt(tuple(moves), True, ids[-1])
    refs.attempts.append(attempt)
    return Ask(
        rnd.randrange(plan.fronts),
        partial(_land, attempt=attempt, edits=edits, oids=oids, position=position, files=files),
        partial(_landed, refs, refs.newest, attempt),
    )


class Refused(NamedTuple):
    """Why an atomic push did not land: refs that were in the way, or others who landed first."""

    refs: dict[bytes, str]


def _land(
    front: Front, attempt: Attempt, edits: Sequence[Edits], oids: Sequence[bytes], position: int, files: Files
) -> Protocol[Any]:
    """As `micelio.sessions.git_push` does it."""
    taking = history.HistoryImport(front.line, "sim", bytes(16), onto=position)
    begun = False
    refused: dict[bytes, str] = {}

    def prepare(view: View, now: int) -> View | None:
        moved = begin(view, attempt.moves, position + len(edits), taking.hlc, now)
        refused.update(moved.refused)
        return moved.view

    try:
        yield from import_of(taking, edits, oids, files)
        if not (yield from _change(front, prepare)):
            return Refused(refused)
        begun = True
        return (yield from taking.finish())
    except (PreconditionFailed, InvalidInput):
        if begun:
            yield from _change(front, lambda view, now: withdraw(view, taking.hlc))
        return Refused({})


def _landed(
    refs: RefsOracle, since: int, attempt: Attempt, front: Front, task: Task, value: Any, error: BaseException | None
) -> None:
    oracle = refs.oracle
    _done(refs, "pushed" if not isinstance(value, Refused) else "push refused", front, task, error)
    if error is not None or oracle.condemned:
        return
    if isinstance(value, Refused):
        if attempt.session in oracle.model.positions:
            raise Violation("a push is refused, and it landed")
        if value.refs:
            refs.refused(since, attempt, attempt.moves)
    elif value not in oracle.heads:
        raise Violation(f"a push is told the head {value}, which was never written")
