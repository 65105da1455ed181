"""What lies beside the log: pushed work, notes of the collector, and what nothing names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mic.core.errors import Corrupt
from mic.ledger.leavings import read_leavings
from mic.ledger.pushed import pushes, read_push
from mic.ledger.verify.check import Check
from mic.ledger.verify.finding import Finding, finding
from mic.store import Listed


def leavings(check: Check) -> Iterator[Finding]:
    """What the collector has written down can be read: landings with uploads go by it."""
    try:
        check.run(read_leavings(check.line))
    except Corrupt as error:
        yield finding(error, check.line.leavings_prefix)


def pushed_work(check: Check) -> Iterator[Finding]:
    """Pushed work can be read: its owner goes on with it, and collection goes by it. What it names is named."""
    for item in check.run(pushes(check.line)):
        try:
            intent = check.run(read_push(item))
        except Corrupt as error:
            yield finding(error, item.key)
            continue
        if intent is not None:
            check.named.update(check.line.pack_key(pack.hash) for pack in intent.packs)


def unreachable(check: Check, there: Sequence[Listed]) -> Iterator[Finding]:
    """What was there when the check began, and nothing names."""
    kept = tuple(
        f"{check.line.prefix}{name}/" for name in ("sessions", "intents", "pushed", "forks", "set-aside", "git", "gc")
    )
    known = {check.line.head_key, check.line.origin_key, *check.named}
    for listed in there:
        if listed.key not in known and not listed.key.startswith(kept):
            yield Finding("unreachable", listed.key, f"nothing names these {listed.size} bytes")
