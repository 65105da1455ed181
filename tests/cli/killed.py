"""Runs `mic` in this process and ends it, as kill -9 would, before the n-th change of a name in the file system.

`killed.py N COMMAND...`; with -1 it runs to its end and says on the last line of stderr how many changes there were.
"""

from __future__ import annotations

import os
import posix
import sys
from collections.abc import Callable
from typing import Any

CHANGES = ("rename", "replace", "unlink", "link", "mkdir", "rmdir", "symlink")
KILLED = 137


def some(changes: int) -> list[int]:
    """Some five of the changes of a command, from the first to the last; KILL_EVERY=1: all of them."""
    if os.environ.get("KILL_EVERY"):
        return list(range(changes))
    return sorted({*range(0, changes, max(1, changes // 4)), changes - 1})


def main(limit: int, argv: list[str]) -> int:
    """The exit code of the command, or none at all."""
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
    from mic.cli.main import main as mic

    code = mic(argv)
    print(made, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
