"""The operation log of a workspace: what stood here before each command that changed it, so that it can be undone.

`.mic/ops/{number}` is one operation (msgpack), `{number}.index` beside it the index as it was (a hard link: an index is
replaced, never written into), `contents/{hash}` the changed files as they were. Each file is written whole or not at
all, and before the first thing that the command changes. One that cannot be read stands in the log as `Damaged`, so
that the others can be used.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time

import msgspec

from mic.core.errors import Corrupt, TooLarge
from mic.core.session import Change
from mic.workspace.columns import decode
from mic.workspace.files import hash_file, open_content, read_content
from mic.workspace.index import Index
from mic.workspace.place import Naming, exists, read_file, take_away, write_file
from mic.workspace.status import status
from mic.workspace.workspace import Workspace

# Older ones are forgotten: further back nobody looks, and each may hold files.
KEEP = 50
# Of the form of an operation. A higher one is not read.
VERSION = 1
# Changed files of one operation that are copied. With more, a command is not held up, and cannot be undone.
MAX_BYTES = 256 << 20
_DELETED = 2
_PIECE = 1 << 20
_LINK = 0o120000


class Operation(msgspec.Struct):
    """What stood here before a command. `session`, `conflicts`, `pushed`, `attributed`, `sparse` are those files of
    `.mic`, None for none; of the last two an operation of an earlier version knows nothing.

    `changes` are the files that differed from the base, None for a command that touches no file. `final` says why it
    cannot be undone. `undoes` and `redoes` are the numbers of what was taken back; `done` when that came to its end.
    """

    number: int
    at_ms: int
    command: str
    position: int
    tree: str
    session: bytes | None = None
    conflicts: bytes | None = None
    pushed: bytes | None = None
    attributed: bytes | msgspec.UnsetType | None = msgspec.UNSET
    sparse: bytes | msgspec.UnsetType | None = msgspec.UNSET
    changes: list[Change] | None = None
    final: str = ""
    undoes: int = 0
    redoes: int = 0
    done: bool = True
    version: int = VERSION
    branch: str = ""


class Damaged(Operation):
    """An operation that cannot be read: `why` names its file. `files` when its command changed files, by the index that
    is kept beside it; without one it may have been anything that touches no file here, a landing too.
    """

    why: str = ""
    files: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Operation)


def operations(ws: Workspace) -> list[Operation]:
    """All that are written down, the oldest first; those that cannot be read are `Damaged`."""
    return [_read(ws, number) for number in _numbers(ws)]


def record(
    ws: Workspace, command: str, *, files: bool, final: str = "", undoes: int = 0, redoes: int = 0, done: bool = True
) -> Operation:
    """Write down how everything stands, before a command changes it; the caller holds the lock."""
    folder = ws.folder + b"/ops"
    os.makedirs(folder + b"/contents", exist_ok=True)
    number = max(_numbers(ws), default=0) + 1
    names = (b"session", b"conflicts", b"pushed", b"attributed", b"sparse")
    session, conflicts, pushed, attributed, sparse = (read_file(ws.folder + b"/" + name) for name in names)
    made = Operation(
        number, time.time_ns() // 1_000_000, command, ws.config.position, ws.config.tree, session, conflicts, pushed,
        attributed, sparse, final=final, undoes=undoes, redoes=redoes, done=done, branch=ws.config.branch,
    )  # fmt: skip
    if files:
        try:
            made.changes = _keep_changes(ws)
        except TooLarge as error:
            made.final = error.message
        link = folder + b"/%08d.index" % number
        with contextlib.suppress(FileNotFoundError):
            os.unlink(link)
        _link(ws.folder + b"/index", link)
    write(ws, made)
    _forget(ws)
    return made


def forget(ws: Workspace, operation: Operation) -> None:
    """Take away the newest operation, which touched no file and whose command changed nothing in the end."""
    assert operation.changes is None
    with contextlib.suppress(FileNotFoundError):
        os.unlink(ws.folder + b"/ops/%08d" % operation.number)


def write(ws: Workspace, operation: Operation) -> None:
    """Write an operation down, at once or not at all."""
    write_file(ws.folder + b"/ops", b"%08d" % operation.number, _encoder.encode(operation))


def index_of(ws: Workspace, operation: Operation) -> Index:
    """The index as it was; raises Corrupt, which names its file."""
    name = b"%08d.index" % operation.number
    columns = None
    with contextlib.suppress(OSError):
        raw = read_file(ws.folder + b"/ops/" + name)
        columns = decode(raw) if raw is not None else None
    if columns is None:
        raise Corrupt(f"{_shown(ws, name)} is damaged", hint="Nothing was touched. `mic op log` lists what was done.")
    return Index(columns)


def is_kept(ws: Workspace, content: bytes) -> bool:
    """Whether a changed file's content is kept, and is what its name says."""
    digest = hashlib.sha256()
    try:
        with open(content_path(ws, content), "rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
    except OSError:
        return False
    return digest.digest() == content


def content_path(ws: Workspace, content: bytes) -> bytes:
    """Where a changed file's content is kept."""
    return ws.folder + b"/ops/contents/" + content.hex().encode()


def standing(log: list[Operation]) -> tuple[list[Operation], list[Operation]]:
    """What can be undone and what can be redone, the next one last.

    A damaged one may have been a command, an undo or a redo: it stands where it stands in the log, until one below it
    is undone, which takes back what it did as well.
    """
    undo: list[Operation] = []
    redo: list[Operation] = []
    for each in log:
        if not each.done:
            continue
        if each.undoes:
            _take(undo, each.undoes)
            redo.append(each)
        elif each.redoes:
            _take(redo, each.redoes)
            undo.append(each)
        else:
            undo.append(each)
            redo.clear()
    return undo, redo


def _take(stack: list[Operation], number: int) -> None:
    """Take this one off, and all above it; nothing where it is not there any more."""
    at = next((at for at, each in enumerate(stack) if each.number == number), len(stack))
    del stack[at:]


def _keep_changes(ws: Workspace) -> list[Change]:
    kept, size = [], 0
    for change in status(ws).changes:
        if change.op == _DELETED:
            kept.append(Change(change.path, change.op, 0))
            continue
        content, length = hash_file(ws, change.path, change.mode)
        size += length
        if size > MAX_BYTES:
            raise TooLarge(f"The changed files had more than {MAX_BYTES >> 20} MiB, which are not kept.")
        _keep(ws, change.path, change.mode, content, length)
        kept.append(Change(change.path, change.op, change.mode, content, length))
    return kept


def _keep(ws: Workspace, path: bytes, mode: int, content: bytes, size: int) -> None:
    target = content_path(ws, content)
    if exists(target):
        there = os.lstat(target)
        if there.st_mode & 0o170000 == 0o100000 and there.st_size == size:
            return
        # Damaged since it was kept.
        os.rename(target, target + b".damaged")
    temporary = target + b".%d.new" % os.getpid()
    with Naming(target), open(temporary, "wb") as stream:
        if mode & 0o170000 == _LINK:
            stream.write(read_content(ws, path, mode))
        else:
            with open_content(ws, path) as source:
                shutil.copyfileobj(source, stream)
    os.rename(temporary, target)


def _link(source: bytes, target: bytes) -> None:
    try:
        os.link(source, target)
    except OSError:
        # A file system without hard links.
        shutil.copyfile(source, target + b".new")
        os.rename(target + b".new", target)


def _numbers(ws: Workspace) -> list[int]:
    try:
        names = os.listdir(ws.folder + b"/ops")
    except FileNotFoundError:
        return []
    return sorted(int(name) for name in names if name.isdigit())


def _read(ws: Workspace, number: int) -> Operation:
    name = b"%08d" % number
    why = "is damaged"
    try:
        found = _decoder.decode(read_file(ws.folder + b"/ops/" + name) or b"")
        # A number that is not that of its name is somebody else's file.
        if found.version <= VERSION and found.number == number:
            return found
        if found.version > VERSION:
            why = "was written by a newer version of mic"
    except (msgspec.MsgspecError, IsADirectoryError):
        pass
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
    files = exists(ws.folder + b"/ops/" + name + b".index")
    return Damaged(number, 0, "", 0, "", why=f"{_shown(ws, name)} {why}", files=files)


def _shown(ws: Workspace, name: bytes) -> str:
    return f"{ws.root}/.mic/ops/{name.decode()}"


def _forget(ws: Workspace) -> None:
    """Take the oldest away, and contents that none of the others has."""
    folder = ws.folder + b"/ops"
    old = _numbers(ws)[:-KEEP]
    if not old:
        return
    for number in old:
        for name in (b"%08d" % number, b"%08d.index" % number):
            take_away(folder + b"/" + name)
    log = operations(ws)
    if any(isinstance(each, Damaged) for each in log):
        # Which contents it names nobody knows; they go when it has gone.
        return
    named = {change.hash.hex().encode() for each in log for change in each.changes or ()}
    for name in os.listdir(folder + b"/contents"):
        if name not in named:
            take_away(folder + b"/contents/" + name)
