"""Reading what was erased of a project: tombstones, and what each erasure has displaced.

    erased/{content hex}                     the tombstone           create-only
    erased/{content hex}.{sha256[:16] hex}   what was displaced      create-only
    erased/{content hex}.gone                empty: no byte of it is left

A line reads them when it is opened, and again when a landing without changes comes: each erasure makes one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mic.core.errors import Corrupt
from mic.core.tombstone import Displaced, Tombstone, decode_displaced, decode_tombstone
from mic.ledger.effects import Get, List, Protocol
from mic.ledger.line import Line
from mic.store.port import Listed

_NAME = re.compile(r"([0-9a-f]{64})(?:\.(gone|[0-9a-f]{16}))?")
# Of one project. Each is some hundred bytes of memory in every process that has the project open.
MOST = 100_000


class Graves(NamedTuple):
    """All that was erased of a line itself: tombstones by content, what was displaced, and which are done."""

    tombstones: dict[bytes, Tombstone]
    displaced: tuple[Displaced, ...]
    gone: frozenset[bytes]
    names: frozenset[str]  # of the objects that say so


NOTHING = Graves({}, (), frozenset(), frozenset())


def read_graves(line: Line) -> Protocol[Graves]:
    """What is written down. One request where nothing is; raises Corrupt."""
    listed: list[Listed] = yield List(line.erased_prefix)
    tombstones: dict[bytes, Tombstone] = {}
    displaced: list[Displaced] = []
    gone: set[bytes] = set()
    names: set[str] = set()
    if len(listed) > 4 * MOST:
        raise Corrupt(f"{line.erased_prefix} has {len(listed)} objects; the limit is {4 * MOST}")
    for item in listed:
        found = _NAME.fullmatch(item.key.removeprefix(line.erased_prefix))
        if found is None:
            continue
        names.add(item.key)
        content, what = bytes.fromhex(found[1]), found[2]
        if what == "gone":
            gone.add(content)
            continue
        raw = (yield Get(item.key)).data
        if what is None:
            tombstones[content] = tombstone = decode_tombstone(raw, item.key)
            of = tombstone.content
        else:
            displaced.append(decode_displaced(raw, item.key))
            of = displaced[-1].content
        if of != content:
            raise Corrupt(f"{item.key} is damaged: it is of another content than its name says", object=item.key)
    return Graves(tombstones, tuple(displaced), frozenset(gone), frozenset(names))


def bury(line: Line) -> Protocol[bool]:
    """Let a line know all that was erased of it, and of what it reads through; whether there is anything new."""
    found = False
    at: Line | None = line
    while at is not None:
        graves = yield from read_graves(at)
        if graves.names != at.graves:
            found, at.graves = True, graves.names
            at.objects.bury(at.prefix, graves.tombstones.values(), graves.displaced)
            at.forget_contents()
        at = at.origin
    return found
