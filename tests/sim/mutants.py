"""Landing with one bug in it: each mutant is a mistake that somebody made, or nearly did, in a system like this one.

A mutant changes the effects of a protocol on their way to the store (`wrap`), the store (`rules`), or one function of
the production code (`patch`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest

from mic.core import rollup
from mic.core.epoch import Epoch
from mic.core.errors import AlreadyExists, MicError, PreconditionFailed, Unavailable
from mic.core.head import Head
from mic.core.indexrun import IndexRun
from mic.core.leavings import Leaving, Stage
from mic.core.origin import Tie, decode_origin
from mic.core.tree import EMPTY_LEAF
from mic.git import moving, view
from mic.ledger import (
    batch,
    collect,
    compact,
    erase,
    follow,
    fork,
    front_ends,
    history,
    land,
    nodes,
    path_history,
    pipeline,
    redact,
    request,
    rollups,
    route,
    runs,
    seal,
    tip,
    together,
    upload,
    zeros,
)
from mic.ledger.effects import Delete, Forward, FreshWhole, Protocol, Put, PutIf, PutNew, Sleep
from mic.ledger.leavings import read_leavings
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.previous import Previous
from mic.ledger.verify import contents as verify_contents
from mic.sim import forwarding, refs
from mic.sim.bucket import Rules

Patch = Callable[[pytest.MonkeyPatch], None]
Wrap = Callable[[Protocol[Any]], Protocol[Any]]


class Mutant(NamedTuple):
    """A planted bug: how many seeds found it when it was written down, and within how many it must be found."""

    name: str
    needed: int
    bound: int
    patch: Patch = lambda monkeypatch: None
    wrap: Wrap | None = None
    rules: Rules = Rules()
    profile: str = ""
    start: int = 0  # the first seed to try, where many find nothing: the tests do not run all of those


def _is_epoch(effect: object) -> bool:
    return isinstance(effect, PutNew) and "/landing-log/tail/" in effect.key


def _is_head(effect: object) -> bool:
    return isinstance(effect, PutIf) and effect.key.endswith("/head")


def _is_pack(effect: object) -> bool:
    return isinstance(effect, PutNew) and effect.key.endswith(".pack")


def _is_run(effect: object) -> bool:
    return isinstance(effect, PutNew) and effect.key.endswith(".run")


# ---------------------------------------------------------------- effects


def _put_off(late: Callable[[object], bool], until: Callable[[object], bool]) -> Wrap:
    """Writes that wait until another one is done, or until the protocol is."""

    def wrap(protocol: Protocol[Any]) -> Protocol[Any]:
        held: list[PutNew] = []

        def flush() -> Protocol[None]:
            for effect in held:
                with contextlib.suppress(AlreadyExists):  # named by its content: nothing to know of
                    yield effect
            held.clear()

        answer: Any = None
        error: Exception | None = None
        while True:
            try:
                wanted = protocol.throw(error) if error is not None else protocol.send(answer)
            except StopIteration as stop:
                yield from flush()
                return stop.value
            answer = error = None
            if late(wanted):
                held.append(wanted)
                continue
            try:
                answer = yield wanted
            except Exception as problem:
                error = problem
            if until(wanted) and error is None:
                yield from flush()

    return wrap


_head_first = _put_off(_is_epoch, _is_head)
_run_first = _put_off(_is_pack, _is_run)


def _each(change: Callable[[Any], Any], swallow: Callable[[Any, Exception], bool]) -> Wrap:
    """Every effect changed on its way out; errors that are swallowed become an answer of nothing."""

    def wrap(protocol: Protocol[Any]) -> Protocol[Any]:
        answer: Any = None
        error: Exception | None = None
        while True:
            try:
                wanted = protocol.throw(error) if error is not None else protocol.send(answer)
            except StopIteration as stop:
                return stop.value
            answer = error = None
            try:
                answer = yield change(wanted)
            except Exception as problem:
                error = None if swallow(wanted, problem) else problem

    return wrap


_blind_put = _each(
    lambda effect: Put(effect.key, effect.data) if _is_head(effect) else effect, lambda effect, error: False
)
_same_name_again = _each(
    lambda effect: effect, lambda effect, error: _is_epoch(effect) and isinstance(error, AlreadyExists)
)
_acknowledged_unknown = _each(
    lambda effect: effect, lambda effect, error: _is_head(effect) and isinstance(error, Unavailable)
)


# ---------------------------------------------------------------- functions


def _error_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = nodes.fetch_nodes

    def careless(objects: Any, cache: Any, hashes: Sequence[bytes]) -> Protocol[Any]:
        try:
            return (yield from fetch(objects, cache, hashes))
        except Unavailable:
            return dict.fromkeys(hashes, EMPTY_LEAF)

    monkeypatch.setattr(nodes, "fetch_nodes", careless)


def _believes_412(monkeypatch: pytest.MonkeyPatch) -> None:
    def swap(line: Line, head: Any, new: Any, ours: Any) -> Protocol[bool]:
        try:
            yield from tip.move_tip(line, head, new)
        except PreconditionFailed:
            return False
        return True

    monkeypatch.setattr(batch, "swap", swap)
    monkeypatch.setattr(history, "swap", swap)


def _wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "next_hlc", lambda previous, now: now << 16)
    monkeypatch.setattr(history, "next_hlc", lambda previous, now: now << 16)


def _no_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Line, "find_session", lambda line, session: None)


def _base_is_head(monkeypatch: pytest.MonkeyPatch) -> None:
    def root(line: Line, position: int) -> Protocol[bytes]:
        yield from ()
        assert line.head is not None
        return line.head.tree

    monkeypatch.setattr(request, "tree_at", root)


def _trusts_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "check_base", lambda session, base: None)


def _hole(monkeypatch: pytest.MonkeyPatch) -> None:
    write = seal.write_run

    def skips_one(line: Line) -> Protocol[None]:
        newer = [epoch for epoch in line.tail if epoch.new.position > line.covered.position]
        if len(newer) > 2:
            line.tail.remove(newer[len(newer) // 2])
        return write(line)

    monkeypatch.setattr(seal, "write_run", skips_one)


def _no_boundary(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(line: Line, number: int) -> Protocol[None]:
        return
        yield

    monkeypatch.setattr(tip, "_boundary", nothing)


def _boundary_last(monkeypatch: pytest.MonkeyPatch) -> None:
    tidy = tip.tidy

    def careless(line: Line) -> Protocol[int]:
        held: list[PutNew] = []
        inner = tidy(line)
        answer: Any = None
        while True:
            try:
                wanted = inner.send(answer)
            except StopIteration as stop:
                yield from held
                return stop.value
            answer = None
            if isinstance(wanted, PutNew):
                held.append(wanted)
            else:
                answer = yield wanted

    monkeypatch.setattr(tip, "tidy", careless)


def _blind_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(key: str, data: bytes, tag: str) -> Protocol[None]:
        yield Put(key, data)

    monkeypatch.setattr(tip, "replace", replace)


# ---------------------------------------------------------------- deltas and compaction


def _drops_one(monkeypatch: pytest.MonkeyPatch) -> None:
    make = compact.make_group

    def drops(anchors: Any, contents: Sequence[tuple[bytes, bytes]], alone: int, level: int) -> bytes | None:
        return make(anchors, contents[:-1] if len(contents) > 1 else contents, alone, level)

    monkeypatch.setattr(compact, "make_group", drops)


def _without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    put = Previous.put
    monkeypatch.setattr(Previous, "put", lambda kept, path, name, whole, depth: put(kept, path, name, whole, 0))


def _old_places(monkeypatch: pytest.MonkeyPatch) -> None:
    add = Line.add_epoch

    def everywhere(line: Line, epoch: Epoch) -> None:
        add(line, epoch)
        line.objects.add(line.epoch_key(epoch.new), epoch.data_start, epoch.objects)

    monkeypatch.setattr(Line, "add_epoch", everywhere)


def _beside(monkeypatch: pytest.MonkeyPatch) -> None:
    def adopt(line: Line, run: IndexRun, parts: Sequence[IndexRun]) -> None:
        kept = [old for old in line.objects.runs if old not in parts]
        line.objects.runs = sorted([*kept, run], key=lambda each: each.first)

    monkeypatch.setattr(runs, "adopt", adopt)


def _any_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own head is trusted with whatever tag a look that ended in an error has left."""

    def trusted(line: Line) -> Any:
        return line.head if line.own is not None and line.own[0] == line.head else None

    monkeypatch.setattr(land, "trusted", trusted)
    monkeypatch.setattr(pipeline, "trusted", trusted)


