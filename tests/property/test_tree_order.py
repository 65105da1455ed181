"""One set of files has one root: whatever the order, the batches, and what was there in between."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mic.core.tree import EMPTY_TREE, Entry, Node, apply, build
from trees import drive, file, small_nodes

CASES = 100
# Contents are few and made once: what differs between two cases is which paths are there.
CONTENTS = [file(b"", seed) for seed in range(8)]


def _paths(rnd: random.Random) -> list[bytes]:
    """Up to 90 paths, nested and flat, in which some are prefixes of others' names."""
    names = [b"%x" % rnd.randrange(1 << 12) for _ in range(rnd.randrange(1, 90))]
    return sorted({b"/".join((name[:1], name)) if rnd.random() < 0.5 else name + b"-" for name in names})


def _history(rnd: random.Random, paths: list[bytes]) -> tuple[list[dict[bytes, Entry | None]], dict[bytes, Entry]]:
    """Batches of edits in random order, with files that come and go and contents that change; and what is left."""
    final = {path: rnd.choice(CONTENTS)._replace(path=path) for path in paths if rnd.random() < 0.7}
    steps: list[tuple[bytes, Entry | None]] = []
    for path in rnd.sample(paths, len(paths)):
        if path not in final or rnd.random() < 0.2:
            steps.insert(rnd.randrange(len(steps) + 1), (path, rnd.choice(CONTENTS)._replace(path=path)))
        steps.append((path, final.get(path)))
    batches: list[dict[bytes, Entry | None]] = []
    while steps:
        size = rnd.choice((1, 3, 10, 40, 200))
        batches.append(dict(steps[:size]))
        del steps[:size]
    return batches, final


def _check(rnd: random.Random) -> None:
    batches, final = _history(rnd, _paths(rnd))
    nodes: dict[bytes, Node] = {}
    root = EMPTY_TREE
    for batch in batches:
        root = drive(apply(nodes, root, batch, nodes), nodes)
    assert root == build([final[path] for path in sorted(final)], {})


@given(st.integers(0, 1 << 64))
@settings(max_examples=85, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_any_batches_one_root(seed: int) -> None:
    """8,500 histories through trees of three and four levels, deletions included."""
    rnd = random.Random(seed)
    with small_nodes():
        for _ in range(CASES):
            _check(rnd)


@given(st.integers(0, 1 << 64))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_any_batches_one_root_with_the_real_splitter(seed: int) -> None:
    """1,500 changes to trees of two levels and some 1,500 files: the same batch in pieces, and built at once."""
    rnd = random.Random(seed)
    paths = sorted({b"d%x/%x" % (rnd.randrange(16), rnd.randrange(1 << 16)) for _ in range(1500)})
    model = {path: CONTENTS[0]._replace(path=path) for path in paths}
    nodes: dict[bytes, Node] = {}
    root = build([model[path] for path in paths], nodes)
    for _ in range(CASES):
        edits: dict[bytes, Entry | None] = {}
        for path in rnd.sample(paths, rnd.choice((1, 2, 10, 80))):
            edits[path] = None if path in model and rnd.random() < 0.6 else rnd.choice(CONTENTS)._replace(path=path)
        pieces = list(edits.items())
        rnd.shuffle(pieces)
        cut = rnd.randrange(len(pieces) + 1)
        for piece in (pieces[:cut], pieces[cut:]):
            root = drive(apply(nodes, root, dict(piece), nodes), nodes)
        for path, entry in edits.items():
            if entry is None:
                del model[path]
            else:
                model[path] = entry
        assert root == build([model[path] for path in sorted(model)], {})
