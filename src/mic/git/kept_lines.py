"""The branches of a project that sessions land on, in its Git view: a ref for each, whose commits are in its packs.

A line's commits behind where it left main are derived from its own log, on main's commit there. Which lines there are
is told by whoever keeps the objects; what the view says of them can be made again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

import msgspec

from mic.core.tombstone import Tombstone
from mic.git.derive import Derivation, Tip, Unservable
from mic.git.objects import EMPTY_TREE_OID, commit_line
from mic.git.packentry import COMMIT
from mic.git.packs import Packs
from mic.git.packwrite import PackWriter
from mic.git.snapshot import Snapshot
from mic.git.view import LineTip, View
from mic.ledger.project import Project

if TYPE_CHECKING:
    from mic.git.kept import KeptObjects

HEADS = b"refs/heads/"
# As many landings, or bytes, are one pack as of main.
_LANDINGS = 2_000
_BYTES = 16 << 20
_SPOOLED = 8 << 20


class Followed(NamedTuple):
    """A line that there is. `shared`: where it left main, -1 when it left another line; `position`: its newest."""

    branch: str
    line: str
    shared: int
    position: int


# Which lines a project has besides main, each behind the one that it began from, and how to open one.
Lines = tuple[Callable[[], Sequence[Followed]], Callable[[str], Project]]


def lines_of(view: View) -> dict[bytes, LineTip]:
    """The lines by the names of their refs, also of those that have none yet."""
    return {HEADS + item.branch.encode(): item for item in view.lines}


def refs_of(view: View) -> dict[bytes, bytes]:
    """The refs of lines, as far as they have a commit and can be served."""
    return {HEADS + item.branch.encode(): item.tip for item in view.lines if item.tip and not item.trouble}


def follow_lines(kept: KeptObjects, snapshot: Snapshot, lines: Lines) -> bool:
    """Bring what the view says of the lines up to them, by one step; False when nothing was to do."""
    listed, opened = lines
    view = snapshot.view
    known = {item.line: item for item in view.lines}
    followed = listed()
    there = {each.line for each in followed}
    if known.keys() != there or any(known[each.line].branch != each.branch for each in followed):
        tips = tuple(known.get(each.line) or _begun(kept, snapshot, each, opened) for each in followed)
        gone = any(item.line not in there and item.tip for item in view.lines)
        new = msgspec.structs.replace(view, lines=tips, exact=view.exact and not gone)
        kept.replace(snapshot, new)
        return True
    for each in followed:
        if each.position > known[each.line].position and not known[each.line].trouble:
            _derive(kept, snapshot, known[each.line], opened(each.line))
            return True
    return False


def unheard_of(view: View, lines: Lines) -> dict[bytes, Tombstone]:
    """What was erased on lines, as the store has it now, and may still be in the packs."""
    listed, opened = lines
    found: dict[bytes, Tombstone] = {}
    for each in listed():
        line = opened(each.line)
        line.head()
        found.update((content, stone) for content, stone in line.erased().items() if content not in view.erased)
    return found


def _begun(kept: KeptObjects, snapshot: Snapshot, each: Followed, opened: Callable[[str], Project]) -> LineTip:
    at = each.shared if each.shared >= 0 else _shared(kept.project, opened(each.line))
    return LineTip(each.branch, each.line, at, (kept.commit_at(snapshot, at) or b"") if at else b"")


def _shared(main: Project, line: Project) -> int:
    """The newest position that a line and main have in common; they differ in all behind it."""
    low, high = 0, min(main.head().position, line.head().position)
    while low < high:
        middle = (low + high + 1) // 2
        if main.records(middle, middle) == line.records(middle, middle):
            low = middle
        else:
            high = middle - 1
    return low


def _derive(kept: KeptObjects, snapshot: Snapshot, tip: LineTip, line: Project) -> None:
    """Derive the next landings of a line, unless another does so first."""
    head = line.head()
    stones = {content: stone for content, stone in line.erased().items() if content not in snapshot.view.erased}
    if stones:
        kept.rewrite(snapshot, stones)
        return
    view, packs = snapshot.view, kept.reader(snapshot)
    with cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOLED)) as out:
        writer = PackWriter(out)
        before = kept.rewritten(view)
        silent = bool(line.redactions())
        derivation = Derivation(line, packs, writer, kept.known_oids, line.erased(), before, silent)
        at, position, trouble = _tip(packs, tip.tip), tip.position, ""
        try:
            while position < min(head.position, tip.position + _LANDINGS) and writer.size <= _BYTES:
                for record in line.records(position + 1, min(head.position, position + 255)):
                    at, position = derivation.landing(record, at), record.position
                    if writer.size > _BYTES:
                        break
        except Unservable as error:
            trouble = str(error)
        moved = LineTip(tip.branch, tip.line, position, at.commit, trouble)
        new = msgspec.structs.replace(view, lines=tuple(moved if item == tip else item for item in view.lines))
        if derivation.rewritten != before:
            ids = {old: oid for old, oid in derivation.rewritten.items() if before.get(old) != oid}
            new = msgspec.structs.replace(new, rewritten=(*view.rewritten, kept.keep_ids(ids)))
        if writer.objects:
            pack = kept.keep(writer.finish(), out, derived=True)
            new = msgspec.structs.replace(new, packs=(*view.packs, pack))
    if kept.replace(snapshot, new):
        kept.tidy()


def _tip(packs: Packs, commit: bytes) -> Tip:
    if not commit:
        return Tip(b"", EMPTY_TREE_OID)
    return Tip(commit, commit_line(commit, packs.read(commit, COMMIT)[1]).tree)
