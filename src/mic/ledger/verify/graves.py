"""Checking erasures: where something is said to be gone, no byte of it is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mic.core.errors import NotFound
from mic.ledger.chunked import Runner
from mic.ledger.effects import GetRange, Protocol
from mic.ledger.line import Line
from mic.ledger.tombstones import Graves


class Left(NamedTuple):
    """An object at which an erasure did not come to its end, and why it counts; `kind` as of a finding."""

    key: str
    kind: str
    why: str


def left_of(owner: Line, graves: Graves, run: Runner) -> Iterator[Left]:
    """What is left to do of the erasures of a line, and what they left behind that should be gone."""
    for item in graves.displaced:
        for name, offset, length in item.ranges if item.content in graves.gone else ():
            try:
                raw = run(_range(owner.prefix + name, offset, length))
            except NotFound:
                continue  # nothing named it, and it was collected
            if any(raw):
                yield Left(owner.prefix + name, "wrong", f"it holds {length} bytes that were erased")
    for content in sorted(graves.tombstones.keys() - graves.gone):
        yield Left(owner.erased_prefix + content.hex(), "unfinished", "an erasure was stopped: do it again, it goes on")
    for _, key, redaction in graves.redactions:
        if redaction.name not in graves.gone:
            yield Left(key, "unfinished", "an erasure of words was stopped: do it again, it goes on")


def _range(key: str, start: int, length: int) -> Protocol[bytes]:
    return (yield GetRange(key, start, length))  # type: ignore[no-any-return]
