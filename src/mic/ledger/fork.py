"""Forks: begun with three small objects whatever the history, made independent before their origin goes.

    fork        1 register with the origin   2 name the origin and the head   3 write that head as the fork's own
    materialise 1 copy epochs and packs      2 seal: segments and runs        3 say that it is independent

The registration comes first, so an origin always knows who reads through it; whoever deletes a project first
leaves a mark that every later fork finds. A crash between any two writes leaves a fork that is whole, or one that
nobody has heard of.
"""

from __future__ import annotations

from typing import NamedTuple

from mic.core.epoch import MAX_LANDINGS, Epoch, PackRef, decode_epoch
from mic.core.errors import AlreadyExists, Corrupt, InvalidInput, MicError, NotFound, PreconditionFailed, TooLarge
from mic.core.head import Head
from mic.core.origin import Origin, Tie, decode_origin, encode_origin
from mic.ledger.container import check_container, check_pack
from mic.ledger.effects import Attempt, Delete, Get, GetRange, List, Protocol, PutNew
from mic.ledger.follow import MAX_DEPTH, advance, read_epoch, read_pack_toc, refresh
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.objects import Objects, missing
from mic.ledger.runs import write_run
from mic.ledger.seal import due, seal
from mic.ledger.tip import first_bytes, replace
from mic.ledger.tombstones import read_graves
from mic.store import Tagged

DELETED = "deleted/"
# Objects that are asked for in one go where any of many may be there.
_AT_ONCE = 32


def deleted_key(project: str) -> str:
    """The mark of a project that is going: it cannot be forked any more."""
    return f"{DELETED}{project}"


def head_at(line: Line, position: int) -> Protocol[tuple[Line, Head]]:
    """The head that a line had at a position, and of the lines that it reads through the one that landed it.

    Raises NotFound beyond the head, InvalidInput for a position that was never a head: several landed at once.
    """
    head = yield from refresh(line)
    if position == head.position:
        return line, head
    if not 0 < position < head.position:
        raise NotFound(
            f"there is no landing @{position} to begin at", hint=f"the newest is @{head.position}; the first is @1"
        )
    owner = _owner(line, position)
    record = (yield from records(line, position, position))[0]
    found = Head(position, record.root_after, record.hlc)
    try:
        yield GetRange(owner.epoch_key(found), 0, 1)
    except NotFound as error:
        near = " or ".join(f"@{each}" for each in (yield from _heads_near(line, position)))
        raise InvalidInput(
            f"nothing can begin at @{position}: it landed together with what follows it",
            hint=f"nearest to it, one can begin at {near}" if near else "begin where the line stands now",
        ) from error
    return owner, found


def _owner(line: Line, position: int) -> Line:
    """Of the lines that a line reads through, the one that landed a position."""
    while line.origin is not None and position <= line.start.position:
        line = line.origin
    return line


def _heads_near(line: Line, position: int) -> Protocol[list[int]]:
    """The nearest positions before and after one that were heads, as far as there are any.

    An epoch holds at most MAX_LANDINGS, so none is further away; the nearer ones are asked for first, many at once.
    """
    assert line.head is not None
    before = range(position - 1, max(position - 1 - MAX_LANDINGS, 0), -1)
    behind = range(position + 1, min(position + MAX_LANDINGS, line.head.position) + 1)
    found = []
    for side in (before, behind):
        for first in range(0, len(side), _AT_ONCE):
            some = side[first : first + _AT_ONCE]
            heads = {}
            for record in (yield from records(line, min(some), max(some))):
                heads[record.position] = Head(record.position, record.root_after, record.hlc)
            keys = [_owner(line, each).epoch_key(heads[each]) for each in some]
            there = yield tuple(Attempt(GetRange(key, 0, 1)) for key in keys)
            for answer in there:
                if isinstance(answer, MicError) and not isinstance(answer, NotFound):
                    raise answer
            were = [each for each, answer in zip(some, there, strict=True) if not isinstance(answer, MicError)]
            if were:
                found.append(were[0])
                break
    return found


