"""An id for what is made once and shown once, kept until it was shown: the same command again asks for the same thing.

`$XDG_CONFIG_HOME/mic/making-{what}` holds the id, and is locked while the command lives. What a killed command left is
taken up by the next one that asks for the same; two at once each have an id of their own.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from uuid import uuid4

from mic.cli.settings.user_config import config_path
from mic.core.errors import MicError, Unavailable

_BYTES = 16


class Once:
    """`id`, 16 bytes; `again` where a command before this one had it and did not come to its end."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        raw = os.pread(handle, _BYTES + 1, 0) if handle >= 0 else b""
        self.again = len(raw) == _BYTES
        self.id = raw if self.again else b""
        if not self.again:
            self.renew()

    def renew(self) -> None:
        """Another id: the one of before was used up."""
        self.id, self.again = uuid4().bytes, False
        if self._handle >= 0:
            # A disk that is full keeps nobody from making something: then it is as if there were no file.
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, 0)
                os.pwrite(self._handle, self.id, 0)
                os.fsync(self._handle)


@contextlib.contextmanager
def made_once(what: bytes) -> Iterator[Once]:
    """The id for what is asked for by these bytes; forgotten when the body ends, or the forge has refused it."""
    path = os.path.join(os.path.dirname(config_path()), f"making-{hashlib.sha256(what).hexdigest()[:32]}")
    handle = _locked(path)
    try:
        try:
            yield Once(handle)
        except MicError as error:
            if isinstance(error, Unavailable):
                raise  # it may have been made
            _forget(path, handle)
            raise
        _forget(path, handle)
    finally:
        if handle >= 0:
            os.close(handle)


def _locked(path: str) -> int:
    """The file, locked; -1 where another command has it, or nothing can be written here."""
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return -1
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it locked may have come to its end since, and what is in it is theirs then.
        if os.path.samestat(os.fstat(handle), os.stat(path)):
            return handle
    except OSError:
        pass
    os.close(handle)
    return -1


def _forget(path: str, handle: int) -> None:
    if handle >= 0:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