def _old_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong by a head that was not read since counts."""
    prepare = land.Group.prepare
    monkeypatch.setattr(land.Group, "prepare", lambda group, sure: prepare(group, True))


def _lost_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group whose swap was lost while the next epoch was written is told what it would have got."""
    landed = pipeline._landed
    monkeypatch.setattr(pipeline, "_landed", lambda line, flight, won: landed(line, flight, won is False or won))


# ---------------------------------------------------------------- forks


def _is_registration(effect: object) -> bool:
    return isinstance(effect, PutNew) and "/forks/" in effect.key


def _is_first_head(effect: object) -> bool:
    return isinstance(effect, PutNew) and effect.key.endswith("/head")


_registered_last = _put_off(_is_registration, _is_first_head)


def _withdrawn(protocol: Protocol[Any]) -> Protocol[Any]:
    """Whoever is refused takes the registration away, and does not ask whether the fork was made before."""
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            wanted = protocol.throw(error) if error is not None else protocol.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = error = None
        try:
            answer = yield wanted
        except Exception as problem:
            error = problem
        if isinstance(error, AlreadyExists) and isinstance(wanted, PutNew) and wanted.key.endswith("/origin"):
            origin = decode_origin(wanted.data, wanted.key)
            if origin.tie is Tie.VOID and origin.head.position:
                yield Delete(f"projects/{origin.project}/forks/{wanted.key.split('/')[1]}")