def fork(origin: Line, line: Line, at: Head | None = None) -> Protocol[Head]:
    """Begin `line` where `origin` stands now, or where it stood `at`; the head that both share.

    Again for the same line changes nothing, whatever landed in between, also while the origin is being deleted.
    Raises NotFound when the origin is not there or is being deleted, TooLarge beyond MAX_DEPTH forks of forks,
    AlreadyExists when the line is another's.
    """
    head = at or (yield from refresh(origin))
    if _depth(origin) >= MAX_DEPTH:
        raise TooLarge(
            f"the project is the last of {MAX_DEPTH} forks of forks",
            hint="fork one of those that it was forked from",
            limit=MAX_DEPTH,
        )
    wanted = Origin(origin.project, head)
    yield from _put_new(origin.fork_key(line.project), encode_origin(wanted))
    # Gone between the two looks, or going: the mark is the last thing to be removed, the head the first.
    going = (yield from _present(deleted_key(origin.project))) or not (yield from _present(origin.head_key))
    if going:
        # The same fork may have been made before, or by somebody who looked earlier: it must stay registered then.
        wanted = wanted._replace(tie=Tie.VOID)
    try:
        yield PutNew(line.origin_key, encode_origin(wanted))
    except AlreadyExists:
        wanted, _ = yield from _read_origin(line)
        if wanted.project != origin.project:
            raise
        head = wanted.head
    if wanted.tie is Tie.VOID:
        yield Delete(origin.fork_key(line.project))
        raise _gone(origin)
    yield from _put_new(line.head_key, first_bytes(line, head))
    return head


def _depth(line: Line) -> int:
    return 1 + _depth(line.origin) if line.origin is not None else 0


def _gone(origin: Line) -> NotFound:
    return NotFound(f"project {origin.project} is being deleted", hint="nothing was forked", object=origin.head_key)


def forks(line: Line) -> Protocol[list[str]]:
    """The projects that are registered as forks of this one: what they reach of it must stay."""
    prefix = line.fork_key("")
    return [listed.key.removeprefix(prefix) for listed in (yield List(prefix))]


def release(origin: Line, line: Line) -> Protocol[bool]:
    """Let a registered fork go: independent, or void if it was never finished. Whether anything was copied.

    `line` must be one that nobody else reads. Again, after a crash anywhere, goes on where it stopped.
    """
    registration = Origin(origin.project, Head(0, bytes(32), 0), Tie.VOID)
    # Looked at before it is written: a store may refuse two writes of an object in one second, tried ones included.
    copied = yield from _present(line.origin_key)
    if not copied:
        try:
            yield PutNew(line.origin_key, encode_origin(registration))
        except AlreadyExists:
            copied = True
    if copied:
        copied = yield from materialise(line)
    yield Delete(origin.fork_key(line.project))
    return copied


def materialise(line: Line) -> Protocol[bool]:
    """Copy what a fork reads through its origin below its own prefix, then say so; False when there was nothing to do.

    `line` must be one that nobody else reads. Readers see the same history before, during and after: they change
    over when they next look at the head. Raises Corrupt when a copy is not what its name promises; nothing is
    given up then.
    """
    origin, tag = yield from _read_origin(line)
    if origin.tie is not Tie.READS_THROUGH:
        return False
    if origin.head.position:
        source = Line(origin.project, line.cache)
        source.depth = 1
        yield from advance(source, origin.head)
        chain = yield from _chain(source)
        # All of the copies before the first run: whoever finds a run of the fork's own asks for no origin.
        yield from _copy(line, source.objects, chain)
        yield from _copy_graves(line, source)
        yield from _seal(line, chain)
    try:
        yield from replace(line.origin_key, encode_origin(origin._replace(tie=Tie.INDEPENDENT)), tag)
    except PreconditionFailed:
        known, _ = yield from _read_origin(line)
        if known.tie is not Tie.INDEPENDENT:  # else another front end was faster and did the same
            raise
    return True


def erase(line: Line) -> Protocol[int]:
    """Remove every object of a project, the head first, the mark of its deletion last; how many were there.

    The caller has released every fork. The origin of one that is a fork itself forgets it: after the head, for nothing
    may read through an origin that does not know, and before what names the origin, which whoever goes on must find.
    """
    yield Delete(line.head_key)
    listed = yield List(line.prefix)
    for found in listed:
        if found.key != line.origin_key:
            yield Delete(found.key)
    try:
        origin, _ = yield from _read_origin(line)
    except NotFound:
        pass
    else:
        yield Delete(Line(origin.project, line.cache).fork_key(line.project))
        yield Delete(line.origin_key)
    yield Delete(deleted_key(line.project))
    return len(listed)


