"""Names that commands came by, kept for the shell's completion: branches and sessions in `.mic/names`, exports in mic's
cache. One a line, the newest last.

A shell reads these files itself, so completing starts no process and asks nobody. Nothing else reads them: what is not
in them any more, or not yet, is a name that is not completed. Only names that mean nothing to a shell stand in them.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable

from mic.cli.transfer.content_cache import cache_folder
from mic.workspace.place import write_file
from mic.workspace.workspace import Workspace

BRANCHES, SESSIONS, EXPORTS = "branches", "sessions", "exports"
MOST = 500
_PLAIN = re.compile(r"[A-Za-z0-9._/-]{1,200}")


def learn(kind: str, names: Iterable[str], ws: Workspace | None, *, all_of_them: bool = False) -> None:
    """Keep names; with `all_of_them` there are no others. `ws` is None for exports, which belong to no workspace.

    Where they cannot be kept they are not: nobody's command fails for its completion.
    """
    folder = os.fsencode(os.path.join(cache_folder() if ws is None else os.path.join(ws.root, ".mic"), "names"))
    with contextlib.suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        known = [] if all_of_them else _read(folder + b"/" + kind.encode())
        kept = [name for name in dict.fromkeys([*known, *names]) if _PLAIN.fullmatch(name)][-MOST:]
        write_file(folder, kind.encode(), "".join(f"{name}\n" for name in kept).encode())


def unlearn(kind: str, name: str, ws: Workspace | None) -> None:
    """A name that is gone."""
    folder = os.path.join(cache_folder() if ws is None else os.path.join(ws.root, ".mic"), "names")
    with contextlib.suppress(OSError):
        left = [each for each in _read(os.fsencode(os.path.join(folder, kind))) if each != name]
        learn(kind, left, ws, all_of_them=True)


def _read(path: bytes) -> list[str]:
    with contextlib.suppress(OSError, UnicodeDecodeError), open(path, encoding="ascii") as file:
        return file.read().split("\n")[:-1]
    return []
