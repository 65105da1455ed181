"""Which store the settings ask for, and whether it may be landed on.

A bucket is examined before the first write, and again when the last good verdict is a week old: providers change. A bad
one is never kept for long: the next start examines again. A directory is ours; it needs no examination.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mic.core.errors import Unavailable
from mic.store import DirectoryStore, ObjectStore
from mic.store.disk_cache import DiskCache
from mic.store.doctor import Report, Verdict, examine, read_report
from mic.store.ram import RamCache
from mic.store.refused import RefusedStore
from mic.store.tiers import KINDS, TieredStore
from micelio.config import Settings

if TYPE_CHECKING:
    from mic.store.s3 import S3Store

# How long a good verdict counts, in seconds.
GOOD_FOR = 7 * 86400
# A report takes about 2 KiB; a file that is larger is not one.
_MAX_REPORT = 64 << 10
# Threads that read ahead where a read of the store costs a journey.
_PREFETCH_THREADS = 4


class Opened(NamedTuple):
    """A store, and whether landings are committed there by a sequence of new objects."""

    store: ObjectStore
    sequenced: bool = False


def open_store(settings: Settings) -> Opened:
    """The store, fit to be written to or refusing it in words. Raises Unavailable when a bucket cannot be examined."""
    if settings.s3 is None:
        return Opened(with_tiers(DirectoryStore(settings.store_dir), settings))
    report = good_report(settings) or examined(settings)
    if report.verdict is Verdict.UNCLEAR:
        raise Unavailable(report.words, hint="Correct the settings of the bucket, or try again when it answers.")
    store: ObjectStore = _bucket(settings)
    if not report.lands:
        return Opened(RefusedStore(store, report.words))
    return Opened(with_tiers(store, settings), report.verdict is Verdict.SEQUENCED_LOG)


def judged_store(settings: Settings) -> ObjectStore:
    """The store without tiers, for a process of a forge that has judged it already: nothing is examined again."""
    return DirectoryStore(settings.store_dir) if settings.s3 is None else _bucket(settings)


def with_tiers(store: ObjectStore, settings: Settings) -> ObjectStore:
    """A store with the tiers that the settings ask for in front; the store itself when they ask for none."""
    if not (settings.cache_ram or settings.cache_disk or settings.cdn_base_url):
        return store
    edge = None
    if settings.cdn_base_url:
        from micelio.projects.cdn import Cdn

        edge = Cdn(settings.cdn_base_url).read
    disk = DiskCache(settings.cache_dir, settings.cache_disk, dict.fromkeys(KINDS)) if settings.cache_disk else None
    # What is read ahead has to be kept somewhere, and a directory on this machine answers fast enough.
    ahead = settings.s3 is not None and (settings.cache_ram or settings.cache_disk)
    return TieredStore(
        store,
        ram=RamCache(settings.cache_ram) if settings.cache_ram else None,
        disk=disk,
        edge=edge,
        prefetch_threads=_PREFETCH_THREADS if ahead else 0,
    )


def examined(settings: Settings) -> Report:
    """Examine the store now, and keep the report where there is a data directory."""
    if settings.s3 is None:
        return examine(DirectoryStore(settings.store_dir), str(settings.store_dir))
    bucket = _bucket(settings)
    report = examine(bucket, settings.s3.address, bucket.delete_if)
    if settings.data_dir.is_dir():
        _keep(_file(settings), report)
    return report


def good_report(settings: Settings) -> Report | None:
    """The kept report about this very bucket, if it is a good one and not too old."""
    try:
        with open(_file(settings), encoding="utf-8") as file:
            report = read_report(file.read(_MAX_REPORT))
            age = time.time() - os.fstat(file.fileno()).st_mtime
    except (OSError, UnicodeDecodeError):
        return None
    if report is None or settings.s3 is None or report.address != settings.s3.address:
        return None
    return report if report.lands and 0 <= age < GOOD_FOR else None


def _bucket(settings: Settings) -> S3Store:
    from mic.store.s3 import S3Store  # its library is not to be loaded where the store is a directory

    assert settings.s3 is not None
    return S3Store(settings.s3)


def _file(settings: Settings) -> Path:
    return settings.data_dir / "store-report.json"


def _keep(path: Path, report: Report) -> None:
    """Losing it costs an examination, no more, so a failure is let pass."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with contextlib.suppress(OSError):
        part.write_text(report.as_json() + "\n", encoding="utf-8")
        os.replace(part, path)
