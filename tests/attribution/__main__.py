"""`make fuzz-attribution`: 100,000 landings whose every line is known by its content, on all cores.

make fuzz-attribution LANDINGS=1000000              more of them
python -m tests.attribution --story 4711            one story again, made as small as it goes
python -m tests.attribution --story 4711 --without 1,2,9
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

from attribution.check import EVENTS, check_story  # noqa: E402
from attribution.model import Wrong  # noqa: E402
from attribution.smaller import smaller  # noqa: E402

_Told = tuple[int, int, Counter[str], str]


def main(arguments: list[str] | None = None) -> int:
    """0 when every line was told right, 1 when one was not."""
    parser = argparse.ArgumentParser("python -m tests.attribution", description=__doc__)
    parser.add_argument("--story", type=int, help="tell one story")
    parser.add_argument("--without", default="", help="leave out these events of it")
    parser.add_argument("--tries", type=int, default=400, help="how often it is told to make it small (default: 400)")
    parser.add_argument("--landings", type=int, default=100_000, help="how many (default: 100,000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    chosen = parser.parse_args(arguments)
    if chosen.story is not None:
        return _one(chosen.story, {int(each) for each in chosen.without.split(",") if each}, chosen.tries)
    return _many(chosen.landings, chosen.jobs)


def _tell(seed: int) -> _Told:
    try:
        told = check_story(seed)
    except Wrong as error:
        return seed, 0, Counter(), str(error)
    return seed, told.landings, told.seen, ""


def _one(seed: int, without: set[int], tries: int) -> int:
    try:
        told = check_story(seed, without=without)
    except Wrong as error:
        print(f"WRONG: {error}")
        if not without:
            small = smaller(seed, tries)
            print(f"{small.left} of {EVENTS} events are enough: {small.error}")
            print(f"python -m tests.attribution --story {seed} --without {','.join(map(str, sorted(small.without)))}")
        return 1
    return _report(told.landings, told.seen, 0)


def _many(wanted: int, jobs: int) -> int:
    landings, seen, wrong = 0, Counter[str](), list[str]()
    began = shown = time.monotonic()
    with Pool(jobs) as pool:
        for seed, count, found, mistake in pool.imap_unordered(_tell, range(wanted // 100 + 100)):
            landings += count
            seen += found
            if mistake:
                wrong.append(f"{mistake}\n  again, made small: python -m tests.attribution --story {seed}")
                print(f"WRONG: {wrong[-1]}", flush=True)
            if time.monotonic() - shown > 5:
                shown = time.monotonic()
                print(f"{landings:,} landings, {len(wrong)} wrong, {shown - began:.0f} s", flush=True)
            if landings >= wanted or len(wrong) >= 5:
                pool.terminate()
                break
    print(f"{time.monotonic() - began:.0f} s")
    return _report(landings, seen, len(wrong))


def _report(landings: int, seen: Counter[str], wrong: int) -> int:
    print(f"{landings:,} landings: {', '.join(f'{count:,} {name}' for name, count in sorted(seen.items()))}")
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
