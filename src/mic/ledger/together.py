"""Protocols that run side by side: what several of them want to read is asked for at once.

Where a request is a journey, a group of landings would else cost one for each session and each thing that it looks at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, cast

from mic.core.errors import MicError
from mic.ledger.effects import Attempt, Effect, Get, GetRange, Map, Protocol, Request

S = TypeVar("S")
T = TypeVar("T")

# Reading twice gives the same, so it is done once.
_READS = (Get, GetRange, Map)


class _Running(Generic[T]):
    """A protocol that is driven from inside another one."""

    def __init__(self, protocol: Protocol[T]) -> None:
        self._protocol = protocol
        self.wanted: Any = None
        self.ended = False
        self.result: T | MicError
        self.advance(None)

    def advance(self, value: Any, thrown: bool = False) -> None:
        """Give it the answer to what it wanted, or the error."""
        try:
            self.wanted = self._protocol.throw(value) if thrown else self._protocol.send(value)
        except StopIteration as stop:
            self.ended, self.result = True, stop.value
        except MicError as error:
            self.ended, self.result = True, error

    def attempts(self) -> list[Effect]:
        """What it wants, if that are requests alone: they may go out beside others."""
        group = cast(tuple[Effect, ...], self.wanted) if type(self.wanted) is tuple else (self.wanted,)
        if not all(isinstance(effect, Request | Attempt) for effect in group):
            return []
        return [effect if isinstance(effect, Attempt) else Attempt(cast(Request, effect)) for effect in group]

    def answer(self, said: Sequence[Any]) -> None:
        """Give it what came of its attempts."""
        group = cast(tuple[Effect, ...], self.wanted) if type(self.wanted) is tuple else (self.wanted,)
        for effect, value in zip(group, said, strict=True):
            if isinstance(value, MicError) and not isinstance(effect, Attempt):
                self.advance(value, thrown=True)
                return
        self.advance(list(said) if type(self.wanted) is tuple else said[0])

    def step(self) -> Protocol[None]:
        """Have what it wants done, and nothing beside it."""
        try:
            value = yield self.wanted
        except MicError as error:
            self.advance(error, thrown=True)
        else:
            self.advance(value)

    def finish(self) -> Protocol[T | MicError]:
        """Drive it to its end."""
        while not self.ended:
            yield from self.step()
        return self.result


def side_by_side(first: Protocol[S], second: Protocol[T]) -> Protocol[tuple[S | MicError, T | MicError]]:
    """Two protocols whose first requests go out at once; from there on one after the other. Results or errors."""
    one, two = _Running(first), _Running(second)
    if isinstance(one.wanted, Request) and isinstance(two.wanted, Request):
        said = yield (Attempt(one.wanted), Attempt(two.wanted))
        one.answer(said[:1])
        two.answer(said[1:])
    return (yield from one.finish()), (yield from two.finish())


def together(protocols: Sequence[Protocol[T]]) -> Protocol[list[T | MicError]]:
    """Protocols of which none waits for another: at each step the requests of all go out at once. Results or errors.

    A read that several want is made once. Nothing is asked for by one that has ended.
    """
    running = [_Running(protocol) for protocol in protocols]
    going = [one for one in running if not one.ended]
    while len(going) > 1:
        wanted = [(one, one.attempts()) for one in going]
        places: dict[object, int] = {}
        effects: list[Effect] = []
        where: list[list[int]] = []
        for _, attempts in wanted:
            mine = []
            for attempt in attempts:
                inner = cast(Attempt, attempt).effect
                at = places.setdefault(inner, len(effects)) if isinstance(inner, _READS) else len(effects)
                if at == len(effects):
                    effects.append(attempt)
                mine.append(at)
            where.append(mine)
        said = (yield tuple(effects)) if effects else []
        for (one, attempts), mine in zip(wanted, where, strict=True):
            if attempts:
                one.answer([said[at] for at in mine])
            else:
                yield from one.step()
        going = [one for one in going if not one.ended]
    for one in going:
        yield from one.finish()
    return [one.result for one in running]
