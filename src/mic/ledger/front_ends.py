"""Which front ends there are, and which of them is preferred for a project.

Each leaves a beacon in the bucket every few seconds and looks at those of the others. One that has been renewed lately,
by the looker's own clock, is alive; so clocks that differ change nothing. For every project each front end gives
all that it knows to be alive a number, and prefers the one with the highest: all come to the same without talking.

Where one is seen to win against the others, that one is preferred for some beats, whoever it is: a landing that has
lost to it is best landed by it. While it goes on winning it stays preferred, so a busy project does not move when one
with a higher number comes. After a pause the numbers count again.

Who is preferred is a matter of speed. Two that disagree, or a dead one that is still preferred, cost time.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import OrderedDict
from typing import NamedTuple

from mic.core.beacon import PREFIX, Beacon, decode_beacon, encode_beacon, parse_key
from mic.core.epoch import LANDER_BYTES, NOBODY
from mic.core.errors import AlreadyExists, Corrupt, NotFound
from mic.ledger.effects import Delete, Get, List, Now, Protocol, PutNew
from mic.store import Listed, Tagged

PAUSE = 3.0  # seconds between two beats
LIVE = 10_000  # milliseconds: three beats, of which two may be lost
FORGET = 600_000  # milliseconds without renewal, as seen by one looker, after which it removes a beacon
SUSPECTED = 2  # beats for which one that gave no answer is passed over
FAILURES = 2  # calls in a row without an answer: one is lost now and then where nothing is wrong
FOLLOWED = 4  # beats for which one that was faster is preferred
MOST_FOLLOWED = 1000  # projects for which that is known
MOST = 1000  # beacons that are looked at; more are somebody's mistake


class Peer(NamedTuple):
    """Another front end and its `ip:port`."""

    front_end: bytes
    address: str


class FrontEnds:
    """The front ends as one of them sees them. One thread beats; any number may ask who is preferred."""

    def __init__(self, front_end: bytes, address: str) -> None:
        self.front_end, self.address = front_end, address
        self._own: Beacon | None = None
        self._seen: dict[str, int] = {}  # key of a beacon -> when it was seen first, by the clock of this front end
        self._addresses: dict[bytes, str] = {}
        self._looked = False
        self._live: tuple[Peer, ...] = ()
        self._beats = 0
        self._suspects: dict[bytes, int] = {}
        self._failures: dict[bytes, int] = {}
        # Project -> position at which somebody was faster, how epochs name it, the last beat for which that counts.
        self._followed: OrderedDict[str, tuple[int, bytes, int]] = OrderedDict()

    # ------------------------------------------------------------ who is preferred

    def preferred(self, project: str) -> Peer | None:
        """The other front end that lands this project; None when that is this one, or no other is known."""
        _, winner, until = self._followed.get(project, (0, NOBODY, -1))
        if winner != NOBODY and until >= self._beats:
            if winner == self.lander:
                return None
            for peer in self._live:
                if peer.front_end.startswith(winner) and self._suspects.get(peer.front_end, 0) <= self._beats:
                    return None if peer.address == self.address else peer
        return self.favourite(project)

    def knows_winner(self, project: str) -> bool:
        """Whether the one that is preferred was seen to win, and is not this one."""
        _, winner, until = self._followed.get(project, (0, NOBODY, -1))
        peer = self.preferred(project)
        return until >= self._beats and peer is not None and peer.front_end.startswith(winner)

    def favourite(self, project: str) -> Peer | None:
        """As `preferred`, by the numbers alone."""
        best, weight = None, _weight(project, self.front_end)
        for peer in self._live:
            if self._suspects.get(peer.front_end, 0) <= self._beats:
                other = _weight(project, peer.front_end)
                if other > weight:
                    best, weight = peer, other
        # One at the own address is what this front end was before it started anew.
        return None if best is None or best.address == self.address else best

    @property
    def lander(self) -> bytes:
        """How epochs name this front end."""
        return self.front_end[:LANDER_BYTES]

    def follow(self, project: str, winner: bytes, position: int) -> None:
        """A front end was faster, at that position: prefer it for a while."""
        known, _, until = self._followed.get(project, (0, NOBODY, -1))
        if position >= known or until < self._beats:
            self._followed[project] = position, winner, self._beats + FOLLOWED
            self._followed.move_to_end(project)
            while len(self._followed) > MOST_FOLLOWED:
                self._followed.popitem(last=False)

    def failed(self, peer: Peer) -> None:
        """A call was not answered: pass it over when that was not the first in a row."""
        self._failures[peer.front_end] = self._failures.get(peer.front_end, 0) + 1
        if self._failures[peer.front_end] >= FAILURES:
            self.suspect(peer)

    def answered(self, peer: Peer) -> None:
        """A call was answered."""
        self._failures.pop(peer.front_end, None)

    def suspect(self, peer: Peer) -> None:
        """Pass it over for a while."""
        self._failures.pop(peer.front_end, None)
        self._suspects[peer.front_end] = self._beats + SUSPECTED

    @property
    def live(self) -> tuple[Peer, ...]:
        """The others that are alive, as of the last look."""
        return self._live

    # ------------------------------------------------------------ beating

    def beat(self) -> Protocol[None]:
        """Renew the own beacon, look at the others. Errors of the store are raised; what was known stays."""
        self._beats += 1
        self._suspects = {peer: until for peer, until in self._suspects.items() if until > self._beats}
        now: int = yield Now()
        before = self._own
        beacon = Beacon(self.front_end, max(now, before.written + 1 if before else 0), self.address)
        with contextlib.suppress(AlreadyExists):  # our own, whose answer was lost
            yield PutNew(beacon.key, encode_beacon(beacon))
        self._own = beacon
        if before is not None:
            yield Delete(before.key)
        yield from self.look()

    def look(self) -> Protocol[None]:
        """Read which beacons there are."""
        now: int = yield Now()
        listed: list[Listed] = yield List(PREFIX)
        seen: dict[str, int] = {}
        newest: dict[bytes, tuple[int, str]] = {}
        for item in listed[:MOST]:
            parsed = parse_key(item.key)
            if parsed is None or parsed[0] == self.front_end:
                continue
            # A clock that was put back makes old beacons look new again, for as long as any other.
            seen[item.key] = min(self._seen.get(item.key, now), now)
            newest[parsed[0]] = max(newest.get(parsed[0], (0, "")), (parsed[1], item.key))
        # Who has won lately is alive, whatever its beacon and this clock say.
        winners = {winner for _, winner, until in self._followed.values() if until >= self._beats}
        live = []
        for front_end, (written, key) in sorted(newest.items()):
            first = key not in self._seen and not self._looked
            # Of those found at the very first look nothing is known but what they say.
            fresh = abs(now - written) < LIVE if first else now - seen[key] < LIVE
            if first and not fresh:
                seen[key] = now - LIVE
            alive = fresh or front_end[:LANDER_BYTES] in winners
            if alive and (address := (yield from self._address(front_end, key))):
                live.append(Peer(front_end, address))
        for key, since in seen.items():
            if now - since > FORGET:
                yield Delete(key)
        self._addresses = {front_end: where for front_end, where in self._addresses.items() if front_end in newest}
        self._seen, self._looked, self._live = seen, True, tuple(live)

    def _address(self, front_end: bytes, key: str) -> Protocol[str]:
        """Where a front end is reached, which never changes; "" when its beacon is none or is gone."""
        known = self._addresses.get(front_end)
        if known is None:
            try:
                tagged: Tagged = yield Get(key)
                beacon = decode_beacon(tagged.data, key)
            except (Corrupt, NotFound):
                return ""
            if beacon.key != key:
                return ""
            known = self._addresses[front_end] = beacon.address
        return known

    def leave(self) -> Protocol[None]:
        """Remove the own beacon: nobody is to wait for this front end any more."""
        if self._own is not None:
            yield Delete(self._own.key)


def _weight(project: str, front_end: bytes) -> bytes:
    """Highest random weight: when one goes, only its projects move. Equal weights are decided by the id."""
    return hashlib.sha256(front_end + project.encode()).digest()[:8] + front_end
