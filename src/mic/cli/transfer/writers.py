"""Processes that write the files of a large clone: making a file is most of its work, and two cores make twice as many.

They are forks, made before the first thread and the first connection, and get groups of files one after the other. The
process that forked them is the only one that asks the forge; what comes it hands on as it is, and they decode, check
and write it. Over a socket pair go messages: u8 kind, u32 length in native order, bytes.

    to a writer     BEGIN, GIVEN (pickled), KEPT (rows of the cache), CHUNK (an encoded BlobChunk),
                    END (of what was asked for)
    from a writer   WANT (hashes for one call), AT (u32 files done), DONE, FAILED (pickled)

A writer ends when the other end of its socket is closed, also by death, and knows no key of the keyboard.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import NamedTuple

from google.protobuf.message import DecodeError

from mic.cli.terminal.output import Output
from mic.cli.terminal.progress import Progress
from mic.cli.transfer.content_cache import content_cache
from mic.cli.transfer.writing import write_each
from mic.core.errors import Corrupt, Unavailable
from mic.core.tree import Entry, entries_of
from mic.rpc.client import Client, columns
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.checkout import Checkout, Done
from mic.workspace.workspace import Config, Workspace

# Fewer files are written sooner by the process itself.
PAYS = 2_000
_MOST = 4
# Files of a group, and bytes: small enough that all writers end at about the same time.
_GROUP = 2_000
_GROUP_BYTES = 32 << 20
_HEAD = struct.Struct("=BI")
_COUNT = struct.Struct("=I")
_BEGIN, _GIVEN, _CHUNK, _END, _KEPT, _WANT, _AT, _DONE, _FAILED = range(9)


class _Begin(NamedTuple):
    """What a writer has to know of the checkout."""

    root: str
    config: Config
    fresh: bool
    torn: set[bytes]


class _Group(NamedTuple):
    """What was done of a group's files, and what was kept of their contents."""

    done: Done
    rows: bytes


class _Written(NamedTuple):
    """A group that was given, and what became of it."""

    given: list[Entry]
    group: _Group


class _Line:
    """One end of a socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._stream = end.makefile("rb", buffering=1 << 16)

    def send(self, kind: int, data: bytes = b"") -> None:
        head = _HEAD.pack(kind, len(data))
        if len(data) < 1 << 16:
            self.end.sendall(head + data)
        else:
            self.end.sendall(head)
            self.end.sendall(data)

    def receive(self) -> tuple[int, bytes]:
        """The next message. Raises EOFError when the other end is closed."""
        head = self._stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            raise EOFError
        kind, length = _HEAD.unpack(head)
        data = self._stream.read(length)
        if len(data) < length:
            raise EOFError
        return kind, data


class Writers:
    """The processes. A context manager, made before there is any thread; without processors to spare it has none."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._processes: list[int] = []

    def __enter__(self) -> Writers:
        processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
        if processors > 1 and _alone():
            for _ in range(min(processors + 1, _MOST)):
                self._fork()
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.end.shutdown(socket.SHUT_RDWR)
        for process in self._processes:
            os.waitpid(process, 0)
        self._lines, self._processes = [], []

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        try:
            process = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            return
        if process:
            theirs.close()
            self._lines.append(_Line(ours))
            self._processes.append(process)
            return
        try:
            ours.close()
            for line in self._lines:
                line.end.close()
            _stand_apart()
            _Writer(_Line(theirs), parent).run()
        finally:
            os._exit(0)

    def pay(self, files: int) -> bool:
        """Whether there are writers, and enough files for them."""
        return bool(self._lines) and files >= PAYS

    def write(
        self,
        client: Client,
        project: pb.ProjectRef,
        ws: Workspace,
        checkout: Checkout,
        parts: Iterable[list[Entry]],
        total: int,
        out: Output,
    ) -> None:
        """Fetch the contents of these files and write them, those of the first part while the next is still awaited.

        Raises as `write_each`, and Unavailable.
        """
        begin = pickle.dumps(_Begin(ws.root, ws.config, checkout.fresh, checkout.torn))
        groups: SimpleQueue[list[Entry] | None] = SimpleQueue()
        told: SimpleQueue[int | _Written | BaseException | None] = SimpleQueue()
        for line in self._lines:
            tend = _Tending(line, client, project, groups, told.put)
            threading.Thread(target=tend.run, args=(begin,), daemon=True).start()
        rows: list[bytes] = []
        done, working = 0, len(self._lines)
        try:
            with Progress(out, "Writing files", total) as bar:
                for part in parts:
                    for group in _groups(part):
                        groups.put(group)
                    bar.at(done)
                for _ in self._lines:
                    groups.put(None)
                while working:
                    what = told.get()
                    if what is None:
                        working -= 1
                    elif isinstance(what, int):
                        done += what
                        bar.at(done)
                    elif isinstance(what, _Written):
                        checkout.take(what.group.done, what.given)
                        rows.append(what.group.rows)
                    else:
                        raise what
        finally:
            if working:
                _empty(groups, len(self._lines))
            self._note(b"".join(rows))

    def _note(self, rows: bytes) -> None:
        """Let a writer, which has nothing to do now, make known what all have kept, or do it here."""
        try:
            self._lines[0].send(_KEPT, rows)
        except OSError:
            content_cache().note(rows)


