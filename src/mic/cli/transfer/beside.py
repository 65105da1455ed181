"""A folder beside a place, in which what is to stand there is made: it goes away, however the command ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Collection, Iterator

from mic.cli.terminal.ended import ended_in_order
from mic.core.errors import AlreadyExists, Busy, InvalidInput

# Programs that were started here, and ended with this one, may write for a moment yet.
_TRIES, _PAUSE = 40, 0.05


@contextlib.contextmanager
def beside(path: str, names: Collection[str]) -> Iterator[str]:
    """A folder on the same disk for what has these names: what is not whole is never where it was asked for.

    What a killed command left in it is taken away first. Raises AlreadyExists where something else has its name, Busy
    while another command makes the same, InvalidInput where nothing can be written.
    """
    place = os.path.abspath(path)
    work = f"{place}.mic-part"
    with ended_in_order():
        handle = _opened(work)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Busy(f"Another command writes {place}.", hint="Wait until it has ended.") from None
            if not _is_there(work, handle):
                # Whoever had it locked has taken it away since.
                raise Busy(f"Another command wrote {place}.", hint="Run this one again.")
            if not set(os.listdir(handle)) <= set(names):
                raise AlreadyExists(f"{work} holds other things.", hint="Move it away, then repeat.")
            try:
                for name in os.listdir(handle):
                    _remove(os.path.join(work, name))
                yield work
            finally:
                _remove(work)
        finally:
            os.close(handle)


def _opened(work: str) -> int:
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(work, 0o700)
        return os.open(work, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if os.path.lexists(work) and (os.path.islink(work) or not os.path.isdir(work)):
            raise AlreadyExists(f"{work} is no folder.", hint="Move it away, then repeat.") from error
        above = os.path.dirname(work)
        raise InvalidInput(
            f"Nothing can be written in {above}: {error.strerror}.", hint="Name another place."
        ) from error


def _is_there(work: str, handle: int) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.lstat(work))
    except FileNotFoundError:
        return False


def _remove(path: str) -> None:
    for _ in range(_TRIES):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(path)
        if not os.path.lexists(path):
            return
        time.sleep(_PAUSE)
