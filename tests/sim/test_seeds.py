"""Two hundred seeds of landing under every fault; `make sim` runs ten thousand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

import pytest

from mic.core.epoch import PackRef
from mic.ledger import batch
from mic.ledger.effects import Protocol, Sleep
from mic.ledger.line import Line
from mic.sim.profiles import PROFILES
from mic.sim.run import simulate

GROUPS = 8
SEEDS = 200


@pytest.mark.parametrize("group", range(GROUPS))
def test_nothing_is_lost_doubled_or_torn(group: int) -> None:
    """Every landing is told the truth, the history is what the naive model says, and all finish when faults stop."""
    landings = faults = 0
    answers: Counter[str] = Counter()
    for seed in range(group, SEEDS, GROUPS):
        outcome = simulate(seed)
        assert not outcome.failure, f"seed {seed}: {outcome.failure}\nagain: python -m mic.sim --seed {seed}"
        landings += outcome.landings
        faults += len(outcome.faults)
        answers.update(outcome.answers)
    # A run that does nothing would hold as well.
    assert landings > 3 * SEEDS // GROUPS
    assert faults > SEEDS // GROUPS
    assert answers["compacted"]
    assert answers["content in a group"]
    assert answers["forked"]
    assert answers["erased"]
    assert answers["forwarded"]
    assert answers["forwarded in vain"]


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_store(profile: str) -> None:
    """The same holds on a store of each kind, fast, slow, or with one write a second."""
    for seed in range(1000, 1005):
        outcome = simulate(seed, profile=profile)
        assert not outcome.failure, f"seed {seed} on {profile}: {outcome.failure}"


def test_a_look_that_takes_minutes_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head moves while a landing looks whether its upload is on its way out: what it knew before does not count."""
    looking = batch.refuse_leaving

    def slowly(line: Line, packs: Sequence[PackRef]) -> Protocol[None]:
        if packs:
            yield Sleep(200)
        yield from looking(line, packs)

    monkeypatch.setattr(batch, "refuse_leaving", slowly)
    for seed in (33, 510):
        assert not (failure := simulate(seed).failure), f"seed {seed}: {failure}"


def test_one_seed_is_one_run() -> None:
    """Two runs of one seed do the same at the same time, in another process and under another hash seed too."""
    here = {seed: simulate(seed).trace for seed in (3, 7, 11)}
    assert {seed: simulate(seed).trace for seed in here} == here
    code = "from mic.sim.run import simulate\nprint({seed: simulate(seed).trace for seed in (3, 7, 11)})"
    elsewhere = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert elsewhere.stdout.strip() == str(here)
    assert len(set(here.values())) == 3
