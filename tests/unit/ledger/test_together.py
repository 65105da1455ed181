"""Protocols side by side: one journey for what many want, and each has its own answer."""

from __future__ import annotations

import pytest

from mic.core.errors import MicError, NotFound
from mic.ledger.effects import Attempt, Get, GetRange, Now, Protocol, PutNew
from mic.ledger.together import together


def _reads(*keys: str) -> Protocol[list[object]]:
    out = []
    for key in keys:
        out.append((yield Get(key)))
    return out


def _careful(key: str) -> Protocol[str]:
    try:
        return str((yield Get(key)))
    except NotFound:
        return "absent"


def _both(first: str, second: str) -> Protocol[list[object]]:
    return (yield (Get(first), Attempt(Get(second))))  # type: ignore[no-any-return]


def _clock() -> Protocol[int]:
    return (yield Now())  # type: ignore[no-any-return]


def _drive(protocol: Protocol[list[object]], store: dict[str, object]) -> tuple[list[object], list[object]]:
    """The results, and what was asked for at each step."""
    steps: list[object] = []

    def one(effect: object) -> object:
        if isinstance(effect, Attempt):
            try:
                return one(effect.effect)
            except MicError as error:
                return error
        if isinstance(effect, Now):
            return 7
        assert isinstance(effect, Get | GetRange | PutNew)
        if effect.key not in store:
            raise NotFound(effect.key)
        return store[effect.key]

    answer: object = None
    error: MicError | None = None
    while True:
        try:
            wanted = protocol.throw(error) if error is not None else protocol.send(answer)
        except StopIteration as stop:
            return stop.value, steps
        steps.append(wanted)
        error = None
        try:
            answer = [one(effect) for effect in wanted] if type(wanted) is tuple else one(wanted)
        except MicError as problem:
            error = problem


def test_all_that_is_wanted_goes_out_at_once() -> None:
    """Two steps for three protocols of up to two reads; the last that goes on alone does as it would alone."""
    found, steps = _drive(together([_reads("a", "b"), _reads("b"), _reads("c", "a")]), {"a": 1, "b": 2, "c": 3})
    assert found == [[1, 2], [2], [3, 1]]
    assert steps == [
        (Attempt(Get("a")), Attempt(Get("b")), Attempt(Get("c"))),
        (Attempt(Get("b")), Attempt(Get("a"))),
    ]


def test_a_read_that_many_want_is_made_once_and_a_write_by_each() -> None:
    def writes() -> Protocol[None]:
        yield PutNew("a", b"x")

    found, steps = _drive(together([_reads("a") for _ in range(9)] + [writes(), writes()]), {"a": 1})  # type: ignore[list-item]
    assert found == [[1]] * 9 + [None, None]
    assert steps == [(Attempt(Get("a")), Attempt(PutNew("a", b"x")), Attempt(PutNew("a", b"x")))]


def test_an_error_is_of_those_who_asked() -> None:
    """Thrown where it was asked for; the result of one that does not catch it; a value where it was attempted."""
    found, _ = _drive(
        together([_reads("x", "a"), _careful("x"), _both("a", "x"), _both("x", "a"), _reads("a")]), {"a": 1}
    )
    assert isinstance(found[0], NotFound)
    assert found[1] == "absent"
    assert isinstance(found[2], list)
    assert found[2][0] == 1
    assert isinstance(found[2][1], NotFound)
    assert isinstance(found[3], NotFound)
    assert found[4] == [1]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_is_no_request_is_done_in_turn(count: int) -> None:
    found, steps = _drive(together([_clock() for _ in range(count)]), {})  # type: ignore[arg-type]
    assert found == [7] * count
    assert steps == [Now()] * count
