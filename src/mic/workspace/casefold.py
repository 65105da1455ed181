"""Names that one file system takes for the same file: only relevant where it ignores case (APFS, NTFS)."""

from __future__ import annotations

import os
import unicodedata


def ignores_case(folder: bytes) -> bool:
    """Whether the file system of an existing, writable folder takes `A` and `a` for the same name."""
    probe = folder + b"/Case-Probe"
    handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.close(handle)
    try:
        return os.path.lexists(folder + b"/case-probe")
    finally:
        os.unlink(probe)


def clashing(paths: list[bytes]) -> set[bytes]:
    """The paths that must stay away where case is ignored: of names that differ only in case (or in Unicode
    normalisation) the first one in `paths` stands, for files and for each folder on the way.
    """
    standing: dict[bytes, bytes] = {}
    away = set()
    for path in paths:
        end = len(path)
        prefixes = [path]
        while (end := path.rfind(b"/", 0, end)) > 0:
            prefixes.append(path[:end])
        for prefix in reversed(prefixes):
            if standing.setdefault(_folded(prefix), prefix) != prefix:
                away.add(path)
                break
    return away


def _folded(path: bytes) -> bytes:
    text = path.decode("utf-8", "surrogateescape")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold()).encode(
        "utf-8", "surrogateescape"
    )
