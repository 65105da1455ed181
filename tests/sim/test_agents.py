"""Many agents in one project, with the limits that are in use; `python -m mic.sim --agents 500` runs them again."""

from __future__ import annotations

from typing import Any

import pytest

from mic.ledger.effects import Put, PutIf
from mic.sim.agents import Crowded, land_all
from mic.sim.bucket import Bucket
from mic.store.port import content_tag


def _run(agents: int) -> Crowded:
    crowd = land_all(agents)
    assert not crowd.failure, f"{crowd.failure}\nagain: python -m mic.sim --agents {agents}"
    return crowd


def test_five_hundred_agents() -> None:
    """All get true answers; they land in groups, elsewhere than where they asked, and clash; one run has one trace."""
    crowd = _run(500)
    assert crowd.landings > 500
    assert len(crowd.times) >= 500
    assert crowd.swaps - crowd.lost < crowd.landings  # some epochs hold several
    assert crowd.answers["forwarded"] > 250
    assert crowd.answers["conflict"] > 10
    assert crowd.faults > 5
    assert _run(500).trace == crowd.trace


def test_a_store_that_lies_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge of a crowd is that of a seed: a swap that is done although the head is another is seen at once."""
    apply = Bucket.apply

    def blind(bucket: Bucket, effect: Any) -> Any:
        if isinstance(effect, PutIf):
            apply(bucket, Put(effect.key, effect.data))
            return content_tag(effect.data)
        return apply(bucket, effect)

    monkeypatch.setattr(Bucket, "apply", blind)
    assert land_all(40).failure
