"""An epoch in the making: sessions judged and applied one after the other, written and swapped in together."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping

import msgspec

from mic.core import epoch as stored
from mic.core.blob import encode_node
from mic.core.epoch import PackRef, make_epoch
from mic.core.errors import AlreadyExists
from mic.core.head import Head, next_hlc
from mic.core.ids import content_hash
from mic.core.record import PathChange, Record
from mic.core.session import Session, State, encode_session
from mic.core.tree import Entry, Node, apply, reachable
from mic.ledger.conflict import Verdict, judge
from mic.ledger.effects import Now, Protocol, PutNew
from mic.ledger.line import Line
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects
from mic.ledger.request import Prepared
from mic.ledger.swap import swap
from mic.ledger.trees import Overlay

# An epoch stores its last tree only; a position inside is made again from at most this many records.
MAX_LANDINGS = 256
# Contents that travel in one epoch; whoever would make it larger waits for the next one.
MAX_BYTES = 24 << 20


class Batch:
    """Sessions that land together on one head. Every tree in between is known by its root; the last one is stored."""

    def __init__(self, line: Line, head: Head) -> None:
        self.line, self.head = line, head
        self.root = head.tree
        self.position = 0  # of the newest session taken in; 0 when there is none
        self._hlc = head.hlc
        self._fresh: dict[bytes, Node] = {}
        self._records: list[Record] = []
        self._held: set[bytes] = set()  # ids of the sessions
        self._sessions: list[Session] = []
        self._packs: list[PackRef] = []
        self._contents: dict[bytes, bytes] = {}
        self._bytes = 0
        # What came with the sessions is not part of the line before the swap.
        self._objects = Objects(line.project, below=line.objects)

    @property
    def full(self) -> bool:
        """Whether the next session should wait for the next epoch."""
        return len(self._records) >= MAX_LANDINGS or self._bytes >= MAX_BYTES

    def holds(self, session_id: bytes) -> bool:
        """Whether a session is in the batch."""
        return session_id in self._held

    def judge(self, wish: Prepared) -> Protocol[Verdict]:
        """What of a session can land on what the batch has made so far."""
        request = wish.request
        sent = Objects(self.line.project, below=self._objects)
        sent.recent.update(wish.uploaded)
        contents = ChainMap(dict(request.contents), self._contents)
        nodes = Overlay(self._fresh, self.line.cache)
        return judge(
            self.line, sent, nodes, self.root, self._records, request.session, wish.wanted, wish.base, contents
        )

    def add(self, wish: Prepared, verdict: Verdict) -> Protocol[Session]:
        """Take a session in that has no clashes; the session as it lands."""
        now = yield Now()
        nodes = Overlay(self._fresh, self.line.cache)
        root = yield from with_nodes(
            self.line.objects, self.line.cache, apply(nodes, self.root, verdict.edits, self._fresh)
        )
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

    def _deltas(self) -> dict[bytes, tuple[bytes, int]]:
        """Stored form and depth of the contents that lean on what landed before on the same path."""
        found: dict[bytes, tuple[bytes, int]] = {}
        for path, content in self._modified():
            delta = self.line.previous.delta(path, content, self._contents[content])
            if delta is not None and content not in found:
                found[content] = delta
        return found

    def commit(self, attempt: int) -> Protocol[bool]:
        """Write the epoch and swap the head; False when another landing was faster."""
        line = self.line
        nodes = reachable(self.root, self._fresh)
        packed = [(node.hash, stored.NODE, encode_node(node.raw)) for node in nodes]
        deltas = self._deltas()
        packed += [
            (content, stored.DELTA, deltas[content][0]) if content in deltas else (content, stored.BLOB, raw)
            for content, raw in self._contents.items()
        ]
        while True:
            new = Head(self.position, self.root, self._hlc)
            sealed = [(content_hash(raw), stored.SESSION, raw) for raw in map(encode_session, self._sessions)]
            records = [
                record._replace(session_object=item[0]) for record, item in zip(self._records, sealed, strict=True)
            ]
            epoch, raw = make_epoch(self.head, new, attempt, records, self._packs, packed + sealed)
            try:
                yield PutNew(line.epoch_key(new), raw)
                break
            except AlreadyExists:
                # The same position, clock and tree: another attempt, or our own write whose answer was lost.
                # A new clock value names a new object; the old one is named by no head.
                self._hlc += 1
                self._sessions[-1] = msgspec.structs.replace(self._sessions[-1], hlc_updated=self._hlc)
                self._records[-1] = self._records[-1]._replace(hlc=self._hlc)
        if not (yield from swap(line, self.head, new, epoch.records)):
            return False
        if line.head == self.head:  # else settling an unclear answer has read our epoch back, and what came behind it
            line.add_epoch(epoch)
            line.objects.recent.update(self._objects.recent)
            line.head = new
        for path, content in self._modified():
            depth = deltas[content][1] if content in deltas else 0
            line.previous.put(path, content, self._contents[content], depth)
        for node in nodes:
            line.cache.put(node)
        if len(self._records) > 1:
            # Whoever landed in between goes on from there, and soon.
            line.objects.pins.pin([record.root_after for record in self._records[:-1]], self._fresh)
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
    return msgspec.structs.replace(
        session, state=int(State.LANDED), hlc_updated=hlc, changes=tuple(changes), metadata=metadata
    )
