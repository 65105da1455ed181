"""What a session stands on that has not landed yet: the work of the session below it, in `.mic/stacked`.

`{session}` is what that one had changed when this one began (msgpack), `contents/{hash}` its texts. When the one below
has landed, what stands here is compared with these, so that only what was done above it is a change.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Sequence

import msgspec

from mic.core.errors import Corrupt
from mic.core.ids import ulid_text
from mic.core.merge3 import MAX_MERGE_BYTES
from mic.core.session import Change, Op
from mic.core.tree import Entry
from mic.workspace.columns import git_mode
from mic.workspace.files import hash_file, read_content
from mic.workspace.place import read_file, take_away, write_file
from mic.workspace.status import LocalChange
from mic.workspace.workspace import Workspace

_REGULAR = 0o100000


class Below(msgspec.Struct, frozen=True):
    """The session below: its id, its goal, and what it had changed."""

    session: bytes
    goal: str
    changes: tuple[Change, ...]
    version: int = 1


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Below)


def keep(ws: Workspace, session_id: bytes, below: Below) -> None:
    """Write down what a session stands on; the files here are those of the session below."""
    folder = ws.folder + b"/stacked"
    os.makedirs(folder + b"/contents", exist_ok=True)
    for change in below.changes:
        text = change.op != Op.DELETED and change.mode & 0o170000 == _REGULAR and change.size <= MAX_MERGE_BYTES
        if text:
            write_file(folder + b"/contents", change.hash.hex().encode(), read_content(ws, change.path, change.mode))
    write_file(folder, ulid_text(session_id).encode(), _encoder.encode(below))


def find(ws: Workspace, session_id: bytes) -> Below | None:
    """What a session stands on, if that was written down here; raises Corrupt."""
    name = ulid_text(session_id)
    raw = read_file(ws.folder + b"/stacked/" + name.encode())
    if raw is None:
        return None
    try:
        return _decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise Corrupt(
            f"what a session stands on, in {ws.root}/.mic/stacked/{name}, is damaged: {error}",
            hint="move that file away; `mic sync` asks about more then",
        ) from error


def renamed(ws: Workspace, old: bytes, new: bytes) -> None:
    """The session goes on under another id: what it stands on is written down for both, until one is dropped."""
    folder = ws.folder + b"/stacked"
    raw = read_file(folder + b"/" + ulid_text(old).encode())
    if raw is not None:
        write_file(folder, ulid_text(new).encode(), raw)


def own_changes(ws: Workspace, below: Below, changes: Sequence[LocalChange]) -> list[LocalChange]:
    """Of the changes here, those above a session below, sorted by path: what that one's files are not any more.

    A file of that one which stands as it does at the base again is a change too: it takes the work below back.
    """
    found = {change.path: change for change in changes}
    for old in below.changes:
        found.pop(old.path, None)
        mode = _mode(ws, old.path)
        entry = None if old.op == Op.DELETED else Entry(old.path, old.mode, old.kind, old.size, old.hash)
        if entry is None and not mode:
            continue
        if entry is not None and mode == entry.mode and hash_file(ws, old.path, mode)[0] == entry.hash:
            continue
        op = Op.ADDED if entry is None else Op.MODIFIED if mode else Op.DELETED
        found[old.path] = LocalChange(old.path, int(op), mode, entry)
    return [found[path] for path in sorted(found)]


def _mode(ws: Workspace, path: bytes) -> int:
    """The mode that Git has for what stands at a path; 0 for nothing and for what no tree holds."""
    try:
        return git_mode(os.lstat(os.fsencode(ws.root) + b"/" + path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return 0


def content(ws: Workspace, name: bytes) -> bytes | None:
    """A text of a session below, by its hash; None when it is not kept, or is not what its name says."""
    with contextlib.suppress(OSError):
        data = read_file(ws.folder + b"/stacked/contents/" + name.hex().encode())
        if data is not None and hashlib.sha256(data).digest() == name:
            return data
    return None


def drop(ws: Workspace, session_id: bytes) -> None:
    """The session has landed, or stands on nothing any more. Contents that no other has go too, unless one of the
    others is damaged: which it has nobody knows."""
    folder = ws.folder + b"/stacked"
    take_away(folder + b"/" + ulid_text(session_id).encode())
    kept: set[bytes] = set()
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        for name in os.listdir(folder):
            if name != b"contents" and not name.endswith(b".new"):
                raw = read_file(folder + b"/" + name)
                kept.update(change.hash.hex().encode() for change in _decoder.decode(raw or b"").changes)
        for name in os.listdir(folder + b"/contents"):
            if name not in kept:
                take_away(folder + b"/contents/" + name)
