"""What was fetched once is kept in `~/.cache/mic`, for every working copy and project of this user.

Contents are kept by their hash, which is checked when they are read; listings by instance, project and root.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Sequence

import msgspec

from mic.cli.settings.user_config import CacheConfig, cache_config
from mic.cli.transfer.batches import Batches
from mic.core.blob import compress, frame_size, inflate
from mic.core.errors import Corrupt
from mic.core.tree import Entry, entries_of
from mic.store.disk_cache import DiskCache

# A larger content costs a clone more to write twice than it will ever save to fetch again.
LARGEST = 1 << 20
# This many contents that come together are kept together.
_MANY = 16
# For so many contents all folders of the cache are listed once, 256 of them, instead of trying to open each file.
_LOOK_AHEAD = 1_000
_LARGEST_LISTING = 256 << 20
_Columns = tuple[list[bytes], list[int], bytes, list[int], bytes]


def cache_folder() -> str:
    """`$XDG_CACHE_HOME/mic`, or `~/.cache/mic`. A relative XDG_CACHE_HOME does not count, as its rules have it."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return os.path.join(base if os.path.isabs(base) else os.path.expanduser("~/.cache"), "mic")


class ContentCache:
    """Contents and listings on this machine; with `disk` None it is always empty."""

    def __init__(self, disk: DiskCache | None) -> None:
        self.disk = disk
        self._batches = Batches(disk) if disk is not None else None
        # Where other processes keep contents at the same time, one of them says at last where they all are: with a
        # list here they are not found until it goes through `note`.
        self.rows: list[bytes] | None = None

    def alone(self, hashes: Sequence[bytes]) -> frozenset[bytes] | None:
        """Of many contents those that are files of their own; None for few, where it is not worth looking ahead."""
        if self.disk is None or len(hashes) < _LOOK_AHEAD:
            return None
        return frozenset(self.disk.present("blobs", hashes))

    def content(self, content_hash: bytes, alone: frozenset[bytes] | None = None) -> bytes | None:
        """A content of this hash, verified, or None. What `alone` said of many saves looking for a file."""
        if self.disk is None or self._batches is None:
            return None
        data = self.disk.get("blobs", content_hash) if alone is None or content_hash in alone else None
        if data is not None and hashlib.sha256(data).digest() != content_hash:
            self.disk.remove("blobs", content_hash)
            data = None
        if data is None:
            data = self._batches.get(content_hash)
        return data if data is not None and hashlib.sha256(data).digest() == content_hash else None

    def nothing(self, alone: frozenset[bytes] | None) -> bool:
        """Whether no content is here but those that `alone` found: then none needs to be looked for."""
        return not alone and alone is not None and (self._batches is None or not self._batches)

    def keep_contents(self, contents: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep contents with their hashes: few as files of their own, many together."""
        if self.disk is None or self._batches is None:
            return
        if self.rows is not None:
            self.rows.append(self._batches.store(contents))
        elif len(contents) >= _MANY:
            self._batches.add(contents)
        else:
            for content_hash, data in contents:
                self.disk.put("blobs", content_hash, data)

    def note(self, rows: bytes) -> None:
        """Let the contents be found that processes with `rows` have kept."""
        if self._batches is not None and rows:
            self._batches.note(rows)

    def contents(self, hashes: Iterable[bytes]) -> dict[bytes, bytes]:
        """Those of the contents that are here."""
        found = {}
        if self.disk is not None:
            for content_hash in hashes:
                data = self.content(content_hash)
                if data is not None:
                    found[content_hash] = data
        return found

    def answer(self, name: bytes) -> bytes | None:
        """What a forge answered to a question of this name, or None."""
        return self.disk.get("answers", name) if self.disk is not None else None

    def keep_answer(self, name: bytes, raw: bytes) -> None:
        """Keep an answer, in the place of an older one."""
        if self.disk is not None:
            self.disk.remove("answers", name)
            self.disk.put("answers", name, raw)

    def listing(self, name: str) -> list[Entry] | None:
        """A listing kept under a name, or None."""
        raw = self.disk.get("trees", name.encode()) if self.disk is not None else None
        if raw is None:
            return None
        try:
            size = frame_size(raw, name)
            if size > _LARGEST_LISTING:
                return None
            paths, modes, kinds, sizes, hashes = msgspec.msgpack.decode(inflate(raw, size, name), type=_Columns)
        except (Corrupt, msgspec.MsgspecError):
            return None
        split = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
        if not len(paths) == len(modes) == len(kinds) == len(sizes) == len(split):
            return None
        return entries_of(paths, modes, kinds, sizes, split)

    def keep_listing(self, name: str, entries: list[Entry]) -> None:
        """Keep a listing that never changes under this name."""
        if self.disk is None:
            return
        paths, modes, kinds, sizes, hashes = map(list, zip(*entries, strict=True)) if entries else ([], [], [], [], [])
        columns: _Columns = (paths, modes, bytes(kinds), sizes, b"".join(hashes))
        self.disk.put("trees", name.encode(), compress(msgspec.msgpack.encode(columns)))


@functools.cache
def content_cache() -> ContentCache:
    """The cache that this user's configuration asks for. Raises InvalidInput when that has a mistake."""
    config = cache_config()
    return ContentCache(open_disk(config) if config.enabled else None)


def open_disk(config: CacheConfig) -> DiskCache:
    """The folder with these settings, also where they say that it is not in use."""
    kinds = {"blobs": config.blob_seconds, "batches": config.blob_seconds, "index": None, "trees": config.tree_seconds,
             "answers": config.tree_seconds}  # fmt: skip
    return DiskCache(cache_folder(), config.max_bytes, kinds)
