"""`python -m mic.sim`: many seeds on all cores, or one seed again, or one cut-down schedule again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from multiprocessing import Pool
from pathlib import Path

from mic.sim.agents import land_all
from mic.sim.minimise import minimise
from mic.sim.profiles import PROFILES
from mic.sim.run import Outcome, simulate
from mic.sim.schedule import Schedule, read, write

# So many seeds are one piece of work: what was done is written down after each.
PIECE = 100


def main(arguments: list[str] | None = None) -> int:
    """0 when every run held, 1 when one did not, 2 when the command line cannot be meant that way."""
    parser = argparse.ArgumentParser("python -m mic.sim", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--seed", type=int, help="run one seed, say what happened, cut it down if it fails")
    what.add_argument("--seeds", default="0:200", metavar="FROM:TO", help="run these seeds (default 0:200)")
    what.add_argument("--agents", type=int, help="have so many agents land in one project, with mild faults")
    parser.add_argument("--schedule", type=Path, help="with or without --seed: the run that a file describes")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="", help="a store for all seeds")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--state", type=Path, help="a file that keeps which seeds held, to go on from there")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.schedule is not None:
            seed, schedule = read(chosen.schedule)
            return _one(seed if chosen.seed is None else chosen.seed, schedule, cut=False)
        if chosen.agents is not None:
            return _crowd(chosen.agents)
        if chosen.seed is not None:
            return _one(chosen.seed, Schedule(profile=chosen.profile), cut=True)
        first, last = (int(part) for part in chosen.seeds.split(":"))
    except (ValueError, OSError) as error:
        print(f"mic.sim: {error}", file=sys.stderr)
        return 2
    return _many(range(first, last), chosen.profile, chosen.jobs, chosen.state)


def _one(seed: int, schedule: Schedule, cut: bool) -> int:
    start = time.process_time()
    outcome = simulate(seed, schedule)
    spent = time.process_time() - start
    print(
        f"seed {seed}: {outcome.scenario.profile}, {outcome.scenario.fronts} front ends, {outcome.landings} landings, "
        f"{outcome.events} events, {outcome.crashes} crashes, {len(outcome.faults)} faults, "
        f"{outcome.virtual:.0f} s in {spent:.2f} s, trace {outcome.trace}"
    )
    if not outcome.failure:
        return 0
    print(f"FAILED: {outcome.failure}")
    if cut:
        _cut(outcome)
    return 1


def _crowd(agents: int) -> int:
    start = time.process_time()
    crowd = land_all(agents)
    spent = time.process_time() - start
    times = crowd.times or [0.0]
    print(
        f"{agents} agents: {crowd.landings} landings in {crowd.virtual:.0f} s, p50 {times[len(times) // 2]:.2f} s, "
        f"p99 {times[len(times) * 99 // 100]:.2f} s, {crowd.lost} of {crowd.swaps} swaps lost, "
        f"{crowd.crashes} crashes, {crowd.faults} faults, in {spent:.1f} s, trace {crowd.trace}"
    )
    print(f"answers: {', '.join(f'{count} {name}' for name, count in crowd.answers.items())}")
    if crowd.failure:
        print(f"FAILED: {crowd.failure}")
    return 1 if crowd.failure else 0


def _cut(failed: Outcome) -> None:
    small, outcome = minimise(failed, partial(simulate, failed.seed))
    path = Path(f"sim-{failed.seed}.json")
    write(path, failed.seed, small)
    print(f"cut down to {len(small.faults or ())} faults, without {', '.join(small.drop) or 'nobody'}:")
    print(f"  {outcome.failure}")
    for fault in small.faults or ():
        print(f"  front end {fault.front}, effect {fault.number}: {fault.kind}")
    print(f"again: python -m mic.sim --seed {failed.seed} --schedule {path}")


def _piece(profile: str, seeds: range) -> tuple[range, float, list[Outcome]]:
    start = time.process_time()
    outcomes = [simulate(seed, profile=profile) for seed in seeds]
    return seeds, time.process_time() - start, outcomes


def _pieces(seeds: range, state: Path | None) -> Iterator[range]:
    held = set(state.read_text().split()) if state is not None and state.exists() else set()
    for first in range(seeds.start, seeds.stop, PIECE):
        piece = range(first, min(first + PIECE, seeds.stop))
        if f"{piece.start}:{piece.stop}" not in held:
            yield piece


def _many(seeds: range, profile: str, jobs: int, state: Path | None) -> int:
    pieces = list(_pieces(seeds, state))
    print(f"{sum(map(len, pieces))} of {len(seeds)} seeds to run, {jobs} at a time", flush=True)
    with Pool(jobs) as pool:
        return _report(pool.imap_unordered(partial(_piece, profile), pieces), state)


def _report(results: Iterable[tuple[range, float, list[Outcome]]], state: Path | None) -> int:
    runs = landings = events = crashes = faults = 0
    virtual = spent = 0.0
    answers: Counter[str] = Counter()
    failed: list[Outcome] = []
    shown = time.monotonic()
    for piece, seconds, outcomes in results:
        spent += seconds
        for outcome in outcomes:
            runs, landings, events = runs + 1, landings + outcome.landings, events + outcome.events
            crashes, faults, virtual = (
                crashes + outcome.crashes,
                faults + len(outcome.faults),
                virtual + outcome.virtual,
            )
            answers.update(outcome.answers)
            if outcome.failure:
                failed.append(outcome)
                print(f"seed {outcome.seed} FAILED: {outcome.failure}", flush=True)
        if state is not None and not any(outcome.failure for outcome in outcomes):
            with state.open("a") as kept:
                kept.write(f"{piece.start}:{piece.stop}\n")
        if time.monotonic() - shown > 5:
            shown = time.monotonic()
            print(f"{runs} seeds, {landings} landings, {len(failed)} failed", flush=True)
    if runs:
        print(f"answers: {', '.join(f'{count} {name}' for name, count in sorted(answers.items()))}")
        print(
            f"{runs} seeds, {landings} landings, {events} events, {faults} faults, {crashes} crashes: "
            f"{virtual:.0f} s of virtual time in {spent:.1f} s of one core, {virtual / spent:.0f}x; "
            f"{len(failed)} failed"
        )
    if failed:
        _cut(min(failed, key=lambda outcome: outcome.seed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
