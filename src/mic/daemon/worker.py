"""One command, carried out by a fork of the command server that has become like the process that asked for it.

What it takes over: standard files, folder, environment, file mode mask, limits, priority, processors, and which signals
are ignored. It is the leader of a session of its own, so what a terminal sends comes through the asker, who sends it
on (`mic.daemon.command_door`). What needs the terminal itself is not carried out here: `mic.cli.served` names that.
"""

from __future__ import annotations

import atexit
import io
import os
import posix
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from mic.core.errors import MicError
from mic.daemon import command_door, door
from mic.daemon.peer import Peer, held, peer, take_on

_READING = 2.0
_RIGHTS_BYTES = 3 * 4
_DEFAULT = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


class _Asked(Exception):
    """There is nothing to carry out for this asker; `answer` says so to it."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer


def work(
    asked: socket.socket, argv_runs: Callable[[list[str]], int], early: bytes, begun: Callable[[], None]
) -> NoReturn:
    """Becomes like the process at the other end, carries its command out, says how that ended, and ends.

    `early` is `command_door.early` of the environment that this program was loaded in; `begun` hears that it begins.
    """
    try:
        try:
            asked.settimeout(_READING)
            found, argv, environment = _request(asked, early)
            os.setsid()
            take_on(found)
            asked.sendall(command_door.READY + os.getpid().to_bytes(4, "big"))
            files = _files(asked)
            begun()
        except _Asked as nothing:
            asked.sendall(nothing.answer)
            os._exit(0)
        except (OSError, EOFError, MicError, ValueError):
            # Not a word: the asker hears that the connection ends, and starts as ever.
            os._exit(0)
        _become(found, argv, environment, files)
        code = _carry_out(argv, argv_runs)
        asked.settimeout(None)
        asked.sendall(command_door.ENDED + bytes([code & 0xFF]))
    except OSError:
        os._exit(1)  # the asker is gone
    finally:
        os._exit(0)


def _request(asked: socket.socket, early: bytes) -> tuple[Peer, list[str], list[bytes]]:
    raw = asked.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process, user, _ = struct.unpack("3i", raw)
    if user != os.geteuid():
        raise _Asked(door.NOTHING)
    with held(process) as lives:
        size = int.from_bytes(door.exactly(asked, 4), "big")
        if size > command_door.LONGEST:
            raise _Asked(door.NOTHING)
        protocol, program, their_early, count, *words = door.exactly(asked, size).split(b"\x00")
        if protocol != command_door.PROTOCOL:
            # Another version is installed. The daemon, which this server ends with, ends too: the next one is of that.
            door.ask(b"stop")
            raise _Asked(door.OTHER)
        if program != command_door.this_mic() or their_early != early:
            raise _Asked(door.NOTHING)
        argv = [os.fsdecode(word) for word in words[: int(count)]]
        found = peer(process)
        if not lives():
            raise EOFError
        return found, argv, words[int(count) :]


def _files(asked: socket.socket) -> list[int]:
    """The standard files, with which the asker says that it begins; raises EOFError when it does not."""
    go, rights, _, _ = asked.recvmsg(1, socket.CMSG_SPACE(_RIGHTS_BYTES), socket.MSG_CMSG_CLOEXEC)
    if go != command_door.GO or not rights or len(rights[0][2]) != _RIGHTS_BYTES:
        raise EOFError
    return list(struct.unpack("3i", rights[0][2]))


def _become(found: Peer, argv: list[str], environment: list[bytes], files: list[int]) -> None:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    pairs = dict(item.split(b"=", 1) for item in environment)
    os.environb.clear()
    os.environb.update(pairs)
    posix.environ.clear()
    posix.environ.update(pairs)
    time.tzset()
    _take_signals(found)
    sys.argv = ["-c", *argv]
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = _stream(number, getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _take_signals(found: Peer) -> None:
    """As the interpreter has them at its start: what its parent had it ignore, it ignores."""
    for number in _DEFAULT:
        ignored = found.ignored >> number - 1 & 1
        default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if ignored else default)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN if found.ignored >> signal.SIGCHLD - 1 & 1 else signal.SIG_DFL)
    signal.pthread_sigmask(
        signal.SIG_SETMASK, [number for number in signal.valid_signals() if found.blocked >> number - 1 & 1]
    )


def _stream(number: int, like: io.TextIOWrapper) -> io.TextIOWrapper:
    """A standard stream, made as the interpreter makes them (`create_stdio` in pylifecycle.c)."""
    mode = "w" if number else "r"
    buffer: Any = open(number, mode + "b", -1, closefd=False)  # noqa: SIM115  # as long as the process
    lines = number == 2 or buffer.raw.isatty()
    newline = "\n" if number else None
    stream: Any = io.TextIOWrapper(buffer, like.encoding, like.errors, newline, line_buffering=lines)
    stream.mode = mode
    return stream  # type: ignore[no-any-return]


def _carry_out(argv: list[str], argv_runs: Callable[[list[str]], int]) -> int:
    """What the interpreter does around a program (`sys.exit` and what comes after it)."""
    code: object = 1
    try:
        code = argv_runs(argv)
    except SystemExit as error:
        code = error.code
        if code is not None and not isinstance(code, int):
            sys.stderr.write(f"{code}\n")
    except BaseException:
        traceback.print_exc()
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the end of a program does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            code = 120
    return code if isinstance(code, int) else 0 if code is None else 1
