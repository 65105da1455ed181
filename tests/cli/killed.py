"""Ends `mic` as kill -9 would, before the n-th change of a name in the file system (tests/cli/forked.py starts it)."""

from __future__ import annotations

import os
import posix
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHANGES = ("rename", "replace", "unlink", "link", "mkdir", "rmdir", "symlink")
KILLED = 137
# In the environment of a command: before which change it ends; -1: how many there were is the last line of stderr.
AT = "KILL_AT"
# Beside it: asking the forge and hearing its answer count too, for commands that change nothing here.
CALLS = "KILL_CALLS"


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


def end_before(limit: int, *, calls: bool = False) -> Callable[[], int]:
    """This process ends before that change; gives what tells how many there were.

    With `calls` it may also end before the forge is asked, and when it has answered and nobody was told.
    """
    made = 0

    def count() -> None:
        nonlocal made
        if made == limit:
            os._exit(KILLED)
        made += 1

    def counted(change: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            count()
            return change(*arguments, **options)

        return call

    for name in CHANGES:
        wrapped = counted(getattr(posix, name))
        setattr(posix, name, wrapped)
        setattr(os, name, wrapped)
    if calls:
        _count_calls(count)
    return lambda: made


def _count_calls(count: Callable[[], None]) -> None:
    from mic.rpc.client import Client

    call, stream = Client.call, Client.stream

    def called(*arguments: Any, **options: Any) -> Any:
        count()
        answer = call(*arguments, **options)
        count()
        return answer

    def streamed(*arguments: Any, **options: Any) -> Iterator[Any]:
        count()
        yield from stream(*arguments, **options)
        count()

    Client.call, Client.stream = called, streamed  # type: ignore[method-assign]


def tell(count: Callable[[], int]) -> None:
    """Say on stderr how many changes there were."""
    print(count(), file=sys.stderr)
