"""What the process at the other end is like: its surroundings, which a worker has to share, and what it can take on."""

from __future__ import annotations

import contextlib
import os
import resource
import select
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mic.core.errors import PreconditionFailed

# Lines of /proc/PID/status that say what a process may do. A sandbox differs in one of them or in a namespace, and what
# runs in it must not get out by asking.
_RIGHTS = ("Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")
_NAMESPACES = ("mnt", "net", "pid", "user", "ipc", "uts")
_LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


class Unlike(PreconditionFailed):
    """A worker cannot be like the process that asked; it has to do the work itself."""


class Peer(NamedTuple):
    """What a worker takes on. `ignored` and `blocked` are sets of signals as bits."""

    folder: str
    umask: int
    ignored: int
    blocked: int
    nice: int
    processors: set[int]
    limits: list[tuple[int, tuple[int, int]]]


def peer(process: int) -> Peer:
    """A process that is alive; raises Unlike when it stands elsewhere than this one, OSError when it is gone."""
    status = _require_like_this(process)
    return Peer(
        f"/proc/{process}/cwd",
        int(status["Umask"], 8),
        int(status["SigIgn"], 16),
        int(status["SigBlk"], 16),
        os.getpriority(os.PRIO_PROCESS, process),
        os.sched_getaffinity(process),
        [(limit, resource.prlimit(process, limit)) for limit in _LIMITS],
    )


@contextlib.contextmanager
def held(process: int) -> Iterator[Callable[[], bool]]:
    """Says whether a process has lived all the while since this began: until then its number is no other one's.

    Who in a sandbox holds a connection of a process that has ended may wait for that number to come again outside.
    """
    try:
        handle = os.pidfd_open(process)
    except OSError:  # gone already, or not seen from here
        yield lambda: False
        return
    try:
        yield lambda: not _has_ended(handle)
    finally:
        os.close(handle)


def _has_ended(handle: int) -> bool:
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    return bool(waiting.poll(0))


def is_like_this(process: int, lives: Callable[[], bool]) -> bool:
    """Whether it may do what this one may: what runs in a sandbox must not get out by asking. `lives` is of `held`."""
    try:
        _require_like_this(process)
    except (Unlike, OSError, KeyError):
        return False
    return lives()


def _require_like_this(process: int) -> dict[str, str]:
    status = _status(str(process))
    if _surroundings(str(process), status) != _surroundings("self", _status("self")):
        raise Unlike("It runs with other rights, or in another place.")
    return status


def take_on(found: Peer) -> None:
    """Gives this process limits, priority, mask and folder of another; raises Unlike when it may not."""
    try:
        for limit, wanted in found.limits:
            if resource.getrlimit(limit) != wanted:
                resource.setrlimit(limit, wanted)
        if os.getpriority(os.PRIO_PROCESS, 0) != found.nice:
            os.setpriority(os.PRIO_PROCESS, 0, found.nice)
        os.sched_setaffinity(0, found.processors)
        os.chdir(found.folder)
    except (OSError, ValueError) as error:
        raise Unlike(str(error)) from error
    os.umask(found.umask)


def _status(process: str) -> dict[str, str]:
    with open(f"/proc/{process}/status", encoding="utf-8", errors="replace") as file:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}


def _surroundings(process: str, status: dict[str, str]) -> tuple[object, ...]:
    try:
        with open(f"/proc/{process}/attr/current", "rb") as file:
            label = file.read()
    except OSError:  # no security module has labels here
        label = b""
    rights = [status.get(name) for name in _RIGHTS]
    spaces = [os.readlink(f"/proc/{process}/ns/{name}") for name in _NAMESPACES]
    return rights, spaces, os.readlink(f"/proc/{process}/root"), label
