"""`make conflicts`: a million drawn sessions, judged by the product and by the model, on all cores.

make conflicts CASES=10000000              more of them
python -m tests.conflicts --history 4711   one history again
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from multiprocessing import Pool
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from conflicts.check import CASES, Wrong, check_history  # noqa: E402

PIECE = 40  # histories that are one piece of work: what was done is written down after each


def main(arguments: list[str] | None = None) -> int:
    """0 when every case was right, 1 when one was not."""
    parser = argparse.ArgumentParser("python -m tests.conflicts", description=__doc__)
    parser.add_argument("--history", type=int, help="check one history")
    parser.add_argument("--cases", type=int, default=1_000_000, help="how many sessions (default: a million)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--state", type=Path, help="a file that keeps which histories were right, to go on from there")
    chosen = parser.parse_args(arguments)
    if chosen.history is not None:
        return _report(*_piece(range(chosen.history, chosen.history + 1))[1:])
    return _many(-(-chosen.cases // CASES), chosen.jobs, chosen.state)


def _piece(seeds: range) -> tuple[range, Counter[str], list[str]]:
    answers, wrong = Counter[str](), []
    for seed in seeds:
        try:
            answers += check_history(seed).answers
        except Wrong as error:
            wrong.append(str(error))
    return seeds, answers, wrong


def _report(answers: Counter[str], wrong: list[str]) -> int:
    for case in wrong:
        print(f"WRONG: {case}", flush=True)
    print(f"{answers.total():,} cases: {', '.join(f'{count:,} {name}' for name, count in sorted(answers.items()))}")
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


def _many(histories: int, jobs: int, state: Path | None) -> int:
    held = _held(state)
    starts = [start for start in range(0, histories, PIECE) if (start, min(start + PIECE, histories)) not in held]
    pieces = [range(start, min(start + PIECE, histories)) for start in starts]
    answers, wrong = sum(held.values(), Counter[str]()), list[str]()
    print(f"{sum(map(len, pieces)) * CASES:,} cases to check, {jobs} at a time; {answers.total():,} were right before")
    began = shown = time.monotonic()
    with Pool(jobs) as pool:
        for piece, found, mistakes in pool.imap_unordered(_piece, pieces):
            answers += found
            wrong += mistakes
            if state is not None and not mistakes:
                _keep(state, piece, found)
            if time.monotonic() - shown > 5:
                shown = time.monotonic()
                print(f"{answers.total():,} cases, {len(wrong)} wrong, {shown - began:.0f} s", flush=True)
    print(f"{time.monotonic() - began:.0f} s")
    return _report(answers, wrong)


def _held(state: Path | None) -> dict[tuple[int, int], Counter[str]]:
    """Which histories were right, and how their cases ended; a line that was not finished does not count."""
    held = {}
    for line in state.read_text().splitlines(keepends=True) if state is not None and state.exists() else ():
        piece, *counts = line.split("\t")
        if counts and line.endswith("\n"):
            first, stop = map(int, piece.split(":"))
            held[first, stop] = Counter({name: int(count) for count, name in (each.split(" ", 1) for each in counts)})
    return held


def _keep(state: Path, piece: range, answers: Counter[str]) -> None:
    counts = "\t".join(f"{count} {name}" for name, count in sorted(answers.items()))
    with state.open("a") as kept:
        kept.write(f"{piece.start}:{piece.stop}\t{counts}\n")


if __name__ == "__main__":
    sys.exit(main())
