"""`make fuzz-cli`: stories of random commands until the time is over; `--seed N` shows one again."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "cli")]

from forge_process import Forge  # noqa: E402
from sequences.stories import Stage, tell  # noqa: E402


def run(seconds: float, seed: int, steps: int, only: bool, narrow: bool) -> int:
    """Tell stories; 1 when one went wrong."""
    with tempfile.TemporaryDirectory(prefix="mic-sequences-") as name:
        forge = Forge(Path(name) / "data")
        try:
            stage = Stage(forge, Path(name))
            until, told, commands = time.monotonic() + seconds, 0, 0
            while told == 0 or (time.monotonic() < until and not only):
                story = tell(stage, random.Random(seed), steps, wide=not narrow)
                if story.wrong:
                    print("\n".join(story.lines))
                    print(f"\nseed {seed}, after {len(story.lines)} deeds: {story.wrong}")
                    return 1
                told, commands, seed = told + 1, commands + len(story.lines), seed + 1
            print(f"{told:,} stories of {commands:,} deeds, up to seed {seed - 1}: nothing was lost.")
        finally:
            forge.end()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("FUZZ_SECONDS", "600")))
    parser.add_argument("--narrow", action="store_true", help="one line, all of it, and always a network")
    given = parser.parse_args()
    first = given.seed if given.seed is not None else int(os.environ.get("FUZZ_SEED", random.randrange(1 << 30)))
    sys.exit(run(given.seconds, first, given.steps, given.seed is not None, given.narrow))