class _Link(NamedTuple):
    """A head and the line that keeps the epoch which made it."""

    owner: Line
    head: Head


def _chain(source: Line) -> Protocol[list[_Link]]:
    """Every epoch up to the head of a frozen line, oldest first, wherever in the chain of forks it lies."""
    assert source.head is not None
    chain = []
    owner, at = source, source.head
    while at.position:
        while owner.origin is not None and at.position <= owner.start.position:
            owner = owner.origin
        chain.append(_Link(owner, at))
        at = (yield from read_epoch(owner, at)).prev
    chain.reverse()
    return chain


def _copy(line: Line, objects: Objects, chain: list[_Link]) -> Protocol[None]:
    """Copy what is not there yet. The origin goes afterwards, so what was misread must not be kept: all is verified."""
    epochs = yield List(f"{line.prefix}landing-log/tail/")
    packs = yield List(f"{line.prefix}packs/")
    have = {listed.key for listed in (*epochs, *packs)}
    for owner, head in chain:
        key = line.epoch_key(head)
        if key in have:
            epoch = yield from read_epoch(line, head)
        else:
            raw = yield from _get(owner.epoch_key(head))
            epoch = yield from _checked(raw, head, owner.epoch_key(head), objects)
            yield from _put_new(key, raw)
        for pack in epoch.packs:
            if line.pack_key(pack.hash) not in have:
                yield from _copy_pack(owner, line, pack, objects)
                have.add(line.pack_key(pack.hash))


def _checked(raw: bytes, head: Head, key: str, objects: Objects) -> Protocol[Epoch]:
    """The epoch, with every object that it lists; `objects` holds what these lean on."""
    epoch = decode_epoch(raw, key)
    end = epoch.data_start + max((item.offset + item.length for item in epoch.objects), default=0)
    if epoch.new != head or end > len(raw):
        raise Corrupt(f"{key} is damaged: it is not the whole epoch of its name", object=key)
    yield from check_container(objects, key, epoch.data_start, raw, epoch.objects)
    return epoch


def _copy_pack(owner: Line, line: Line, pack: PackRef, objects: Objects) -> Protocol[None]:
    key = owner.pack_key(pack.hash)
    raw = yield from _get(key)
    yield from check_pack(objects, key, pack.hash, raw)
    yield from _put_new(line.pack_key(pack.hash), raw)


def _copy_graves(line: Line, source: Line) -> Protocol[None]:
    """Copy what tells of the erasures in what was copied, and what these have written anew."""
    at: Line | None = source
    while at is not None:
        graves = yield from read_graves(at)
        names = {moved.name for item in graves.displaced for moved in item.moved}
        # The packs first: what tells of them names them.
        for name in (*sorted(names), *(key.removeprefix(at.prefix) for key in sorted(graves.names))):
            raw = yield from _get(at.prefix + name)
            if name in names:
                yield from check_pack(source.objects, at.prefix + name, bytes.fromhex(name[-69:-5]), raw)
            yield from _put_new(line.prefix + name, raw)
        at = at.origin


def _seal(line: Line, chain: list[_Link]) -> Protocol[None]:
    """Segments and runs over the copies, as a line that had landed all of it would have written them."""
    own = Line(line.project, line.cache)
    for _, head in chain:
        epoch = yield from read_epoch(own, head)
        if epoch.prev != own.head if own.head is not None else epoch.prev.position:
            raise Corrupt(f"{own.epoch_key(head)} does not follow on the epoch before", object=own.epoch_key(head))
        for pack in epoch.packs:
            own.objects.add(own.pack_key(pack.hash), 0, (yield from read_pack_toc(own, pack)))
        own.add_epoch(epoch)
        own.head = head
        if due(own):
            yield from seal(own)
    if own.head != own.covered:
        yield from write_run(own)


def _read_origin(line: Line) -> Protocol[tuple[Origin, str]]:
    found: Tagged = yield Get(line.origin_key)
    return decode_origin(found.data, line.origin_key), found.tag


def _get(key: str) -> Protocol[bytes]:
    try:
        return (yield Get(key)).data  # type: ignore[no-any-return]
    except NotFound as error:
        raise missing(key) from error


def _put_new(key: str, data: bytes) -> Protocol[None]:
    try:
        yield PutNew(key, data)
    except AlreadyExists:
        return


def _present(key: str) -> Protocol[bool]:
    try:
        yield Get(key)
    except NotFound:
        return False
    return True
