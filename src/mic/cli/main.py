"""Where `mic` starts: the commands of every prompt at once, all others through `mic.cli.terminal.app`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as typing has it, which takes 5 ms to load
if TYPE_CHECKING:
    from typing import IO

# The exact command lines that are answered without loading the rest of the program.
_STATUS: tuple[list[str], ...] = (["status"], ["status", "--json"])
_BARE: tuple[list[str], ...] = ([], ["--json"])
_QUICK = (*_STATUS, *_BARE, ["--version"])
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(argv: list[str], *, here: bool = False) -> int:
    """Runs one command line (without the program's name) and returns its exit code (mic.cli.terminal.exit_codes).

    With `here` it asks no daemon and no command server to do so; what the interpreter needs is loaded then.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _open_closed()
    for stream in (sys.stdout, sys.stderr):
        # Names of files may hold what the terminal's encoding has not; showing them must not end the command.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        code = _run(argv, here)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted.\n")
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    except Exception as error:
        from mic.cli.terminal.failure import from_system, tell
        from mic.core.errors import MicError

        if isinstance(error, OSError):
            full = _no_more(error)
            if full is not None:
                return tell(from_system(full), False)
            error = from_system(error)
        if not isinstance(error, MicError):
            raise
        return tell(error, "--json" in argv)


def _run(argv: list[str], here: bool) -> int:
    if argv in _STATUS or argv in _BARE:
        from mic.cli import hot

        _look_for_cycles_rarely()
        as_json = argv[-1:] == ["--json"]
        return hot.status(as_json) if argv in _STATUS else hot.bare(as_json)
    if argv == ["--version"]:
        from mic.version import VERSION

        sys.stdout.write(f"mic {VERSION}\n")
        return 0
    if argv in (["--version", "--json"], ["--json", "--version"]):
        from mic.version import JSON, VERSION

        sys.stdout.write(f'{{"version": "{VERSION}", "json": {JSON}}}\n')
        return 0
    if argv[:1] == ["shell-init"] and len(argv) == 2:
        from mic.cli.program.shell_shipped import SHELLS, shipped

        if argv[1] in SHELLS:
            sys.stdout.write(shipped(argv[1]))
            return 0
    if not here:
        if argv[:1] == ["log"] and len(argv) < 5:
            from mic.cli import hot

            if hot.log(argv):
                return 0
        from mic.cli import served

        code = served.run(argv)
        if code is not None:
            return code
        if sys.flags.no_site:
            import site

            site.main()
    from mic.cli.terminal.app import run

    _look_for_cycles_rarely()
    code = run(argv)
    if not here and argv and argv[0] in served.NAMES:
        from mic.cli.program.daemon_start import start_where_missed

        start_where_missed()
    return code


def _look_for_cycles_rarely() -> None:
    """A command that handles 100,000 files makes millions of objects and no cycles worth looking for all the time."""
    import gc

    gc.set_threshold(100_000, 50, 100)


def _no_more(error: OSError) -> OSError | None:
    """The error, as one of standard output, where that is a file which takes no more; nothing more goes there then."""
    try:
        sys.stdout.flush()
        return None
    except OSError:
        _to_nowhere(sys.stdout)
        error.filename, error.filename2 = "Standard output", None
        return error


def _reader_gone() -> int:
    """`mic ... | head` ends without a trace."""
    _to_nowhere(sys.stdout)
    return BROKEN_PIPE


def _to_nowhere(stream: IO[str]) -> None:
    """The interpreter would complain once more when it closes what takes no more."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_closed() -> None:
    """`mic ... >&-`: what was closed is nowhere, so that no file that is opened later gets its number.

    Programs that are started here, such as hooks, find it there too.
    """
    import os

    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = open(os.devnull, mode)  # noqa: SIM115
            os.set_inheritable(nowhere.fileno(), True)
            setattr(sys, name, nowhere)


def _say_last() -> None:
    """What is left to be said, where nothing is taken any more, is nobody's to read: it changes no code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _to_nowhere(stream)


def start() -> None:
    """Runs the process's own command line and ends the process. Called by `scripts/mic`.

    The interpreter is not torn down, as it is not in a fork of the command server: 3 ms of every command, and a tenth
    of a second behind one that knows 100,000 files.
    """
    argv = sys.argv[1:]
    code = main(argv)
    if argv in _QUICK or "mic.cli.terminal.app" not in sys.modules:
        import posix

        _say_last()
        posix._exit(code)
    import atexit
    import os
    import threading

    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the end of a program does
    atexit._run_exitfuncs()
    _say_last()
    os._exit(code)
