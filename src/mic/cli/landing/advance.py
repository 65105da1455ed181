"""After a landing: the working copy moves to the landed position, and nobody's unlanded edit is touched.

For each path the entry of the new position is compared with the one that the index has. What the working copy still
holds as the index says is brought up to date; what was landed from here is recorded; what changed here meanwhile
stays as it is, recorded with its old base, so that a later landing cannot undo what came from others.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from mic.cli.terminal.output import Output
from mic.cli.transfer.sending import Sent
from mic.cli.working_copy.clone import tree_entries, write_contents
from mic.core.blob import MAX_WHOLE
from mic.core.errors import InvalidPath, MicError, NotFound
from mic.core.tree import BLOB, CHUNKED, Entry
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.checkout import Checkout
from mic.workspace.columns import git_mode
from mic.workspace.files import hash_file
from mic.workspace.folders import holds_others
from mic.workspace.index import Index, IndexEntry
from mic.workspace.workspace import Workspace

_DELETED = 2
# So many changes are put into an index one by one; more are put into one that is made anew.
_FEW = 100


class Advance(NamedTuple):
    """What happened to the working copy. `updated` counts files that others changed."""

    merged: list[bytes]
    updated: int
    kept: list[bytes]


def advance(
    client: Client,
    ws: Workspace,
    project: pb.ProjectRef,
    answer: pb.LandSessionResponse,
    sent: Sent,
    landed: list[pb.Change],
    index: Index | None = None,
) -> Advance:
    """Move to the position of `answer`, where the changes `landed` took effect: those sent, or in a landing that is
    repeated, those sent the first time. Safe to repeat: until the end, the index says what it said before.

    The base never moves back: of a landing before it, made from another working copy, everything is here already.
    `index` is that of the workspace, where it was read since the lock was taken; it is changed."""
    if answer.position < ws.config.position:
        return Advance([], 0, [])
    index = index or ws.index()
    if landed is sent.changes and _alone(ws, answer) and len(landed) <= _FEW:
        index.put(
            [
                _as_sent(_landed_entry(change), sent.stats.get(change.path))
                for change in landed
                if change.op != _DELETED
            ],
            [change.path for change in landed if change.op == _DELETED],
        )
        ws.save_index(index)
        ws.set_base(answer.position, answer.tree.hex())
        return Advance([], 0, [])
    old = {entry.path: entry for entry in index.entries()}
    new = _new_tree(client, ws, project, answer, old, landed)
    plan = _decide(ws, old, new, sent, {change.path: change.sent_hash for change in answer.merged}, landed)
    checkout = Checkout(ws)
    checkout.plan(plan.write)
    # Removed first: a folder may come where a file was.
    for path in plan.remove:
        checkout.remove(path)
    write_contents(
        client, project, checkout, [e for e in plan.write if e.path not in _away(checkout)], Output(as_json=True)
    )
    away = _away(checkout)
    for entry in plan.write:
        plan.entries[entry.path] = _unwritten(entry) if entry.path in away else _as_on_disk(ws, entry)
    # With the old clock, every file touched since counts as possibly changed and is read again once.
    ws.save_index(Index.build(list(plan.entries.values()), index.columns.clock))
    ws.set_base(answer.position, answer.tree.hex())
    merged = [change.path for change in answer.merged if change.path not in plan.kept]
    ours = {change.path for change in landed}
    updated = sum(1 for entry in plan.write if entry.path not in ours) + len(plan.remove)
    return Advance(sorted(merged), updated, sorted(plan.kept))


class _Plan(NamedTuple):
    entries: dict[bytes, IndexEntry]
    write: list[Entry]
    remove: list[bytes]
    kept: list[bytes]


def _new_tree(
    client: Client,
    ws: Workspace,
    project: pb.ProjectRef,
    answer: pb.LandSessionResponse,
    old: dict[bytes, IndexEntry],
    landed: list[pb.Change],
) -> dict[bytes, Entry]:
    """The files of the landed position; when nobody else landed since the base, they are known without asking."""
    if _alone(ws, answer):
        new = {path: Entry(path, entry.mode, entry.kind, entry.size, entry.hash) for path, entry in old.items()}
        for change in landed:
            if change.op == pb.Change.DELETED:
                new.pop(change.path, None)
            else:
                new[change.path] = _landed_entry(change)
        return new
    entries = tree_entries(client, project, answer.position, answer.tree.hex(), ws.part())
    return {entry.path: entry for entry in entries}


def _alone(ws: Workspace, answer: pb.LandSessionResponse) -> bool:
    """Whether nobody else landed since the base."""
    return answer.position == ws.config.position + 1 and not answer.merged and not answer.already_landed


def _landed_entry(change: pb.Change) -> Entry:
    # What the forge keeps in chunks is decided by size alone.
    kind = CHUNKED if change.size > MAX_WHOLE else BLOB
    return Entry(change.path, change.mode, kind, change.size, change.hash)


def _decide(
    ws: Workspace,
    old: dict[bytes, IndexEntry],
    new: dict[bytes, Entry],
    sent: Sent,
    merged: dict[bytes, bytes],
    landed: list[pb.Change],
) -> _Plan:
    plan = _Plan({}, [], [], [])
    local = {change.path: change for change in sent.changes}
    ours = {change.path for change in landed}
    for path in sorted(old.keys() | new.keys()):
        before, after, mine = old.get(path), new.get(path), local.get(path)
        if mine is not None and _same_as_sent(mine, after):
            if after is not None:
                plan.entries[path] = _as_sent(after, sent.stats.get(path))
        elif before is not None and after is not None and _same(before, after):
            plan.entries[path] = before
        elif mine is None and _untouched(ws, path, before):
            if after is not None:
                plan.write.append(after)
            elif before is not None and not before.unwritten:
                plan.remove.append(path)
        elif mine is not None and path in merged and after is not None and _as_merged(ws, mine, sent, merged[path]):
            plan.write.append(after)
        elif path in ours and path not in merged:
            # It landed from here and was edited again since (a landing that is repeated): that edit is on top of it.
            if after is not None:
                plan.entries[path] = _as_sent(after, None)
        else:
            plan.kept.append(path)
            if before is not None:
                plan.entries[path] = before
    going = set(plan.remove)
    for path in [path for path in plan.kept if path not in old and _only(ws, path, going)]:
        plan.kept.remove(path)
        plan.write.append(new[path])
    return plan


def _only(ws: Workspace, path: bytes, going: set[bytes]) -> bool:
    """Whether a folder stands at `path`, and all files in it are `going`: a file may come in its place."""
    full = _full(ws, path)
    return not os.path.islink(full) and os.path.isdir(full) and not holds_others(os.fsencode(ws.root), path, going)


def _same(before: IndexEntry, after: Entry) -> bool:
    return (before.mode, before.kind, before.hash) == (after.mode, after.kind, after.hash)


def _same_as_sent(mine: pb.Change, after: Entry | None) -> bool:
    if mine.op == pb.Change.DELETED:
        return after is None
    return after is not None and (mine.hash, mine.mode) == (after.hash, after.mode)


def _untouched(ws: Workspace, path: bytes, before: IndexEntry | None) -> bool:
    """Whether the file is still as the index has it; without an entry, whether nothing is there."""
    if before is not None and before.unwritten:
        return True
    try:
        stat = os.lstat(_full(ws, path))
    except (FileNotFoundError, NotADirectoryError):
        return before is None
    if before is None:
        return False
    if (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size) == (before.mtime_ns, before.ctime_ns, before.disk_size):
        return True
    # Touched, copied over, edited and put back, or not looked at since an `undo`: what counts is the content.
    if stat.st_size != before.size or git_mode(stat.st_mode) != git_mode(before.mode):
        return False
    try:
        return hash_file(ws, path, before.mode)[0] == before.hash
    except (NotFound, InvalidPath):
        return False


def _as_merged(ws: Workspace, mine: pb.Change, sent: Sent, merged: bytes) -> bool:
    """Whether the file is still what was sent and became part of a merge. When a landing is repeated, what is sent
    now may be another content than what was sent the first time, `merged`."""
    if mine.op == pb.Change.DELETED or (merged and mine.hash != merged):
        return False
    before = sent.stats.get(mine.path)
    if before is not None:
        return _still(ws, mine.path, before)
    # Sent by an earlier command: what counts is the content.
    try:
        now = git_mode(os.lstat(_full(ws, mine.path)).st_mode)
        return now == mine.mode and hash_file(ws, mine.path, mine.mode)[0] == mine.hash
    except (FileNotFoundError, NotADirectoryError, NotFound, InvalidPath):
        return False


def _still(ws: Workspace, path: bytes, before: os.stat_result) -> bool:
    """Whether the file is still the one that was sent."""
    try:
        now = os.lstat(_full(ws, path))
    except (FileNotFoundError, NotADirectoryError):
        return False
    return (now.st_mtime_ns, now.st_ctime_ns, now.st_size, now.st_ino) == (
        before.st_mtime_ns, before.st_ctime_ns, before.st_size, before.st_ino,
    )  # fmt: skip


def _as_sent(entry: Entry, stat: os.stat_result | None) -> IndexEntry:
    """The index entry of a file that stood so when it was sent; without `stat`, one that the next status reads."""
    if stat is None:
        return IndexEntry(*entry, 0, 0, 0, 0, False)
    return IndexEntry(*entry, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino, stat.st_size, False)


def _as_on_disk(ws: Workspace, entry: Entry) -> IndexEntry:
    try:
        return _as_sent(entry, os.lstat(_full(ws, entry.path)))
    except FileNotFoundError as error:
        raise MicError(f"{error.filename!r} went away while it was written.", hint="Run the command again.") from error


def _unwritten(entry: Entry) -> IndexEntry:
    return IndexEntry(*entry, 0, 0, 0, 0, True)


def _away(checkout: Checkout) -> set[bytes]:
    return {path for path, _ in checkout.unwritten}


def _full(ws: Workspace, path: bytes) -> bytes:
    return os.path.join(os.fsencode(ws.root), path)
