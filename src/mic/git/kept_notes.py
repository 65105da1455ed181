"""The authorship notes of a project, `refs/notes/ai`: made of its landings, and joined with those that people bring.

    git/notes/views/{number:016x}      'MICA' u8 version=1 u8[3]=0 | u32 bytes | zstd(msgpack)     create-only
    git/notes/packs/{name}.pack, .idx  the objects, as kept packs and their indexes

A chain of commits, one for each landing that has a note and one for each time that notes were brought, so that whoever
has fetched it goes on from there. Nobody pays for it who does not ask: it is made when it is fetched by name, and its
objects are in no clone.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol, cast

import msgspec

from mic.core.codec import Reader
from mic.core.errors import Corrupt, InvalidInput, TooLarge
from mic.core.record import Record
from mic.core.session import Session
from mic.git.added import Texts
from mic.git.authorship import MAX_NOTE, decode_authorship
from mic.git.boxed import box, unbox
from mic.git.deltas import DeltaWriter
from mic.git.graph import Graph
from mic.git.landed_note import landed_note
from mic.git.merge_packs import due_to_merge, merge_packs
from mic.git.native import COMMITTER
from mic.git.notes import is_notes, note_path, read_notes, read_text
from mic.git.objects import EMPTY_TREE_OID, EditedTree, commit_line, edit_trees
from mic.git.packentry import BLOB, COMMIT, TREE, object_id
from mic.git.packfolder import PackFolder
from mic.git.packs import Pack, Packs
from mic.git.packwrite import PackWriter
from mic.git.snapshot import Snapshot
from mic.git.view import BROUGHT, KeptPack, Overtaken, newest_numbered, write_numbered
from mic.ledger import single
from mic.ledger.project import Project

MAGIC = b"MICA" + bytes((1, 0, 0, 0))
# So many landings, or so many bytes, are one pack, and one step that nobody has to make again.
_LANDINGS = 2_000
_BYTES = 16 << 20
_SPOOLED = 8 << 20
_RETIRED_MS = 6 * 3600 * 1000


class NotesView(msgspec.Struct, frozen=True):
    """What counts. `tip` is the newest commit, b"" while there is no note; landings up to `position` are in it.

    `brought` is the commit of the notes that people brought, as far as they are joined. `packs` and `retired` are as in
    the Git view.
    """

    position: int = 0
    tip: bytes = b""
    brought: bytes = b""
    packs: tuple[KeptPack, ...] = ()
    retired: tuple[tuple[str, int], ...] = ()
    # As in the Git view: commits have other ids since something was erased. Then the notes begin anew.
    rewritten: tuple[str, ...] = ()


class NotesSnapshot(NamedTuple):
    """A view with its packs opened, and the commits in them."""

    number: int
    view: NotesView
    packs: tuple[Pack, ...]
    graph: Graph


class Commits(Protocol):
    """What is asked of the Git objects of a project; `mic.git.kept.KeptObjects` is it."""

    project: Project

    def reader(self, snapshot: Snapshot) -> Packs: ...
    def commits_of(self, snapshot: Snapshot, first: int, last: int) -> list[bytes]: ...
    def landed_records(self, first: int, last: int) -> Iterator[Record]: ...


_decoder = msgspec.msgpack.Decoder(NotesView)
_NOTHING = NotesSnapshot(0, NotesView(), (), Graph())


class KeptNotes:
    """Those of one project, shared by the threads of a process."""

    def __init__(self, commits: Commits) -> None:
        self._commits, self._project = commits, commits.project
        folder = f"projects/{self._project.line.project}/git/notes/"
        self._prefix = folder + "views/"
        self._folder = PackFolder(self._project, folder + "packs/")
        self._lock = threading.Lock()
        self._open: dict[str, Pack] = {}
        self.known = _NOTHING

    def newest(self) -> NotesSnapshot:
        """The notes as far as they were made."""
        with self._lock:
            return self._look()

    def caught_up(self, snapshot: Snapshot) -> NotesSnapshot:
        """The notes of all landings of a snapshot, and of all that was brought by then."""
        with self._lock:
            while True:
                known = self._look()
                view = known.view
                if view.rewritten != snapshot.view.rewritten:
                    self._begin_anew(known, snapshot)
                    continue
                if view.position >= snapshot.view.position and view.brought == snapshot.view.refs.get(BROUGHT, b""):
                    return known
                self._extend(snapshot, known)

    # ------------------------------------------------------------ the store

    def _look(self) -> NotesSnapshot:
        """What counts now."""
        number, view = self._project.run(
            newest_numbered(self._prefix, (self.known.number, self.known.view), NotesView(), decode_notes)
        )
        if number != self.known.number:
            graph = Graph()
            self._open = {pack.name: self._open.get(pack.name) or self._folder.opened(pack.name) for pack in view.packs}
            for pack in self._open.values():
                graph.add_later(pack.index.commits)
            self.known = NotesSnapshot(number, view, tuple(self._open.values()), graph)
        return self.known

    def _replace(self, known: NotesSnapshot, view: NotesView) -> bool:
        try:
            return self._project.run(write_numbered(self._prefix, known.number, encode_notes(view), decode_notes))
        except Overtaken:
            return False  # what counts is made of the same

    # ------------------------------------------------------------ making

    def clear(self) -> None:
        """Remove all of it: it is made anew when it is asked for."""
        with self._lock:
            for item in self._project.run(single.listed(self._prefix.removesuffix("views/"))):
                self._project.run(single.delete(item.key))
            self._open, self.known = {}, _NOTHING

    def _begin_anew(self, known: NotesSnapshot, snapshot: Snapshot) -> None:
        now = self._project.run(single.now())
        retired = (*known.view.retired, *((pack.name, now) for pack in known.view.packs))
        self._replace(known, NotesView(rewritten=snapshot.view.rewritten, retired=retired))

    def _extend(self, snapshot: Snapshot, known: NotesSnapshot) -> None:
        """The next landings, or else what was brought; and make them count, unless another does so first."""
        packs = Packs([*snapshot.packs, *known.packs], self._project.pieces)
        view = known.view
        with cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOLED)) as out:
            writer = PackWriter(out)
            chain = _Chain(packs, Packs(known.packs, self._project.pieces), writer, view.tip)
            if view.position < snapshot.view.position:
                position = self._add_landings(snapshot, chain, view.position)
                new = msgspec.structs.replace(view, position=position, tip=chain.tip)
            else:
                brought = snapshot.view.refs.get(BROUGHT, b"")
                if brought and is_notes(packs, brought):
                    chain.join(brought, view.brought)
                new = msgspec.structs.replace(view, tip=chain.tip, brought=brought)
            if writer.objects:
                written = writer.finish()
                self._folder.keep(written, out)
                pack = KeptPack(written.name, written.size, written.objects, not new.brought)
                new = msgspec.structs.replace(new, packs=(*view.packs, pack))
        if self._replace(known, new) and writer.objects:
            self._tidy(snapshot)

    def _add_landings(self, snapshot: Snapshot, chain: _Chain, position: int) -> int:
        """Notes of the landings behind `position`; which is the last of them."""
        first, last = position + 1, min(snapshot.view.position, position + _LANDINGS)
        before = position if position else first
        commits = self._commits.commits_of(snapshot, before, last)
        lines = [snapshot.graph.lines[oid] for oid in commits]
        texts = Texts(chain.packs)
        tree = lines.pop(0).tree if position else b""
        for record, line in zip(self._commits.landed_records(first, last), lines, strict=True):
            session: Session = self._project.session_of(record)
            if not chain.has(line.oid):
                text = landed_note(record, session, line.oid, line.tree, tree, texts)
                if text:
                    chain.add({line.oid: text}, record.hlc, f"Who wrote @{record.position}")
            tree, position = line.tree, record.position
            if chain.size > _BYTES:
                break
        return position

    def _tidy(self, snapshot: Snapshot) -> None:
        """Merge small packs, and remove those that were merged away long ago."""
        known = self._look()
        view, now = known.view, self._project.run(single.now())
        count = due_to_merge([pack.size for pack in view.packs])
        if not count:
            return
        packs = Packs([*known.packs, *snapshot.packs], self._project.pieces)
        with cast(BinaryIO, tempfile.SpooledTemporaryFile(_SPOOLED)) as out:
            written = merge_packs(known.packs[-count:], packs, out)
            self._folder.keep(written, out)
        old = view.packs[-count:]
        pack = KeptPack(written.name, written.size, written.objects, all(item.derived for item in old))
        gone = [item for item in view.retired if now - item[1] > _RETIRED_MS]
        retired = (*(item for item in view.retired if item not in gone), *((item.name, now) for item in old))
        if self._replace(known, msgspec.structs.replace(view, packs=(*view.packs[:-count], pack), retired=retired)):
            for name, _ in gone:
                self._folder.remove(name)


class _Chain:
    """Writes one commit of notes behind the other. `tip` is the newest, b"" before the first.

    `packs` are all objects, `own` those of the notes: what the chain consists of leans on nothing else.
    """

    def __init__(self, packs: Packs, own: Packs, writer: PackWriter, tip: bytes) -> None:
        self.packs, self.tip = packs, tip
        self._writer, self._deltas = writer, DeltaWriter(own, writer)
        self._trees: dict[bytes, bytes] = {}
        self._root = commit_line(tip, packs.read(tip, COMMIT)[1]).tree if tip else EMPTY_TREE_OID
        self._seconds = commit_line(tip, packs.read(tip, COMMIT)[1]).committed if tip else 0
        self._noted = read_notes(packs, tip) if tip else {}

    @property
    def size(self) -> int:
        return self._writer.size

    def has(self, commit: bytes) -> bool:
        """Whether a commit has a note."""
        return commit in self._noted

    def join(self, brought: bytes, before: bytes) -> None:
        """The notes of the commit `brought` in place of the forge's own, where they can be read.

        Those that stood there already when `before` was joined are not looked at again.
        """
        known = read_notes(self.packs, before) if before and self.packs.has(before) else {}
        texts = {}
        for commit, oid in sorted(read_notes(self.packs, brought).items()):
            if oid not in (known.get(commit), self._noted.get(commit)) and _is_log(self.packs, oid):
                texts[commit] = oid
        seconds = commit_line(brought, self.packs.read(brought, COMMIT)[1]).committed
        self._commit(texts, max(self._seconds, seconds), "Notes that were brought", brought)

    def add(self, texts: dict[bytes, bytes], hlc: int, message: str) -> None:
        """A commit that adds these notes, by the clock value of a landing."""
        oids = {}
        for commit, text in texts.items():
            oids[commit] = object_id(BLOB, text)
            if not self._deltas.here(oids[commit]):
                self._writer.add(BLOB, oids[commit], text)
        self._commit(oids, (hlc >> 16) // 1000, message)

    def _commit(self, notes: dict[bytes, bytes], seconds: int, message: str, other: bytes = b"") -> None:
        made: list[EditedTree] = []
        root = self._root if self._root != EMPTY_TREE_OID else None
        wanted = {note_path(commit): (0o100644, oid) for commit, oid in notes.items()}
        tree = (edit_trees(self._read, root, wanted, made) if wanted else root) or EMPTY_TREE_OID
        for item in made:
            self._trees[item.oid] = item.raw
            if not self._deltas.here(item.oid):
                self._deltas.add(TREE, item.oid, item.raw, item.before, self._read)
        if tree == EMPTY_TREE_OID and not self._deltas.here(tree):
            self._writer.add(TREE, tree, b"")
        parents = b"".join(b"parent %s\n" % oid.hex().encode() for oid in (self.tip, other) if oid)
        stamp = b"%s %d +0000\n" % (COMMITTER, seconds)
        raw = b"tree %s\n%sauthor %scommitter %s\n%s\n" % (
            tree.hex().encode(), parents, stamp, stamp, message.encode(),
        )  # fmt: skip
        oid = object_id(COMMIT, raw)
        if not self._deltas.here(oid):
            self._writer.add(COMMIT, oid, raw)
            self._writer.commit(commit_line(oid, raw))
        self.tip, self._root, self._seconds = oid, tree, seconds
        self._noted.update(notes)

    def _read(self, oid: bytes) -> bytes:
        raw = self._trees.get(oid)
        return self.packs.tree(oid) if raw is None else raw


def _is_log(packs: Packs, oid: bytes) -> bool:
    """Whether a text is an authorship log that can be read; what is none stays where it came."""
    try:
        decode_authorship(read_text(packs, oid, MAX_NOTE))
    except (InvalidInput, TooLarge, Corrupt):
        return False
    return True


def encode_notes(view: NotesView) -> bytes:
    """The bytes of a view."""
    return box(MAGIC, view)


def decode_notes(raw: bytes, name: str) -> NotesView:
    """A view from its bytes. Raises Corrupt."""
    view = unbox(MAGIC, _decoder, raw, name)
    if len(view.tip) not in (0, 20) or len(view.brought) not in (0, 20):
        raise Reader(raw, name).fail("an id that has not 20 bytes")
    return view
