"""An epoch in the making: sessions judged and applied one after the other, written and swapped in together."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Container, Iterator, Mapping

import msgspec

from mic.core import epoch as stored
from mic.core.blob import blob_size, decode_blob, encode_node
from mic.core.epoch import Epoch, PackRef, make_epoch
from mic.core.errors import AlreadyExists, Busy, Expired
from mic.core.head import Head, next_hlc
from mic.core.ids import content_hash
from mic.core.record import PathChange, Record
from mic.core.session import Session, State, encode_session
from mic.core.tree import Entry, Node, NodeSource, apply, compare, reachable
from mic.ledger.attribution import landed
from mic.ledger.conflict import Verdict, judge
from mic.ledger.effects import Now, Protocol, PutNew
from mic.ledger.gate import ask
from mic.ledger.leavings import refuse_leaving
from mic.ledger.line import Line
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects
from mic.ledger.recent import MOST
from mic.ledger.request import Before, Prepared
from mic.ledger.swap import swap
from mic.ledger.trees import Overlay

# An epoch stores its last tree only; a position inside is made again from at most this many records.
MAX_LANDINGS = 256
# Stored form of tree nodes by hash: what was encoded for an attempt that lost is not encoded again.
Encoded = dict[bytes, bytes]
# Contents that travel in one epoch; whoever would make it larger waits for the next one.
MAX_BYTES = 24 << 20


class Batch:
    """Sessions that land together on one head. Every tree in between is known by its root; the last one is stored."""

    def __init__(self, line: Line, head: Head, after: Batch | None = None, encoded: Encoded | None = None) -> None:
        self.line, self.head = line, head
        # An epoch that is written and whose swap is still to come; this one follows on it.
        self._after = after
        self._below: NodeSource = (
            line.cache if after is None else Overlay({n.hash: n for n in after._nodes}, line.cache)
        )
        # What its swap goes by; what follows on another epoch goes by what that one's swap has left.
        self._tip = line.tip if after is None else None
        self.root = head.tree
        self.position = 0  # of the newest session taken in; 0 when there is none
        self.new = head
        self._hlc = head.hlc
        self._encoded: Encoded = {} if encoded is None else encoded
        self._nodes: list[Node] = []  # those that the epoch stores
        self._deltas: dict[bytes, tuple[bytes, int]] = {}
        self._epoch: Epoch | None = None
        self._fresh: dict[bytes, Node] = {}
        self._records: list[Record] = []
        self._edits: dict[bytes, Entry | None] = {}  # what all of them together make of the tree of the head
        self._held: set[bytes] = set()  # ids of the sessions
        self._sessions: list[Session] = []
        self._packs: list[PackRef] = []
        self._contents: dict[bytes, bytes] = {}
        self._bytes = 0
        # What came with the sessions is not part of the line before the swap.
        self._objects: Objects = Objects(line.project, below=line.objects if after is None else after._objects)

    @property
    def full(self) -> bool:
        """Whether the next session should wait for the next epoch."""
        return len(self._records) >= MAX_LANDINGS or self._bytes >= MAX_BYTES

    @property
    def paths(self) -> Container[bytes]:
        """What its sessions change."""
        return self._edits.keys()

    def holds(self, session_id: bytes) -> bool:
        """Whether a session is in the batch."""
        return session_id in self._held or (self._after is not None and self._after.holds(session_id))

    def _source(self) -> Overlay:
        """Where nodes are at hand: made here, made by the batch before, or in the cache."""
        return Overlay(self._fresh, self._below)

    def judge(self, wish: Prepared) -> Protocol[Verdict]:
        """What of a session can land on what the batch has made so far. Raises what its gate does."""
        request, before = wish.request, wish.before
        sent = Objects(self.line.project, below=self._objects)
        sent.recent.update(wish.uploaded)
        contents: Mapping[bytes, bytes] = ChainMap(dict(request.contents), self._contents)
        newer, nodes = self._records, self._source()
        moved = yield from self._moved(before)
        if self._after is not None:
            contents = ChainMap(dict(request.contents), self._contents, self._after._contents)
            newer = self._after._records + self._records
        verdict = yield from judge(
            self.line, sent, nodes, self.root, newer, request.session, wish.wanted, before.base, moved, contents,
            wish.texts,
        )  # fmt: skip
        if request.gate is not None and not verdict.clashes:
            yield from ask(request.gate, self.line, sent, nodes, self.root, contents, verdict.edits)
        return verdict

    def _moved(self, before: Before) -> Protocol[Mapping[bytes, Entry | None]]:
        """What a session looks at and is another now than at its base.

        The two trees were compared when the session was prepared. What this batch and the one before it have made since
        is told by their edits: no tree is read again for every session.
        """
        tree = self.head.tree if self._after is None else self._after.head.tree
        moved = before.moved
        if before.seen != tree:
            walk = compare(self._below, before.root, tree, before.paths)
            moved = (yield from with_nodes(self.line.objects, self.line.cache, walk))[1]
        for edits in (self._after._edits if self._after is not None else {}, self._edits):
            if edits and not edits.keys().isdisjoint(before.paths):
                moved = {**moved, **{path: edits[path] for path in before.paths if path in edits}}
        return moved

    def add(self, wish: Prepared, verdict: Verdict) -> Protocol[Session]:
        """Take a session in that has no clashes; the session as it lands."""
        self.line.objects.refuse_erased(entry.hash for entry in verdict.edits.values() if entry is not None)
        self.line.objects.refuse_erased(wish.uploaded)
        now = yield Now()
        applied = apply(self._source(), self.root, verdict.edits, self._fresh)
        root = yield from with_nodes(self.line.objects, self.line.cache, applied)
        # From here on nothing fails: a session is in the batch wholly or not at all.
        self.root = root
        self.position = self.head.position + len(self._records) + 1
        self._hlc = next_hlc(self._hlc, now)
        edits = verdict.edits
        final = _final_session(wish.request.session, verdict, edits, self._hlc)
        ops = {change.path: change.op for change in final.changes}
        changes = tuple(PathChange(path, ops[path], edits[path]) for path in sorted(edits))
        self._records.append(Record(self.position, final.id, b"", final.base_position, self._hlc, self.root, changes))
        self._sessions.append(final)
        self._edits.update(edits)
        self._held.add(final.id)
        wanted = {entry.hash for entry in edits.values() if entry is not None}
        for contents in (wish.request.contents, verdict.contents):
            for content, raw in contents.items():
                if content in wanted and content not in self._contents and not self._objects.holds(content):
                    self._contents[content] = raw
                    self._bytes += len(raw)
        self._packs += [pack for pack in wish.request.packs if pack not in self._packs]
        self._objects.recent.update(wish.uploaded)
        return final

    def _modified(self) -> Iterator[tuple[bytes, bytes]]:
        """Path and content of each change that brings a content of its own, in the order of landing."""
        for record in self._records:
            for change in record.changes:
                if change.entry is not None and change.entry.hash in self._contents:
                    yield change.path, change.entry.hash

    def _leaning(self) -> dict[bytes, tuple[bytes, int]]:
        """Stored form and depth of the contents that lean on what landed before on the same path."""
        found: dict[bytes, tuple[bytes, int]] = {}
        for path, content in self._modified():
            delta = self.line.previous.delta(path, content, self._contents[content])
            if delta is not None and content not in found:
                found[content] = delta
        return found

    def commit(self) -> Protocol[bool]:
        """Write the epoch and swap the head; False when another landing was faster."""
        yield from self.write()
        return (yield from self.take())

    def write(self) -> Protocol[None]:
        """Write the epoch, which no head names yet. Not before at least one session was taken in."""
        encoded = self._encoded
        self._nodes = reachable(self.root, self._fresh)
        for node in self._nodes:
            if node.hash not in encoded:
                encoded[node.hash] = encode_node(node.raw)
        packed = [(node.hash, stored.NODE, encoded[node.hash]) for node in self._nodes]
        self._deltas = self._leaning()
        packed += [
            (content, stored.DELTA, self._deltas[content][0])
            if content in self._deltas
            else (content, stored.BLOB, raw)
            for content, raw in self._contents.items()
        ]
        while True:
            self.new = Head(self.position, self.root, self._hlc)
            sealed = [(content_hash(raw), stored.SESSION, raw) for raw in map(encode_session, self._sessions)]
            records = [
                record._replace(session_object=item[0]) for record, item in zip(self._records, sealed, strict=True)
            ]
            self._epoch, raw = make_epoch(self.head, self.new, self.line.lander, records, self._packs, packed + sealed)
            try:
                yield PutNew(self.line.epoch_key(self.new), raw)
                return
            except AlreadyExists:
                # The same position, clock and tree: another attempt, or our own write whose answer was lost.
                # A new clock value names a new object; the old one is named by no head.
                self._hlc += 1
                self._sessions[-1] = msgspec.structs.replace(self._sessions[-1], hlc_updated=self._hlc)
                self._records[-1] = self._records[-1]._replace(hlc=self._hlc)

    def take(self) -> Protocol[bool]:
        """Swap the head for the epoch that was written; False when another landing was faster."""
        line, new = self.line, self.new
        assert self._epoch is not None
        try:
            # Once more: what was checked when the sessions came may have been condemned since.
            yield from refuse_leaving(line, self._packs)
        except Expired as error:
            # Of one of them; who it is finds out when all land again.
            raise Busy("an upload expired while it was being landed", hint="land again; nothing was changed") from error
        # From here to the swap nothing is asked for: the line must not be looked at anew in between.
        unmoved = line.tip == self._tip if self._tip is not None else line.own == (self.head, line.tip)
        if line.head != self.head or not unmoved:
            return False  # somebody has looked meanwhile, and seen another landing
        if not (yield from swap(line, self.head, new, self._epoch.records)):
            return False
        if line.head == self.head:  # else settling an unclear answer has read our epoch back, and what came behind it
            line.add_epoch(self._epoch)
            line.objects.recent.update(self._objects.recent)
            line.head, line.own = new, (new, line.tip)
        for path, content in self._modified():
            depth = self._deltas[content][1] if content in self._deltas else 0
            line.previous.put(path, content, self._contents[content], depth)
            if line.far and blob_size(self._contents[content], "a content") <= MOST:
                line.recent.put(content, decode_blob(self._contents[content], content, "a content of the session"))
        for node in self._nodes:
            line.cache.put(node)
        if len(self._records) > 1:
            # Whoever landed in between goes on from there, and soon.
            line.objects.pins.pin([record.root_after for record in self._records[:-1]], self._fresh)
        self._after = None
        self._objects.below = line.objects
        return True


def _final_session(session: Session, verdict: Verdict, edits: Mapping[bytes, Entry | None], hlc: int) -> Session:
    """The session as it is kept: landed, with the changes as they took effect."""
    merged = {change.path: change for change in verdict.merged}
    changes = []
    for change in session.changes:
        entry = edits.get(change.path)
        if change.path in merged:
            changes.append(merged[change.path])
        elif change.path in edits:
            if entry is not None and entry.kind != change.kind:
                change = msgspec.structs.replace(change, kind=entry.kind)
            changes.append(change)
    metadata = dict(session.metadata)
    if merged:
        metadata["merged"] = [
            {"path": change.path, "sent": change.hash, "base": change.base_hash}
            for change in session.changes
            if change.path in merged
        ]
    same = [change.path for change in session.changes if change.path not in edits]
    if same:
        metadata["already_so"] = same  # landed by somebody else in the same form meanwhile
    session = landed(session, edits, verdict.attributed)
    return msgspec.structs.replace(
        session, state=int(State.LANDED), hlc_updated=hlc, changes=tuple(changes), metadata=metadata
    )
