"""A short run of `make fuzz-git` by a seed, and what longer ones found, one test each."""

from __future__ import annotations

import random

import pytest

from fuzz.git_parsers import git_targets
from fuzz.packs import SHAPES, Story
from fuzz.run import Target
from mic.core.errors import Corrupt
from mic.git.packentry import apply_delta, make_delta
from mic.git.packscan import scan_pack

_TARGETS = {target.name: target for target in git_targets()}


@pytest.mark.parametrize("target", _TARGETS.values(), ids=_TARGETS)
def test_a_short_run(target: Target) -> None:
    """A hundred and fifty inputs for each reader: a value or a refusal."""
    rng = random.Random(f"6 {target.name}")
    for _ in range(20 if target.name == "packs" else 150):
        assert target.attempt(rng) is None


def test_a_delta_that_git_does_not_read() -> None:
    """Three bytes that make nothing: kept as they came, they broke every clone. None is made here either."""
    pack, _ = SHAPES["delta-of-three-bytes"](Story(random.Random(1)))
    with pytest.raises(Corrupt, match="shorter than any"):
        scan_pack(memoryview(pack), lambda _: None, lambda *_: None)
    with pytest.raises(Corrupt):
        apply_delta(b"x" * 200, b"\xc8\x01\x00")
    assert make_delta(b"x" * 200, b"") is None
