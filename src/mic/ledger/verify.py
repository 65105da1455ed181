"""Checking a project from its head down: log, index, trees, contents. Everything is read, nothing is changed.

    head -> epochs, one naming the one before -> packs -> segments and index runs against them
         -> each record against the one before -> the tree of every epoch -> sessions and contents
         -> and at last what lies there that nothing names

Nothing is taken from what a running forge remembers: an object is found through the contents lists that the
log names, and an index is only compared with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from mic.core import epoch as stored
from mic.core.commit_point import decode_commit_point, number_name
from mic.core.epoch import Epoch
from mic.core.errors import Corrupt, MicError, NotFound, TooLarge
from mic.core.head import Head
from mic.core.indexrun import IndexRun
from mic.core.origin import Origin, Tie, decode_origin
from mic.core.record import Record
from mic.core.segment import SEGMENT, decode_segment
from mic.core.tree import EMPTY_TREE, Entry, Inner, Node, apply, build
from mic.ledger.chunked import Runner
from mic.ledger.contents import read_range
from mic.ledger.effects import Get, List, Protocol
from mic.ledger.follow import MAX_DEPTH, read_epoch, read_pack_toc
from mic.ledger.frame import MAX_CONTENT
from mic.ledger.leavings import read_leavings
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache, fetch_nodes, with_nodes
from mic.ledger.pushed import pushes, read_push
from mic.ledger.session_object import read_session
from mic.ledger.small import read_small
from mic.ledger.tip import points, read_tip
from mic.ledger.tombstones import read_graves, stand_ins
from mic.ledger.trees import Overlay
from mic.ledger.verify_graves import left_of
from mic.ledger.verify_places import listed_in
from mic.store import Listed, Tagged

_BATCH = 64  # contents read together; each is at most 4 MiB
_CACHE = 64 << 20

Told = Callable[[str, int, int], None]  # what is being checked, how many are done, of how many


class Finding(NamedTuple):
    """Something that is not as it should be. `kind` is one of missing, damaged, wrong, unfinished, unreachable.

    Only `unreachable` is harmless: an upload or a landing that is under way or was given up. `unfinished` is an erasure
    that was stopped, or is under way.
    """

    kind: str
    object: str
    message: str


class _Link(NamedTuple):
    owner: Line
    epoch: Epoch


class Verifier:
    """One check of one project. `run` drives a protocol; `told` hears how far it is."""

    def __init__(self, project: str, run: Runner, told: Told = lambda what, done, of: None) -> None:
        self.line = Line(project, NodeCache(_CACHE))
        self._run, self._told = run, told
        self._links: list[_Link] = []  # oldest first
        self._whole = False  # whether the log was followed to its beginning: only then is the rest unreachable
        self._own = 0  # positions up to here are an origin's
        self._named: set[str] = set()
        self._gone: dict[bytes, list[str]] = {}  # contents of which no byte is left, below which prefixes
        self._silent: set[bytes] = set()  # objects of sessions of which no word is left
        self._epochs: set[str] = set()  # every epoch of the log, where the line has it or would have its copy
        self.objects = self.line.objects

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, as it is found."""
        # What others write from here on is not known below, so that nobody can say of it that nothing names it.
        there = self._list(self.line.prefix)
        head = None
        try:
            head = self._run(read_tip(self.line))
        except (NotFound, Corrupt) as error:
            yield _finding(error, self.line.head_key)
        if head is not None:
            yield from self._chain(head)
            yield from self._points()
            yield from self._packs()
            yield from self._copies()
            # Whoever seals writes segments before the run over them: listed in the other order, none can seem to lack.
            packs = self._list(f"{self.line.prefix}packs/")
            yield from self._segments()
            yield from self._rollups()
            yield from self._indexes(packs)
            yield from self._log(head)
            yield from self._trees()
            yield from self._sessions()
            yield from self._contents()
            yield from self._leavings()
            yield from self._pushes()
        if self._whole:
            yield from self._unreachable(there)

    # ------------------------------------------------------------ log

    def _chain(self, head: Head) -> Iterator[Finding]:
        """Every epoch from the head down to position 0, through the origins of a fork."""
        try:
            owners = self._owners()
        except (NotFound, Corrupt) as error:
            yield _finding(error, self.line.origin_key)
            owners = [(self.line, Head(0, EMPTY_TREE, 0))]
        self._own = owners[0][1].position
        at, level = head, 0
        try:
            while at.position:
                while at.position <= owners[level][1].position:
                    if at.position == owners[level][1].position and at != owners[level][1]:
                        raise Corrupt(
                            f"{owners[level][0].origin_key} names another head than the log at @{at.position}"
                        )
                    level += 1
                epoch = self._run(read_epoch(owners[level][0], at))
                self._links.append(_Link(owners[level][0], epoch))
                at = epoch.prev
                self._told("log", head.position - at.position, head.position)
            self._whole = True
            if at.tree != EMPTY_TREE:
                yield Finding("wrong", self.line.head_key, "the log does not begin with the empty tree")
        except Corrupt as error:
            yield _finding(error, "")
            yield Finding("missing", self.line.head_key, f"positions 1 to {at.position} are out of its reach")
        self._links.reverse()
        yield from self._graves([owner for owner, _ in owners])
        for owner, epoch in self._links:
            key = owner.epoch_key(epoch.new)
            self._named.add(key)
            self._epochs.add(self.line.epoch_key(epoch.new))
            self.objects.add(key, epoch.data_start, epoch.objects)

    def _graves(self, owners: Sequence[Line]) -> Iterator[Finding]:
        """What was erased, here and in what this reads through."""
        for owner in owners:
            try:
                graves = self._run(read_graves(owner))
            except Corrupt as error:
                yield _finding(error, owner.erased_prefix)
                continue
            self.objects.bury(owner.prefix, graves.tombstones.values(), graves.displaced)
            self.objects.stand_ins = {**self.objects.stand_ins, **stand_ins(graves)}
            packs = {owner.prefix + moved.name for item in graves.displaced for moved in item.moved}
            self._named |= graves.names | packs
            for content in graves.gone:
                self._gone.setdefault(content, []).append(owner.prefix)
            for _, _, redaction in graves.redactions:
                if redaction.name in graves.gone:
                    self._silent.update(item.session_object for item in redaction.stand_ins)
            for key, kind, why in left_of(owner, graves, self._run):
                yield Finding(kind, key, why)

    def _copies(self) -> Iterator[Finding]:
        """Nothing in the log holds a content that is gone."""
        for content in sorted(self._gone):
            place = self.objects.recent.get(content)
            if place is None or self.objects.is_zero(place):
                continue
            if place.key.startswith(tuple(self._gone[content])):  # else a fork has landed it by itself
                yield Finding("wrong", place.key, f"it holds {content.hex()}, which was erased")
        for session_object in sorted(self._silent):
            place = self.objects.recent.get(session_object)
            if place is not None and not self.objects.is_zero(place):
                yield Finding(
                    "wrong", place.key, f"it holds the session object {session_object.hex()}, which was erased"
                )

    def _points(self) -> Iterator[Finding]:
        """Every commit point that counts leads to a head of the log."""
        if self.line.point is None:
            return
        made = {link.epoch.new for link in self._links} | {link.epoch.prev for link in self._links}
        listed = [item.key for item in self._run(points(self.line))]
        boundaries = [key for key in listed if key.startswith(self.line.boundaries_prefix)]
        floor = boundaries[-1].rsplit("/", 1)[1] if boundaries else ""
        for key in listed:
            name = key.rsplit("/", 1)[1]
            if name < floor:
                continue  # waits to be removed
            self._named.add(key)
            if name > number_name(self.line.point.number):
                continue  # came since the head was read
            try:
                point = decode_commit_point(self._run(_get(key)).data, key)
            except NotFound:
                continue  # was removed since it was listed
            except Corrupt as error:
                yield _finding(error, key)
                continue
            if number_name(point.number) != key.rsplit("/", 1)[1] or point.head not in made:
                yield Finding("wrong", key, "it leads to a head that is not in the log")

    def _owners(self) -> list[tuple[Line, Head]]:
        """The line, and those it reads through, each with the head behind which it has its own log."""
        nothing = Head(0, EMPTY_TREE, 0)
        owners: list[tuple[Line, Head]] = []
        line = self.line
        while len(owners) <= MAX_DEPTH:
            origin = self._origin(line)
            if origin is None:
                return [*owners, (line, nothing)]
            owners.append((line, origin.head))
            line = Line(origin.project, self.line.cache)
        raise Corrupt(f"{line.origin_key} is the last of more than {MAX_DEPTH} forks of forks", object=line.origin_key)

    def _origin(self, line: Line) -> Origin | None:
        try:
            raw: Tagged = self._run(_get(line.origin_key))
        except NotFound:
            return None
        origin = decode_origin(raw.data, line.origin_key)
        return origin if origin.tie is Tie.READS_THROUGH else None

    def _packs(self) -> Iterator[Finding]:
        for number, (owner, epoch) in enumerate(self._links):
            for pack in epoch.packs:
                key = owner.pack_key(pack.hash)
                if key in self._named:
                    continue
                self._named.add(key)
                try:
                    self.objects.add(key, 0, self._run(read_pack_toc(owner, pack)))
                except Corrupt as error:
                    yield _finding(error, key)
            self._told("packs", number + 1, len(self._links))

    def _records(self) -> Iterator[Record]:
        return (record for _, epoch in self._links for record in epoch.records)

    def _segments(self) -> Iterator[Finding]:
        """Every segment that is there says what the epochs say."""
        by_position = {record.position: record for record in self._records()}
        for listed in self._list(f"{self.line.prefix}landing-log/"):
            if not listed.key.endswith(".log"):
                continue
            self._named.add(listed.key)
            try:
                found = decode_segment(self._run(_get(listed.key)).data, listed.key)
            except (NotFound, Corrupt) as error:
                yield _finding(error, listed.key)
                continue
            start = found[0].position
            if self.line.segment_key(start) != listed.key:
                yield Finding("wrong", listed.key, f"it holds positions {start} to {start + SEGMENT - 1}")
            for record in found:
                if by_position.get(record.position, record) != record:
                    yield Finding("wrong", listed.key, f"it tells @{record.position} otherwise than the log")
                    break

    def _rollups(self) -> Iterator[Finding]:
        """Every rollup that is there is what is made of the log. None has to be there."""
        from mic.ledger.verify_rollups import RollupCheck  # brings numpy, which only this needs

        known = self._links[-1].epoch.new.position if self._links else 0
        check = RollupCheck(self.line, {record.position: record for record in self._records()})
        listed = self._list(f"{self.line.prefix}landing-log/bloom-index/")
        for number, each in enumerate(listed):
            self._named.add(each.key)
            if check.reaches(each.key) > known and check.reaches(each.key) <= self._newest():
                continue  # came since the head was read
            try:
                why = check.wrong(each.key, lambda key=each.key: self._run(_get(key)).data)  # type: ignore[misc]
            except (NotFound, Corrupt) as error:
                yield _finding(error, each.key)
                continue
            if why:
                yield Finding("wrong", each.key, why)
            self._told("rollups", number + 1, len(listed))

    def _newest(self) -> int:
        """Where the head is now."""
        return self._run(read_tip(Line(self.line.project, self.line.cache))).position  # type: ignore[no-any-return]

    def _indexes(self, packs: Sequence[Listed]) -> Iterator[Finding]:
        """Every index run leads to what the log holds, or to another place with the same object."""
        sizes = {listed.key: listed.size for listed in packs}
        entries: dict[str, set[tuple[bytes, int, int, int]]] = {}
        runs = [key for key in sizes if key.endswith(".run")]
        for number, key in enumerate(runs):
            self._named.add(key)
            try:
                run = IndexRun(self._run(_get(key)).data, key)
                if self._came_since(run):
                    continue
                yield from self._index(run, key, sizes, entries)
                for start in range(1, run.last - SEGMENT + 2, SEGMENT):
                    if start + SEGMENT - 1 > self._own and (segment := self.line.segment_key(start)) not in self._named:
                        self._named.add(segment)
                        yield Finding("missing", segment, f"{key} was written after it, and is there")
            except (NotFound, Corrupt) as error:
                yield _finding(error, key)
            self._told("index", number + 1, len(runs))

    def _came_since(self, run: IndexRun) -> bool:
        """Whether a run covers what has landed since the head was read, of which nothing is known here."""
        known = self._links[-1].epoch.new.position if self._links else 0
        return run.last > known and run.last <= self._newest()

    def _index(
        self, run: IndexRun, key: str, sizes: dict[str, int], entries: dict[str, set[tuple[bytes, int, int, int]]]
    ) -> Iterator[Finding]:
        for object_hash, place in self.objects.recent.items():
            found = run.find(object_hash)
            if found is None or found == place or self.objects.is_zero(found):
                continue
            if found.key not in entries:
                self._named.add(found.key)
                size = sizes.get(found.key, 0)
                entries[found.key] = listed_in(self.objects, found.key, size, found.key in self._epochs, self._run)
            if (object_hash, found.kind, found.offset, found.length) not in entries[found.key]:
                yield Finding("wrong", key, f"it says that {object_hash.hex()} lies in {found.key}, where it does not")
        for record in self._records():
            if run.first <= record.position <= run.last and run.session(record.session) != record.position:
                yield Finding("wrong", key, f"it does not know the session that landed @{record.position}")

    def _log(self, head: Head) -> Iterator[Finding]:
        """Positions without a gap, a clock that grows, each session once."""
        position, hlc = 0, -1
        sessions: dict[bytes, int] = {}
        for record in self._records():
            name = f"landing @{record.position}"
            if position and record.position != position + 1:
                yield Finding("wrong", name, f"it follows on @{position}")
            if record.hlc <= hlc:
                yield Finding("wrong", name, "its clock is not behind that of the landing before")
            if record.base_position >= record.position:
                yield Finding("wrong", name, f"its base is @{record.base_position}")
            if (first := sessions.setdefault(record.session, record.position)) != record.position:
                yield Finding("wrong", name, f"its session had landed @{first} already")
            position, hlc = record.position, record.hlc
        if self._links and self._links[-1].epoch.new != head:
            yield Finding("wrong", self.line.head_key, "it is not the end of its log")

    # ------------------------------------------------------------ trees

    def _trees(self) -> Iterator[Finding]:
        """The tree of every epoch is complete; each landing's is what its record makes of the one before."""
        seen: set[bytes] = {EMPTY_TREE}
        if not self._links:
            return
        root = EMPTY_TREE if self._links[0].epoch.prev.position == 0 else self._links[0].epoch.prev.tree
        files: dict[bytes, Entry] | None = {} if root == EMPTY_TREE else None
        for number, (_, epoch) in enumerate(self._links):
            yield from self._walk(epoch.new.tree, epoch.new.position, seen)
            fresh: dict[bytes, Node] = {}
            for record in epoch.records:
                edits = {change.path: change.entry for change in record.changes}
                if files is not None:
                    files.update({path: entry for path, entry in edits.items() if entry is not None})
                    for path in [path for path, entry in edits.items() if entry is None]:
                        files.pop(path, None)
                try:
                    root = self._run(self._apply(root, edits, fresh))
                except Corrupt as error:
                    yield _finding(error, f"landing @{record.position}")
                    root = record.root_after  # what could not be read tells nothing of the record
                if root != record.root_after:
                    yield Finding("wrong", f"landing @{record.position}", "its changes do not make its tree")
                root = record.root_after
            self._told("trees", number + 1, len(self._links))
        if files is not None and build(sorted(files.values()), {}) != root:
            yield Finding("wrong", self.line.head_key, "its tree is not what all landings together make")

    def _apply(self, root: bytes, edits: dict[bytes, Entry | None], fresh: dict[bytes, Node]) -> Protocol[bytes]:
        overlay = Overlay(fresh, self.line.cache)
        return with_nodes(self.objects, self.line.cache, apply(overlay, root, edits, fresh))

    def _walk(self, root: bytes, position: int, seen: set[bytes]) -> Iterator[Finding]:
        """Nodes that no tree before had."""
        todo = [root]
        while todo:
            node_hash = todo.pop()
            if node_hash in seen:
                continue
            seen.add(node_hash)
            try:
                node = self._run(fetch_nodes(self.objects, self.line.cache, [node_hash]))[node_hash]
            except Corrupt as error:
                yield _finding(error, f"tree @{position}")
                continue
            if isinstance(node, Inner):
                todo += node.children()

    # ------------------------------------------------------------ contents

    def _sessions(self) -> Iterator[Finding]:
        total = sum(len(epoch.records) for _, epoch in self._links)
        for number, record in enumerate(self._records()):
            try:
                session = self._run(read_session(self.objects, record.session_object))
            except Corrupt as error:
                yield _finding(error, f"landing @{record.position}")
                continue
            if session.id != record.session:
                yield Finding("wrong", f"landing @{record.position}", "it names the object of another session")
            self._told("sessions", number + 1, total)

    def _contents(self) -> Iterator[Finding]:
        """Every content that a record names, once."""
        named: dict[bytes, tuple[int, int]] = {}
        for record in self._records():
            for change in record.changes:
                if change.entry is not None and change.entry.hash not in self.objects.erased:
                    named.setdefault(change.entry.hash, (record.position, change.entry.size))
        large: list[bytes] = []
        small: list[bytes] = []
        for content in named:
            place = self.objects.find(content)
            (large if place is not None and place.kind == stored.CHUNK_LIST else small).append(content)
        # Neighbours together: members of one group are inflated once.
        small.sort(key=lambda content: self.objects.find(content) or ("",))
        done = 0
        for batch in _batches(small):
            yield from self._small(batch, named)
            done += len(batch)
            self._told("contents", done, len(named))
        for content in large:
            yield from self._large(content, *named[content])
            done += 1
            self._told("contents", done, len(named))

    def _small(self, batch: Sequence[bytes], named: dict[bytes, tuple[int, int]]) -> Iterator[Finding]:
        try:
            found = self._run(read_small(self.objects, batch))
        except (Corrupt, NotFound, TooLarge) as error:
            if len(batch) > 1:  # one by one, so that each finding has its name
                for content in batch:
                    yield from self._small([content], named)
            else:
                yield _finding(error, f"a content of @{named[batch[0]][0]}")
            return
        for content, data in found.items():
            position, size = named[content]
            if len(data) != size:
                yield Finding(
                    "wrong", f"landing @{position}", f"it says {size} bytes of {content.hex()}, not {len(data)}"
                )

    def _large(self, content: bytes, position: int, size: int) -> Iterator[Finding]:
        digest, have = hashlib.sha256(), 0
        try:
            for data in read_range(self.objects, content, 0, MAX_CONTENT, self._run):
                digest.update(data)
                have += len(data)
        except (Corrupt, NotFound, TooLarge) as error:
            yield _finding(error, f"a content of @{position}")
            return
        if digest.digest() != content:
            yield Finding("damaged", content.hex(), f"the chunks of this content of @{position} make other bytes")
        elif have != size:
            yield _size(position, content, size, have)

    # ------------------------------------------------------------ what nothing names

    def _unreachable(self, there: Sequence[Listed]) -> Iterator[Finding]:
        kept = tuple(
            f"{self.line.prefix}{name}/"
            for name in ("sessions", "intents", "pushed", "forks", "set-aside", "git", "gc")
        )
        known = {self.line.head_key, self.line.origin_key, *self._named}
        for listed in there:
            if listed.key not in known and not listed.key.startswith(kept):
                yield Finding("unreachable", listed.key, f"nothing names these {listed.size} bytes")

    def _leavings(self) -> Iterator[Finding]:
        """What the collector has written down can be read: landings with uploads go by it."""
        try:
            self._run(read_leavings(self.line))
        except Corrupt as error:
            yield _finding(error, self.line.leavings_prefix)

    def _pushes(self) -> Iterator[Finding]:
        """Pushed work can be read: its owner goes on with it, and collection goes by it. What it names is named."""
        for item in self._run(pushes(self.line)):
            try:
                intent = self._run(read_push(item))
            except Corrupt as error:
                yield _finding(error, item.key)
                continue
            if intent is not None:
                self._named.update(self.line.pack_key(pack.hash) for pack in intent.packs)

    def _list(self, prefix: str) -> list[Listed]:
        return self._run(_listed(prefix))  # type: ignore[no-any-return]


def _finding(error: MicError, name: str) -> Finding:
    missing = isinstance(error, NotFound) or "missing" in error.message
    return Finding("missing" if missing else "damaged", str(error.details.get("object") or name), error.message)


def _size(position: int, content: bytes, said: int, found: int) -> Finding:
    return Finding("wrong", f"landing @{position}", f"it says that {content.hex()} has {said} bytes, not {found}")


def _batches(contents: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(contents)
    while batch := list(islice(rest, _BATCH)):
        yield batch


def _get(key: str) -> Protocol[Tagged]:
    return (yield Get(key))  # type: ignore[no-any-return]


def _listed(prefix: str) -> Protocol[list[Listed]]:
    return (yield List(prefix))  # type: ignore[no-any-return]
