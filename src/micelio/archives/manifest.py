"""What an archive consists of: `projects/{project}/archive/head`, JSON; docs/formats.md, "Archive".

`pending` is a run that has not come to its end: what it has fetched so far is not part of the archive yet, and its
steps are where it goes on.
"""

from __future__ import annotations

import msgspec

from mic.core.errors import Corrupt, TooLarge
from micelio.archives.reader import Step

VERSION = 1
# An object that is swapped has at most 1 MiB; a part takes about 130 bytes here, and holds half a megabyte of records.
MAX_PARTS = 5_000
MAX_WARNINGS = 200
MAX_STEPS = 2_000


class Part(msgspec.Struct, frozen=True):
    """An object with records: SHA-256 of its bytes, how many they are, how many records, searched by which rules."""

    name: str
    bytes: int
    records: int
    rules: int


class Pending(msgspec.Struct, frozen=True, omit_defaults=True):
    """`began`: when, by the other forge's clock. `done` counts records by kind, of this run alone."""

    began: str = ""
    steps: tuple[Step, ...] = ()
    parts: tuple[Part, ...] = ()
    etags: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
    done: dict[str, int] = {}
    pages: int = 0


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """`since` is what the next run asks for changes from; `counts` are by kind, each thing once."""

    version: int
    provider: str
    source: str
    fetched_at: int = 0
    since: str = ""
    parts: tuple[Part, ...] = ()
    etags: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    pending: Pending | None = None


_decode = msgspec.json.Decoder(Manifest).decode


def decode(data: bytes, name: str) -> Manifest:
    """Raises Corrupt naming the object."""
    try:
        found = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(f"{name} is no list of an archive: {error}") from error
    if found.version != VERSION:
        raise Corrupt(f"{name} has version {found.version}, and this reads {VERSION}")
    return found


def encode(manifest: Manifest) -> bytes:
    """Raises TooLarge for what cannot be kept."""
    pending = manifest.pending or Pending()
    if len(manifest.parts) + len(pending.parts) > MAX_PARTS or len(pending.steps) > MAX_STEPS:
        raise TooLarge(
            f"There is more to fetch than an archive holds: {MAX_PARTS:,} parts of half a megabyte.",
            hint="What was fetched before stays as it is.",
        )
    return msgspec.json.encode(manifest)
