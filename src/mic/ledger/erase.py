"""Erasure: the bytes of a content go, and the log stays whole.

    1 tombstone        in the project and in every fork that reads the content through it
    2 landing          without changes, in each of them: nobody lands without having seen the tombstone
    3 displaced        what leaned on the content, or shares a frame with it, is written anew, and it is written down
                       where all of that lies now and which ranges go
    4 zeros            over those ranges, in every object that has one: epochs, packs, uploads, whether named or not
    5 gone             once nothing is left to do

Nothing moves and no key changes, so whoever reads by an old index finds everything but what is gone. A run that is
killed anywhere is taken up by the next, which does only what is left. Any number may run at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

from mic.core import epoch as stored
from mic.core.blob import encode_blob
from mic.core.errors import AlreadyExists, Busy, InvalidInput, NotFound
from mic.core.ids import content_hash
from mic.core.indexrun import Place
from mic.core.session import Session
from mic.core.tombstone import Displaced, Moved, Range, Reason, Tombstone, decode_tombstone, encode_displaced
from mic.core.tombstone import encode_tombstone as encode
from mic.ledger.announce import announce, telling
from mic.ledger.compact import Writer
from mic.ledger.contents import stored_size
from mic.ledger.effects import Get, Now, Protocol, PutNew
from mic.ledger.follow import refresh
from mic.ledger.fork import forks
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.small import read_small
from mic.ledger.survey import Held, Named, entries, leaning, lists_of, naming, parts_of
from mic.ledger.tombstones import bury, read_graves
from mic.ledger.zeros import write_zeros

_ATTEMPTS = 64
_CACHE = 4 << 20
_BATCH = 32  # contents that are written anew at once; each has at most 4 MiB
# A chunk and a list page are not larger: a larger content of one piece is no part of another.
_MOST_PART = 128 << 10


class Found(NamedTuple):
    """What an erasure would do. `forks` read the content through the project; `copies` counts places of its bytes.

    `moved` counts contents that have to be written anew, `shared` the parts that stay, since others consist of them.
    """

    content: bytes
    size: int
    named: tuple[Named, ...]
    forks: tuple[str, ...]
    copies: int
    bytes: int
    moved: int
    shared: int


class Erased(NamedTuple):
    """What became of it. `already`: no byte was left before. `keys` are the objects that were written over."""

    tombstone: Tombstone
    projects: tuple[str, ...]
    keys: tuple[str, ...]
    shared: int
    already: bool


class _Plan(NamedTuple):
    ranges: tuple[Place, ...]
    living: tuple[bytes, ...]  # contents that have to be written anew
    shared: tuple[bytes, ...]


def look(project: str, content: bytes) -> Protocol[Found]:
    """What there is of a content, for whoever is about to erase it; changes nothing.

    Raises NotFound when the project never had it, Erased when no byte of it is left, InvalidInput when it cannot be
    erased here, with the reason.
    """
    line = yield from _open(project)
    graves = yield from read_graves(line)
    if content in graves.gone:
        raise graves.tombstones[content].error()
    reading = yield from _forks_of(line, content)
    if content in graves.tombstones:
        size = graves.tombstones[content].size
    else:
        size = yield from _size(line, content)
    lines = [line, *reading]
    named: list[Named] = []
    copies = moved = taken = 0
    shared: set[bytes] = set()
    held = yield from _held(lines)
    yield from _require_own(lines, held, content, size)
    for each in lines:
        named += [item for item, _ in (yield from naming(each, {content}))]
        plan = yield from _plan(each, lines, held, content)
        copies += len(plan.ranges)
        taken += sum(place.length for place in plan.ranges)
        moved += len(plan.living)
        shared.update(plan.shared)
    return Found(
        content, size, tuple(named), tuple(each.project for each in reading), copies, taken, moved, len(shared)
    )


def erase(project: str, content: bytes, reason: Reason, by: str, *, with_forks: bool = False) -> Protocol[Erased]:
    """Erase a content, or go on where an erasure of it was stopped.

    Errors as `look`, but that nothing happens when it is gone already; InvalidInput naming the forks that read it too,
    without `with_forks`. When it raises anything behind the first write, do it again: it is half done and says so.
    """
    line = yield from _open(project)
    graves = yield from read_graves(line)
    if content in graves.gone:
        return Erased(graves.tombstones[content], (project,), (), 0, already=True)
    if content not in graves.tombstones:
        size = yield from _size(line, content)
        reading = yield from _forks_of(line, content)
        if reading and not with_forks:
            raise InvalidInput(
                f"{len(reading)} forks of the project read the content through it",
                hint="erase it in them too (--with-forks); nothing was changed",
                forks=[each.project for each in reading],
            )
        lines = [line, *reading]
        yield from _require_own(lines, (yield from _held(lines)), content, size)
        wanted = Tombstone(content, size, reason, (yield Now()), by)
    else:
        wanted = graves.tombstones[content]
    tombstone = yield from _mark(line, wanted)
    # Behind the tombstone: a fork that begins later knows it from its origin.
    reading = yield from _forks_of(line, content)
    lines = [line, *reading]
    for each in reading:
        yield from _mark(each, tombstone)
    for each in lines:
        yield from _announce(each, tombstone)
    # From here on no landing names the content, and none leans on it. All that did is in the logs.
    for at, each in enumerate(lines):
        lines[at] = yield from _open(each.project)
    shared: set[bytes] = set()
    for each in lines:
        shared.update((yield from _displace(each, lines, content)))
    keys: list[str] = []
    for each in lines:
        keys += yield from write_zeros(each)
    for each in reversed(lines):  # the project itself comes last: whoever finds it done has nothing left to do
        with contextlib.suppress(AlreadyExists):
            yield PutNew(f"{_grave(each, content)}.gone", b"")
    return Erased(tombstone, tuple(each.project for each in lines), tuple(keys), len(shared), already=False)


def sweep(project: str) -> Protocol[list[str]]:
    """Look once more for copies of what was erased: uploads that were under way then. The objects written over."""
    line = yield from _open(project)
    graves = yield from read_graves(line)
    for content in sorted(graves.gone):
        yield from _displace(line, [line], content)
    return (yield from write_zeros(line))


# ---------------------------------------------------------------- what there is


def _open(project: str) -> Protocol[Line]:
    """A line of one's own, with nothing in its caches."""
    line = Line(project, NodeCache(_CACHE))
    yield from refresh(line)
    return line


