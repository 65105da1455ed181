"""Files that a landing moved or copied: which new path was made from which old one.

The rule is that of history (`mic.ledger.came_from`): what the session says, else the one file of this very content that
went with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from mic.core.tree import Entry
from micelio.pages.path_change import PathChange


def with_sources(
    changes: Iterable[PathChange], copied: Mapping[bytes, bytes], before: Mapping[bytes, Entry]
) -> list[PathChange]:
    """The changes, each new path with what it was made from. `copied` is what the session says: new path, old path;
    `before` are entries before it, those of these old paths among them.
    """
    found = list(changes)
    gone: dict[bytes, list[Entry]] = {}
    for change in found:
        if change.old is not None and change.new is None and change.old.size:
            gone.setdefault(change.old.hash, []).append(change.old)
    taken = {change.path for change in found if change.new is None}
    became: dict[bytes, bytes] = {}
    for at, change in enumerate(found):
        if change.old is not None or change.new is None:
            continue
        source = before.get(copied.get(change.path, b""))
        if source is None and len(gone.get(change.new.hash, ())) == 1:
            source = gone[change.new.hash][0]
        if source is not None:
            found[at] = replace(change, source=source, renamed=source.path in taken)
            if source.path in taken:
                became.setdefault(source.path, change.path)
    return [replace(change, became=became[change.path]) if change.path in became else change for change in found]
