"""Listing a directory store while others write and delete in it."""

from __future__ import annotations

from pathlib import Path

from mic.store import DirectoryStore


def test_a_key_that_goes_away_while_it_is_listed_is_left_out(tmp_path: Path) -> None:
    """Deleted after the listing has begun, and never an error about a key that nobody asked for."""
    store = DirectoryStore(str(tmp_path))
    for key in ("p/a", "p/b", "p/c"):
        store.put(key, b"12")
    found = store.list("p/")
    first = next(found)
    store.delete("p/b")
    assert [first, *found] == [("p/a", 2), ("p/c", 2)]
