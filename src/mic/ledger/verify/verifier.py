"""Checking a project from its head down: log, index, trees, contents. Everything is read, nothing is changed.

    head -> epochs, one naming the one before -> packs -> segments and index runs against them
         -> each record against the one before -> the tree of every epoch -> sessions and contents
         -> and at last what lies there that nothing names

Nothing is taken from what a running forge remembers: an object is found through the contents lists that the
log names, and an index is only compared with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from mic.core.errors import Corrupt, NotFound
from mic.ledger.chunked import Runner
from mic.ledger.tip import read_tip
from mic.ledger.verify import contents, erased, index, log, trees, unnamed
from mic.ledger.verify.check import Check, Told
from mic.ledger.verify.finding import Finding, finding


class Verifier:
    """One check of one project. `run` drives a protocol; `told` hears how far it is."""

    def __init__(self, project: str, run: Runner, told: Told = lambda what, done, of: None) -> None:
        self._check = Check(project, run, told)

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, as it is found."""
        check = self._check
        # What others write from here on is not known below, so that nobody can say of it that nothing names it.
        there = check.list(check.line.prefix)
        head = None
        try:
            head = check.run(read_tip(check.line))
        except (NotFound, Corrupt) as error:
            yield finding(error, check.line.head_key)
        if head is not None:
            yield from log.chain(check, head)
            yield from log.commit_points(check)
            yield from log.packs(check)
            yield from erased.copies(check)
            # Whoever seals writes segments before the run over them: listed in the other order, none can seem to lack.
            packs = check.list(f"{check.line.prefix}packs/")
            yield from index.segments(check)
            yield from index.rollups(check)
            yield from index.indexes(check, packs)
            yield from log.order(check, head)
            yield from trees.trees(check)
            yield from contents.sessions(check)
            yield from contents.contents(check)
            yield from unnamed.leavings(check)
            yield from unnamed.pushed_work(check)
        if check.whole:
            yield from unnamed.unreachable(check, there)
