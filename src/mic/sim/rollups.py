"""Rollups under every fault: who writes them, who asks which landings touched a path, and what both must be.

A rollup is judged when it appears in the bucket: it covers what has landed, and says of every path and directory what
the naive model says; its filter lets all of them through. At the end each is made again from the log, byte for byte.
"""

from __future__ import annotations

from functools import partial
from random import Random

from mic.core.rollup import BELOW, Head, decode_bucket, path_key, span, touches_of
from mic.core.session import Op
from mic.ledger import follow, path_history, rollups
from mic.ledger.effects import Now, Protocol
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.sim.actors import Ask, Plan, Steps, idle
from mic.sim.bucket import Bucket
from mic.sim.direct import drive
from mic.sim.front import Front, StartedAnew, Task
from mic.sim.model import Model
from mic.sim.oracle import Oracle, Violation

_PART = "landing-log/bloom-index/level-"

Touched = list[tuple[int, int]]


def roller(plan: Plan, count: int, most: float, rnd: Random) -> Steps:
    """Writes the rollups that are due, now here, now there, while others land; `most` seconds between two times."""
    for _ in range(count):
        yield idle(rnd, most)
        yield Ask(
            rnd.randrange(plan.fronts),
            _roll,
            lambda front, task, value, error: plan.oracle.done("rolled" if value else "unrolled", front, task, error),
            locked=False,
        )


def _roll(front: Front) -> Protocol[int]:
    """As a front end does it: by a view of its own, and not in turn with landings."""
    view = Line(front.line.project, front.cache)
    yield from follow.refresh(view)
    return (yield from rollups.roll(view))


def historian(plan: Plan, count: int, most: float, rnd: Random) -> Steps:
    """Asks who touched a path, or anything below a directory."""
    for _ in range(count):
        yield idle(rnd, most * 2)
        number, path = rnd.randrange(plan.fronts), rnd.choice(plan.paths)
        if rnd.random() < 0.4:
            path = path.split(b"/")[0]
        told, error = yield Ask(
            number,
            _view,
            lambda front, task, value, error: plan.oracle.done("viewed", front, task, error),
        )
        if error is not None:
            continue
        life, since, view = told
        before = rnd.randint(0, view.head + 2) if rnd.random() < 0.5 else 0
        after = rnd.randint(0, view.head) if rnd.random() < 0.3 else 0
        limit, segments = rnd.choice((1, 2, 5, 50)), rnd.choice((1, 2, 64))
        yield Ask(
            number,
            partial(_ask, life=life, view=view, path=path, before=before, after=after, limit=limit, segments=segments),
            partial(_answered, plan.oracle, view.head, since, path, before, after, limit),
            locked=False,
        )


def _view(front: Front) -> Protocol[tuple[int, int, path_history.LogView]]:
    since = front.world.heap.now
    yield from follow.refresh(front.line)
    return front.life, since, path_history.view_of(front.line)


def _ask(
    front: Front, life: int, view: path_history.LogView, path: bytes, before: int, after: int, limit: int, segments: int
) -> Protocol[path_history.PathHistory]:
    yield Now()  # a crash may come here as anywhere
    if front.life != life:
        raise StartedAnew
    return (yield from path_history.path_history(view, path, before, after, limit, segments))


def _answered(
    oracle: Oracle,
    head: int,
    since: int,
    path: bytes,
    before: int,
    after: int,
    limit: int,
    front: Front,
    task: Task,
    value: path_history.PathHistory | None,
    error: BaseException | None,
) -> None:
    if value is None:
        oracle.answered_late("who touched", since, front, task, error)
        return
    oracle.count("who touched")
    newest = min(before - 1, head) if before else head
    true = [touch for touch in reversed(touched(oracle.model, path)) if after < touch[0] <= newest]
    told = [tuple(touch) for touch in value.touches]
    if told != [touch for touch in true if touch[0] > value.reached] or len(told) > limit:
        raise Violation(f"{path!r} was touched at {true}, is told {told} down to {value.reached}")
    if value.reached >= newest > after:
        raise Violation(f"asked for {path!r} from {newest} on, nothing was looked at")


def touched(model: Model, path: bytes) -> Touched:
    """Who touched a path, oldest first: position, and what, as the naive model has it."""
    found = dict.fromkeys(
        (at for name in model.below.get(path, ()) for at, _ in model.versions[name]),
        BELOW,
    )
    file = None
    for at, new in model.versions.get(path, ()):
        found[at] = int(Op.DELETED if new is None else Op.MODIFIED if file else Op.ADDED)
        file = new
    return sorted(found.items())


def is_rollup(key: str) -> bool:
    """Whether a key is that of a rollup."""
    return _PART in key


def check_rollup(oracle: Oracle, key: str, raw: bytes) -> None:
    """A rollup that has appeared says what the model says; raises Violation."""
    level, start = _named(key)
    last = start + span(level) - 1
    if last > oracle.model.head:
        raise Violation(f"{key} covers positions up to {last}, {oracle.model.head} have landed")
    head = rollups.read_head(raw, key, level, start)
    names = [*oracle.model.versions, *oracle.model.below]
    expected = {}
    for name in names:
        marks = [touch for touch in touched(oracle.model, name) if start <= touch[0] <= last]
        if marks:
            expected[path_key(name)] = marks
            if not head.may_hold(path_key(name)):
                raise Violation(f"the filter of {key} says that {name!r} was not touched; it was at {marks}")
    if _all_of(head, raw, key) != expected:
        raise Violation(f"{key} says {_all_of(head, raw, key)}, landed is {expected}")


def _named(key: str) -> tuple[int, int]:
    level, name = key.split(_PART)[1].split("/")
    return int(level), int(name.removesuffix(".bloom"))


def _all_of(head: Head, raw: bytes, key: str) -> dict[bytes, Touched]:
    found: dict[bytes, Touched] = {}
    at = head.size
    for length in head.lengths:
        touches = decode_bucket(raw[at : at + length], key)
        at += length
        for words in touches.words.tolist():
            name = b"".join(word.to_bytes(8, "big") for word in words)
            found[name] = touches_of(head, touches, name, 0, head.start + span(head.level), 1 << 30)[::-1]
    return found


def check_again(bucket: Bucket, oracle: Oracle) -> None:
    """Each rollup that a run has left is what anybody makes of the log; raises Violation."""
    line = Line(oracle.project, NodeCache(1 << 20))
    drive(bucket, follow.refresh(line))
    for key in sorted(key for key in bucket.objects if key.startswith(oracle.prefix + _PART)):
        level, start = _named(key)
        made = drive(bucket, rollups.make(line, level, start))
        if made is not None and made != bucket.objects[key]:
            raise Violation(f"{key} is not what is made of the log now")
        oracle.count(f"rollup of level {level}")
