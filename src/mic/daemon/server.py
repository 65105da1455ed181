"""The daemon's own side: one socket, a thread for each question, and the working copies that were asked of under watch.

It answers this user alone: the folder of the socket is his, and the kernel says whose process it is that asks. It ends
when nobody asked for `IDLE` seconds, when another version of mic asks, or when its socket is no longer the one by that
name.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable

from mic.core.errors import MicError, Unavailable
from mic.daemon import door
from mic.daemon.beside import Beside
from mic.daemon.peer import held, is_like_this
from mic.daemon.watched import NotWatched, Seen, Watched

IDLE = 1800.0
# Working copies under watch at once, and seconds after its last question that one is let go.
MOST, FORGOTTEN = 16, 900.0
# What was not to be watched is tried again after so long.
AGAIN = 600.0
_READING = 2.0
_BACKLOG = 64
_LONGEST_REQUEST = 1 << 20

# What is asked of a working copy is answered from what was seen in it: verb -> (fields, seen) -> standard output.
Answers = dict[bytes, Callable[[list[bytes], Seen], bytes]]
# What is asked of something else; None: the asker has to see for himself.
Others = dict[bytes, Callable[[list[bytes]], bytes | None]]


class RunsAlready(Unavailable):
    """Another daemon has this one's place."""


class _Place:
    """A root that was asked of: under watch, on the way to it, or not to be watched."""

    def __init__(self, root: bytes) -> None:
        self.watched = Watched(root)
        self.asked = time.monotonic()
        self.building = False
        self.why = ""
        self.told = False
        self.since = 0.0
        self.answered = 0

    @property
    def state(self) -> str:
        """In a word."""
        return "ready" if self.watched.ready else "looking" if self.building else "not watched" if self.why else "new"


