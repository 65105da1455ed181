"""Reading what was erased of a project: tombstones, and what each erasure has displaced.

    erased/{content hex}                     the tombstone           create-only
    erased/{content hex}.{sha256[:16] hex}   what was displaced      create-only
    erased/{content hex}.gone                empty: no byte of it is left
    erased/words/{number:08x}-{project}      words of sessions that were erased: a redaction     create-only

Of a redaction, what was displaced and that it is gone are said under its name in the place of a content. Redactions
count in the order of their numbers; an independent fork has those of its origin too, which have other names.

A line reads them when it is opened, and again when a landing without changes comes: each erasure makes one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mic.core.epoch import SESSION
from mic.core.errors import Corrupt
from mic.core.indexrun import Place
from mic.core.redaction import Redaction, decode_redaction, header_bytes
from mic.core.tombstone import Displaced, Tombstone, decode_displaced, decode_tombstone
from mic.ledger.effects import Get, GetRange, List, Protocol
from mic.ledger.line import Line
from mic.store.port import Listed

_NAME = re.compile(r"([0-9a-f]{64})(?:\.(gone|[0-9a-f]{16}))?")
_WORDS = re.compile(r"words/([0-9a-f]{8})-[^/]+")
_FIRST = 16 << 10
_AT_ONCE = 64
# Of one project. Each is some hundred bytes of memory in every process that has the project open.
MOST = 100_000


class Graves(NamedTuple):
    """All that was erased of a line itself: tombstones by content, what was displaced, and which are done."""

    tombstones: dict[bytes, Tombstone]
    displaced: tuple[Displaced, ...]
    gone: frozenset[bytes]
    names: frozenset[str]  # of the objects that say so
    redactions: tuple[tuple[int, str, Redaction], ...] = ()  # number, key; in the order in which they count


NOTHING = Graves({}, (), frozenset(), frozenset())


def read_graves(line: Line) -> Protocol[Graves]:
    """What is written down. One request where nothing is; raises Corrupt."""
    return (yield from _read(line, (yield from _listed(line))))


def _listed(line: Line) -> Protocol[list[str]]:
    """The names of what is written down, behind the prefix."""
    listed: list[Listed] = yield List(line.erased_prefix)
    if len(listed) > 4 * MOST:
        raise Corrupt(f"{line.erased_prefix} has {len(listed)} objects; the limit is {4 * MOST}")
    names = (item.key.removeprefix(line.erased_prefix) for item in listed)
    return [name for name in names if _NAME.fullmatch(name) or _WORDS.fullmatch(name)]


def _read(line: Line, names: Sequence[str]) -> Protocol[Graves]:
    tombstones: dict[bytes, Tombstone] = {}
    displaced: list[Displaced] = []
    redactions: list[tuple[int, str, Redaction]] = []
    told = [name for name in names if not name.endswith(".gone")]
    for start in range(0, len(told), _AT_ONCE):
        some = told[start : start + _AT_ONCE]
        keys = [line.erased_prefix + name for name in some]
        effects = [GetRange(key, 0, _FIRST) if _WORDS.fullmatch(name) else Get(key)
                   for name, key in zip(some, keys, strict=True)]  # fmt: skip
        for name, key, raw in zip(some, keys, (yield tuple(effects)), strict=True):
            if words := _WORDS.fullmatch(name):
                redactions.append((int(words[1], 16), key, (yield from read_redaction(key, raw))))
                continue
            if name == name[:64]:
                tombstone = decode_tombstone(raw.data, key)
                tombstones[of := tombstone.content] = tombstone
            else:
                displaced.append(decode_displaced(raw.data, key))
                of = displaced[-1].content
            if of.hex() != name[:64]:
                raise Corrupt(f"{key} is damaged: it is of another content than its name says", object=key)
    redactions.sort(key=lambda each: each[:2])
    gone = frozenset(bytes.fromhex(name[:64]) for name in names if name.endswith(".gone"))
    known = frozenset(line.erased_prefix + name for name in names)
    return Graves(tombstones, tuple(displaced), gone, known, tuple(redactions))


def read_redaction(key: str, raw: bytes) -> Protocol[Redaction]:
    """Who erased which words, without what stands in their place; `raw` is a beginning. Raises Corrupt."""
    if len(raw) < (needed := header_bytes(raw, key)):
        raw = yield GetRange(key, 0, needed)
    return decode_redaction(raw[:needed], key)


def stand_ins(graves: Graves) -> dict[bytes, tuple[Place, bytes]]:
    """What stands in the place of session objects: where it lies, and its hash. The last redaction counts."""
    return {
        item.session_object: (Place(key, SESSION, item.offset, item.length), item.hash)
        for _, key, redaction in graves.redactions
        for item in redaction.stand_ins
    }


def bury(line: Line) -> Protocol[bool]:
    """Let a line know all that was erased of it, and of what it reads through; whether there is anything new."""
    found = False
    at: Line | None = line
    while at is not None:
        names = yield from _listed(at)
        if {at.erased_prefix + name for name in names} != at.graves:
            graves = yield from _read(at, names)
            found, at.graves = True, graves.names
            at.objects.bury(at.prefix, graves.tombstones.values(), graves.displaced)
            at.objects.redactions = tuple(redaction for _, _, redaction in graves.redactions)
            at.objects.stand_ins = stand_ins(graves)
            at.forget_contents()
        at = at.origin
    return found
