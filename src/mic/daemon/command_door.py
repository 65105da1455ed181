"""The client's side of the command server, and what both sides agree about. Next to no imports: every command loads it.

The asker sends the length of its request (4 bytes, big endian) and the request: fields between NULs, as `request` makes
them. Then:

    + and a process (4 bytes)    that process is ready to carry the command out, and waits for one byte, with which
                                 come the three standard files (SCM_RIGHTS)
    -                            the asker starts as ever
    v                            another version answers; it ends now

Until the asker sends that byte, nothing is done, so whoever has lost patience has lost nothing. At the end comes

    = and the exit code, or ! and the signal that ended it (1 byte)
"""

from __future__ import annotations

import posix
import sys

from mic.daemon import door
from mic.version import VERSION

TYPE_CHECKING = False  # as typing has it, which takes 5 ms to load
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

PROTOCOL = b"mic-commands 1 " + VERSION.encode()
READY, GO, ENDED, KILLED = b"+", b"g", b"=", b"!"
# Seconds until somebody is ready. It takes 5 ms; on a machine that has no time, the command has to share it anyway.
PATIENCE = 0.5
LONGEST = 8 << 20
# What decides while an interpreter and its libraries load, before anybody could take on an environment. mic starts with
# -I: PYTHON* say nothing to it.
_EARLY = {b"LANG", b"LC_ALL", b"LC_CTYPE", b"LOCPATH", b"OPENSSL_CONF", b"OPENSSL_MODULES", b"GLIBC_TUNABLES"}
_EARLY_PREFIXES = (b"LD_", b"GRPC_", b"PROTOCOL_BUFFERS_", b"MALLOC_")


def address() -> bytes | None:
    """The socket's path; None where there can be no daemon."""
    daemon = door.address()
    path = daemon.rpartition(b"/")[0] + b"/commands.sock" if daemon is not None else b""
    return path if 0 < len(path) <= door.LONGEST_ADDRESS else None


def this_mic() -> bytes:
    """Which program this is: its interpreter, and the very file of this module. Another copy of mic is another one."""
    try:
        stat = posix.stat(__file__)
        which = b"%d %d" % (stat.st_ino, stat.st_mtime_ns)
    except OSError:  # in an archive
        which = __file__.encode("utf-8", "surrogateescape")
    return sys.executable.encode("utf-8", "surrogateescape") + b" " + which


def early(environment: dict[bytes, bytes]) -> bytes:
    """The part of an environment that has to be the same on both sides."""
    names = sorted(name for name in environment if name in _EARLY or name.startswith(_EARLY_PREFIXES))
    return b"\x01".join(name + b"=" + environment[name] for name in names)


def request(argv: list[str]) -> bytes:
    """Protocol, program, what is early in the environment, number of words, the words, then the environment."""
    environment = posix.environ
    words = [word.encode(sys.getfilesystemencoding(), "surrogateescape") for word in argv]
    given = [name + b"=" + value for name, value in environment.items()]
    return b"\x00".join((PROTOCOL, this_mic(), early(environment), b"%d" % len(words), *words, *given))


def run(argv: list[str]) -> int | None:
    """The exit code of a command line that the command server carried out. None: nobody did, and nothing was done."""
    path = address()
    if path is None:
        return None
    try:
        posix.lstat(path)
    except OSError:
        return None
    if not door.private(path.rpartition(b"/")[0]):
        return None
    import _socket

    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    signals = _Signals()
    try:
        process = _ready(connection, path, argv, signals)
        if not process:
            return None
        code = _outcome(connection, process, signals)
    finally:
        connection.close()
        signals.end()
    if code < 0:
        _die(-code)
        return 128 - code
    return code


def _ready(connection: Any, path: bytes, argv: list[str], signals: _Signals) -> int:
    """The process that is about to carry the command out; 0 when there is none."""
    from _socket import SCM_RIGHTS, SOL_SOCKET

    try:
        connection.settimeout(PATIENCE)
        connection.connect(path)
        if not door.same_user(connection):
            return 0
        asked = request(argv)
        signals.begin()
        connection.sendall(len(asked).to_bytes(4, "big") + asked)
        if connection.recv(1) != READY:
            return 0
        process = int.from_bytes(door.exactly(connection, 4), "big")
        connection.settimeout(None)
        # Not before: a server that hangs would hold them open, and whoever reads from them would wait for it.
        files = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
        connection.sendmsg([GO], [(SOL_SOCKET, SCM_RIGHTS, files)])
        return process
    except (OSError, EOFError, UnicodeEncodeError):
        return 0


def _outcome(connection: Any, process: int, signals: _Signals) -> int:
    """The exit code, or minus the signal."""
    signals.go_to(process)
    try:
        kind, number = door.exactly(connection, 2)
    except (OSError, EOFError):
        sys.stderr.write(
            "mic: The process that carried this command out is gone, and nobody knows how far it came.\n"
            "     `mic status` shows what is here; then repeat the command.\n"
        )
        return 128 + 9
    return -number if kind == KILLED[0] else number


def _die(number: int) -> None:
    """Ends by a signal, as the command was: a shell tells that from an exit code."""
    sent = _signals()
    if number != sent.SIGKILL:
        sent.signal(number, sent.SIG_DFL)
    sys.stderr.flush()
    posix.kill(posix.getpid(), number)


def _signals() -> Any:
    """The module `signal` without its enumerations, which take 4 ms to make."""
    import _signal  # type: ignore[import-not-found]  # has no types

    return _signal


class _Signals:
    """While another process carries the command out, what is sent to this one is sent on. What is ignored stays so."""

    def __init__(self) -> None:
        self._process = 0
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def begin(self) -> None:
        """From now on signals are kept, and sent on as soon as there is somebody to send them to."""
        sent = _signals()
        for number in (
            sent.SIGHUP, sent.SIGINT, sent.SIGQUIT, sent.SIGTERM, sent.SIGUSR1, sent.SIGUSR2, sent.SIGTSTP,
            sent.SIGCONT, sent.SIGWINCH,
        ):  # fmt: skip
            if sent.getsignal(number) != sent.SIG_IGN:
                self._before[number] = sent.signal(number, self._came)

    def go_to(self, process: int) -> None:
        """Who gets them."""
        self._process = process
        while self._early:
            self._send(self._early.pop(0))

    def end(self) -> None:
        """As before; what came for a process that never was, comes to this one."""
        for number, handler in self._before.items():
            _signals().signal(number, handler)
        while self._early:
            posix.kill(posix.getpid(), self._early.pop(0))

    def _came(self, number: int, frame: FrameType | None) -> None:
        if self._process:
            self._send(number)
        else:
            self._early.append(number)

    def _send(self, number: int) -> None:
        sent = _signals()
        # What a terminal sends, it sends to all that a command has started; what `kill` sends is for one process.
        whole = number not in (sent.SIGTERM, sent.SIGUSR1, sent.SIGUSR2)
        try:
            if number == sent.SIGTSTP:
                # A group without a shell of its own does not hear SIGTSTP (setpgid(2), "orphaned").
                posix.kill(-self._process, sent.SIGSTOP)
                posix.kill(posix.getpid(), sent.SIGSTOP)
            else:
                posix.kill(-self._process if whole else self._process, number)
        except ProcessLookupError:
            return  # it has ended, and how comes through the socket
