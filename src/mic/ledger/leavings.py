"""Reading and writing what a project's collector has written down.

`gc/{number:016x}` is created, never changed; the newest number counts, and who writes one removes those before. So it
works on every store that refuses to create what exists.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mic.core.epoch import PackRef
from mic.core.errors import Corrupt, Expired, MicError, NotFound, Unavailable
from mic.core.leavings import Leaving, Stage, decode_leavings, encode_leavings
from mic.ledger.effects import Delete, Fresh, Get, List, Protocol, PutNew
from mic.ledger.line import Line
from mic.store.port import Listed

_NUMBER = re.compile(r"[0-9a-f]{16}")
# Times that a list may have been overtaken by who wrote a newer one and removed it.
_LOOKS = 8


class Kept(NamedTuple):
    """What is written down, under which number; 0 and nothing before the first time."""

    number: int
    entries: Mapping[str, Leaving]
    old: tuple[str, ...] = ()  # keys of earlier ones that are still there


def read_leavings(line: Line) -> Protocol[Kept]:
    """The newest that is written down. One request where nothing is; raises Corrupt for one that is damaged."""
    for _ in range(_LOOKS):
        listed: list[Listed] = yield List(line.leavings_prefix)
        keys = [item.key for item in listed if _NUMBER.fullmatch(item.key.removeprefix(line.leavings_prefix))]
        if not keys:
            return Kept(0, {})
        with contextlib.suppress(NotFound):  # somebody has written another meanwhile
            raw = (yield Get(keys[-1])).data
            number = int(keys[-1].removeprefix(line.leavings_prefix), 16)
            return Kept(number, decode_leavings(raw, keys[-1]), tuple(keys[:-1]))
    raise Unavailable(f"what is collected of project {line.project} changes all the time", hint="repeat later")


def write_leavings(line: Line, kept: Kept, entries: Mapping[str, Leaving]) -> Protocol[None]:
    """The next one; raises AlreadyExists when somebody was faster, and Unavailable when nobody knows."""
    yield PutNew(line.leavings_key(kept.number + 1), encode_leavings(entries))
    before = [line.leavings_key(kept.number)] if kept.number else []
    for key in (*kept.old, *before):
        with contextlib.suppress(MicError):  # whoever writes the next one tries again
            yield Delete(key)


def is_leaving(line: Line, key: str) -> Protocol[bool]:
    """Whether the object of that key is written down, in whatever stage. Asked behind its creation, not before it."""
    return key.removeprefix(line.prefix) in (yield from read_leavings(line)).entries


def require_there(line: Line, packs: Iterable[PackRef]) -> Protocol[None]:
    """Raises Expired when one of the packs is not in the store: what a cache remembers of it does not count."""
    for pack in packs:
        key = line.pack_key(pack.hash)
        try:
            last = yield Fresh(key, pack.size - 1, 1)
        except NotFound as error:
            raise expired(key.removeprefix(line.prefix), gone=True) from error
        if len(last) != 1:
            raise Corrupt(f"{key} is damaged: it has not the {pack.size} bytes that its receipt says", object=key)


def refuse_leaving(line: Line, packs: Iterable[PackRef]) -> Protocol[None]:
    """Raises Expired when one of the packs may be named by no landing any more."""
    names = [line.pack_key(pack.hash).removeprefix(line.prefix) for pack in packs]
    if not names:
        return
    entries = (yield from read_leavings(line)).entries
    for name in names:
        if name in entries and entries[name].stage is not Stage.SEEN:
            raise expired(name)


def expired(name: str, *, gone: bool = False) -> Expired:
    """What to say of an upload that waited too long for its landing; `gone`: there is none, or never was one."""
    return Expired(
        f"the upload {name} waited too long to be landed and is being removed",
        hint="upload its contents again, then land; nothing was changed",
        gone=gone,
    )
