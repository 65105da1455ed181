"""A file that is there when it is whole: written beside its name, where a killed command leaves nothing in the way."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from typing import IO

from mic.cli.terminal.ended import ended_in_order
from mic.core.errors import AlreadyExists, Busy
from mic.workspace.place import Naming


@contextlib.contextmanager
def new_file(path: str) -> Iterator[IO[bytes]]:
    """What is written gets this name at the end; on an error nothing stays.

    Two commands do not write the same file, and what a killed one left is written anew. Raises AlreadyExists where
    something has the name, Busy while another command writes it.
    """
    _require_new(path)
    part = f"{path}.mic-part"
    # By its descriptor: until it is locked, nothing in it may change.
    with ended_in_order(), Naming(path), open(_part(part), "r+b") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(f"Another command writes {path}.", hint="Wait until it has ended.") from None
        if not _is_there(part, opened):
            # Whoever had it locked has given it its name since.
            _require_new(path)
            raise Busy(f"Another command wrote {path}.", hint="Run this one again.")
        try:
            opened.truncate()
            yield opened
            opened.flush()
            os.rename(part, path)
        except BaseException:
            os.unlink(part)
            raise


def _part(path: str) -> int:
    """Its descriptor. A link that stands there, in a tree that was cloned say, is not followed to some other file."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if os.path.islink(path):
            raise AlreadyExists(f"{path} is a link.", hint="Take it away, then repeat.") from error
        raise


def _require_new(path: str) -> None:
    if os.path.lexists(path):
        raise AlreadyExists(f"There is a file {path} already.", hint="Choose another name.")


def _is_there(part: str, opened: IO[bytes]) -> bool:
    try:
        return os.path.samestat(os.fstat(opened.fileno()), os.stat(part))
    except FileNotFoundError:
        return False
