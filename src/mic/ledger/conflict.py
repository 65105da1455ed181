"""The exact conflict check: what a session changed against what landed since its base.

For each changed path three entries are compared: at the session's base, in the head tree, and new. It is
a conflict only when the head differs from the base *and* from the new entry, and the two contents do not
merge by lines. Cost depends on the number of changed paths, not on the age of the base; nothing is
guessed from filters or timestamps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mic.core.blob import decode_blob, encode_blob
from mic.core.errors import BaseMismatch, InvalidInput
from mic.core.ids import content_hash
from mic.core.merge3 import merge3
from mic.core.paths import display, parse_path
from mic.core.record import Record
from mic.core.session import Change, Op, Session
from mic.core.tree import BLOB, EMPTY_TREE, Entry, NodeSource, has_under, lookup, scan
from mic.core.tree.read import after_prefix
from mic.ledger.contents import read_blob
from mic.ledger.effects import Protocol
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects

MAX_MERGE = 1 << 20
_REGULAR = (0o100644, 0o100755)


class Clash(NamedTuple):
    """A path that cannot land: entries at the base, in the session (ours) and in the head (theirs)."""

    path: bytes
    reason: str  # changed | file_over_directory | directory_over_file
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    theirs_position: int


class Verdict(NamedTuple):
    """Edits to apply to the head tree, merged contents (hash -> stored bytes), merged changes; or clashes."""

    edits: dict[bytes, Entry | None]
    contents: dict[bytes, bytes]
    merged: list[Change]
    clashes: list[Clash]


def new_entries(session: Session) -> dict[bytes, Entry | None]:
    """What the session wants each path to be; raises InvalidPath, InvalidInput."""
    wanted: dict[bytes, Entry | None] = {}
    for change in session.changes:
        path = parse_path(change.path)
        if path in wanted:
            raise InvalidInput(f"{display(path)} is changed twice in one session")
        wanted[path] = (
            None if change.op == Op.DELETED else Entry(path, change.mode, change.kind, change.size, change.hash)
        )
    for ancestor in sorted(_above(wanted)):
        if wanted.get(ancestor) is not None:
            raise InvalidInput(f"{display(ancestor)} cannot be a file and a directory at once")
    return wanted


def _above(wanted: Mapping[bytes, Entry | None]) -> set[bytes]:
    """Every directory above a path that is to be a file."""
    found: set[bytes] = set()
    for path, entry in wanted.items():
        above = path.rpartition(b"/")[0] if entry is not None else b""
        while above and above not in found:
            found.add(above)
            above = above.rpartition(b"/")[0]
    return found


def ancestors(path: bytes) -> list[bytes]:
    """Every directory above a path: b"a/b/c" -> [b"a", b"a/b"]."""
    out, at = [], path.find(b"/")
    while at >= 0:
        out.append(path[:at])
        at = path.find(b"/", at + 1)
    return out


def check_base(session: Session, base: Mapping[bytes, Entry]) -> None:
    """What the session says of its base must be what the project held there; raises BaseMismatch."""
    for change in session.changes:
        entry = base.get(change.path)
        known = (entry.hash, entry.mode) if entry else (b"", 0)
        if (change.base_hash, change.base_mode if entry else 0) != known or (change.op == Op.ADDED) != (entry is None):
            raise BaseMismatch(
                f"{display(change.path)} was not like that at position {session.base_position}",
                hint="clone again, or land from the workspace that has this base",
                path=change.path,
            )


def judge(
    line: Line,
    sent: Objects,
    nodes: NodeSource,
    tree: bytes,
    newer: Sequence[Record],
    session: Session,
    wanted: Mapping[bytes, Entry | None],
    base: Mapping[bytes, Entry],
    contents: Mapping[bytes, bytes],
) -> Protocol[Verdict]:
    """Compare with a tree and merge what merges.

    The tree is that of the head with the records `newer` on top; `nodes` has what they made of it, `sent` finds
    uploaded contents, `contents` are stored bytes that came with the sessions.
    """
    theirs: dict[bytes, Entry] = {}
    if tree != EMPTY_TREE:
        asked = sorted(_above(wanted).union(wanted))
        theirs = yield from with_nodes(line.objects, line.cache, lookup(nodes, tree, asked))
    verdict = Verdict({}, {}, [], [])
    for change in session.changes:
        path, mine = change.path, wanted[change.path]
        old, now = base.get(path), theirs.get(path)
        reason, shadow = "", now
        if _same(now, old):
            verdict.edits[path] = mine
        elif not _same(now, mine):
            merged = yield from _merge(sent, old, mine, now, contents)
            if merged is None:
                reason = "changed"
            else:
                entry, stored = merged
                verdict.edits[path] = entry
                if stored:
                    verdict.contents[entry.hash] = stored
                if entry != mine:
                    verdict.merged.append(_merged_change(change, entry, now))
        if mine is not None and now is None and not reason and tree != EMPTY_TREE:
            reason, shadow = yield from _shadow(line, nodes, tree, path, wanted, theirs)
        if reason:
            position = yield from _last_change(line, newer, shadow.path if shadow else path, session.base_position)
            verdict.clashes.append(Clash(path, reason, old, mine, shadow, position))
    return verdict


def _same(left: Entry | None, right: Entry | None) -> bool:
    if left is None or right is None:
        return left is right
    return left.hash == right.hash and left.mode == right.mode


def _merged_change(change: Change, entry: Entry, now: Entry | None) -> Change:
    """The change as it lands: from what the head held to the merged content."""
    return Change(
        path=change.path,
        op=Op.MODIFIED if now else Op.ADDED,
        mode=entry.mode,
        hash=entry.hash,
        size=entry.size,
        base_hash=now.hash if now else b"",
        base_mode=now.mode if now else 0,
        kind=entry.kind,
    )


def _merge(
    sent: Objects, old: Entry | None, mine: Entry | None, now: Entry | None, contents: Mapping[bytes, bytes]
) -> Protocol[tuple[Entry, bytes] | None]:
    """Both sides changed a file: mode and content each merged on their own, or None."""
    if old is None or mine is None or now is None:
        return None
    if len({side.mode >> 12 for side in (old, mine, now)}) > 1:
        return None  # a file became a link, or a link a file: the content of one means nothing in the other
    mode = mine.mode if now.mode == old.mode else now.mode if mine.mode in (old.mode, now.mode) else None
    if mode is None:
        return None
    if mine.hash == now.hash or now.hash == old.hash:
        return mine._replace(mode=mode), b""
    if mine.hash == old.hash:
        return now._replace(mode=mode), b""
    sides = (old, mine, now)
    if any(side.mode not in _REGULAR or side.kind != BLOB or side.size > MAX_MERGE for side in sides):
        return None
    texts = []
    for side in sides:
        texts.append((yield from _content(sent, side, contents)))
    result = merge3(*texts)
    if not result.clean:
        return None
    merged_hash = content_hash(result.merged)
    entry = Entry(mine.path, mode, BLOB, len(result.merged), merged_hash)
    return entry, encode_blob(result.merged)


def _content(sent: Objects, entry: Entry, contents: Mapping[bytes, bytes]) -> Protocol[bytes]:
    if entry.hash in contents:
        return decode_blob(contents[entry.hash], entry.hash, "a content of the session")
    return (yield from read_blob(sent, entry.hash, MAX_MERGE))


def _shadow(
    line: Line,
    nodes: NodeSource,
    tree: bytes,
    path: bytes,
    wanted: Mapping[bytes, Entry | None],
    theirs: Mapping[bytes, Entry],
) -> Protocol[tuple[str, Entry | None]]:
    """A new path must not lie below a file of the head tree, nor hide files of it."""
    for above in ancestors(path):
        if above in theirs and wanted.get(above, theirs[above]) is not None:
            return "directory_over_file", theirs[above]
    below = yield from with_nodes(line.objects, line.cache, has_under(nodes, tree, path))
    kept = [name for name in below if wanted.get(name, name) is not None]
    if len(below) >= 64 and not kept:
        # More files than one look shows: count them all against what the session deletes.
        prefix = path + b"/"
        everything = yield from with_nodes(line.objects, line.cache, scan(nodes, tree, prefix, after_prefix(prefix)))
        kept = [entry.path for entry in everything if wanted.get(entry.path, entry) is not None]
    if kept:
        return "file_over_directory", Entry(kept[0], 0, BLOB, 0, b"")
    return "", None


def _last_change(line: Line, newer: Sequence[Record], path: bytes, base: int) -> Protocol[int]:
    """The newest landing after `base` that changed a path; 0 when none did."""
    for record in reversed(newer):
        if any(change.path == path for change in record.changes):
            return record.position
    assert line.head is not None
    at = line.head.position
    while at > base:
        first = max(base + 1, at - 255)
        for record in reversed((yield from records(line, first, at))):
            if any(change.path == path for change in record.changes):
                return record.position
        at = first - 1
    return 0
