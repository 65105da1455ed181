"""Taking in a history: many landings, written ahead, made visible by one swap of the head.

Epochs are written one after the other, each naming the head before it, while the real head still stands
where it began: at position 0 for an import, at the position that it continues for a push. Only the last
step swaps it. One that stops half-way leaves objects that nothing names; starting again starts clean. Who gives the
`clock` of the attempt before makes the same epochs again, under the same names, and `forget` finds them all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from mic.core import epoch as stored
from mic.core.blob import encode_node, inflate
from mic.core.brought import Brought
from mic.core.epoch import NOBODY, PackRef, make_epoch
from mic.core.errors import AlreadyExists, Corrupt, InvalidInput, MicError, PreconditionFailed
from mic.core.head import Head, ms_hlc, next_hlc
from mic.core.ids import content_hash
from mic.core.indexrun import IndexRun, encode_run
from mic.core.paths import display
from mic.core.record import PathChange, Record
from mic.core.session import Author, Change, Op, Session, State, encode_session
from mic.core.tree import BLOB, CHUNKED, EMPTY_TREE, Entry, Node, apply, has_under, lookup, reachable, scan
from mic.core.tree.edit import Found, Need
from mic.ledger.conflict import ancestors
from mic.ledger.contents import read_blob, stored_size
from mic.ledger.effects import Delete, Get, List, Now, Protocol, PutNew, Random
from mic.ledger.follow import refresh, take_in
from mic.ledger.grouping import LEVEL, group_epoch
from mic.ledger.leavings import refuse_leaving
from mic.ledger.line import Line
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects
from mic.ledger.previous import Previous
from mic.ledger.runs import FANOUT
from mic.ledger.seal import due, seal
from mic.ledger.swap import swap
from mic.ledger.trees import Overlay

T = TypeVar("T")

_EPOCH = re.compile(r"([0-9a-f]{16})-([0-9a-f]{16})-.*")
# An epoch keeps its last tree only; a position inside is made again from at most this many records.
EPOCH_LANDINGS = 256
EPOCH_BYTES = 24 << 20
# What versions in later epochs may lean on is kept, in stored form, up to this many bytes.
LEANT_BYTES = 24 << 20
FOLDED = 16  # epochs that are held as they are: some two thousand bytes a landing
LEANS = 256  # what takes less in stored form is whole: half of it would be the delta's own header


class HistoryCommit(NamedTuple):
    """One landing of a history. `changes` are (path, op, mode, content hash, size); the hash is b"" when deleted.

    `attribution` is what the session holds of who wrote it, `brought` what a session said whose landing it was at
    another forge.
    """

    oid: bytes
    raw: bytes
    author: Author
    authored_ms: int
    message: str
    changes: Sequence[tuple[bytes, int, int, bytes, int]]
    agent: str = ""
    attribution: Mapping[str, Any] = MappingProxyType({})
    brought: Brought | None = None


class HistoryImport:
    """An import in progress. Not thread-safe; its methods are protocols to be driven one after the other."""

    def __init__(self, line: Line, source: str, owner: bytes, onto: int = 0, clock: int | None = None) -> None:
        """A `clock` is that of the attempt before, 0 for the first one of those that can be made again."""
        self.line, self.source, self.owner, self.onto = line, source, owner, onto
        self.clock = clock or 0
        # Another front end that goes on with an import makes the same bytes, so these are nobody's.
        self._lander = line.lander if clock is None else NOBODY
        self.objects = Objects(line.project, below=line.objects)
        self.fresh: dict[bytes, Node] = {}
        self.head = Head(0, b"", 0)
        self.start: Head | None = None
        self.landed = 0
        self._root = b""
        self._hlc = 0
        self._records: list[Record] = []
        self._packed: list[tuple[bytes, int, bytes]] = []
        self._packs: list[PackRef] = []
        self._pending: dict[bytes, tuple[int, int]] = {}  # content -> (size, kind), sent and not yet in an epoch
        self._plain: dict[bytes, bytes] = {}  # those of them that are of one piece, as they are
        # Versions of a path in epochs one behind the other lean on each other.
        self._previous = Previous(LEANT_BYTES, LEVEL, LEANS, roots=True)
        self._lasting: set[bytes] = set()  # of the pending, those that are stored whole
        self._bytes = 0
        self._epochs: list[stored.Epoch] = []
        # Of a long history the earlier epochs by their heads alone, and where their objects lie as index runs.
        self._folded: list[Head] = []
        self._brought: list[PackRef] = []
        self._newest: Sequence[Record] = ()  # the records of the newest epoch

    def begin(self) -> Protocol[None]:
        """Only a project at the position that the history continues can take it; raises InvalidInput."""
        head = yield from refresh(self.line)
        if head.position != self.onto:
            raise self._moved(f"the project already has {head.position} landings")
        self.start = self.head = head
        self._root = head.tree
        # A random logical part: what an abandoned import of the same millisecond left behind has other names.
        if not self.clock:
            self.clock = next_hlc(head.hlc, (yield Now())) + int.from_bytes((yield Random(2)), "big")
        self._hlc = max(self.clock, head.hlc)

    @property
    def hlc(self) -> int:
        """The clock value of the newest landing so far; of no other attempt, unless that was given the same clock."""
        return self._hlc

    def add_content(self, object_hash: bytes, size: int, raw: bytes, kind: int = stored.BLOB) -> None:
        """A verified content in stored form, before the commit that names it."""
        if kind == stored.BLOB:
            return self.add_plain(object_hash, inflate(raw[8:], size, f"content {object_hash.hex()}"))
        if not self._known(object_hash):
            self._packed.append((object_hash, kind, raw))
            self._pending[object_hash] = (size, kind)
            self._bytes += len(raw)

    def add_plain(self, object_hash: bytes, data: bytes, *, lasts: bool = False) -> None:
        """A verified content of at most 4 MiB. It is stored whole when it `lasts`."""
        if self._known(object_hash):
            return
        self._packed.append((object_hash, stored.BLOB, b""))
        self._pending[object_hash] = (len(data), stored.BLOB)
        self._plain[object_hash] = data
        if lasts:
            self._lasting.add(object_hash)
        self._bytes += len(data)

    def _known(self, object_hash: bytes) -> bool:
        return object_hash in self._pending or self.objects.holds(object_hash)

    def content(self, object_hash: bytes, limit: int) -> Protocol[bytes]:
        """A content that was sent, or that the line holds; raises TooLarge."""
        if object_hash in self._plain:
            return self._plain[object_hash]
        return (yield from read_blob(self.objects, object_hash, limit))

    def add_commit(self, commit: HistoryCommit) -> Protocol[None]:
        """The next landing; raises InvalidInput when a content is missing."""
        edits: dict[bytes, Entry | None] = {}
        for path, op, mode, object_hash, size in commit.changes:
            edits[path] = None if op == Op.DELETED else (yield from self._entry(path, mode, object_hash, size))
        overlay = Overlay(self.fresh, self.line.cache)
        before: dict[bytes, Entry] = {}
        if edits:
            before = yield from self._drive(lookup(overlay, self._root, list(edits)))
            yield from self._check_shadow(overlay, edits, before)
            self._root = yield from self._drive(apply(overlay, self._root, edits, self.fresh))
        self._hlc += 1
        position = self.head.position + len(self._records) + 1
        session = self._session(commit, position, edits, before)
        encoded = encode_session(session)
        session_hash = content_hash(encoded)
        self._packed.append((session_hash, stored.SESSION, encoded))
        self._bytes += len(encoded)
        changes = []
        for path in sorted(edits):
            entry, old = edits[path], before.get(path)
            op = Op.DELETED if entry is None else Op.MODIFIED if old else Op.ADDED
            changes.append(PathChange(path, int(op), entry))
        self._records.append(
            Record(position, session.id, session_hash, position - 1, self._hlc, self._root, tuple(changes))
        )
        self.landed += 1
        if len(self._records) >= EPOCH_LANDINGS or self._bytes >= EPOCH_BYTES:
            yield from self._flush()

    def _check_shadow(
        self, overlay: Overlay, edits: dict[bytes, Entry | None], before: dict[bytes, Entry]
    ) -> Protocol[None]:
        """No path may be a file and a directory at once: against the tree before, less what the commit deletes."""
        added = [path for path, entry in edits.items() if entry is not None and path not in before]
        if not added or self._root == EMPTY_TREE:
            return
        above = sorted({name for path in added for name in ancestors(path)})
        files = yield from self._drive(lookup(overlay, self._root, above))
        for name in files:
            if edits.get(name, files[name]) is not None:
                raise InvalidInput(f"{display(name)} is a file; the commit puts files below it", path=name)
        for path in added:
            for name in (yield from self._drive(has_under(overlay, self._root, path))):
                if edits.get(name, path) is not None:
                    raise InvalidInput(f"{display(path)} is a directory; the commit makes it a file", path=path)

    def _drive(self, algorithm: Generator[Need, Found, T]) -> Protocol[T]:
        return with_nodes(self.objects, self.line.cache, algorithm)

    def _entry(self, path: bytes, mode: int, object_hash: bytes, size: int) -> Protocol[Entry]:
        self.line.objects.refuse_erased([object_hash])
        known = self._pending.get(object_hash)
        if known is None:
            known = yield from stored_size(self.objects, object_hash, size)
        if known is None:
            raise InvalidInput(f"the content of {display(path)} ({object_hash.hex()[:12]}) was not sent", path=path)
        if known[0] != size:
            raise InvalidInput(f"{display(path)} has {known[0]} bytes, not {size}", path=path)
        return Entry(path, mode, CHUNKED if known[1] == stored.CHUNK_LIST else BLOB, size, object_hash)

    def _session(
        self, commit: HistoryCommit, position: int, edits: dict[bytes, Entry | None], before: dict[bytes, Entry]
    ) -> Session:
        changes = []
        for path in sorted(edits):
            entry, old = edits[path], before.get(path)
            base = (old.hash, old.mode) if old else (b"", 0)
            if entry is None:
                changes.append(Change(path, int(Op.DELETED), 0, b"", 0, *base))
            else:
                op = int(Op.MODIFIED if old else Op.ADDED)
                changes.append(Change(path, op, entry.mode, entry.hash, entry.size, *base, entry.kind))
        metadata: dict[str, Any] = {"git": {"commit": commit.oid, "raw": commit.raw, "source": self.source}}
        said = commit.brought
        if said is not None:
            metadata["brought"] = said.origin
        # A function of project and commit: the same import makes the same ids.
        digest = hashlib.sha256(self.line.project.encode() + commit.oid + position.to_bytes(8, "big")).digest()
        session_id = min(max(commit.authored_ms, 0), (1 << 48) - 1).to_bytes(6, "big") + digest[:10]
        return Session(
            id=session_id,
            goal=said.goal if said is not None else commit.message,
            conversation=said.conversation if said is not None else (),
            decisions=said.decisions if said is not None else (),
            state=int(State.LANDED),
            base_position=position - 1,
            hlc_created=min(ms_hlc(commit.authored_ms), (1 << 64) - 1),
            hlc_updated=self._hlc,
            owner=self.owner,
            author=commit.author,
            agent=commit.agent or (said.agent if said is not None else ""),
            attribution=dict(commit.attribution),
            changes=tuple(changes),
            metadata=metadata,
        )

    def add_pack(self, pack: PackRef, objects: Sequence[stored.Stored]) -> None:
        """A pack of contents that is in the store already."""
        self._packs.append(pack)
        self.objects.add(self.line.pack_key(pack.hash), 0, objects)

    def _flush(self) -> Protocol[None]:
        """Write what is pending as one epoch behind the last one."""
        nodes = reachable(self._root, self.fresh)
        packed = group_epoch(self._records, self._packed, self._plain, self._previous, self._lasting) + [
            (node.hash, stored.NODE, encode_node(node.raw)) for node in nodes
        ]
        new = Head(self._records[-1].position, self._root, self._hlc)
        epoch, raw = make_epoch(self.head, new, self._lander, self._records, self._packs, packed)
        key = self.line.epoch_key(new)
        try:
            yield PutNew(key, raw)
        except AlreadyExists as error:
            # The name has a random part: this is our own write, repeated by us or below us, and must read like it.
            if (yield Get(key)).data != raw:
                raise Corrupt(f"{key} is damaged: it is not what was written there", object=key) from error
        self.objects.add(key, epoch.data_start, epoch.objects)
        self._epochs.append(epoch._replace(objects=()))  # where they lie, `objects` knows
        self._brought += epoch.packs
        for node in nodes:
            self.line.cache.put(node)
        self.fresh.clear()
        self.head, self._newest = new, epoch.records
        self._records, self._packed, self._packs, self._bytes = [], [], [], 0
        self._pending.clear()
        self._plain.clear()
        self._lasting.clear()
        if len(self._epochs) >= FOLDED:
            self._fold()

    def _fold(self) -> None:
        """Let go of the records of epochs that are written, and hold in fifty bytes where an object lies."""
        first = self._epochs[0].records[0].position
        runs = [*self.objects.runs, _run(encode_run(first, self.head, self.objects.recent, {}))]
        if len(runs) >= FANOUT:
            from mic.core.runmerge import merge_runs  # brings numpy, which only long histories need

            runs = [_run(merge_runs(runs))]
        self.objects.runs, self.objects.recent = runs, {}
        self._folded += [epoch.new for epoch in self._epochs]
        self._epochs = []

    def files(self, after: bytes, limit: int) -> Protocol[list[Entry]]:
        """The files of the newest tree, sorted by path, from behind `after` on."""
        overlay = Overlay(self.fresh, self.line.cache)
        return (yield from self._drive(scan(overlay, self._root, after + b"\x00" if after else b"", None, limit)))

    def forget(self) -> Protocol[None]:
        """Remove the epochs of this history, and of attempts with the same clock; only before `finish` has begun."""
        prefix = self.line.epoch_key(self.head).rpartition("/")[0] + "/"
        current = yield from refresh(self.line)
        for item in (yield List(prefix)):
            match = _EPOCH.fullmatch(item.key.removeprefix(prefix))
            if match is None:
                continue
            position, hlc = int(match[1], 16), int(match[2], 16)
            # Each landing takes the next value of the clock; nobody else's do.
            if position > current.position and position - self.onto == hlc - self.clock:
                yield Delete(item.key)

    def _moved(self, why: str) -> InvalidInput | PreconditionFailed:
        """An import needs a new project; a push only needs to look at what came before it."""
        if self.onto:
            return PreconditionFailed("somebody landed in the project meanwhile", hint="fetch, and push again")
        return InvalidInput(why, hint="import into a new project")

    def finish(self) -> Protocol[Head]:
        """Make the whole history visible at once; raises InvalidInput when the project is no longer where it began.

        Expired when packs that it names waited for weeks and are being removed.
        """
        assert self.start is not None
        if self._records:
            yield from self._flush()
        if self.head == self.start:
            raise InvalidInput("the history has no commit", hint="commit something first")
        yield from refuse_leaving(self.line, self._brought)
        # From here to the swap nothing else is asked for: the line must not be looked at anew in between.
        current = yield from refresh(self.line)
        # By position: at 0 nothing vouches for the clock in the head, and what is read of it may be damaged.
        if current.position != self.start.position:
            raise self._moved("somebody landed in the project during the import")
        if not (yield from swap(self.line, current, self.head, self._newest)):
            raise self._moved("somebody landed in the project during the import")
        if self.line.head == current and (yield from self._sealed()):  # else an unclear answer was settled by reading
            for epoch in self._epochs:
                self.line.add_epoch(epoch)
            self.line.objects.recent.update(self.objects.recent)
            self.line.head = self.head
        return self.head

    def _sealed(self) -> Protocol[bool]:
        """Take the epochs that were folded into the line, and seal them on the way: a part is in memory at once.

        False when the store does not answer: it has landed, and whoever looks at the line next goes on from there.
        """
        try:
            for head in self._folded:
                yield from take_in(self.line, head)
                if due(self.line):
                    yield from seal(self.line)
        except MicError:
            return False
        return True


def _run(raw: bytes) -> IndexRun:
    return IndexRun(raw, "what an import has written")
