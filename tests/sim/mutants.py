"""Landing with one bug in it: each mutant is a mistake that somebody made, or nearly did, in a system like this one.

A mutant changes the effects of a protocol on their way to the store (`wrap`), the store (`rules`), or one function of
the production code (`patch`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pytest

from mic.core.errors import AlreadyExists, PreconditionFailed, Unavailable
from mic.core.tree import EMPTY_LEAF, Entry, lookup
from mic.ledger import batch, history, nodes, request, seal
from mic.ledger.effects import Protocol, Put, PutIf, PutNew
from mic.ledger.line import Line
from mic.ledger.nodes import with_nodes
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


def _is_epoch(effect: object) -> bool:
    return isinstance(effect, PutNew) and "/landing-log/tail/" in effect.key


def _is_head(effect: object) -> bool:
    return isinstance(effect, PutIf) and effect.key.endswith("/head")


# ---------------------------------------------------------------- effects


def _head_first(protocol: Protocol[Any]) -> Protocol[Any]:
    """The compare-and-swap before the record."""
    held: list[PutNew] = []
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            wanted = protocol.throw(error) if error is not None else protocol.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = error = None
        if _is_epoch(wanted):
            held.append(wanted)
            continue
        try:
            answer = yield wanted
        except Exception as problem:
            error = problem
        if _is_head(wanted) and error is None:
            yield from held
            held.clear()


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
            yield PutIf(line.head_key, new.encode(), line.tag)
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
    def base(line: Line, session: Any) -> Protocol[Mapping[bytes, Entry]]:
        assert line.head is not None
        paths = [change.path for change in session.changes]
        return (yield from with_nodes(line.objects, line.cache, lookup(line.cache, line.head.tree, paths)))

    monkeypatch.setattr(request, "_base", base)


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


MUTANTS = (
    Mutant("compare-and-swap before the record", 1, 20, wrap=_head_first),
    Mutant("a read error is an empty tree", 24, 150, _error_is_empty),
    Mutant("412 after a repeated request is a lost race", 162, 600, _believes_412),
    Mutant("409 on create means that it exists", 10, 100, rules=Rules(conflict_on_create=AlreadyExists)),
    Mutant("an update of an absent key is accepted", 59, 300, rules=Rules(updates_absent=True)),
    Mutant("two creations of one key both succeed", 3, 40, rules=Rules(exclusive=False)),
    Mutant("the clock goes back", 1, 20, _wall_clock),
    Mutant("a session lands twice", 1, 20, _no_look_up),
    Mutant("the base is taken at landing time", 1, 20, _base_is_head),
    Mutant("a name is used again for another record", 10, 100, wrap=_same_name_again),
    Mutant("the head is put without a condition", 3, 40, wrap=_blind_put),
    Mutant("a swap without an answer counts as won", 1, 40, wrap=_acknowledged_unknown),
    Mutant("what a session says of its base is believed", 1, 20, _trusts_base),
    Mutant("a range is sealed with a hole in it", 1, 40, _hole),
)