def _live_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    load = follow.load_runs
    monkeypatch.setattr(follow, "load_runs", lambda line, most=None: load(line))


def _not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(origin: Line, line: Line) -> Protocol[bool]:
        yield Delete(origin.fork_key(line.project))
        return False

    monkeypatch.setattr(fork, "release", nothing)


def _copied_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*container: Any) -> Protocol[None]:
        return
        yield

    monkeypatch.setattr(fork, "check_container", nothing)


# ---------------------------------------------------------------- forwarding


def _silence_is_landed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that does not come counts as the next landing."""

    def forward(known: Any, project: str, requests: Sequence[Any]) -> Protocol[Any]:
        peer = known.preferred(project)
        try:
            return (yield Forward(peer.address, project, tuple(requests)))
        except Unavailable:
            return [land.Landed(request.session.base_position + 1, bytes(32), None) for request in requests]

    monkeypatch.setattr(forwarding, "forward", forward)


def _any_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the other one says counts, its trouble with the store included."""

    def forward(known: Any, project: str, requests: Sequence[Any]) -> Protocol[Any]:
        peer = known.preferred(project)
        try:
            return (yield Forward(peer.address, project, tuple(requests)))
        except Unavailable:
            return [None] * len(requests)

    monkeypatch.setattr(forwarding, "forward", forward)


def _forwarded_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is asked asks the one that it prefers itself."""

    def take(requests: Sequence[Any]) -> route.Route[Any]:
        outcomes = []
        for wanted in requests:
            try:
                outcomes.append((yield from route.route(wanted)))
            except MicError as error:
                outcomes.append(error)
        return outcomes

    monkeypatch.setattr(route, "take", take)


def _other_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call is answered in the order of landing, not in that of asking."""
    encode = forwarding.encode_outcomes
    monkeypatch.setattr(forwarding, "encode_outcomes", lambda outcomes: encode(list(reversed(outcomes))))


def _leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever kept losing is told so, where nobody else takes the landing."""

    def way(wanted: Any) -> route.Route[Any]:
        wanted = yield route.Lists(wanted)
        outcome = yield route.Elsewhere(wanted)
        return outcome or (yield route.Here((wanted._replace(may_move=True),)))[0]

    monkeypatch.setattr(route, "route", way)


def _believes_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A front end is alive while the time in its beacon is near the own one."""
    look = front_ends.FrontEnds.look

    def by_the_clock(known: front_ends.FrontEnds) -> Protocol[None]:
        known._seen, known._looked = {}, False
        return look(known)

    monkeypatch.setattr(front_ends.FrontEnds, "look", by_the_clock)


def _each_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every front end gives numbers of its own to the others."""
    weight, favourite = front_ends._weight, front_ends.FrontEnds.favourite

    def mine(known: front_ends.FrontEnds, project: str) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(front_ends, "_weight", lambda name, one: weight(name + known.address, one))
            return favourite(known, project)

    monkeypatch.setattr(front_ends.FrontEnds, "favourite", mine)


def _exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that ask side by side each is given what the other asked for."""
    answer = together._Running.answer

    def other(one: Any, said: Sequence[Any]) -> None:
        answer(one, list(reversed(said)))

    monkeypatch.setattr(together._Running, "answer", other)


