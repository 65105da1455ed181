"""A disk that is really full: a tiny file system in memory. Needs root to mount it."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import pytest

from ledgers import check_history, land
from mic.core.errors import StorageFull
from mic.ledger.ledger import Ledger
from mic.store import DirectoryStore, Listed

pytestmark = pytest.mark.root


def test_what_does_not_fit_leaves_nothing_and_what_fits_is_kept(tiny: Path) -> None:
    """Every kind of write fails as StorageFull; what was there stands; after a delete there is room again."""
    store = DirectoryStore(tiny)
    store.put("head", b"one")
    tag = store.get("head").tag
    store.put("ballast", bytes(100 << 10))
    big = bytes(200 << 10)
    for write in (
        lambda: store.put("head", big),
        lambda: store.put_if("head", big, tag),
        lambda: store.put_file("new/file", io.BytesIO(big)),
        lambda: store.put_new("new/object", big),
    ):
        with pytest.raises(StorageFull, match="no space left"):
            write()
    assert os.listdir(tiny / ".tmp") == []
    assert list(store.list("")) == [Listed("ballast", 100 << 10), Listed("head", 3)]
    assert store.get("head").data == b"one"
    store.delete("ballast")
    store.put_if("head", big, tag)
    assert store.get("head").data == big


def test_a_landing_that_does_not_fit_takes_no_position(tiny: Path) -> None:
    """The client is told that the disk is full; with room again the same session lands."""
    store = DirectoryStore(tiny)
    project = Ledger(store).open("p")
    project.create()
    land(project, 1, 0, {b"a": b"fits"})
    store.put("ballast", bytes(100 << 10))
    noise = random.Random(1).randbytes(150 << 10)
    for _ in range(3):
        with pytest.raises(StorageFull):
            land(project, 2, 1, {b"b": noise})
    assert project.head().position == 1
    store.delete("ballast")
    assert land(project, 2, 1, {b"b": noise}).position == 2
    check_history(Ledger(store).open("p"))
