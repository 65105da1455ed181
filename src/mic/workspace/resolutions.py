"""How clashes were settled here, in `.mic/resolutions`, so that one that comes back is settled the same.

A file for each, named by the path and what clashed in it (`mic.core.merge3.Clash.name`), with `.1` behind it: the
SHA-256 of the lines that were written, and these. One without `.1` is of before, and has the lines alone. Ours and
theirs may have changed sides. What is remembered is used in the same path only, and always said; what is damaged is
forgotten.
"""

from __future__ import annotations

import contextlib
import hashlib
import os

from mic.core.merge3 import Clash
from mic.workspace.place import read_file, take_away, write_file
from mic.workspace.workspace import Workspace

_FOLDER = b"/resolutions"
_CHECK = 32  # bytes of a SHA-256
# Beyond these the ones that were not used for longest go. Each is some lines.
KEEP = 2_000


def remember(ws: Workspace, path: bytes, clash: Clash, lines: bytes) -> None:
    """Keep how a clash was settled, in place of how it was before."""
    folder = ws.folder + _FOLDER
    os.makedirs(folder, exist_ok=True)
    name = clash.name(path).hex().encode()
    write_file(folder, name + b".1", hashlib.sha256(lines).digest() + lines)
    take_away(folder + b"/" + name)
    _forget(folder, name + b".1")


def recall(ws: Workspace, path: bytes, found: list[Clash]) -> dict[Clash, bytes]:
    """How those of the clashes were settled that were settled before."""
    known = {}
    for clash in found:
        name = ws.folder + _FOLDER + b"/" + clash.name(path).hex().encode()
        with contextlib.suppress(OSError):
            lines = _whole(read_file(name + b".1"))
            if lines is None:
                lines = read_file(name)
            else:
                name += b".1"
            if lines is not None:
                known[clash] = lines
                os.utime(name)
    return known


def _whole(raw: bytes | None) -> bytes | None:
    if raw is None or hashlib.sha256(raw[_CHECK:]).digest() != raw[:_CHECK]:
        return None
    return raw[_CHECK:]


def forget_all(ws: Workspace) -> int:
    """Forget how everything was settled; how many clashes that were."""
    folder = ws.folder + _FOLDER
    with contextlib.suppress(FileNotFoundError):
        names = os.listdir(folder)
        for name in names:
            take_away(folder + b"/" + name)
        return len(names)
    return 0


def _forget(folder: bytes, newest: bytes) -> None:
    names = os.listdir(folder)
    if len(names) <= KEEP:
        return
    # The newest stays, whatever the clock said when the others were written.
    by_age = sorted(names, key=lambda name: (name == newest, os.lstat(folder + b"/" + name).st_mtime_ns))
    for name in by_age[: len(names) - KEEP]:
        take_away(folder + b"/" + name)