def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was compared with one head counts for the next."""
    moved = batch.Batch._moved

    def careless(one: batch.Batch, before: Any) -> Protocol[Any]:
        first = one if one._after is None else one._after
        return moved(one, before._replace(seen=first.head.tree))

    monkeypatch.setattr(batch.Batch, "_moved", careless)


def _neighbours_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The edits of the group before, whose swap is still to come, are not looked at."""
    moved = batch.Batch._moved

    def careless(one: batch.Batch, before: Any) -> Protocol[Any]:
        after = one._after
        edits, empty = (after._edits, {}) if after is not None else ({}, {})
        if after is not None:
            after._edits = empty
        try:
            return (yield from moved(one, before))
        finally:
            if after is not None:
                after._edits = edits

    monkeypatch.setattr(batch.Batch, "_moved", careless)


# ---------------------------------------------------------------- checks


def _away_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        verify_contents, "TooLarge", Unavailable
    )  # one of the errors that are taken for damage of a content


# ---------------------------------------------------------------- rollups


def _forgets_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A landing whose record could not be found is left out of a rollup, with the others shown as all."""
    roll = rollups.roll_records

    def without(records: Sequence[Any]) -> bytes:
        return roll([*records[:-1], records[-1]._replace(changes=())])

    monkeypatch.setattr(rollups, "roll_records", without)


def _too_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """A range that still grows gets its rollup."""
    roll = rollups.roll

    def early(line: Line) -> Protocol[int]:
        made = yield from roll(line)
        assert line.head is not None
        start = line.sealed + 1
        if start <= line.head.position:
            found = yield from records(line, start, line.head.position)
            last = found[-1]
            full = [*found, *(last._replace(position=last.position + at + 1) for at in range(rollup.SEGMENT))]
            with contextlib.suppress(AlreadyExists):
                yield PutNew(line.rollup_key(1, start), rollup.roll_records(full[: rollup.SEGMENT]))
        return made

    monkeypatch.setattr(rollups, "roll", early)


def _missing_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollup that is not there, or damaged, means that nobody touched the path."""
    look = path_history._look

    def careless(*asked: Any) -> Protocol[Any]:
        return (yield from look(*asked)) or []

    monkeypatch.setattr(path_history, "_look", careless)


def _whatever_it_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a rollup knows is told, whatever was asked for."""
    ask = path_history.path_history

    def all_of_it(view: Any, path: bytes, before: int, after: int, *rest: Any) -> Protocol[Any]:
        return ask(view, path, 0, after, *rest)

    monkeypatch.setattr(path_history, "path_history", all_of_it)


def _named_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is condemned goes, whether it has been landed since or not."""
    following = collect._judge

    def judged(line: Line, head: Head, packs: Any, epochs: Any, newest: int) -> Protocol[tuple[set[str], set[str]]]:
        named, lost = yield from following(line, head, packs, epochs, newest)
        kept = yield from read_leavings(line)
        return named - {name for name, left in kept.entries.items() if left.stage is Stage.CONDEMNED}, lost

    monkeypatch.setattr(collect, "_judge", judged)


def _lands_what_is_condemned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A landing does not look whether what it names is on its way out."""

    def refuse(line: Line, packs: Any) -> Protocol[None]:
        yield from ()

    monkeypatch.setattr(request, "refuse_leaving", refuse)
    monkeypatch.setattr(batch, "refuse_leaving", refuse)


def _looks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A landing looks when it comes, and not before its swap, though minutes pass in between."""

    def refuse(line: Line, packs: Any) -> Protocol[None]:
        if packs:
            yield Sleep(100)

    monkeypatch.setattr(batch, "refuse_leaving", refuse)


def _used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload takes what is there for its own, though it is being removed; and so does who lands it."""
    _lands_what_is_condemned(monkeypatch)
    for module in (upload, compact):
        monkeypatch.setattr(module, "is_leaving", _nothing_leaves)


def _nothing_leaves(line: Line, key: str) -> Protocol[bool]:
    yield from ()
    return False


def _without_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen goes with the next round, before whoever has looked at it lands it."""

    def following(before: Leaving | None, now: int, keep: int, grace: int) -> Leaving:
        return Leaving(Stage.SEEN if before is None else Stage.GONE, now)

    monkeypatch.setattr(collect, "_next", following)


