"""Which paths the indexer writes anew, where not all that differ are held at once."""

from __future__ import annotations

import pytest

from ledgers import land
from mic.core.tree import EMPTY_TREE
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio.search import indexer


@pytest.mark.parametrize("step", [1, 2, 3, 100])
def test_in_steps_every_path_comes_once_and_as_it_is_now(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against two roots: what an unfinished run may have written since, and what stood before it."""
    monkeypatch.setattr(indexer, "STEP", step)
    ledger = Ledger(MemoryStore()).open("p")
    ledger.create()
    land(ledger, 1, 0, {b"a": b"1", b"b": b"1", b"c/d": b"1", b"c/e": b"1"})
    land(ledger, 2, 1, {b"b": b"2", b"c/e": None, b"x": b"2", b"y": b"2"})
    land(ledger, 3, 2, {b"x": None, b"y": b"3", b"z": b"3"})
    roots = [ledger.tree_at(position) for position in (1, 2)]
    tree = ledger.tree_at(3)
    found = list(indexer._changed(ledger, roots, tree))
    assert [path for path, _ in found] == [b"b", b"c/e", b"x", b"y", b"z"]
    assert [entry is None for _, entry in found] == [False, True, True, False, False]
    assert [entry for _, entry in found] == [ledger.entry(tree, path) for path, _ in found]
    assert [path for path, _ in indexer._changed(ledger, [EMPTY_TREE], tree)] == [b"a", b"b", b"c/d", b"y", b"z"]
    assert list(indexer._changed(ledger, [tree], tree)) == []