def _size(line: Line, content: bytes) -> Protocol[int]:
    """The bytes of a content that is there; raises NotFound, InvalidInput when it is an origin's."""
    if not line.objects.holds(content):
        line.objects.refuse_erased([content])  # in its origin
        raise NotFound(f"project {line.project} has no content {content.hex()}", hint="give its whole SHA-256")
    if line.origin is not None and line.origin.objects.find(content) is not None:
        raise InvalidInput(
            f"the content {content.hex()[:12]} is read from the project that this one was forked from",
            hint="erase it there, with its forks; nothing was changed",
            origin=line.origin.project,
        )
    found = yield from stored_size(line.objects, content, -1)
    assert found is not None
    return found[0]


def _forks_of(line: Line, content: bytes) -> Protocol[list[Line]]:
    """Every fork that reads the content through this line, forks of forks included."""
    found: list[Line] = []
    todo = yield from forks(line)
    while todo:
        name = todo.pop()
        try:
            each = yield from _open(name)
        except NotFound:
            continue  # registered, and never finished
        if each.origin is None:
            continue  # independent meanwhile: it has copies of its own, and is erased by itself
        todo += yield from forks(each)
        if content in each.objects.erased or each.objects.find_bytes(content) is not None:
            found.append(each)
    return found


def _held(lines: Sequence[Line]) -> Protocol[dict[str, list[Held]]]:
    held: dict[str, list[Held]] = {}
    for each in lines:
        held[each.project] = yield from entries(each)
        origin = each.origin
        while origin is not None:
            if origin.project not in held:
                held[origin.project] = yield from entries(origin)
            origin = origin.origin
    return held


def _require_own(lines: Sequence[Line], held: dict[str, list[Held]], content: bytes, size: int) -> Protocol[None]:
    """Raises InvalidInput when the bytes are also something that has to stay."""
    for items in held.values():
        for object_hash, place in items:
            if object_hash == content and place.kind in (stored.NODE, stored.SESSION):
                raise InvalidInput(
                    f"the content {content.hex()[:12]} has the bytes of a part of the project's own record",
                    hint="it cannot be erased without breaking the log; nothing was changed",
                )
    if size > _MOST_PART:
        return
    for each in lines:
        users = (yield from lists_of(each, held[each.project], {content})).get(content)
        if users:
            names = sorted(user.hex() for user in users)
            raise InvalidInput(
                f"the content {content.hex()[:12]} is a part of {len(names)} larger ones",
                hint=f"erase these first: {', '.join(names[:3])}; nothing was changed",
                contents=names,
            )