def _every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """An epoch that the log does not name has lost, also one beyond the head that is about to be landed."""
    following = collect._judge

    def judged(line: Line, head: Head, packs: Any, epochs: Any, newest: int) -> Protocol[tuple[set[str], set[str]]]:
        named, lost = yield from following(line, head, packs, epochs, newest)
        return named, lost | {name for name in epochs if collect._position(name) > head.position}

    monkeypatch.setattr(collect, "_judge", judged)


# ---------------------------------------------------------------- Git's refs


def _blind_view(protocol: Protocol[Any]) -> Protocol[Any]:
    """Whoever comes last has the view that counts."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            wanted = protocol.throw(error) if error is not None else protocol.send(answer)
        except StopIteration as stop:
            return stop.value
        if isinstance(wanted, PutNew) and "/git/views/" in wanted.key:
            wanted = Put(wanted.key, wanted.data)
        try:
            answer, error = (yield wanted), None
        except MicError as problem:
            error = problem


def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    real = moving.begin

    def begin(before: view.View, *rest: Any) -> moving.Moved:
        moved = real(before, *rest)
        return (
            moved
            if moved.view is None
            else moved._replace(view=msgspec.structs.replace(moved.view, movings=moved.view.movings[-1:]))
        )

    monkeypatch.setattr(refs, "begin", begin)


def _any_landing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = moving.advance

    def advance(before: view.View, position: int, tip: bytes, clocks: Any) -> view.View:
        waited = {item.position: item.hlc for item in before.movings}
        return real(before, position, tip, {at: waited.get(at, clock) for at, clock in clocks.items()})

    monkeypatch.setattr(refs, "advance", advance)


def _not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    real = moving.refusals
    monkeypatch.setattr(
        moving,
        "refusals",
        lambda before, moves: {name: why for name, why in real(before, moves).items() if why == moving.MOVED},
    )


def _any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    real = view.write_view

    def write_view(project: str, before: view.Numbered, new: view.View) -> Protocol[view.Numbered | None]:
        try:
            return (yield from real(project, before, new))
        except view.Overtaken:
            return view.Numbered(before.number + 1, new)

    monkeypatch.setattr(refs, "write_view", write_view)


def _not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    real = view.write_view

    def write_view(project: str, before: view.Numbered, new: view.View) -> Protocol[view.Numbered | None]:
        key = f"{view.views_prefix(project)}{before.number + 1:016x}"
        try:
            yield PutNew(key, view.encode_view(new))
        except AlreadyExists:
            return None
        return (yield from real(project, before, new))

    monkeypatch.setattr(refs, "write_view", write_view)


# ---------------------------------------------------------------- erasures


def _unannounced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tombstone binds as soon as it is there, and nobody is made to hear of it."""

    def announce(line: Line, tombstone: Any) -> Protocol[None]:
        yield from ()

    monkeypatch.setattr(erase, "_announce", announce)
    monkeypatch.setattr(erase, "_announced", lambda line: set(line.objects.erased))


def _taken_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """What leans on a content goes with it."""
    real = erase._plan

    def plan(*given: Any) -> Protocol[Any]:
        return (yield from real(*given))._replace(living=())

    monkeypatch.setattr(erase, "_plan", plan)


def _read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written over is what one reading gave."""

    def read(key: str) -> Protocol[Any]:
        return (yield FreshWhole(key))

    monkeypatch.setattr(zeros, "_read_surely", read)


def _by_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words go from the object that the log names, and not from those of attempts that lost."""
    real = redact._copies

    def copies(line: Line, sessions: frozenset[bytes]) -> Protocol[Any]:
        named = {line.epoch_key(epoch.new) for epoch in line.tail}
        for run in line.objects.runs:
            named.update(run.key(at) for at in range(run.containers))
        return [place for place in (yield from real(line, sessions)) if place.key in named]

    monkeypatch.setattr(redact, "_copies", copies)