def _empty(groups: SimpleQueue[list[Entry] | None], waiting: int) -> None:
    """Let those who wait for groups end with the one that they are at."""
    with contextlib.suppress(Empty):
        while True:
            groups.get_nowait()
    for _ in range(waiting):
        groups.put(None)


def _groups(needed: list[Entry]) -> Iterator[list[Entry]]:
    """The files in groups, in their order but that those with one content stay together: it is fetched once."""
    hashes = [entry.hash for entry in needed]
    if len(set(hashes)) == len(hashes) and sum(entry.size for entry in needed) < _GROUP_BYTES:
        for at in range(0, len(needed), _GROUP):
            yield needed[at : at + _GROUP]
        return
    by_hash: dict[bytes, list[Entry]] = {}
    for entry in needed:
        by_hash.setdefault(entry.hash, []).append(entry)
    group: list[Entry] = []
    size = 0
    for entries in by_hash.values():
        group += entries
        size += entries[0].size
        if len(group) >= _GROUP or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


class _Tending:
    """The thread beside one writer."""

    def __init__(
        self,
        line: _Line,
        client: Client,
        project: pb.ProjectRef,
        groups: SimpleQueue[list[Entry] | None],
        tell: Callable[[int | _Written | BaseException | None], None],
    ) -> None:
        self._line, self._client, self._project = line, client, project
        self._groups, self._tell = groups, tell

    def run(self, begin: bytes) -> None:
        try:
            self._line.send(_BEGIN, begin)
            while (group := self._groups.get()) is not None:
                self._line.send(_GIVEN, pickle.dumps(tuple(map(list, zip(*group, strict=True)))))
                self._write(group)
        except (EOFError, OSError):
            self._tell(self._why_it_ended())
        except BaseException as error:  # raised again where it belongs
            self._tell(error)
        else:
            self._tell(None)

    def _why_it_ended(self) -> BaseException:
        """What the writer said of it, perhaps while something was being sent that it no longer took."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                kind, data = self._line.receive()
                if kind == _FAILED:
                    return pickle.loads(data)  # type: ignore[no-any-return]  # noqa: S301  # from a fork of this process
        return Unavailable("A process that wrote files was ended.", hint="Run the same command again.")

    def _write(self, given: list[Entry]) -> None:
        """One group, to its end."""
        at = 0
        while True:
            kind, data = self._line.receive()
            if kind == _WANT:
                for chunk in self._client.raw_chunks(self._project, data):
                    self._line.send(_CHUNK, chunk)
                self._line.send(_END)
            elif kind == _AT:
                (done,) = _COUNT.unpack(data)
                self._tell(done - at)
                at = done
            elif kind == _DONE:
                self._tell(_Written(given, pickle.loads(data)))  # noqa: S301  # from a fork of this process
                return
            else:
                raise pickle.loads(data)  # noqa: S301


def _alone() -> bool:
    """Whether this process has one thread, those that libraries made counted.

    gRPC, once used, has some that Python knows nothing of, and a fork may wait for them for ever.
    """
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _stand_apart() -> None:
    """Take nothing from the terminal: what a key says goes to the process that was started there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nothing, handle)
    os.close(nothing)


class _Writer:
    """A process that writes. It is the `Source` of its contents: it asks the one that forked it."""

    def __init__(self, line: _Line, parent: int) -> None:
        self._line, self._parent = line, parent

    def run(self) -> None:
        """Group for group, until the other end is closed."""
        try:
            kind, data = self._line.receive()
            assert kind == _BEGIN
            begin: _Begin = pickle.loads(data)  # noqa: S301
            checkout = Checkout(Workspace(begin.root, begin.config))
            cache = content_cache()
            gc.disable()  # no cycles are made here
            while True:
                kind, data = self._line.receive()
                if kind == _KEPT:
                    cache.note(data)
                    continue
                entries = entries_of(*pickle.loads(data))  # noqa: S301
                checkout.join(entries, begin.fresh, begin.torn)
                cache.rows = []
                write_each(self, pb.ProjectRef(), checkout, entries, self._at)
                self._line.send(_DONE, pickle.dumps(_Group(checkout.done(), b"".join(cache.rows))))
        except (EOFError, ConnectionError):
            return
        except BaseException as error:  # raised again by the process that forked this one
            with contextlib.suppress(OSError):
                self._line.send(_FAILED, pickle.dumps(error))

    def _at(self, done: int) -> None:
        self._line.send(_AT, _COUNT.pack(done))

    def chunks(self, project: pb.ProjectRef, hashes: list[bytes], session_id: bytes = b"") -> Iterator[pb.BlobChunk]:
        """As `Client.chunks`, of the project that is cloned."""
        for column in columns(hashes):
            self._line.send(_WANT, column)
            while (message := self._line.receive())[0] != _END:
                if os.getppid() != self._parent:
                    raise EOFError
                try:
                    chunk = pb.BlobChunk.FromString(message[1])
                except DecodeError as error:
                    raise Corrupt("The forge sent contents that cannot be read.", hint="Try again.") from error
                yield chunk
