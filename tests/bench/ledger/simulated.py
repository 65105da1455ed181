"""How fast simulated time passes: seconds of it in a second of one core, faults, judge and model included."""

from __future__ import annotations

import time
from collections.abc import Iterator

from bench.measure import Row
from mic.sim.agents import land_all
from mic.sim.run import simulate
from mic.sim.scenario import draw

SEEDS = range(300)
ASKED = 1000
AGENTS = 10_000
# The clients that pause least: the front ends are never idle for long.
BUSY = 0.2


def rows() -> Iterator[Row]:
    """On the S3 profile, over all seeds and over those whose clients hardly pause."""
    simulate(0, profile="s3")  # what is imported late is imported now
    yield _row("Simulated landing under faults, S3 profile", SEEDS)
    busy = [seed for seed in SEEDS if draw(seed, "s3").pause == BUSY]
    yield _row("The same, clients that hardly pause", busy)
    yield _crowd()


def _crowd() -> Row:
    start = time.process_time()
    crowd = land_all(AGENTS)
    spent = time.process_time() - start
    times = crowd.times
    return Row(
        f"{AGENTS:,} agents that land in one project through 8 front ends, S3 profile, mild faults",
        f"{crowd.landings:,} landings in {crowd.virtual:,.0f} simulated seconds, p50 {times[len(times) // 2]:.2f} s, "
        f"p99 {times[len(times) * 99 // 100]:.1f} s, {crowd.lost / crowd.swaps:.0%} of {crowd.swaps:,} swaps lost, "
        f"{crowd.crashes} crashes",
        f"{spent:.0f} s of one core",
        f"{crowd.virtual / spent:.1f}x real time",
        "every answer true, nothing lost or doubled",
        not crowd.failure and crowd.landings >= AGENTS,
    )


def _row(what: str, seeds: range | list[int]) -> Row:
    start = time.process_time()
    outcomes = [simulate(seed, profile="s3") for seed in seeds]
    spent = time.process_time() - start
    assert not any(outcome.failure for outcome in outcomes)
    virtual = sum(outcome.virtual for outcome in outcomes)
    landings = sum(outcome.landings for outcome in outcomes)
    events = sum(outcome.events for outcome in outcomes)
    return Row(
        what,
        f"{virtual:,.0f} s in {spent:.1f} s of one core ({landings / virtual:.2f} landings and {events / virtual:.1f} "
        "events a simulated second)",
        "real time",
        f"{virtual / spent:,.0f}x",
        f">= {ASKED:,}x",
        virtual / spent >= ASKED,
    )