MUTANTS = (
    Mutant("compare-and-swap before the record", 1, 50, wrap=_head_first),
    Mutant("an update of an absent key is accepted", 86, 1500, rules=Rules(updates_absent=True)),
    Mutant("a read error is an empty tree", 10, 150, _error_is_empty),
    Mutant("412 after a repeated request is a lost race", 114, 750, _believes_412),
    Mutant("409 on create means that it exists", 17, 100, rules=Rules(conflict_on_create=AlreadyExists)),
    Mutant("two creations of one key both succeed", 1, 50, rules=Rules(exclusive=False)),
    Mutant("the clock goes back", 5, 50, _wall_clock),
    Mutant("a session lands twice", 1, 50, _no_look_up),
    Mutant("the base is taken at landing time", 1, 50, _base_is_head),
    Mutant("a name is used again for another record", 40, 1500, wrap=_same_name_again),
    Mutant("the head is put without a condition", 12, 50, wrap=_blind_put),
    Mutant("a swap without an answer counts as won", 7, 50, wrap=_acknowledged_unknown),
    Mutant("what a session says of its base is believed", 2, 50, _trusts_base),
    Mutant("a range is sealed with a hole in it", 2, 50, _hole),
    Mutant("a commit point that was removed is created anew and counts", 51, 800, _no_boundary, profile="swift"),
    Mutant("commit points are removed before the boundary is written", 5, 50, _boundary_last, profile="swift"),
    Mutant("a sequence begins without looking at the head", 390, 1200, _blind_beginning),
    Mutant("compaction drops a version", 30, 150, _drops_one),
    Mutant("the run before the groups that it names", 6, 150, wrap=_run_first),
    Mutant("a chain of deltas without an end", 65, 3100, _without_end),
    Mutant("an object is looked up where it was before compaction", 974, 3800, _old_places, start=700),
    Mutant("a run is taken in beside the one that it stands for", 569, 2800, _beside, start=500),
    Mutant("a known head is trusted with another's tag", 80, 1450, _any_tag),
    Mutant("a refusal stands on an old look at the head", 1, 50, _old_look),
    Mutant("what was found counts although the swap was lost", 7, 50, _lost_counts),
    Mutant("a fork reads the runs that its origin wrote later", 16, 150, _live_runs),
    Mutant("a fork is registered last", 1, 50, wrap=_registered_last),
    Mutant("a refused fork is struck from the register though it was made before", 91, 500, wrap=_withdrawn),
    Mutant("an origin is erased before its forks are let go", 1, 60, _not_released),
    Mutant("what a fork copies is not verified", 2643, 6000, _copied_unseen, start=300),
    Mutant("a call without an answer counts as landed", 3, 50, _silence_is_landed),
    Mutant("another front end's trouble is the client's", 3, 50, _any_answer),
    Mutant("what was forwarded is forwarded on", 10, 100, _forwarded_on),
    Mutant("a forwarded landing is answered with another one's outcome", 274, 700, _other_way_round, start=100),
    Mutant("who kept losing is told so", 39, 150, _leaks),
    Mutant("a beacon's time is believed", 1, 50, _believes_time),
    Mutant("each front end counts by itself", 1, 50, _each_its_own),
    Mutant("answers to reads that went out together are exchanged", 63, 350, _exchanged),
    Mutant("what was compared with one head counts for the next", 8, 100, _as_it_was),
    Mutant("the group before is not looked at", 2, 50, _neighbours_unseen),
    Mutant("a landing is left out of a rollup", 7, 50, _forgets_one),
    Mutant("a rollup over a range that still grows", 4, 50, _too_early),
    Mutant("a rollup that is missing means no", 46, 150, _missing_is_no),
    Mutant("a rollup tells what was not asked for", 1, 50, _whatever_it_covers),
    Mutant("a check takes a store that is away for damage", 980, 3000, _away_is_damaged, start=800),
    Mutant("what is condemned goes though it was landed", 42, 1500, _named_or_not),
    Mutant("what is condemned is landed", 2974, 4000, _lands_what_is_condemned),
    Mutant("what is condemned is looked for once", 2021, 9000, _looks_once, start=2000),
    Mutant("what is being removed is used again", 10, 4000, _used_again),
    Mutant("what is seen goes without a grace", 578, 2000, _without_grace),
    Mutant("an epoch that may yet be landed is removed", 202, 600, _every_epoch),
    Mutant("a view of the refs is put without a condition", 6, 50, wrap=_blind_view),
    Mutant("what moves with main takes another's place", 587, 3200, _alone, start=500),
    Mutant("refs move with whatever landing is there", 55, 400, _any_landing),
    Mutant("refs that wait for main are free for others", 6, 50, _not_held),
    Mutant("a number that was removed counts again", 188, 1800, _any_number),
    Mutant("one's own view is taken for another's", 76, 900, _not_ours),
    Mutant("an erasure is announced by no landing", 1634, 4000, _unannounced, start=1500),
    Mutant("what leans on what is erased goes with it", 35, 200, _taken_along),
    Mutant("zeros go over what was read once", 2401, 5000, _read_once, start=2300),
    Mutant("words go from what the log names", 152, 700, _by_the_log),
)
