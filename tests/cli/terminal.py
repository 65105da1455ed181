"""A command at a terminal of its own: what it shows, and keys."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from pathlib import Path

from forked import MIC

_PATIENCE = 60.0  # seconds


def _begin() -> None:
    """In the process that begins: its terminal, so that keys such as Ctrl-C come as signals."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """`with Terminal(shell.cwd, shell.environment, "resolve") as at: at.until(b"place 1"); at.press(b"o")`."""

    def __init__(self, cwd: Path, environment: dict[str, str], *arguments: str, lines: int = 30, **more: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 100, 0, 0))
        self.process = subprocess.Popen(
            [str(MIC), *arguments], cwd=cwd, env=environment | {"TERM": "xterm-256color"} | more,
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True, preexec_fn=_begin,
        )  # fmt: skip
        os.close(slave)
        self.seen = b""
        self._read = 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def until(self, words: bytes) -> None:
        """Wait until it shows these, behind those that were waited for last."""
        end = time.monotonic() + _PATIENCE
        while words not in self.seen[self._read :] and time.monotonic() < end and self._more():
            pass
        assert words in self.seen[self._read :], self.seen[-2000:]
        self._read = self.seen.index(words, self._read) + len(words)

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._master, keys)

    def end(self) -> int:
        """Wait for its end; its exit code, or minus the signal."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end and self._more() and self.process.poll() is None:
            pass
        code = self.process.wait(_PATIENCE)
        while select.select([self._master], [], [], 0)[0] and self._more():
            pass
        return code

    def _more(self) -> bool:
        if select.select([self._master], [], [], 0.2)[0]:
            try:
                found = os.read(self._master, 65536)
            except OSError:
                return False
            self.seen += found
            return bool(found)
        return True
