"""What goes wrong, where: drawn from the seed, or taken from a list that an earlier run wrote down.

A fault stands at the n-th effect of a front end, counted over its whole life, crashes included; so a list
of faults means the same in every run of one seed. Each seed draws which kinds of faults it has at all and
how often (a swarm): a run in which everything fails finds less than many in which some things fail often.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from mic.ledger.effects import Effect, Forward, Fresh, FreshWhole, Get, GetRange, Map, Put, PutIf, PutNew

READS = (Get, GetRange, Fresh, FreshWhole, Map)
WRITES = (Put, PutNew, PutIf)
CONDITIONAL = (PutNew, PutIf)
ANY: tuple[type, ...] = (object,)
CALL: tuple[type, ...] = (Forward,)

# Kind -> the effects that it can befall. Sleeping, the clock and randomness know only crashes.
KINDS: dict[str, tuple[type, ...]] = {
    "before": ANY,  # 500 or a reset before the store did anything
    "after": WRITES,  # the store did it; the answer is an error
    "late": WRITES,  # the caller gives up, and then the store does it
    "again": WRITES,  # a request arrives twice; the caller sees the first answer
    "retried": CONDITIONAL,  # a client library repeats it unseen: the caller sees the second answer
    "conflict": CONDITIONAL,  # 409: neither done nor refused
    "busy": ANY,  # 429 or 503
    "full": WRITES,  # no space left
    "short": READS,  # fewer bytes than there are
    "rot": READS,  # one bit is another
    "pause": ANY,  # the front end stands still before it sees the answer
    "crash_before": ANY,  # the front end forgets all; nothing was asked
    "crash_after": ANY,  # the front end forgets all; what it asked goes on
    "unheard": CALL,  # what is forwarded never arrives, and the caller waits in vain
    "unanswered": CALL,  # it lands, and its answer never arrives
    "twice": CALL,  # it arrives twice
    "tardy": CALL,  # the answer comes late, or too late
}
# What befalls calls between front ends.
CALL_KINDS = ("before", "crash_before", "crash_after", "unheard", "unanswered", "twice", "tardy")


class Fault(NamedTuple):
    """One fault: front end, number of its effect, kind, and a number that says how late, which bit, how long."""

    front: int
    number: int
    kind: str
    value: int


class Swarm:
    """Faults drawn from the seed. `fired` lists those that befell something.

    `calls` draws what befalls calls between front ends, which are rare: one in 50 up to one in 2.
    """

    def __init__(self, rnd: Random, fronts: int, calls: Random) -> None:
        kinds = [kind for kind in KINDS if KINDS[kind] is not CALL and rnd.random() < 0.4]
        # A fault at one effect in 500 up to one in 12; what befalls only the rare conditional writes, up to one in 2.
        self.rates = {
            kind: math.exp(rnd.uniform(math.log(0.002), math.log(0.5 if KINDS[kind] is CONDITIONAL else 0.08)))
            for kind in kinds
        }
        drawn = [kind for kind in CALL_KINDS if calls.random() < 0.4]
        self.call_rates = {kind: math.exp(calls.uniform(math.log(0.02), math.log(0.5))) for kind in drawn}
        self.set_rates(self.rates, self.call_rates)
        self._random = [Random(rnd.getrandbits(64)) for _ in range(fronts)]
        self.fired: list[Fault] = []
        self.calm = False

    def set_rates(self, rates: dict[str, float], call_rates: dict[str, float]) -> None:
        """How often each kind befalls a request to the store, and a call."""
        self.rates, self.call_rates = rates, call_rates
        self._total, self._call_total = sum(rates.values()), sum(call_rates.values())

    def at(self, front: int, number: int, effect: Effect) -> Fault | None:
        """The fault of this effect, if any."""
        if self.calm:
            return None
        rnd = self._random[front]
        drawn = rnd.random()
        rates, total = (self.call_rates, self._call_total) if isinstance(effect, Forward) else (self.rates, self._total)
        if drawn >= total:
            return None
        value = rnd.getrandbits(32)
        for kind, rate in rates.items():
            drawn -= rate
            if drawn < 0:
                if not isinstance(effect, KINDS[kind]):
                    return None
                fault = Fault(front, number, kind, value)
                self.fired.append(fault)
                return fault
        return None


class Listed:
    """The faults of a list and no others."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = {(fault.front, fault.number): fault for fault in faults}
        self.fired: list[Fault] = []
        self.calm = False

    def at(self, front: int, number: int, effect: Effect) -> Fault | None:
        """The fault of this effect, if any."""
        fault = None if self.calm else self._faults.get((front, number))
        if fault is None or not isinstance(effect, KINDS[fault.kind]):
            return None
        self.fired.append(fault)
        return fault