def _plan(line: Line, lines: Sequence[Line], held: dict[str, list[Held]], content: bytes) -> Protocol[_Plan]:
    """What has to go of one line, and what has to be written anew before."""
    own = held[line.project]
    copies = [item.place for item in own if item.hash == content]
    parts: set[bytes] = set()
    for place in copies:
        if place.kind == stored.CHUNK_LIST:
            parts.update((yield from parts_of(line, place)))
    shared: set[bytes] = set()
    if parts:
        for each in lines:
            erased = {content, *each.objects.erased}
            for items in held.values():
                shared |= parts & (yield from lists_of(each, items, erased)).keys()
            shared |= {named for _, named in (yield from naming(each, parts))}
    # What others are erasing goes as well: nobody else moves what leans on two of them.
    going = (parts - shared) | {content} | _announced(line)
    # The lists of other large contents stay until their own erasure has read which chunks they name.
    wanted = (parts - shared) | {content}
    ranges = {
        item.place
        for item in own
        if item.hash in going and item.place.kind in (stored.CONTENTS if item.hash in wanted else stored.SMALL)
    }
    living: dict[bytes, None] = {}
    for form in (yield from leaning(line, own)):
        if form.base in going or not going.isdisjoint(form.holds):
            ranges.add(form.place)
            living.update(dict.fromkeys(each for each in form.holds if each not in going))
    found = tuple(each for each in living if line.objects.find_bytes(each) is not None)
    return _Plan(tuple(sorted(ranges)), found, tuple(sorted(shared)))


# ---------------------------------------------------------------- the steps


def _grave(line: Line, content: bytes) -> str:
    return line.erased_prefix + content.hex()


def _mark(line: Line, wanted: Tombstone) -> Protocol[Tombstone]:
    """Write the tombstone; the one that stands, when there is one."""
    key = _grave(line, wanted.content)
    with contextlib.suppress(AlreadyExists):
        yield PutNew(key, encode(wanted))
    return decode_tombstone((yield Get(key)).data, key)


def erasure_session(project: str, tombstone: Tombstone, base: int, hlc: int) -> Session:
    """The session that tells of an erasure."""
    said = {"content": tombstone.content, "size": tombstone.size, "class": tombstone.reason.name.lower()}
    goal = f"Erase a content: {tombstone.words}"
    return telling(b"erasure", project, tombstone.content, goal, tombstone.at, tombstone.by, said, base, hlc)


def _announce(line: Line, tombstone: Tombstone) -> Protocol[None]:
    """Land the session that tells of it: whoever lands meanwhile loses, looks, and knows."""
    yield from announce(line, lambda base, hlc: erasure_session(line.project, tombstone, base, hlc))


def _announced(line: Line) -> set[bytes]:
    """What was erased and every front end knows of, or will before it lands again: nothing leans on it anew.

    Of another tombstone the landing may still be to come. That content is as alive as any, but for its readers.
    """
    return {
        content
        for content, tombstone in line.objects.erased.items()
        if line.find_session(erasure_session(line.project, tombstone, 0, 0).id) is not None
    }


def _displace(line: Line, lines: Sequence[Line], content: bytes) -> Protocol[tuple[bytes, ...]]:
    """Write anew what would go with the content, then write down what goes; the parts that stay."""
    for _ in range(_ATTEMPTS):  # until a look behind the writing finds nothing more
        yield from refresh(line)
        yield from bury(line)
        announced = _announced(line)
        graves = yield from read_graves(line)
        known = [item for item in graves.displaced if item.content == content]
        plan = yield from _plan(line, lines, (yield from _held(lines)), content)
        if not plan.ranges:
            return tuple({part for item in known for part in item.shared})
        writer = Writer(line)
        for start in range(0, len(plan.living), _BATCH):
            wanted = plan.living[start : start + _BATCH]
            for object_hash, data in (yield from read_small(line.objects.bare(), wanted)).items():
                yield from writer.add([object_hash], stored.BLOB, encode_blob(data))
        yield from writer.flush()
        # Something that was written anew may be going by now, too: then what names it is never written.
        yield from refresh(line)
        if (yield from bury(line)) or _announced(line) != announced:
            continue
        made = Displaced(
            content,
            tuple(Range(place.key.removeprefix(line.prefix), place.offset, place.length) for place in plan.ranges),
            tuple(
                Moved(each, place.kind, place.key.removeprefix(line.prefix), place.offset, place.length)
                for each, place in sorted(writer.places.items())
            ),
            plan.shared,
        )
        raw = encode_displaced(made)
        with contextlib.suppress(AlreadyExists):  # named by its content: the same
            yield PutNew(f"{_grave(line, content)}.{content_hash(raw).hex()[:16]}", raw)
    raise Busy("what was erased comes in anew all the time", hint="repeat it; the erasure goes on where it is")
