"""Starting the daemon beside a command: a process of its own, which holds nothing of the terminal."""

from __future__ import annotations

import os
import sys
import time

from mic.daemon import door
from mic.workspace.place import find_root

# After a start that did not work, the next one by itself is this much later.
_REST = 3600.0
# Beside the socket: when a command last began by itself that a daemon would have begun.
MISSED = b"/missed"
# Seconds between two such commands after which somebody works here.
_AT_WORK = 120.0


def start_where_missed() -> None:
    """Starts the daemon when it would have begun the command that has just ended, and another one a short while ago.

    Not in continuous integration (`CI`), where nobody comes back to what was left running. Never an error.
    """
    where = door.folder()
    if where is None or door.address() is None or os.environ.get("CI") or door.listening():
        return
    try:
        os.makedirs(where, mode=0o700, exist_ok=True)
        since = time.time() - _when(where + MISSED)
        with open(where + MISSED, "wb"):
            os.utime(where + MISSED)
        root = find_root(os.getcwdb()) or b"/"
    except OSError:
        return
    if 0 <= since < _AT_WORK:
        start_unasked(root)


def start_unasked(root: bytes) -> None:
    """Starts the daemon unless the settings, this machine's or those of the workspace at `root`, say
    otherwise, or it failed a short while ago. Never an error.
    """
    from mic.cli.settings.user_config import daemon_config
    from mic.core.errors import MicError

    where = door.folder()
    try:
        if where is None or not daemon_config(os.fsdecode(root)).enabled:
            return
        # A time that is to come was written by a clock that was wrong.
        if 0 <= time.time() - _when(where + door.FAILED) < _REST:
            return
        spawn()
    except (MicError, OSError):
        return


def spawn() -> None:
    """Starts a daemon and does not wait for it."""
    # Whoever starts it may have loaded too little to know where packages are.
    code = (
        f"import site, sys; sys.path[:0] = {sys.path!r}; site.main(); from mic.cli.program.daemon import serve; serve()"
    )
    command = [sys.executable, "-I", "-S", "-c", code, "mic daemon"]
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        os.closerange(3, 256)
        os.execv(command[0], command)  # noqa: S606  # the interpreter that runs here
    finally:
        os._exit(127)


def failed(where: bytes) -> None:
    """Writes down that a start did not work."""
    with open(where + door.FAILED, "wb"):
        pass


def _when(path: bytes) -> float:
    """When a file was written; 0 where there is none."""
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
