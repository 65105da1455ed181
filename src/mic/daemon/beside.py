"""A process beside the daemon that ends with it, and is begun again when it dies."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Sequence

# Seconds after a start before the next one.
AGAIN = 60.0


class Beside:
    """The process that `command` starts, with one end of a socket as its standard input; what it says there is counted.

    The first byte says that it is ready, each further one that it was used.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._ours: socket.socket | None = None
        self._begun = -AGAIN
        self._said = 0

    @property
    def fd(self) -> int:
        """The socket, to be waited for; -1 when there is no process."""
        return self._ours.fileno() if self._ours is not None else -1

    @property
    def state(self) -> dict[str, object] | None:
        """The process, whether it is ready, and how many commands it carried out; None when there is none."""
        if self._process is None or self._ours is None:
            return None
        return {"process": self._process.pid, "ready": self._said > 0, "carried_out": max(0, self._said - 1)}

    def tend(self) -> None:
        """Starts it when it does not run and was not started a moment ago. Without it everything works: no errors."""
        if self._ours is not None or time.monotonic() - self._begun < AGAIN:
            return
        self._begun, self._said = time.monotonic(), 0
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                self._command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True, cwd="/",
            )  # fmt: skip
        except OSError:
            ours.close()
            return
        finally:
            theirs.close()
        ours.setblocking(False)
        self._ours = ours

    def heard(self) -> bool:
        """Reads what it said; whether it was used. Notices its end."""
        assert self._ours is not None
        try:
            said = self._ours.recv(1 << 12)
        except BlockingIOError:
            return False
        except OSError:
            said = b""
        if not said:
            self.end()
        used = len(said) > (self._said == 0)
        self._said += len(said)
        return used

    def end(self) -> None:
        """Lets it end, which it does by itself when its socket is closed."""
        if self._ours is not None:
            self._ours.close()
            self._ours = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2.0)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process = None


def interpreter(code: str, path: Sequence[str], executable: str) -> list[str]:
    """The command that runs `code` with these places of modules, and without what only a shell's Python needs."""
    return [os.fspath(executable), "-I", "-S", "-c", f"import sys; sys.path[:0] = {list(path)!r}; {code}"]
