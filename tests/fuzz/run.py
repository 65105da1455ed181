"""Running a target again and again until its time is over, and what is said of what was found."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from fuzz.mutate import mutate
from fuzz.parsers import Parser
from mic.core.codec import crc32c
from mic.core.errors import MicError

# No parser may take longer than this over 64 KiB; the machine may be busy.
SLOW = 10.0
_MOST_FINDINGS = 5


class Finding(NamedTuple):
    """An input that a target did not answer as it should."""

    target: str
    input: bytes
    what: str


class Target(NamedTuple):
    """Something to try once with randomness of its own; it returns what is wrong, with the input, or None."""

    name: str
    attempt: Callable[[random.Random], tuple[bytes, str] | None]


def parsing(parser: Parser) -> Target:
    """A parser as a target."""

    def attempt(rng: random.Random) -> tuple[bytes, str] | None:
        raw = mutate(rng, parser.seeds) if parser.changed else rng.choice(parser.seeds)
        if parser.sealed and rng.random() < 0.7:
            # Behind a true checksum, what stands before it is looked at.
            raw = raw[:-4] + crc32c(raw[:-4])
        started = time.monotonic()
        try:
            parser.parse(raw)
        except (MicError, *parser.refusals):
            pass
        except Exception:
            return raw, traceback.format_exc()
        took = time.monotonic() - started
        return (raw, f"took {took:.1f} s") if took > SLOW else None

    return Target(parser.name, attempt)


def run(target: Target, seconds: float, seed: int) -> tuple[int, list[Finding]]:
    """(how often it was tried, what was found). The same seed tries the same inputs, as far as time allows."""
    rng = random.Random(f"{seed} {target.name}")
    until, tries, found = time.monotonic() + seconds, 0, []
    while time.monotonic() < until and len(found) < _MOST_FINDINGS:
        tries += 1
        wrong = target.attempt(rng)
        if wrong is not None:
            found.append(Finding(target.name, *wrong))
    return tries, found


def keep(found: Finding, folder: Path, number: int) -> Path:
    """Write an input down, so that it can be tried again."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{found.target.replace(' ', '-').replace('/', '-')}-{number}.bin"
    path.write_bytes(found.input)
    path.with_suffix(".txt").write_text(found.what, "utf-8")
    return path


class Shares:
    """Targets that share their time. `count` findings so far, each kept in `folder` and printed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self.count = 0

    def run(self, targets: Sequence[Target], seconds: float) -> None:
        """Each for its share of the seconds."""
        for target in targets:
            tries, found = run(target, seconds / len(targets), self._seed)
            print(f"{target.name:40} {tries:9,} inputs  {len(found) or 'nothing'} found", flush=True)
            for item in found:
                self.count += 1
                kept = keep(item, self._folder, self.count)
                print(f"  {kept}: {item.what.strip().splitlines()[-1]}", flush=True)
