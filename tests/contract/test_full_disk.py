"""A disk that is really full: a tiny file system in memory. Needs root to mount it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mic.core.errors import StorageFull
from mic.store import DirectoryStore, Listed

pytestmark = pytest.mark.root

SIZE = 256 << 10


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system of 256 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


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
