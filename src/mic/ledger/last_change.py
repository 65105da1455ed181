"""Which landing changed a path last: the log is read backwards, and what cannot tell is passed over.

What a path holds was put there by the newest landing that changed it. So a segment without the hash of that content
need not be taken apart, and looking for 32 bytes in it costs a fraction of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mic.core.record import Record
from mic.core.segment import segment_start
from mic.core.tree import Entry
from mic.ledger.effects import Protocol
from mic.ledger.line import Line
from mic.ledger.log import may_name, records

# Looking for more hashes than this in a segment takes longer than reading its records.
_MOST = 64


def last_changes(
    line: Line, newer: Sequence[Record], paths: Mapping[bytes, Entry | None], base: int
) -> Protocol[dict[bytes, int]]:
    """The newest landing behind position `base` that changed each path; a path that none did is left out.

    `newer` are landings on top of the head. The paths hold these entries after them; None where there is no file.
    """
    assert line.head is not None
    found: dict[bytes, int] = {}
    left = dict(paths)
    _take(newer, left, found)
    at = line.head.position
    while left and at > base:
        first = max(base + 1, segment_start(at))
        hashes = {entry.hash for entry in left.values() if entry is not None}
        looks = len(hashes) <= _MOST and None not in left.values()
        if not looks or (yield from may_name(line, at, hashes)):
            _take((yield from records(line, first, at)), left, found)
        at = first - 1
    return found


def _take(newer: Iterable[Record], left: dict[bytes, Entry | None], found: dict[bytes, int]) -> None:
    for record in reversed(list(newer)):
        for change in record.changes:
            if change.path in left:
                del left[change.path]
                found[change.path] = record.position
