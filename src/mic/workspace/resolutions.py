"""How clashes were settled here, in `.mic/resolutions`, so that one that comes back is settled the same.

A file for each, named by the path and what clashed in it (`mic.core.merge3.Clash.name`). Its content is the lines that
were written. Ours and theirs may have changed sides. What is remembered is used in the same path only, and always said.
"""

from __future__ import annotations

import contextlib
import os

from mic.core.merge3 import Clash
from mic.workspace.place import read_file, write_file
from mic.workspace.workspace import Workspace

_FOLDER = b"/resolutions"
# Beyond these the ones that were not used for longest go. Each is some lines.
KEEP = 2_000


def remember(ws: Workspace, path: bytes, clash: Clash, lines: bytes) -> None:
    """Keep how a clash was settled, in place of how it was before."""
    folder = ws.folder + _FOLDER
    os.makedirs(folder, exist_ok=True)
    write_file(folder, clash.name(path).hex().encode(), lines)
    _forget(folder)


def recall(ws: Workspace, path: bytes, found: list[Clash]) -> dict[Clash, bytes]:
    """How those of the clashes were settled that were settled before."""
    known = {}
    for clash in found:
        name = ws.folder + _FOLDER + b"/" + clash.name(path).hex().encode()
        lines = read_file(name)
        if lines is not None:
            known[clash] = lines
            with contextlib.suppress(OSError):
                os.utime(name)
    return known


def forget_all(ws: Workspace) -> int:
    """Forget how everything was settled; how many clashes that were."""
    folder = ws.folder + _FOLDER
    with contextlib.suppress(FileNotFoundError):
        names = os.listdir(folder)
        for name in names:
            os.unlink(folder + b"/" + name)
        return len(names)
    return 0


def _forget(folder: bytes) -> None:
    names = os.listdir(folder)
    if len(names) <= KEEP:
        return
    by_age = sorted(names, key=lambda name: os.lstat(folder + b"/" + name).st_mtime_ns)
    for name in by_age[: len(names) - KEEP]:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(folder + b"/" + name)
