"""A line of history as one process sees it: head, log, and where everything lies.

The head is read from the store each time it matters; everything else is immutable and kept.

A fork has a second line below it: its origin, frozen at the head that both share. What the fork does not
hold itself it reads there, and nothing that its origin landed later.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from mic.core.commit_point import CommitPoint, number_name
from mic.core.epoch import NOBODY, Epoch, epoch_name
from mic.core.errors import MicError
from mic.core.head import Head
from mic.core.indexrun import RunName
from mic.core.record import Record
from mic.core.segment import SEGMENT
from mic.core.tree import EMPTY_TREE
from mic.ledger.nodes import NodeCache
from mic.ledger.objects import Objects
from mic.ledger.previous import Previous
from mic.ledger.recent import Recent
from mic.ledger.rollup_heads import RollupHeads

# Epochs that tell who lands a project: about a second of a busy one.
_RECENT = 8

Tip = tuple[str, CommitPoint | None]


# A pure function of a path, a merged text and the texts that it was merged from; raises MicError when it may not land.
Inspect = Callable[[bytes, bytes, Sequence[bytes]], None]


class Line:
    """State of one line. Not thread-safe; its owner serialises `refresh` and landing."""

    def __init__(self, project: str, cache: NodeCache, sequenced: bool = False) -> None:
        self.project = project
        self.prefix = f"projects/{project}/"
        self.cache = cache
        self.objects = Objects(project)
        self.head: Head | None = None
        self.tag = ""
        # Whether a line that begins here, or is landed on, shall commit by a sequence of new objects.
        self.sequenced = sequenced
        self.point: CommitPoint | None = None  # the newest one known, of a line that does
        self.far = False  # each request to the store is a journey, and many can be under way at once
        self.tidied = 0  # commit points below this number were removed
        # What the last swap that this process won has made of the head, and what the next one would go by. A look at
        # the head that ends in an error may have left something else there.
        self.own: tuple[Head, Tip] | None = None
        self.start = Head(0, EMPTY_TREE, 0)  # what is behind this head is the line's own: 0, or the fork point
        self.origin: Line | None = None  # the frozen line that a fork reads through
        self.origin_tag = ""
        self.depth = 0  # how many forks read through this view of it, one above the other
        self.covered = self.start  # the index runs reach to this head
        self.faults: list[MicError] = []  # damaged runs that were gone round; whoever drives the line reports them
        self.tail: list[Epoch] = []  # oldest first, from the first position that no segment holds
        self.sessions: dict[bytes, int] = {}
        self.previous = Previous()
        self.recent = Recent()
        self.inspect: Inspect | None = None
        self.lander = NOBODY  # how epochs name this front end, where others are known
        self.segments: OrderedDict[int, tuple[Record, ...]] = OrderedDict()
        self.rollups = RollupHeads()
        self.graves: frozenset[str] = frozenset()  # names of what tells of the erasures that are known
        self.rolled = 0  # rollups were written for what was sealed up to this position

    @property
    def tip(self) -> Tip:
        """What the next move of the head goes by: the tag of `head`, the newest commit point."""
        return self.tag, self.point

    @property
    def winner(self) -> bytes:
        """Who landed most of the newest epochs, of several the one that did last; NOBODY when they do not say.

        One swap that was won by chance makes nobody that: whoever reads the log comes to the same.
        """
        won: dict[bytes, int] = {}
        for epoch in self.tail[-_RECENT:]:
            won[epoch.lander] = won.pop(epoch.lander, 0) + 1
        return max(reversed(won), key=won.__getitem__, default=NOBODY)

    @property
    def head_key(self) -> str:
        return f"{self.prefix}head"

    @property
    def points_prefix(self) -> str:
        return f"{self.prefix}landing-log/seq/"

    def point_key(self, number: int) -> str:
        return self.points_prefix + number_name(number)

    @property
    def boundaries_prefix(self) -> str:
        return f"{self.prefix}landing-log/boundary/"

    def boundary_key(self, number: int) -> str:
        return self.boundaries_prefix + number_name(number)

    @property
    def origin_key(self) -> str:
        return f"{self.prefix}origin"

    def fork_key(self, fork: str) -> str:
        return f"{self.prefix}forks/{fork}"

    def epoch_key(self, head: Head) -> str:
        return f"{self.prefix}landing-log/tail/{epoch_name(head)}"

    def segment_key(self, start: int) -> str:
        return f"{self.prefix}landing-log/{start:012d}.log"

    def rollup_prefix(self, level: int) -> str:
        return f"{self.prefix}landing-log/bloom-index/level-{level}/"

    def rollup_key(self, level: int, start: int) -> str:
        return f"{self.rollup_prefix(level)}{start:012d}.bloom"

    def pack_key(self, pack: bytes) -> str:
        return f"{self.prefix}packs/{pack.hex()}.pack"

    @property
    def erased_prefix(self) -> str:
        return f"{self.prefix}erased/"

    def forget_contents(self) -> None:
        """Let go of all contents in memory: some were erased, and nothing may lean on them."""
        self.previous, self.recent = Previous(), Recent()

    @property
    def leavings_prefix(self) -> str:
        return f"{self.prefix}gc/"

    def leavings_key(self, number: int) -> str:
        return f"{self.leavings_prefix}{number:016x}"

    def session_key(self, session_id: bytes) -> str:
        return f"{self.prefix}sessions/{session_id.hex()}.bin"

    @property
    def run_prefix(self) -> str:
        return f"{self.prefix}packs/index/"

    def run_key(self, first: int, last: int, generation: int = 0) -> str:
        return self.run_prefix + RunName(first, last, generation).text()

    @property
    def sealed(self) -> int:
        """Positions 1..sealed are in segments: a run is written after the segments it covers."""
        return self.covered.position // SEGMENT * SEGMENT

    def find_session(self, session_id: bytes) -> int | None:
        """Where a session landed, as of the last refresh."""
        position = self.sessions.get(session_id)
        if position is not None:
            return position
        for run in reversed(self.objects.runs):
            if (position := run.session(session_id)) is not None:
                return position
        return self.origin.find_session(session_id) if self.origin is not None else None

    def begin_at(self, origin: Line, tag: str) -> None:
        """Read through `origin`, a line frozen at the fork point. Only while nothing of the line is known."""
        assert origin.head is not None
        assert self.head is None
        self.origin, self.origin_tag = origin, tag
        self.start = self.covered = origin.head
        self.objects.below = origin.objects

    def adopt(self, other: Line) -> None:
        """Become what another line of the same project has read. Readers of the old objects are not disturbed."""
        assert other.project == self.project
        self.start, self.origin, self.origin_tag = other.start, other.origin, other.origin_tag
        self.covered, self.tail, self.sessions, self.segments = (
            other.covered,
            other.tail,
            other.sessions,
            other.segments,
        )
        self.head = other.head
        self.faults += other.faults
        self.rolled = 0
        self.graves = other.graves
        self.forget_contents()
        other.objects.reads += self.objects.reads
        self.objects = other.objects

    def outline(self, cache: NodeCache) -> Line:
        """Another view, which goes on by itself from the log and the index runs that this one knows.

        Contents of the newest landings are not found in it.
        """
        made = Line(self.project, cache, self.sequenced)
        made.far, made.depth = self.far, self.depth
        made.head, made.tag, made.point = self.head, self.tag, self.point
        made.start, made.origin, made.origin_tag = self.start, self.origin, self.origin_tag
        made.covered, made.graves = self.covered, self.graves
        made.tail, made.sessions = [*self.tail], {**self.sessions}
        made.objects = Objects(self.project, self.objects.below)
        made.objects.runs = [*self.objects.runs]
        return made

    def add_epoch(self, epoch: Epoch) -> None:
        """Take in an epoch that follows the newest one known."""
        if epoch.new.position > self.covered.position:
            # What a run covers lies where the run says: compaction may have made it a base of what it leaned on here.
            self.objects.add(self.epoch_key(epoch.new), epoch.data_start, epoch.objects)
        for record in epoch.records:
            self.sessions[record.session] = record.position
        self.tail.append(epoch)
