"""The exact conflict check: what a session changed against what landed since its base.

For each changed path three entries are compared: at the session's base, in the head tree, and new. It is
a conflict only when the head differs from the base *and* from the new entry, and the two contents do not
merge by lines. Cost depends on the number of changed paths, not on the age of the base; nothing is
guessed from filters or timestamps.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from mic.core.attribution import FileLines, moved_to, parse
from mic.core.blob import decode_blob, encode_blob
from mic.core.errors import BaseMismatch, InvalidInput
from mic.core.ids import content_hash
from mic.core.merge3 import lines_of_ours, merge3
from mic.core.paths import display, parse_paths
from mic.core.record import Record
from mic.core.session import Change, Op, Session
from mic.core.tree import BLOB, EMPTY_TREE, Entry, NodeSource, has_under, occupied, scan
from mic.core.tree.compare import Place
from mic.core.tree.read import after_prefix
from mic.ledger.contents import read_blob
from mic.ledger.effects import Protocol
from mic.ledger.last_change import last_changes
from mic.ledger.line import Line
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects

MAX_MERGE = 1 << 20
# New paths from which on one walk tells of all whether there are files below.
_FEW = 3
_FILE = 0o100000 >> 12  # the type in the mode of a regular file, whatever permissions an old repository gave it


class Clash(NamedTuple):
    """A path that cannot land: entries at the base, in the session (ours) and in the head (theirs)."""

    path: bytes
    reason: str  # changed | file_over_directory | directory_over_file
    base: Entry | None
    ours: Entry | None
    theirs: Entry | None
    theirs_position: int


class Verdict(NamedTuple):
    """Edits to apply to the head tree, merged contents (hash -> stored bytes), merged changes; or clashes.

    `attributed` is what the session said of the lines of contents that were merged, said of the merged ones.
    """

    edits: dict[bytes, Entry | None]
    contents: dict[bytes, bytes]
    merged: list[Change]
    clashes: list[Clash]
    attributed: dict[bytes, FileLines]


def new_entries(session: Session) -> dict[bytes, Entry | None]:
    """What the session wants each path to be; raises InvalidPath, InvalidInput."""
    changes = session.changes
    parse_paths([change.path for change in changes])
    deleted = Op.DELETED
    wanted: dict[bytes, Entry | None] = {
        (path := change.path): Entry(path, change.mode, change.kind, change.size, change.hash)
        if change.op != deleted
        else None
        for change in changes
    }
    if len(wanted) < len(changes):
        seen: set[bytes] = set()
        for change in changes:
            if change.path in seen:
                raise InvalidInput(f"{display(change.path)} is changed twice in one session")
            seen.add(change.path)
    # With the slash as the smallest byte, what lies below a path follows it at once.
    files = sorted(path.replace(b"/", b"\0") for path, entry in wanted.items() if entry is not None)
    above = [path for path, below in pairwise(files) if below.startswith(path + b"\0")]
    if above:
        first = min(path.replace(b"\0", b"/") for path in above)
        raise InvalidInput(f"{display(first)} cannot be a file and a directory at once")
    return wanted


def asked(session: Session) -> Sequence[bytes]:
    """The paths of a session and, as only a new file can come to lie below another, the directories above those."""
    paths = [change.path for change in session.changes]
    above: set[bytes] = set()
    added = Op.ADDED
    for change in session.changes:
        if change.op == added:
            directory = change.path.rpartition(b"/")[0]
            while directory and directory not in above:
                above.add(directory)
                directory = directory.rpartition(b"/")[0]
    return sorted(above.union(paths)) if above else paths


def ancestors(path: bytes) -> list[bytes]:
    """Every directory above a path: b"a/b/c" -> [b"a", b"a/b"]."""
    out, at = [], path.find(b"/")
    while at >= 0:
        out.append(path[:at])
        at = path.find(b"/", at + 1)
    return out


def check_base(session: Session, base: Mapping[bytes, Place]) -> None:
    """What the session says of its base must be what the project held there; raises BaseMismatch."""
    added = Op.ADDED
    for change in session.changes:
        place = base.get(change.path)
        if place is None:
            right = change.op == added and not change.base_hash
        else:
            right = change.op != added and place[0].holds(place[1], change.base_hash, change.base_mode)
        if not right:
            raise BaseMismatch(
                f"{display(change.path)} was not like that at position {session.base_position}",
                hint="clone again, or land from the workspace that has this base",
                path=change.path,
            )


def _entry(base: Mapping[bytes, Place], path: bytes) -> Entry | None:
    place = base.get(path)
    return place[0].entry(place[1]) if place is not None else None


def judge(
    line: Line,
    sent: Objects,
    nodes: NodeSource,
    tree: bytes,
    newer: Sequence[Record],
    session: Session,
    wanted: Mapping[bytes, Entry | None],
    base: Mapping[bytes, Place],
    moved: Mapping[bytes, Entry | None],
    contents: Mapping[bytes, bytes],
    texts: Mapping[bytes, bytes],
) -> Protocol[Verdict]:
    """Compare with a tree and merge what merges.

    The tree is that of the head with the records `newer` on top; `nodes` has what they made of it. `moved` are the
    paths that `asked` names and that are not in the tree what they are in `base`; None for what is no file there.
    `sent` finds uploaded contents, `contents` are stored bytes that came with the sessions, `texts` contents that were
    read already.
    """
    new = [change.path for change in session.changes if change.op == Op.ADDED] if tree != EMPTY_TREE else []
    if not moved and not new:
        return Verdict(dict(wanted), {}, [], [], {})
    full: Container[bytes] = new  # a few are looked for one by one
    if len(new) > _FEW:
        full = yield from with_nodes(line.objects, line.cache, occupied(nodes, tree, new))
    verdict = Verdict({}, {}, [], [], {})
    edits, said = verdict.edits, parse(session.attribution).files
    for change in session.changes:
        path, mine = change.path, wanted[change.path]
        if path not in moved and change.op != Op.ADDED:
            edits[path] = mine
        else:
            old = _entry(base, path)
            now = moved.get(path, old)
            reason, shadow = "", now
            if _same(now, old):
                edits[path] = mine
            elif not _same(now, mine):
                merged = yield from _merge(line, sent, old, mine, now, contents, texts)
                if merged is None:
                    reason = "changed"
                else:
                    entry, stored, sides = merged
                    edits[path] = entry
                    if stored:
                        verdict.contents[entry.hash] = stored
                        if path in said:
                            verdict.attributed[path] = moved_to(said[path], entry.hash, lines_of_ours(*sides))
                    if entry != mine:
                        verdict.merged.append(_merged_change(change, entry, now))
            if change.op == Op.ADDED and now is None and not reason and tree != EMPTY_TREE:
                reason, shadow = _beneath_a_file(path, wanted, base, moved)
                if not reason and path in full:
                    reason, shadow = yield from _over_files(line, nodes, tree, path, wanted)
            if reason:
                verdict.clashes.append(Clash(path, reason, old, mine, shadow, 0))
    if verdict.clashes:
        verdict.clashes[:] = yield from _dated(line, newer, verdict.clashes, session.base_position)
    return verdict


def _dated(line: Line, newer: Sequence[Record], clashes: Sequence[Clash], base: int) -> Protocol[list[Clash]]:
    """The clashes with the positions that put there what is in the way; 0 where nothing did since the base."""
    blamed = [clash.theirs.path if clash.theirs else clash.path for clash in clashes]
    theirs = {path: clash.theirs for path, clash in zip(blamed, clashes, strict=True)}
    found = yield from last_changes(line, newer, theirs, base)
    return [clash._replace(theirs_position=found.get(path, 0)) for path, clash in zip(blamed, clashes, strict=True)]


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
        copied_from=change.copied_from,
    )


def _merge(
    line: Line,
    sent: Objects,
    old: Entry | None,
    mine: Entry | None,
    now: Entry | None,
    contents: Mapping[bytes, bytes],
    texts: Mapping[bytes, bytes],
) -> Protocol[tuple[Entry, bytes, list[bytes]] | None]:
    """Both sides changed a file: mode and content each merged on their own, or None.

    With what was merged by lines come its stored form and the three texts.
    """
    if old is None or mine is None or now is None:
        return None
    if len({side.mode >> 12 for side in (old, mine, now)}) > 1:
        return None  # a file became a link, or a link a file: the content of one means nothing in the other
    mode = mine.mode if now.mode == old.mode else now.mode if mine.mode in (old.mode, now.mode) else None
    if mode is None:
        return None
    if mine.hash == now.hash or now.hash == old.hash:
        return mine._replace(mode=mode), b"", []
    if mine.hash == old.hash:
        return now._replace(mode=mode), b"", []
    sides = (old, mine, now)
    if not all(map(_is_text, sides)):
        return None
    three = []
    for side in sides:
        text = texts.get(side.hash)
        three.append((yield from _content(sent, side, contents)) if text is None else text)
    result = merge3(*three)
    if not result.clean:
        return None
    if line.inspect is not None:
        line.inspect(mine.path, result.merged, three)
    merged_hash = content_hash(result.merged)
    entry = Entry(mine.path, mode, BLOB, len(result.merged), merged_hash)
    return entry, encode_blob(result.merged), three


def _is_text(side: Entry) -> bool:
    return side.mode >> 12 == _FILE and side.kind == BLOB and side.size <= MAX_MERGE


def to_merge(
    wanted: Mapping[bytes, Entry | None],
    base: Mapping[bytes, Place],
    moved: Mapping[bytes, Entry | None],
    contested: Iterable[bytes],
) -> set[bytes]:
    """The contents that `judge` will probably ask for: of paths that moved, or that others are about to move."""
    found: set[bytes] = set()
    for path in {*moved, *contested}:
        old, mine = _entry(base, path), wanted.get(path)
        now = moved.get(path, old)
        if old is None or mine is None or now is None or not all(map(_is_text, (old, mine, now))):
            continue
        if mine.hash not in (old.hash, now.hash):
            found.update((old.hash, mine.hash, now.hash))
    return found


def _content(sent: Objects, entry: Entry, contents: Mapping[bytes, bytes]) -> Protocol[bytes]:
    if entry.hash in contents:
        return decode_blob(contents[entry.hash], entry.hash, "a content of the session")
    return (yield from read_blob(sent, entry.hash, MAX_MERGE))


def _beneath_a_file(
    path: bytes,
    wanted: Mapping[bytes, Entry | None],
    base: Mapping[bytes, Place],
    moved: Mapping[bytes, Entry | None],
) -> tuple[str, Entry | None]:
    """A new path must not lie below a file that stays."""
    for above in ancestors(path):
        now = moved[above] if above in moved else _entry(base, above)
        if now is not None and wanted.get(above, now) is not None:
            return "directory_over_file", now
    return "", None


def _over_files(
    line: Line, nodes: NodeSource, tree: bytes, path: bytes, wanted: Mapping[bytes, Entry | None]
) -> Protocol[tuple[str, Entry | None]]:
    """Nor hide files that stay."""
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
