"""A program for the command server to carry out, and the three ways to run it: `serve`, `ask WORDS`, `alone WORDS`."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time


def program(argv: list[str]) -> int:
    """Does what the first word says."""
    verb, *more = argv
    if verb == "tell":
        print(json.dumps(told(more)))
        print("complaint", file=sys.stderr)
        return 7
    if verb == "show":
        return 0
    if verb == "leave":
        sys.exit(more[0] if more else None)
    if verb == "fail":
        raise RuntimeError("on purpose")
    # Waits until something ends it; so does its child, where it has one.
    child = subprocess.Popen(["sleep", "60"]) if more else None
    try:
        print(os.getpid(), child.pid if child else 0, flush=True)
        while True:
            # Short: a signal just before a sleep is heard after it.
            time.sleep(0.05 if verb == "wait" else 0.5)
            if verb == "nap":
                return 5
    except KeyboardInterrupt:
        print("interrupted")
        return 130


def told(words: list[str]) -> dict[str, object]:
    """All that a program can notice of whoever started it."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return {
        "argv": sys.argv[1:],
        "words": words,
        "stdin": sys.stdin.read(),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "zone": time.strftime("%Z", time.localtime(0)),
        "mask": os.umask(0o022),
        "limits": [resource.getrlimit(kind) for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE)],
        "nice": os.nice(0),
        "ignored": [
            number.name
            for number in signal.Signals
            if number not in (signal.SIGKILL, signal.SIGSTOP) and signal.getsignal(number) == signal.SIG_IGN
        ],
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "streams": [(file.encoding, file.errors, file.line_buffering, file.isatty(), file.mode) for file in streams],
        "files": [fd for fd in range(64) if os.path.lexists(f"/proc/self/fd/{fd}") and os.get_inheritable(fd)],
    }


def main() -> None:
    """One of the three ways."""
    how, *argv = sys.argv[1:]
    sys.argv[1:] = argv
    if how == "alone":
        sys.exit(program(argv))
    if how == "serve":
        from mic.daemon.command_server import CommandServer

        beside = socket.socket(fileno=os.dup(0))
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        CommandServer(program, beside).run()
        return
    from mic.daemon import command_door

    # On a machine that has no time, half a second may pass before anybody is ready.
    command_door.PATIENCE = float(os.environ.get("SERVED_PATIENCE", "20"))
    code = command_door.run(argv)
    sys.exit("nobody" if code is None else code)


if __name__ == "__main__":
    main()
