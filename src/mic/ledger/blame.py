"""Which landing each line of a file came with, newest version to oldest, as far as a bounded effort goes.

The versions of a file are what its history names. Where the file is new, it is followed to the file that it is a copy
of: as the session says, or when the same landing took away one file of this very content. Where neither is so it goes
on at the file that went away and is most like it, and what is found there is marked.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

from mic.core.blame import Blame, Origin, Sought
from mic.core.blob import MAX_WHOLE
from mic.core.carried import carried
from mic.core.errors import Corrupt, NotFound, NotText, TooLarge
from mic.core.linediff import is_binary
from mic.core.paths import display
from mic.core.record import Record, first_from
from mic.core.rollup import BELOW
from mic.core.segment import segment_start
from mic.core.session import Op
from mic.core.textdiff import Versions, count_lines
from mic.core.tree import BLOB, CHUNKED, Entry
from mic.ledger.alike import alike
from mic.ledger.blame_cache import BlameCache, Version
from mic.ledger.came_from import base_of, came_from
from mic.ledger.effects import Now, Protocol
from mic.ledger.path_history import LogView, path_history, read_segment
from mic.ledger.session_object import read_session
from mic.ledger.small import read_small

# What is stored in one piece. A larger text is no file that people read by lines.
MAX_BYTES = MAX_WHOLE
MAX_LINES = 200_000
# So many versions and bytes are read ahead at most; it begins with one and doubles.
_AHEAD = 64
_AHEAD_BYTES = 16 << 20
_REGULAR = 0o100000
_TYPE = 0o170000
_WHAT = {0o120000: "a symbolic link", 0o160000: "a link to a commit elsewhere"}


class Bounds(NamedTuple):
    """How far one question may look: versions, bytes of them, milliseconds. At 1 ms a version of 400 KB, 5 s are enough
    for 5,000.
    """

    versions: int = 5_000
    bytes: int = 2 << 30
    ms: int = 5_000


class Blamed(NamedTuple):
    """A file with the origin of its lines. `position` is the landing that wrote this version of it."""

    position: int
    entry: Entry
    data: bytes
    blame: Blame


class _Written(NamedTuple):
    """A version of a path: the record that wrote it, and what it wrote; None when the path went away."""

    record: Record
    path: bytes
    op: int
    entry: Entry | None

    @property
    def is_text(self) -> bool:
        """Whether it is a file that may be read by lines, as far as its entry tells."""
        entry = self.entry
        return entry is not None and entry.mode & _TYPE == _REGULAR and entry.kind in (BLOB, CHUNKED)


class _FalseError(Exception):
    """What was kept cannot be true."""

    def __init__(self, version: Version) -> None:
        self.version = version


_BOUNDS = Bounds()


def blame(view: LogView, cache: BlameCache, path: bytes, at: int, bounds: Bounds = _BOUNDS) -> Protocol[Blamed]:
    """The file of this path at position `at`, and where its lines came from.

    NotFound when there is none, NotText for what has no lines, TooLarge. Corrupt when something is damaged or gone.
    """
    while True:
        try:
            return (yield from _Walk(view, cache, bounds).file(path, at))
        except _FalseError as lie:
            cache.drop(lie.version)


class _Walk:
    """One question."""

    def __init__(self, view: LogView, cache: BlameCache, bounds: Bounds) -> None:
        self.view, self.cache, self.bounds = view, cache, bounds
        self.versions = self.bytes = 0
        self.end = 0
        self.alike = False  # whether the way led through a likeness

    def file(self, path: bytes, at: int) -> Protocol[Blamed]:
        if at > self.view.head:
            raise NotFound(f"position {at} does not exist; the newest is {self.view.head}")
        self.end = (yield Now()) + self.bounds.ms
        trail = _Trail(self.view, path, at)
        newest = yield from trail.next()
        if newest is None or newest.entry is None:
            if trail.below:
                raise NotText(f"{display(path)} is a directory", hint="ask about a file in it")
            raise NotFound(f"there is no file {display(path)} at @{at}")
        data = yield from self._asked(newest)
        sought = Sought(count_lines(data))
        if sought.left:
            yield from self._follow(newest, data, trail, sought)
        found = sought.blame()
        self.cache.put(self._key(newest), found)
        return Blamed(newest.record.position, newest.entry, data, found)

    def _asked(self, version: _Written) -> Protocol[bytes]:
        entry, name = version.entry, display(version.path)
        assert entry is not None
        if not version.is_text:
            what = _WHAT.get(entry.mode & _TYPE, "an unresolved conflict")
            raise NotText(f"{name} is {what}", hint="only the lines of text files came from somewhere")
        if entry.size > MAX_BYTES or entry.kind == CHUNKED:
            raise TooLarge(f"{name} has {entry.size} bytes; lines are looked for in at most {MAX_BYTES}")
        data: bytes = (yield from read_small(self.view.line.objects, [entry.hash]))[entry.hash]
        if is_binary(data):
            raise NotText(f"{name} is binary", hint="only the lines of text files came from somewhere")
        if (lines := count_lines(data)) > MAX_LINES:
            raise TooLarge(f"{name} has {lines} lines; at most {MAX_LINES} are looked for")
        return data

    def _follow(self, version: _Written, data: bytes, trail: _Trail, sought: Sought) -> Protocol[None]:
        """Look for the lines of a version in those before it, until none is left or the effort is at its end."""
        versions: Versions | None = None
        while True:
            known = self.cache.get(self._key(version), len(sought.here))
            if known is not None:
                left = sought.take_known(known, self.alike)
                if not left:
                    return
                place = known.unsettled
                assert place is not None
                self.alike = self.alike or place.alike
                trail = _Trail(self.view, place.path, place.position)
                reached = yield from trail.next()
                if reached is None or reached.record.position != place.position or not reached.is_text:
                    raise _FalseError(self._key(version))
                text = yield from self._text(reached, trail)
                if text is None or not sought.go_on(count_lines(text), left):
                    raise _FalseError(self._key(version))
                version, data, versions = reached, text, None
            origin = Origin(version.record.position, version.path, alike=self.alike)
            if version.op == Op.ADDED:
                source = yield from self._source(version, data)
                trail = source or trail
                older = (yield from source.next()) if source else None
            else:
                older = yield from trail.next()
                if older is None or older.entry is None:
                    raise Corrupt(
                        f"{display(version.path)} was changed @{origin.position}, and nothing is known before"
                    )
            if older is None or not older.is_text:
                return sought.take_all(origin)
            self.versions += 1
            if self.versions > self.bounds.versions or self.bytes > self.bounds.bytes or (yield Now()) > self.end:
                return sought.take_all(origin._replace(settled=False))
            assert older.entry is not None
            assert version.entry is not None
            if older.entry.hash != version.entry.hash:
                text = yield from self._text(older, trail)
                if text is None:
                    return sought.take_all(origin._replace(settled=False))
                if is_binary(text):
                    return sought.take_all(origin)
                versions = versions or Versions(data)
                opcodes = versions.older(text)
                sought.step(opcodes, origin, carried(opcodes, versions.gone, versions.come, versions.count))
                if not sought.left:
                    return
                data = text
            version = older

    def _text(self, version: _Written, trail: _Trail) -> Protocol[bytes | None]:
        """The content of a version, and those of some older ones with it; None when it is too large, or erased."""
        entry = version.entry
        assert entry is not None
        erased = self.view.line.objects.tombstone
        if entry.size > MAX_BYTES or entry.kind == CHUNKED or erased(entry.hash):
            return None
        if entry.hash not in trail.texts:
            wanted, size = [entry.hash], entry.size
            for ahead in trail.waiting[: trail.step - 1]:
                if ahead.entry is None or ahead.entry.kind != BLOB or size + ahead.entry.size > _AHEAD_BYTES:
                    break
                if erased(ahead.entry.hash):
                    break
                wanted.append(ahead.entry.hash)
                size += ahead.entry.size
            trail.texts = yield from read_small(self.view.line.objects, wanted)
        self.bytes += entry.size
        return trail.texts[entry.hash]

    def _source(self, version: _Written, data: bytes) -> Protocol[_Trail | None]:
        """Where a new file with this text goes on: at what it is a copy of, in the tree that its session began from."""
        assert version.entry is not None
        base = base_of(version.record)
        if not base:
            return None
        session = yield from read_session(self.view.line.objects, version.record.session_object)
        copied = came_from(version.record, session, version.path)
        if not copied:
            copied = yield from alike(self.view.line.objects, version.record, session, version.path, data)
            self.alike = self.alike or bool(copied)
        return _Trail(self.view, copied, base) if copied else None

    def _key(self, version: _Written) -> Version:
        assert version.entry is not None
        return Version(self.view.line.project, version.path, version.record.position, version.entry.hash)


class _Trail:
    """The versions of a path up to a position, newest first, looked up in growing steps."""

    def __init__(self, view: LogView, path: bytes, at: int) -> None:
        self.view, self.path = view, path
        self.waiting: list[_Written] = []
        self.texts: dict[bytes, bytes] = {}
        self.step = 1
        self.below = False  # something below the path was touched before anything became of itself
        self._before = at + 1
        self._segment: tuple[Record, ...] = ()

    def next(self) -> Protocol[_Written | None]:
        """The next older version; None when there is none."""
        while not self.waiting and self._before > 1:
            self.step = min(self.step * 2, _AHEAD)
            found = yield from path_history(self.view, self.path, self._before, 0, self.step)
            self._before = found.reached + 1
            for touch in found.touches:
                if touch.what != BELOW:
                    record = yield from self._record(touch.position)
                    at = first_from(record.changes, self.path)
                    change = record.changes[at]
                    self.waiting.append(_Written(record, self.path, change.op, change.entry))
                else:
                    self.below = self.below or not self.waiting
        return self.waiting.pop(0) if self.waiting else None

    def _record(self, position: int) -> Protocol[Record]:
        here = self.view
        while here.below is not None and position <= here.start:
            here = here.below
        if position > max(here.sealed, here.start):
            at = bisect_left(here.tail, position, key=lambda epoch: epoch.new.position)
            records = here.tail[at].records
            return records[position - records[0].position]
        if not self._segment or not self._segment[0].position <= position <= self._segment[-1].position:
            self._segment = yield from read_segment(here.line, segment_start(position))
        return self._segment[position - self._segment[0].position]
