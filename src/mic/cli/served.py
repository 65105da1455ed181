"""Which commands the command server may carry out, and what it loads for them (docs/adr/0092)."""

from __future__ import annotations

# Not those that ask questions, open an editor or the screen, or run git, which may ask for a password at the terminal:
# a fork of the server has no terminal of its own. Nor those that change or end the server itself.
NAMES = frozenset(
    {
        "blame", "branch", "cache", "cat", "checkout", "clone", "config", "diff", "goto", "init", "land", "link", "log",
        "ls", "op", "owners", "pending", "redo", "revert", "secrets", "session", "show", "sparse", "status", "sync",
        "undo",
    }
)  # fmt: skip
# What these commands load while they run, and nearly each run needs.
_MORE = (
    "click._textwrap", "encodings.idna", "grpc._channel", "grpc._simple_stubs", "grpc.experimental", "http.client",
    "mic.cli.context.known", "mic.cli.program.daemon_start", "mic.cli.terminal.examples", "mic.cli.terminal.failure",
    "mic.rpc.client", "mic.workspace.lock", "mic.workspace.untracked", "subprocess",
)  # fmt: skip


def run(argv: list[str]) -> int | None:
    """The exit code of a command line that was carried out elsewhere; None where it has to be carried out here."""
    if not argv or argv[0] not in NAMES:
        return None
    from mic.daemon import command_door

    return command_door.run(argv)


def serve() -> None:
    """The process beside the daemon, whose standard input is the daemon's socket."""
    import gc
    import importlib
    import os
    import site
    import socket
    import sys

    from mic.core.errors import MicError
    from mic.daemon.command_server import CommandServer

    # Of what was taken from the shell that happened to start the daemon, nothing is for others.
    os.environ.pop("MICELIO_TOKEN", None)
    beside = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.close(nothing)
    if sys.flags.no_site:
        site.main()
    from mic.cli.main import main
    from mic.cli.table import COMMANDS

    for module in (*(COMMANDS[name][0].partition(":")[0] for name in sorted(NAMES)), *_MORE):
        importlib.import_module(module)
    gc.collect()
    # What is loaded stays loaded: the forks shall not write to its pages, which they share.
    gc.freeze()
    try:
        CommandServer(lambda argv: main(argv, here=True), beside).run()
    except (MicError, OSError):
        sys.exit(1)


def command() -> list[str]:
    """How that process is started."""
    import sys

    from mic.daemon.beside import interpreter

    return interpreter("from mic.cli.served import serve; serve()", sys.path, sys.executable)
