"""All projects of a run: each has its oracle, and some things that happen to one concern others.

Judged when they take effect: a fork begins at a head that its origin had, and is registered there before anybody hears
of it; what says that it is independent is true; nothing is removed but from a condemned project, and not while a
fork reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mic.core.beacon import PREFIX
from mic.core.commit_point import is_commit_point
from mic.core.origin import Origin, Tie, decode_origin
from mic.ledger.fork import DELETED
from mic.sim import compaction, rollups
from mic.sim.bucket import Bucket, Rules
from mic.sim.checking import check_history
from mic.sim.oracle import Oracle, Violation


class Projects:
    """`parents` names the origin of each fork. `watch` is told of every change of the bucket."""

    def __init__(self, main: Oracle, parents: Mapping[str, str], rules: Rules) -> None:
        self.oracles = {main.project: main}
        for name, parent in parents.items():
            self.oracles[name] = Oracle(name, self.oracles[parent])
        self.bucket = Bucket(rules, self.watch)
        for oracle in self.oracles.values():
            oracle.objects = self.bucket.objects
        self.now: Callable[[], int] = lambda: 0

    def head(self, project: str) -> int:
        """The newest position of a project; 0 for one that is not there yet."""
        return self.oracles[project].model.head

    def watch(self, key: str, before: bytes | None, after: bytes | None) -> None:
        """The bucket changed."""
        if key.startswith(PREFIX):
            return
        if key.startswith(DELETED):
            self.oracles[key.removeprefix(DELETED)].condemned = True
            return
        oracle = self.oracles[key.split("/", 2)[1]]
        rest = key.removeprefix(oracle.prefix)
        if oracle.gone:  # what was on its way arrives all the same; nobody will read it
            # What brings the head of a sequence up to date is an unconditional write, and nobody goes by it.
            if rest == "head" and after is not None and not is_commit_point(after):
                raise Violation(f"project {oracle.project} was erased and has a head again")
        elif rest == "origin":
            self._tie(oracle, before, after)
        elif after is None and not rest.startswith(("landing-log/seq/", "landing-log/boundary/", "git/views/")):
            if before is not None:
                self._removed(oracle, rest)
        else:
            self._written(oracle, key, before, after)

    def _written(self, oracle: Oracle, key: str, before: bytes | None, after: bytes | None) -> None:
        born = oracle.head is None
        oracle.watch(key, before, after)
        if born and oracle.head is not None and oracle.origin is not None:
            tie = self._tie_of(oracle)
            if tie is None or tie.tie is Tie.VOID or tie.head != oracle.head:
                raise Violation(f"{key} is written, and what names the origin says {tie}")
            self._check_registered(oracle, tie)
        if before is None and after is not None and rollups.is_rollup(key):
            rollups.check_rollup(oracle, key, after)
        if before is None and compaction.is_compacted(key):
            compaction.check_contents(self.bucket, oracle)

    # ------------------------------------------------------------ forks

    def _tie_of(self, oracle: Oracle) -> Origin | None:
        key = f"{oracle.prefix}origin"
        raw = self.bucket.objects.get(key)
        return None if raw is None else decode_origin(raw, key)

    def _check_registered(self, oracle: Oracle, tie: Origin) -> None:
        assert oracle.origin is not None
        key = f"{oracle.origin.prefix}forks/{oracle.project}"
        if tie.tie is Tie.READS_THROUGH and (oracle.origin.gone or key not in self.bucket.objects):
            raise Violation(f"{oracle.project} reads through its origin, which does not know of it: no {key}")

    def _tie(self, oracle: Oracle, before: bytes | None, after: bytes | None) -> None:
        """What names the origin of a fork was written."""
        key, origin = f"{oracle.prefix}origin", oracle.origin
        if after is None or origin is None:
            raise Violation(f"{key} is {'removed' if after is None else 'written, and it is no fork'}")
        if before == after:
            return
        old, new = None if before is None else decode_origin(before, key), decode_origin(after, key)
        if new.project != origin.project or (old is not None and old != new._replace(tie=Tie.READS_THROUGH)):
            raise Violation(f"{key} said {old} and says {new}")
        if new.tie is Tie.VOID:
            if oracle.head is not None or not origin.condemned:
                raise Violation(f"{key} says that the fork was never made")
        elif new.tie is Tie.READS_THROUGH:
            if new.head not in origin.heads and new.head.position:  # at 0 nothing vouches for the clock in a head
                raise Violation(f"{key} names a head that the origin never had")
            self._check_registered(oracle, new)
        else:
            if old is None:
                raise Violation(f"{key} says that a fork is independent that never was one")
            self._became_independent(oracle)

    def _became_independent(self, oracle: Oracle) -> None:
        """Everything must be there without the origins, now."""
        oracle.independent = self.now()
        if oracle.head is None:
            return
        alone = Bucket(Rules(), lambda key, before, after: None)
        alone.objects = {key: raw for key, raw in self.bucket.objects.items() if key.startswith(oracle.prefix)}
        compaction.check_contents(alone, oracle)
        check_history(alone, oracle)

    # ------------------------------------------------------------ removing

    def _removed(self, oracle: Oracle, rest: str) -> None:
        if rest.startswith("forks/"):
            fork = self.oracles[rest.removeprefix("forks/")]
            tie = self._tie_of(fork)
            if tie is not None and tie.tie is Tie.READS_THROUGH and not fork.gone:
                raise Violation(f"{oracle.prefix}{rest} is removed, and {fork.project} reads through {oracle.project}")
            return
        if oracle.collected and rest.startswith(("gc/", "packs/", "landing-log/tail/")):
            return  # the oracle of the project looks whether anything names it
        if rest != "head" or not oracle.condemned:
            raise Violation(f"{oracle.prefix}{rest} is removed")
        for fork in self.oracles.values():
            tie = self._tie_of(fork)
            if fork.origin is oracle and tie is not None and tie.tie is Tie.READS_THROUGH and not fork.gone:
                raise Violation(f"{oracle.project} is erased, and {fork.project} reads through it")
        oracle.gone = True
