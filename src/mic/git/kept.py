"""The Git objects that a project keeps: the newest view, its packs, its graph; and catching up with the log.

Whoever asks first after a landing makes its Git objects. That several front ends do so at once is harmless: what is
made is a function of the log, and only one of the views counts.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, cast

import msgspec

from mic.core.errors import AlreadyExists, Corrupt
from mic.core.record import Record
from mic.core.redaction import Redaction
from mic.core.stand_in import Person, commit_without
from mic.core.tombstone import Tombstone
from mic.git.derive import Derivation, Tip, Unservable
from mic.git.graph import Graph
from mic.git.kept_lines import Lines, follow_lines, unheard_of
from mic.git.kept_notes import KeptNotes
from mic.git.merge_packs import due_to_merge, merge_packs
from mic.git.moving import advance
from mic.git.native import native_commit
from mic.git.objects import EMPTY_TREE_OID, commit_line
from mic.git.pack_lines import PackLines
from mic.git.packentry import COMMIT, TAG
from mic.git.packfolder import BLOCK, PackFolder
from mic.git.packindex import PackIndex
from mic.git.packs import Pack, Packs
from mic.git.packscan import Limits
from mic.git.packwrite import PackWriter, WrittenPack
from mic.git.quarantine import Quarantine
from mic.git.ready import ReadyPacks
from mic.git.rewrite import Rewrite, decode_rewritten, encode_rewritten
from mic.git.send import Trailers, send_history
from mic.git.shown import Shown
from mic.git.silent import silent_commits
from mic.git.snapshot import Snapshot
from mic.git.view import KeptPack, Numbered, View, newest_view, packs_prefix, rewritten_key, write_view
from mic.ledger import single
from mic.ledger.project import Project
from mic.store import MapsObjects

# So many landings, or so many bytes, are one pack when a project catches up.
_LANDINGS = 2_000
_BYTES = 16 << 20
_SPOOLED = 8 << 20
_COPIED = 16 << 20
# What was kept once was judged then, by the wider limits of an import perhaps.
_OURS = Limits(objects=1 << 31, inflated=1 << 50, seconds=86_400.0, made=1 << 50, chain=1 << 50)
# A pack that was merged away may still be read by a clone on a slow line.
_RETIRED_MS = 6 * 3600 * 1000


class KeptObjects:
    """Git objects of one project, shared by the threads of a process.

    `origin` opens those of the project that a fork reads through: what was pushed there and no landing tells of, side
    branches above all, belongs to the fork's history too. `lines` are those besides main (`mic.git.kept_lines`).
    """

    def __init__(
        self, project: Project, origin: Callable[[str], KeptObjects] | None = None, lines: Lines | None = None
    ) -> None:
        self.project = project
        self._origin = origin
        self._lines = lines
        self._lock = threading.Lock()
        self._catching_up = threading.Lock()
        self._numbered = Numbered(0, View())
        self._open: dict[str, Pack] = {}
        self._graph = Graph()
        self.known_oids: OrderedDict[bytes, bytes] = OrderedDict()
        self._shown: Shown | None = None
        self._lists: dict[str, dict[bytes, bytes]] = {}
        self._folder = PackFolder(project, packs_prefix(project.line.project))
        self.ready = ReadyPacks(project)
        self.notes = KeptNotes(self)
        self.trailers = Trailers()

    # ------------------------------------------------------------ reading

    def snapshot(self) -> Snapshot:
        """What counts now, as far as it was derived."""
        with self._lock:
            self._numbered = self.project.run(newest_view(self.project.line.project, self._numbered))
            names = [pack.name for pack in self._numbered.view.packs]
            gone = self._open.keys() - names
            fresh = [name for name in names if name not in self._open]
            for name in fresh:
                self._open[name] = self._folder.opened(name)
            for name in gone:
                del self._open[name]
            if gone:  # merged, or taken out again: then its commits are no more
                self._graph, fresh = Graph(), names
            for name in fresh:
                self._graph.add_later(self._open[name].index.commits)
            return Snapshot(self._numbered, tuple(self._open[name] for name in names), self._graph)

    def shown(self, snapshot: Snapshot, packs: Packs) -> Shown:
        """The refs of a snapshot, remembered for as long as its view counts."""
        found = self._shown
        if found is None or found.numbered is not snapshot.numbered:
            found = self._shown = Shown(snapshot, packs, found)
        return found

    def joined(self, snapshot: Snapshot, names: Sequence[str]) -> Snapshot:
        """The snapshot with packs that are kept and that no view names yet. Nothing is added to its graph."""
        opened = [self._opened_here(name) for name in names]
        indexes = [pack.index for pack in opened if isinstance(pack.index, PackIndex)]
        graph = Graph(PackLines(snapshot.graph.lines, indexes))
        return Snapshot(snapshot.numbered, (*snapshot.packs, *opened), graph)

    def _opened_here(self, name: str) -> Pack:
        """A pack that is read here and there, all of it: in a file of this machine, where the store has none."""
        opened = self._folder.opened(name)
        if isinstance(self.project.driver.store, MapsObjects):
            return opened
        with cast(BinaryIO, tempfile.TemporaryFile()) as file:
            for at in range(0, opened.index.pack_bytes, _COPIED):
                file.write(opened.read(at, min(_COPIED, opened.index.pack_bytes - at)))
            file.flush()
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return Pack(opened.name, opened.index, lambda offset, length: mapped[offset : offset + length])

    def examine(self, name: str) -> None:
        """Read a kept pack back. Raises Corrupt when its bytes are not those that it is named for."""
        read, digest, at = self._folder.bytes_of(name), hashlib.sha256(), 0
        size = self._folder.index(name).pack_bytes
        while at < size:
            piece = read(at, min(BLOCK, size - at))
            digest.update(piece)
            at += len(piece) or size
        if digest.hexdigest() != name:
            key = self._folder.key(name)
            raise Corrupt(f"{key} is damaged: its bytes are others than were written.", object=key)

    def landed_commit(self, position: int) -> bytes:
        """The Git commit that a landing came from, b"" for one that was made with mic."""
        return self._pushed(position)

    def remove(self, name: str) -> None:
        """Remove a kept pack that no view has ever named."""
        self._folder.remove(name)

    def reader(self, snapshot: Snapshot) -> Packs:
        """The objects of a snapshot, for one thread."""
        return Packs(snapshot.packs, self._pieces if snapshot.view.lines else self.project.pieces)

    def _pieces(self, content: bytes) -> Iterator[bytes]:
        """A large content, of main or of a line."""
        if self._lines is not None and not self.project.has_blob(content):
            listed, opened = self._lines
            for each in listed():
                line = opened(each.line)
                if line.has_blob(content):
                    return line.pieces(content)
        return self.project.pieces(content)

    # ------------------------------------------------------------ writing

    def keep(self, written: WrittenPack, out: BinaryIO, derived: bool) -> KeptPack:
        """Store a pack and its index; doing it again changes nothing. No view names it yet."""
        self._folder.keep(written, out)
        return KeptPack(written.name, written.size, written.objects, derived)

    def now(self) -> int:
        """Unix milliseconds."""
        return self.project.run(single.now())

    def replace(self, before: Snapshot, view: View) -> bool:
        """Make `view` the one that counts, if that of the snapshot still is."""
        return self.project.run(write_view(self.project.line.project, before.numbered, view)) is not None

    def change(self, edit: Callable[[View], View | None]) -> Numbered | None:
        """Make what `edit` gives the view that counts; it is asked again when another came first. None: it gave up."""
        while True:
            before = self.snapshot().numbered
            view = edit(before.view)
            if view is None:
                return None
            made = self.project.run(write_view(self.project.line.project, before, view))
            if made is not None:
                return made

    def caught_up(self) -> Snapshot:
        """The snapshot that has a commit for every landing there is; its view may name a trouble instead."""
        with self._catching_up:
            head = self.project.head()
            self._inherit()
            while True:
                snapshot = self.snapshot()
                if not snapshot.view.trouble and snapshot.view.position < head.position:
                    self._catch_up(snapshot, head.position)
                    continue
                stones, redactions = self._unheard_of(snapshot.view)
                if stones or redactions:
                    self._rewrite(snapshot, stones, redactions)
                    continue
                if snapshot.view.trouble or self._lines is None or not follow_lines(self, snapshot, self._lines):
                    return snapshot

    def erase(self, person: Person | None = None) -> None:
        """Let the packs hold nothing of what was erased, and remove those that did. Nothing where none is kept.

        A `person` is named by no commit or tag of any branch afterwards.
        """
        if not self.snapshot().numbered.number:
            return
        view = self.caught_up().view
        stones = unheard_of(self.snapshot().view, self._lines) if self._lines is not None else {}
        if stones:
            with self._catching_up:
                while not self._rewrite(self.snapshot(), stones, ()):
                    pass
            view = self.caught_up().view
        if person is not None:
            with self._catching_up:
                while not self._rewrite(self.snapshot(), {}, (), person):
                    pass
            view = self.caught_up().view
        for name, since in view.retired:
            if not since:
                self._folder.remove(name)
        if view.rewritten or self.project.redactions():
            self.ready.clear()
            self.notes.clear()

    def naming(self, person: Person) -> set[bytes]:
        """The ids of all commits and tags that name a person, those that have other ids since also by the earlier."""
        if not self.snapshot().numbered.number:
            return set()
        snapshot = self.caught_up()
        packs = self.reader(snapshot)
        found = set()
        for pack in packs.packs:
            for item in pack.index.objects():
                if item.kind in (COMMIT, TAG):
                    raw = packs.read(item.oid, item.kind)[1]
                    if commit_without(raw, person) != raw:
                        found.add(item.oid)
        return found | {old for old, new in self.rewritten(snapshot.view).items() if new in found}

    def rewrite(self, snapshot: Snapshot, stones: Mapping[bytes, Tombstone]) -> bool:
        """Make the packs anew that hold something that was erased on a line; False when another was faster."""
        return self._rewrite(snapshot, stones, ())

    def _unheard_of(self, view: View) -> tuple[dict[bytes, Tombstone], list[Redaction]]:
        """What was erased and may still be in the packs."""
        stones = {content: stone for content, stone in self.project.erased().items() if content not in view.erased}
        return stones, [each for each in self.project.redactions() if each.name not in view.erased]

    def _rewrite(
        self,
        snapshot: Snapshot,
        stones: Mapping[bytes, Tombstone],
        redactions: Sequence[Redaction],
        person: Person | None = None,
    ) -> bool:
        """Make the packs anew that hold something of these, and what names it; False when another was faster."""
        view, packs_now = snapshot.view, self.reader(snapshot)
        silent = silent_commits(self.project, packs_now, snapshot.graph, self.rewritten(view), redactions)
        named = None if person is None else lambda raw: commit_without(raw, person)
        work = Rewrite(packs_now, snapshot.graph, stones, silent, named)
        names = sorted({*stones, *(each.name for each in redactions)})
        new = msgspec.structs.replace(view, erased=(*view.erased, *names))
        if work.ids:
            packs, before, gone = [], [], []
            for pack, kept in zip(snapshot.packs, view.packs, strict=True):
                if not work.is_touched(pack):
                    packs.append(kept)
                    before.append(pack)
                    continue
                gone.append((kept.name, 0))
                with _spooled() as out:
                    written = work.without(pack, before, out)
                    if written is not None:
                        packs.append(self.keep(written, out, kept.derived))
                        before.append(self._folder.opened(written.name))
            with _spooled() as out:
                written = work.new(lambda oid: any(pack.index.find(oid) is not None for pack in before), out)
                if written is not None:
                    packs.append(self.keep(written, out, derived=False))
            new = msgspec.structs.replace(
                new,
                tip=work.ids.get(view.tip, view.tip),
                packs=tuple(packs),
                refs={name: work.ids.get(oid, oid) for name, oid in view.refs.items()},
                lines=tuple(msgspec.structs.replace(each, tip=work.ids.get(each.tip, each.tip)) for each in view.lines),
                moving=None,
                movings=(),  # an atomic push that is under way moves its refs by itself, or says that it did not
                retired=(*gone, *((name, 0) for name, _ in view.retired)),
                rewritten=(*view.rewritten, self.keep_ids(work.kept_ids())),
            )
        return self.project.run(write_view(self.project.line.project, snapshot.numbered, new)) is not None

    def keep_ids(self, ids: Mapping[bytes, bytes]) -> str:
        """Keep a list of ids that are no more; its name."""
        raw = encode_rewritten(ids)
        name = hashlib.sha256(raw).hexdigest()
        with contextlib.suppress(AlreadyExists):
            self.project.run(single.put_new(rewritten_key(self.project.line.project, name), raw))
        return name

    def rewritten(self, view: View) -> dict[bytes, bytes]:
        """Ids of commits and tags that are no more since something was erased, and the ones in their places."""
        found: dict[bytes, bytes] = {}
        for name in view.rewritten:
            if name not in self._lists:
                key = rewritten_key(self.project.line.project, name)
                self._lists[name] = decode_rewritten(self.project.run(single.get(key)), key).ids
            later = self._lists[name]
            found = {**{old: later.get(new, new) for old, new in found.items()}, **later}
        return found

    def _inherit(self) -> None:
        """Begin a fork with the objects that its origin has up to the fork point."""
        line = self.project.line
        if line.origin is None or self._origin is None or not line.start.position:
            return
        snapshot = self.snapshot()
        if snapshot.numbered.number:
            return
        other = self._origin(line.origin.project)
        theirs = other.caught_up()
        tip = other.commit_at(theirs, line.start.position)
        if theirs.view.trouble or tip is None:
            return  # from the log, then, as far as that goes
        with _spooled() as sent, _spooled() as out:
            send_history(theirs, other.reader(theirs), tip, sent)
            sent.seek(0)
            quarantine = Quarantine(sent, snapshot, self.reader(snapshot), lambda oid, kind, data, window: None, _OURS)
            kept = self.keep(quarantine.write(out), out, derived=False)
        ids = other.rewritten(theirs.view)
        lists = (self.keep_ids(ids),) if ids else ()
        begun = View(position=line.start.position, tip=tip, packs=(kept,), erased=theirs.view.erased, rewritten=lists)
        self.replace(snapshot, begun)

    def commit_at(self, snapshot: Snapshot, position: int) -> bytes | None:
        """The commit of a landing: main's first parents lead from one to the one before."""
        view, lines = snapshot.view, snapshot.graph.lines
        if not 0 < position <= view.position:
            return None
        if pushed := self._pushed(position):
            return self.rewritten(view).get(pushed, pushed)
        at, oid = view.position, view.tip
        while at > position:
            at -= 1
            parents = lines[oid].parents
            # A pushed merge may have the landing before it as its second parent.
            oid = parents[0] if len(parents) == 1 else self._landed_parent(snapshot, at, parents)
        return oid

    def commits_of(self, snapshot: Snapshot, first: int, last: int) -> list[bytes]:
        """The commits of the landings `first` to `last`, oldest first; the snapshot has them all."""
        found = []
        oid = self.commit_at(snapshot, last)
        for position in range(last, first - 1, -1):
            assert oid is not None, "the snapshot has it"
            found.append(oid)
            if position > first:
                parents = snapshot.graph.lines[oid].parents
                oid = parents[0] if len(parents) == 1 else self._landed_parent(snapshot, position - 1, parents)
        return found[::-1]

    def _landed_parent(self, snapshot: Snapshot, position: int, parents: Sequence[bytes]) -> bytes:
        """The one of these commits that landed at `position`."""
        if pushed := self._pushed(position):
            return self.rewritten(snapshot.view).get(pushed, pushed)
        record, session = self.project.landing(position)
        packs = self.reader(snapshot)
        for oid in parents:
            line = snapshot.graph.lines[oid]
            if packs.read(oid, COMMIT)[1] == native_commit(record, session, line.tree, b"".join(line.parents[:1])):
                return oid
        raise Corrupt(f"None of the parents of the commit behind landing @{position} is that landing's.")

    def _pushed(self, position: int) -> bytes:
        """The commit that a landing came from Git with, b"" for one made by mic."""
        git: dict[str, Any] = self.project.landing(position).session.metadata.get("git") or {}
        return bytes(git.get("commit") or b"")

    def _catch_up(self, snapshot: Snapshot, last: int) -> None:
        """Derive the next landings and make them part of the view, unless another does so first."""
        view, packs = snapshot.view, self.reader(snapshot)
        with _spooled() as out:
            writer = PackWriter(out)
            before = self.rewritten(view)
            silent = bool(self.project.redactions())
            derivation = Derivation(self.project, packs, writer, self.known_oids, self.project.erased(), before, silent)
            position, tip, trouble = view.position, _tip(packs, view), ""
            clocks: dict[int, int] = {}
            stop = min(last, position + _LANDINGS)
            try:
                for record in self.landed_records(position + 1, stop):
                    tip = derivation.landing(record, tip)
                    position = record.position
                    clocks[position] = record.hlc
                    if writer.size > _BYTES:
                        break
            except Unservable as error:
                trouble = str(error)
            new = msgspec.structs.replace(advance(view, position, tip.commit, clocks), trouble=trouble)
            if derivation.rewritten != before:
                ids = {old: oid for old, oid in derivation.rewritten.items() if before.get(old) != oid}
                new = msgspec.structs.replace(new, rewritten=(*view.rewritten, self.keep_ids(ids)))
            if writer.objects:
                kept = self.keep(writer.finish(), out, derived=True)
                new = msgspec.structs.replace(new, packs=(*view.packs, kept))
        made = self.project.run(write_view(self.project.line.project, snapshot.numbered, new))
        if made is not None:
            self.tidy()

    def landed_records(self, first: int, last: int) -> Iterator[Record]:
        """The records of the landings `first` to `last`, oldest first."""
        while first <= last:
            found = self.project.records(first, min(last, first + 255))
            if not found:
                return
            yield from found
            first = found[-1].position + 1

    def tidy(self) -> None:
        """Merge small packs, and remove those that were merged away long ago."""
        snapshot = self.snapshot()
        count = due_to_merge([pack.size for pack in snapshot.view.packs])
        now = self.project.run(single.now())
        project = self.project.line.project
        if count:
            old = snapshot.view.packs[-count:]
            with _spooled() as out:
                written = merge_packs(snapshot.packs[-count:], self.reader(snapshot), out)
                kept = self.keep(written, out, all(pack.derived for pack in old))
            gone = [(pack, at) for pack, at in snapshot.view.retired if now - at > _RETIRED_MS]
            staying = [item for item in snapshot.view.retired if item not in gone]
            new = msgspec.structs.replace(
                snapshot.view,
                packs=(*snapshot.view.packs[:-count], kept),
                retired=(*staying, *((pack.name, now) for pack in old)),
            )
            if self.project.run(write_view(project, snapshot.numbered, new)) is not None:
                for name, _ in gone:
                    self._folder.remove(name)


def _tip(packs: Packs, view: View) -> Tip:
    if not view.tip:
        return Tip(b"", EMPTY_TREE_OID)
    return Tip(view.tip, commit_line(view.tip, packs.read(view.tip, COMMIT)[1]).tree)


def _spooled() -> BinaryIO:
    """A file that stays in memory while it is small."""
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOLED))
