"""What is made of the log: segments, rollups and index runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mic.core.errors import Corrupt, NotFound
from mic.core.indexrun import IndexRun
from mic.core.segment import SEGMENT, decode_segment
from mic.ledger.verify.check import Check, get
from mic.ledger.verify.finding import Finding, finding
from mic.ledger.verify.places import listed_in
from mic.store import Listed


def segments(check: Check) -> Iterator[Finding]:
    """Every segment that is there says what the epochs say."""
    by_position = {record.position: record for record in check.records()}
    for listed in check.list(f"{check.line.prefix}landing-log/"):
        if not listed.key.endswith(".log"):
            continue
        check.named.add(listed.key)
        try:
            found = decode_segment(check.run(get(listed.key)).data, listed.key)
        except (NotFound, Corrupt) as error:
            yield finding(error, listed.key)
            continue
        start = found[0].position
        if check.line.segment_key(start) != listed.key:
            yield Finding("wrong", listed.key, f"it holds positions {start} to {start + SEGMENT - 1}")
        for record in found:
            if by_position.get(record.position, record) != record:
                yield Finding("wrong", listed.key, f"it tells @{record.position} otherwise than the log")
                break


def rollups(check: Check) -> Iterator[Finding]:
    """Every rollup that is there is what is made of the log. None has to be there."""
    from mic.ledger.verify.rollups import RollupCheck  # brings numpy, which only this needs

    made = RollupCheck(check.line, {record.position: record for record in check.records()})
    listed = check.list(f"{check.line.prefix}landing-log/bloom-index/")
    for number, each in enumerate(listed):
        check.named.add(each.key)
        if check.came_since(made.reaches(each.key)):
            continue
        try:
            why = made.wrong(each.key, lambda key=each.key: check.run(get(key)).data)  # type: ignore[misc]
        except (NotFound, Corrupt) as error:
            yield finding(error, each.key)
            continue
        if why:
            yield Finding("wrong", each.key, why)
        check.told("rollups", number + 1, len(listed))


def indexes(check: Check, packs: Sequence[Listed]) -> Iterator[Finding]:
    """Every index run leads to what the log holds, or to another place with the same object."""
    sizes = {listed.key: listed.size for listed in packs}
    entries: dict[str, set[tuple[bytes, int, int, int]]] = {}
    runs = [key for key in sizes if key.endswith(".run")]
    for number, key in enumerate(runs):
        check.named.add(key)
        try:
            run = IndexRun(check.run(get(key)).data, key)
            if check.came_since(run.last):
                continue
            yield from _index(check, run, key, sizes, entries)
            for start in range(1, run.last - SEGMENT + 2, SEGMENT):
                if start + SEGMENT - 1 > check.own and (segment := check.line.segment_key(start)) not in check.named:
                    check.named.add(segment)
                    yield Finding("missing", segment, f"{key} was written after it, and is there")
        except (NotFound, Corrupt) as error:
            yield finding(error, key)
        check.told("index", number + 1, len(runs))


def _index(
    check: Check,
    run: IndexRun,
    key: str,
    sizes: dict[str, int],
    entries: dict[str, set[tuple[bytes, int, int, int]]],
) -> Iterator[Finding]:
    for object_hash, place in check.objects.recent.items():
        found = run.find(object_hash)
        if found is None or found == place or check.objects.is_zero(found):
            continue
        if found.key not in entries:
            check.named.add(found.key)
            size = sizes.get(found.key, 0)
            entries[found.key] = listed_in(check.objects, found.key, size, found.key in check.epochs, check.run)
        if (object_hash, found.kind, found.offset, found.length) not in entries[found.key]:
            yield Finding("wrong", key, f"it says that {object_hash.hex()} lies in {found.key}, where it does not")
    for record in check.records():
        if run.first <= record.position <= run.last and run.session(record.session) != record.position:
            yield Finding("wrong", key, f"it does not know the session that landed @{record.position}")