class Server:
    """`run` serves until it is to end."""

    def __init__(
        self,
        answers: Answers,
        others: Others,
        idle: float = IDLE,
        tidy: Callable[[], None] = lambda: None,
        beside: Beside | None = None,
    ) -> None:
        self._tidy = tidy
        self._beside = beside
        self._answers, self._others, self._idle = answers, others, idle
        self._places: dict[bytes, _Place] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._asked = time.monotonic()
        self._began = time.time()
        self._wake, self._woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self, began: Callable[[], None] = lambda: None) -> None:
        """Takes the place of the one daemon, and calls `began` once it can be asked; raises Unavailable when there is
        one, or there can be none."""
        path = door.address()
        if path is None:
            raise Unavailable("There is no place for a daemon here.", hint="Set HOME, and not MIC_DAEMON=off.")
        where = os.path.dirname(path)
        os.makedirs(where, mode=0o700, exist_ok=True)
        if not door.private(where):
            raise Unavailable(f"{os.fsdecode(where)} is not yours alone.", hint="Give it the mode 0700, or remove it.")
        with _only_one(where):
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            # What a daemon that was killed left behind.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            listening.bind(path)
            os.chmod(path, 0o600)
            mine = os.lstat(path)
            listening.listen(_BACKLOG)
            listening.setblocking(False)
            with contextlib.suppress(OSError):
                os.unlink(where + door.FAILED)
            try:
                began()
                self._serve(listening, path, (mine.st_dev, mine.st_ino))
            finally:
                if self._beside is not None:
                    self._beside.end()
                listening.close()
                if _same_file(path, (mine.st_dev, mine.st_ino)):
                    os.unlink(path)
                for place in self._places.values():
                    with place.watched.lock:
                        place.watched.close()

    def _serve(self, listening: socket.socket, path: bytes, mine: tuple[int, int]) -> None:
        while not self._ending.is_set():
            left = self._idle - (time.monotonic() - self._asked)
            if left <= 0 or not _same_file(path, mine):
                return
            waiting = select.poll()
            waiting.register(listening, select.POLLIN)
            waiting.register(self._wake, select.POLLIN)
            watched = {place.watched.fd: place for place in self._now() if place.watched.ready}
            for fd in watched:
                waiting.register(fd, select.POLLIN)
            if self._beside is not None:
                self._beside.tend()
                if self._beside.fd >= 0:
                    waiting.register(self._beside.fd, select.POLLIN)
            for fd, _ in waiting.poll(max(1, min(left, 60.0) * 1000)):
                if fd == listening.fileno():
                    self._accept(listening)
                elif self._beside is not None and fd == self._beside.fd:
                    if self._beside.heard():
                        self._asked = time.monotonic()
                elif fd == self._wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake, 4096)
                elif fd in watched and watched[fd].watched.lock.acquire(blocking=False):
                    # A queue that nobody empties would be full some day.
                    try:
                        watched[fd].watched.drain()
                    finally:
                        watched[fd].watched.lock.release()
            self._forget()
            self._tidy()

    def _now(self) -> list[_Place]:
        with self._lock:
            return list(self._places.values())

    def _forget(self) -> None:
        now = time.monotonic()
        with self._lock:
            oldest = sorted(self._places, key=lambda root: self._places[root].asked)
            old = [root for root in oldest if now - self._places[root].asked > FORGOTTEN]
            gone = [self._places.pop(root) for root in {*old, *oldest[:-MOST]} if not self._places[root].building]
        for place in gone:
            with place.watched.lock:
                place.watched.close()

    def _accept(self, listening: socket.socket) -> None:
        try:
            connection, _ = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, EOFError):
            connection.settimeout(_READING)
            process = asker(connection)
            if process is None:
                return
            with held(process) as lives:
                size = int.from_bytes(_exactly(connection, 4), "big")
                if size > _LONGEST_REQUEST:
                    return
                identity, *fields = _exactly(connection, size).split(b"\x00")
                answer = self._answer(identity, fields, lambda: is_like_this(process, lives))
            connection.sendall(len(answer).to_bytes(4, "big") + answer)

    def _answer(self, identity: bytes, fields: list[bytes], may_do_the_same: Callable[[], bool]) -> bytes:
        verb = fields[0] if fields else b""
        if not identity.startswith(door.NAME):
            return door.NOTHING  # no mic of any version
        if verb == b"stop" or identity != door.IDENTITY:
            # Another version would say other things of the same files. The next command starts its own.
            self._end()
            return door.FINISHED if verb == b"stop" else door.OTHER
        if verb == b"state":
            return door.FINISHED + self._state()
        self._asked = time.monotonic()
        if verb in self._answers and len(fields) >= 2:
            return self._of_place(self._answers[verb], fields)
        if verb in self._others and may_do_the_same():
            said = self._others[verb](fields)
            return door.NOTHING if said is None else door.FINISHED + said
        return door.NOTHING

    def _of_place(self, answer: Callable[[list[bytes], Seen], bytes], fields: list[bytes]) -> bytes:
        root = fields[1]
        if not root.startswith(b"/"):
            return door.NOTHING
        with self._lock:
            place = self._places.setdefault(root, _Place(root))
            place.asked = time.monotonic()
        if not place.watched.lock.acquire(blocking=False):
            return door.NOTHING
        try:
            seen = place.watched.seen()
            if seen is not None:
                place.answered += 1
                return door.FINISHED + answer(fields, seen)
        except NotWatched as error:
            self._refused(place, error)
        except (MicError, OSError):
            return door.NOTHING  # the asker meets the same, and says it
        finally:
            place.watched.lock.release()
        return self._build_later(place)

    def _build_later(self, place: _Place) -> bytes:
        with self._lock:
            if place.building:
                return door.NOTHING
            if place.why and time.monotonic() - place.since < AGAIN:
                told, place.told = place.told, True
                return door.NOTHING if told else door.SENTENCE + place.why.encode()
            place.building, place.why = True, ""
        threading.Thread(target=self._build, args=(place,), daemon=True).start()
        return door.NOTHING

    def _build(self, place: _Place) -> None:
        try:
            with place.watched.lock:
                place.watched.build()
        except NotWatched as error:
            self._refused(place, error)
        finally:
            place.building = False
            with contextlib.suppress(BlockingIOError):
                os.write(self._woken, b".")

    @staticmethod
    def _refused(place: _Place, error: NotWatched) -> None:
        if error.lasts:
            place.why, place.since, place.told = str(error), time.monotonic(), False

    def _end(self) -> None:
        self._ending.set()
        with contextlib.suppress(BlockingIOError):
            os.write(self._woken, b".")

    def _state(self) -> bytes:
        import json

        places = [
            {
                "root": os.fsdecode(place.watched.root),
                "state": place.state,
                "why": place.why,
                "files": len(place.watched.numbers),
                "folders_watched": place.watched.watches,
                "answered": place.answered,
            }
            for place in self._now()
        ]
        commands = self._beside.state if self._beside is not None else None
        said = {
            "process": os.getpid(), "began_ms": int(self._began * 1000), "workspaces": places, "commands": commands
        }  # fmt: skip
        return json.dumps(said).encode("utf-8", "surrogateescape")


def asker(connection: socket.socket) -> int | None:
    """The process at the other end (SO_PEERCRED, unix(7)), 0 when it is not seen from here; None: not this user's."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    process, user, _ = struct.unpack("3i", raw)
    return int(process) if user == os.geteuid() else None


@contextlib.contextmanager
def _only_one(where: bytes):  # type: ignore[no-untyped-def]
    """Alone as the daemon of this folder, until the process ends, however it does."""
    handle = os.open(where + b"/daemon.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunsAlready("The daemon runs already.", hint="`mic daemon status` shows it.") from None
        yield
    finally:
        os.close(handle)


def _same_file(path: bytes, wanted: tuple[int, int]) -> bool:
    try:
        stat = os.lstat(path)
    except OSError:
        return False
    return (stat.st_dev, stat.st_ino) == wanted


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 16))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
