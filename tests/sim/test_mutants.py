"""Every planted bug is found within its number of seeds: what the simulator does not find, it does not check."""

from __future__ import annotations

import itertools

import pytest

from mic.sim.run import simulate
from mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_killed(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of one of the first seeds fails with the bug in it."""
    mutant.patch(monkeypatch)
    # The seed that found it when that was written down comes first: it does again, unless the simulator changed since.
    for seed in itertools.chain([mutant.needed - 1], range(mutant.start, mutant.bound)):
        if simulate(seed, rules=mutant.rules, wrap=mutant.wrap, profile=mutant.profile).failure:
            return
    pytest.fail(f"{mutant.bound} seeds did not find: {mutant.name}")
