"""The rule by which a long run counts as flat: leaks are seen, caches that fill and saw-teeth are not."""

from __future__ import annotations

from collections.abc import Callable

from bench.soak.flat import Sample, judged

MIB = 1 << 20


def _run(resident: Callable[[float], float], descriptors: Callable[[float], float] = lambda at: 100) -> list[bool]:
    """Half an hour in steps of five seconds; which of memory, descriptors and threads are flat. Time in minutes."""
    samples = [
        Sample(at, int(resident(at / 60) * MIB), int(descriptors(at / 60)), 90) for at in map(float, range(0, 1801, 5))
    ]
    return [bool(row.met) for row in judged(samples)]


def test_a_cache_that_fills_in_the_first_third_is_no_leak() -> None:
    assert _run(lambda at: 100 + 20 * min(at, 9)) == [True, True, True]


def test_a_saw_tooth_is_no_leak() -> None:
    assert _run(lambda at: 200 + 100 * (at % 1), lambda at: 100 + 30 * (at % 2)) == [True, True, True]


def test_three_mebibytes_a_minute_are_a_leak() -> None:
    assert _run(lambda at: 200 + 3 * at) == [False, True, True]


def test_a_descriptor_a_minute_is_a_leak() -> None:
    assert _run(lambda at: 200, lambda at: 100 + at) == [True, False, True]
