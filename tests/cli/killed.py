"""Ends `mic` as kill -9 would, before the n-th change of a name in the file system (tests/cli/forked.py starts it)."""

from __future__ import annotations

import os
import posix
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHANGES = ("rename", "replace", "unlink", "link", "mkdir", "rmdir", "symlink")
KILLED = 137
# In the environment of a command: before which change it ends; -1: how many there were is the last line of stderr.
AT = "KILL_AT"


def some(changes: int) -> list[int]:
    """Some five of the changes of a command, from the first to the last; KILL_EVERY=1: all of them."""
    if os.environ.get("KILL_EVERY"):
        return list(range(changes))
    return sorted({*range(0, changes, max(1, changes // 4)), changes - 1})


def ran(
    cwd: Path, environment: dict[str, str], limit: int, *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """`mic` in a folder, ended before change number `limit` of a name."""
    import forked

    return forked.run(arguments, cwd, {**environment, AT: str(limit)}, stdin)


def end_before(limit: int) -> Callable[[], int]:
    """This process ends before that change; gives what tells how many there were."""
    made = 0

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal made
            if made == limit:
                os._exit(KILLED)
            made += 1
            return change(*arguments, **options)

        return call

    for name in CHANGES:
        wrapped = counted(getattr(posix, name))
        setattr(posix, name, wrapped)
        setattr(os, name, wrapped)
    return lambda: made


def tell(count: Callable[[], int]) -> None:
    """Say on stderr how many changes there were."""
    print(count(), file=sys.stderr)
