"""Packs that lie, each in a way of its own, beside C git: what git does not index is refused, and nothing else."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from compat.git.builder import ENVIRONMENT, Repository
from fuzz.mutate import mutate
from fuzz.packs import HARMLESS, SHAPES, Shape, Story, sound
from mic.core.errors import MicError
from mic.git.packscan import Limits, scan_pack

# Told by what the objects name, or by limits of ours: a pack as such is what git's own reader takes.
_OF_OBJECTS = {
    "commit-that-names-a-blob-as-its-tree", "tree-that-names-a-tree-as-a-file", "tree-that-names-a-blob-as-a-folder",
    "no-blob", "no-tree", "no-parent", "no-commit", "tip-that-is-a-tree", "garbage-for-a-tree", "garbage-for-a-commit",
    "garbage-for-a-tag", "dot-git", "tree-that-is-a-blob", "zero-objects",
}  # fmt: skip
# Git's reader leaves bytes behind a pack to others; nobody else reads them here.
_REFUSED_HERE = {
    "chain-of-five-thousand-deltas", "delta-bomb", "delta-bomb-below-each-limit", "delta-of-a-million-instructions",
    "trailing-bytes",
}  # fmt: skip
LIMITS = Limits(objects=10_000, inflated=256 << 20, whole=32 << 20, depth=4096, seconds=60)


def scanned(pack: bytes) -> set[bytes] | None:
    """The ids of what our reader finds, None when it refuses."""
    try:
        return set(scan_pack(memoryview(pack), lambda _: None, lambda *_: None, LIMITS).oids())
    except MicError:
        return None


def indexed(folder: Path, pack: bytes) -> set[bytes] | None:
    """The ids of what git's own reader finds, None when it refuses."""
    if not (folder / "HEAD").exists():
        Repository(folder)
    for old in (folder / "objects" / "pack").glob("*"):
        old.unlink()
    done = subprocess.run(
        ["git", "index-pack", "--stdin"], cwd=folder, input=pack, capture_output=True, env=ENVIRONMENT, check=False
    )
    if done.returncode:
        return None
    found = subprocess.run(
        ["git", "show-index"], cwd=folder, capture_output=True, env=ENVIRONMENT, check=True,
        input=next((folder / "objects" / "pack").glob("*.idx")).read_bytes(),
    )  # fmt: skip
    return {bytes.fromhex(line.split()[1].decode()) for line in found.stdout.splitlines()}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_lie(tmp_path: Path, shape: Shape, request: pytest.FixtureRequest) -> None:
    """Refused here where git refuses it; what git takes as a pack is taken as one, and judged by its objects."""
    name = request.node.callspec.id
    pack, _ = shape(Story(random.Random(1)))
    if name in _REFUSED_HERE:
        assert scanned(pack) is None
        return
    theirs = indexed(tmp_path / "r.git", pack)
    assert (theirs is not None) == (name in _OF_OBJECTS)
    assert scanned(pack) == theirs


@pytest.mark.parametrize("name", ["sound", *HARMLESS])
def test_what_only_looks_like_a_lie(tmp_path: Path, name: str) -> None:
    """The same objects as git finds."""
    pack, _ = HARMLESS.get(name, sound)(Story(random.Random(2)))
    theirs = indexed(tmp_path / "r.git", pack)
    assert theirs
    assert scanned(pack) == theirs


def test_packs_that_are_nearly_right(tmp_path: Path) -> None:
    """Four hundred packs with bytes changed: what is taken here is taken by git, with the same objects."""
    rng = random.Random(3)
    shapes = [sound, *HARMLESS.values()]
    taken = 0
    for _ in range(400):
        pack, _ = rng.choice(shapes)(Story(rng))
        ours = scanned(mutated := mutate(rng, [pack]) if rng.random() < 0.9 else pack)
        if ours is not None:
            taken += 1
            assert ours == indexed(tmp_path / "r.git", mutated)
    assert taken > 10
