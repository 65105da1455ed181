"""When something counts as flat: the rule, and its rows."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.measure import Row


class Sample(NamedTuple):
    """What the forge's process held at one moment: seconds since the load began, bytes, counts."""

    at: float
    resident: int
    descriptors: int
    threads: int


class _Rule(NamedTuple):
    what: str
    of: Callable[[Sample], int]
    share: float  # of the middle third, by which the last may be above it
    few: int  # so many more are never too many
    show: Callable[[float], str]


# The first third fills caches, pools and connections and is not judged. A leak of one descriptor or thread a minute
# is ten between the medians of the other two; one of 3 MiB a minute is 30 MiB.
_RULES = (
    _Rule("resident memory", lambda one: one.resident, 0.10, 0, lambda size: f"{size / (1 << 20):.0f} MiB"),
    _Rule("open descriptors", lambda one: one.descriptors, 0.0, 6, lambda count: f"{count:.0f}"),
    _Rule("threads", lambda one: one.threads, 0.0, 3, lambda count: f"{count:.0f}"),
)


def judged(samples: Sequence[Sample]) -> list[Row]:
    """A row for each thing that was watched: the median of the last third of the time against that of the middle."""
    assert len(samples) >= 9, "too few samples to say anything"
    end = samples[-1].at
    rows = []
    for rule in _RULES:
        middle = statistics.median(rule.of(one) for one in samples if end / 3 <= one.at < 2 * end / 3)
        last = statistics.median(rule.of(one) for one in samples if one.at >= 2 * end / 3)
        most = max(middle * (1 + rule.share), middle + rule.few)
        asked = f"<= {1 + rule.share:.2f}x" if rule.share else f"at most {rule.few} more"
        rows.append(
            Row(
                f"{rule.what}, last third", rule.show(last), f"middle third: {rule.show(middle)}",
                f"{last / middle:.2f}x" if rule.share else f"{last - middle:+.0f}", asked, last <= most,
            )
        )  # fmt: skip
    return rows
