"""`make fuzz-cli`: thousands of stories of random commands, in as many processes as there are cores.

make fuzz-cli STORIES=1000:5000                     others of them
python -m tests.sequences --seed 4711               one story again, made as small as it goes
python -m tests.sequences --seed 4711 --without 1,2,9
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "tests" / "cli")]

from forge_process import Forge  # noqa: E402
from sequences.habits import NAMES, habits_of  # noqa: E402
from sequences.places import NotNow  # noqa: E402
from sequences.stories import Stage, Story, tell_widely  # noqa: E402

PIECE = 25  # stories that are one piece of work, with one forge: what was told is written down after each
# Steps of a story; short ones are more stories, long ones go further.
STEPS = (12, 16, 20, 40)
# So often a story is told again that a busy machine interrupted.
_TRIES = 5
# Nothing here is about disks, and each command waits for one several times.
_MEMORY = Path("/dev/shm")


def main(arguments: list[str] | None = None) -> int:
    """0 when nothing was lost, 1 when something was."""
    parser = argparse.ArgumentParser("python -m tests.sequences", description=__doc__)
    parser.add_argument("--seed", type=int, help="tell one story")
    parser.add_argument("--without", default="", help="leave out these steps of it")
    parser.add_argument("--tries", type=int, default=60, help="how often it is told to make it small (default: 60)")
    parser.add_argument("--stories", default="0:3000", metavar="FROM:TO", help="tell these (default: 0:3000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)")
    parser.add_argument("--state", type=Path, help="a file that keeps which were told, to go on from there")
    chosen = parser.parse_args(arguments)
    if chosen.seed is not None:
        without = {int(each) for each in chosen.without.split(",") if each}
        return _one(chosen.seed, without, chosen.tries)
    first, stop = (int(part) for part in chosen.stories.split(":"))
    return _many(range(first, stop), chosen.jobs, chosen.state)


def way_of(seed: int) -> str:
    """How the commands of a story run: mostly in its process; every twentieth story has processes, as people have.

    Most of these are forks of the command server's; a process that loads everything takes ten times as long.
    """
    return "inside" if seed % 20 != 19 else "processes" if seed % 100 == 99 else "served"


def steps_of(seed: int) -> int:
    """How long it is."""
    return STEPS[seed // 2 % len(STEPS)] if way_of(seed) != "processes" else STEPS[0]


@contextlib.contextmanager
def _stage() -> Iterator[Stage]:
    """A forge with somebody in it; when all is well with it at the end, `micelio verify` says so."""
    with tempfile.TemporaryDirectory(prefix="mic-sequences-", dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        forge = Forge(Path(name) / "data")
        try:
            yield _stage_of(forge, Path(name))
            forge.run("verify")
        finally:
            forge.end()


def _stage_of(forge: Forge, folder: Path) -> Stage:
    for again in range(1, _TRIES):
        with contextlib.suppress(NotNow):
            return Stage(forge, folder / f"stage-{again}")
    return Stage(forge, folder / "stage")


def _told(stage: Stage, seed: int, without: set[int] = frozenset()) -> tuple[Story | None, int]:  # type: ignore[assignment]
    """A story, and how often it was begun again; None for one that a busy machine interrupted each time."""
    for again in range(_TRIES):
        with contextlib.suppress(NotNow):
            story = tell_widely(
                stage, random.Random(seed), steps_of(seed), way=way_of(seed), without=without, habits=habits_of(seed)
            )
            return story, again
    return None, _TRIES


def _piece(seeds: range) -> tuple[range, Counter[str], list[str]]:
    seen, wrong = Counter[str](), []
    with _stage() as stage:
        for seed in seeds:
            story, again = _told(stage, seed)
            seen["told again"] += again
            if story is None:
                wrong.append(f"seed {seed}: the machine is too busy for it")
                continue
            seen["stories"] += 1
            seen[f"stories {way_of(seed)}"] += 1
            seen += Counter({f"stories {name}": 1 for name in habits_of(seed).names()})
            seen += Counter({f"did {name}": count for name, count in story.done.items()})
            seen += Counter({f"refused {name}": count for name, count in story.refused.items()})
            if story.wrong:
                wrong.append("\n".join([*story.lines, f"seed {seed}, after {len(story.lines)} deeds: {story.wrong}"]))
    return seeds, seen, wrong


def _one(seed: int, without: set[int], tries: int) -> int:
    """Tell it; where it goes wrong, leave out halves of its steps, then quarters, down to single ones."""
    with _stage() as stage:
        story, _ = _told(stage, seed, without)
        if story is None or not story.wrong:
            print("\n".join(story.lines) if story else "The machine is too busy.")
            return 0 if story else 1
        steps = steps_of(seed)
        size = 0 if without else steps // 2
        while size and tries > 0:
            at, found = 0, False
            left = [number for number in range(steps) if number not in without]
            while at < len(left) and tries > 0:
                tries -= 1
                fewer = without | set(left[at : at + size])
                shorter, _ = _told(stage, seed, fewer)
                if shorter is not None and shorter.wrong:
                    without, story, found = fewer, shorter, True
                at += size
            size = size if found and size == 1 else size // 2
    print("\n".join(story.lines))
    print(f"WRONG: {story.wrong}")
    print(f"python -m tests.sequences --seed {seed} --without {','.join(map(str, sorted(without)))}")
    return 1


def _many(seeds: range, jobs: int, state: Path | None) -> int:
    held = _held(state)
    starts = range(seeds.start, seeds.stop, PIECE)
    pieces = [range(start, min(start + PIECE, seeds.stop)) for start in starts]
    seen = sum((held[piece.start, piece.stop] for piece in pieces if (piece.start, piece.stop) in held), Counter[str]())
    pieces = [piece for piece in pieces if (piece.start, piece.stop) not in held]
    print(
        f"{sum(map(len, pieces)):,} stories to tell, {jobs} at a time; {seen['stories']:,} were told before", flush=True
    )
    began, before, wrong = time.monotonic(), seen["stories"], list[str]()
    # A process for each piece: gRPC that has known one forge may wait for another without an end.
    with Pool(jobs, maxtasksperchild=1) as pool:
        for piece, found, mistakes in pool.imap_unordered(_piece, pieces):
            seen += found
            wrong += mistakes
            for mistake in mistakes:
                print(f"WRONG: {mistake}", flush=True)
            if state is not None and not mistakes:
                _keep(state, piece, found)
            rate = (seen["stories"] - before) / (time.monotonic() - began)
            print(f"{seen['stories']:,} stories, {len(wrong)} wrong, {rate:.2f} a second", flush=True)
    return _report(seen, wrong, (seen["stories"] - before) / max(time.monotonic() - began, 1e-9))


def _report(seen: Counter[str], wrong: list[str], rate: float) -> int:
    ways = ", ".join(f"{seen[f'stories {way}']:,} {way}" for way in ("inside", "processes", "served"))
    habits = ", ".join(f"{seen[f'stories {name}']:,} with {name}" for name in NAMES)
    did = {name.removeprefix("did "): count for name, count in sorted(seen.items()) if name.startswith("did ")}
    refused = sum(count for name, count in seen.items() if name.startswith("refused "))
    print(", ".join(f"{name} {count:,}" for name, count in did.items()))
    count, again = sum(did.values()), seen["told again"]
    print(
        f"{seen['stories']:,} stories ({ways}; {habits}; {again:,} told again), {count:,} commands that did something "
        f"and {refused:,} that refused, {rate:.2f} stories a second; {len(wrong)} wrong"
    )
    return 1 if wrong else 0


def _held(state: Path | None) -> dict[tuple[int, int], Counter[str]]:
    """Which stories were right, and what was done in them; a line that was not finished does not count."""
    held = {}
    for line in state.read_text().splitlines(keepends=True) if state is not None and state.exists() else ():
        piece, *counts = line.split("\t")
        if counts and line.endswith("\n"):
            first, stop = map(int, piece.split(":"))
            pairs = (each.rstrip("\n").rpartition(" ") for each in counts)
            held[first, stop] = Counter({name: int(count) for name, _, count in pairs})
    return held


def _keep(state: Path, piece: range, seen: Counter[str]) -> None:
    counts = "\t".join(f"{name} {count}" for name, count in sorted(seen.items()))
    with state.open("a") as kept:
        kept.write(f"{piece.start}:{piece.stop}\t{counts}\n")


if __name__ == "__main__":
    sys.exit(main())
