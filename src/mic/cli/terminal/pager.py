"""Long output on a terminal goes through a pager: `MIC_PAGER`, else `PAGER`, else less. `cat` or nothing: none."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence

# Commands whose output people read from its beginning.
PAGED = frozenset({"log", "diff", "show", "blame", "op"})
# Ends at once where all of it fits, shows our colours, and leaves it on the screen.
_LESS = {"LESS": "FRX", "LESSCHARSET": "utf-8"}


class _Paged(io.TextIOWrapper):
    """What goes to the pager is meant for the terminal behind it."""

    def isatty(self) -> bool:
        return True


@contextlib.contextmanager
def paged(argv: Sequence[str]) -> Iterator[None]:
    """Standard output through the pager, where the command line is of one that is read and somebody is there to.

    A pager that cannot be started is done without; one that is left early ends the command as `| head` does.
    """
    command = _pager() if _is_read(argv) and sys.stdout.isatty() else []
    if not command:
        yield
        return
    environment = {name: value for name, value in _LESS.items() if name not in os.environ} | dict(os.environ)
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment)
    except OSError:
        yield
        return
    assert process.stdin is not None
    terminal = sys.stdout
    terminal.flush()
    sys.stdout = _Paged(process.stdin, "utf-8", errors="backslashreplace")
    try:
        yield
        sys.stdout.flush()
    finally:
        with contextlib.suppress(BrokenPipeError, ValueError):
            sys.stdout.close()
        sys.stdout = terminal
        while True:
            try:
                process.wait()
                break
            except KeyboardInterrupt:
                continue  # it is for the pager, which decides what ^C means


def _is_read(argv: Sequence[str]) -> bool:
    return bool(argv) and argv[0] in PAGED and not {"--json", "--quiet", "-h", "--help"} & set(argv)


def _pager() -> list[str]:
    wanted = next((os.environ[name] for name in ("MIC_PAGER", "PAGER") if name in os.environ), "less")
    with contextlib.suppress(ValueError):
        command = shlex.split(wanted)
        return [] if command in ([], ["cat"]) or os.environ.get("TERM", "dumb") == "dumb" else command
    return []
