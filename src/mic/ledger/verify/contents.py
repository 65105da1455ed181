"""Sessions, and the contents that records name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from mic.core import epoch as stored
from mic.core.errors import Corrupt, NotFound, TooLarge
from mic.ledger.contents import read_range
from mic.ledger.frame import MAX_CONTENT
from mic.ledger.session_object import read_session
from mic.ledger.small import read_small
from mic.ledger.verify.check import Check
from mic.ledger.verify.finding import Finding, finding

_BATCH = 64  # contents read together; each is at most 4 MiB


def sessions(check: Check) -> Iterator[Finding]:
    """The object of every session that landed."""
    total = sum(len(epoch.records) for _, epoch in check.links)
    for number, record in enumerate(check.records()):
        try:
            session = check.run(read_session(check.objects, record.session_object))
        except Corrupt as error:
            yield finding(error, f"landing @{record.position}")
            continue
        if session.id != record.session:
            yield Finding("wrong", f"landing @{record.position}", "it names the object of another session")
        check.told("sessions", number + 1, total)


def contents(check: Check) -> Iterator[Finding]:
    """Every content that a record names, once."""
    named: dict[bytes, tuple[int, int]] = {}
    for record in check.records():
        for change in record.changes:
            if change.entry is not None and change.entry.hash not in check.objects.erased:
                named.setdefault(change.entry.hash, (record.position, change.entry.size))
    large: list[bytes] = []
    small: list[bytes] = []
    for content in named:
        place = check.objects.find(content)
        (large if place is not None and place.kind == stored.CHUNK_LIST else small).append(content)
    # Neighbours together: members of one group are inflated once.
    small.sort(key=lambda content: check.objects.find(content) or ("",))
    done = 0
    for batch in _batches(small):
        yield from _small(check, batch, named)
        done += len(batch)
        check.told("contents", done, len(named))
    for content in large:
        yield from _large(check, content, *named[content])
        done += 1
        check.told("contents", done, len(named))


def _small(check: Check, batch: Sequence[bytes], named: dict[bytes, tuple[int, int]]) -> Iterator[Finding]:
    try:
        found = check.run(read_small(check.objects, batch))
    except (Corrupt, NotFound, TooLarge) as error:
        if len(batch) > 1:  # one by one, so that each finding has its name
            for content in batch:
                yield from _small(check, [content], named)
        else:
            yield finding(error, f"a content of @{named[batch[0]][0]}")
        return
    for content, data in found.items():
        position, size = named[content]
        if len(data) != size:
            yield Finding("wrong", f"landing @{position}", f"it says {size} bytes of {content.hex()}, not {len(data)}")


def _large(check: Check, content: bytes, position: int, size: int) -> Iterator[Finding]:
    digest, have = hashlib.sha256(), 0
    try:
        for data in read_range(check.objects, content, 0, MAX_CONTENT, check.run):
            digest.update(data)
            have += len(data)
    except (Corrupt, NotFound, TooLarge) as error:
        yield finding(error, f"a content of @{position}")
        return
    if digest.digest() != content:
        yield Finding("damaged", content.hex(), f"the chunks of this content of @{position} make other bytes")
    elif have != size:
        yield Finding("wrong", f"landing @{position}", f"it says that {content.hex()} has {size} bytes, not {have}")


def _batches(contents: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(contents)
    while batch := list(islice(rest, _BATCH)):
        yield batch
