"""Which objects of a line an archive holds: its log and packs, what was erased of it, and open sessions.

What can be made again from these (segments, index runs, rollups) is left out, and so is what nothing names. A line that
reads through another one, which is not in the same archive, is written down as if it had everything itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mic.core.epoch import Epoch
from mic.core.errors import Unavailable
from mic.core.head import Head
from mic.core.tree import EMPTY_TREE
from mic.ledger.effects import Delete, List, Protocol, PutNew
from mic.ledger.follow import read_epoch, refresh
from mic.ledger.fork import deleted_key
from mic.ledger.line import Line
from mic.ledger.objects import missing
from mic.ledger.pushed import pushes, read_push
from mic.ledger.tombstones import Graves, read_graves

# Projects that are being made of an archive: whoever finds an old mark removes what is below it.
ARRIVING = "arriving/"


class Member(NamedTuple):
    """An object of an archive: its name behind the prefix of its line, its key in the store, its size in bytes."""

    name: str
    key: str
    size: int


class ArchivedLine(NamedTuple):
    """A line as an archive has it. `origin` is the number of the line in the same archive that it reads through up to
    `begins`, None for one that has everything itself. `members` lean on nothing that comes later."""

    head: Head
    origin: int | None
    begins: Head
    members: tuple[Member, ...]
    graves: frozenset[str]


def outline(line: Line, known: Mapping[str, int], shown: Callable[[bytes], bool]) -> Protocol[ArchivedLine]:
    """What of a line goes into an archive that has the lines `known` already; sessions that are not landed and `shown`.

    Raises Unavailable while something is being erased, Corrupt.
    """
    head = yield from refresh(line)
    owners, origin = [line], line.origin
    number, begins = None, Head(0, EMPTY_TREE, 0)
    while origin is not None:
        if origin.project in known:
            number, begins = known[origin.project], owners[-1].start
            break
        owners.append(origin)
        origin = origin.origin
    found: dict[str, Member] = {}
    told: set[str] = set()
    for owner in reversed(owners):
        yield from _erased(owner, told, found)
    epochs = yield from _epochs(owners, head, begins)
    sizes = yield from _sizes(owners, ("landing-log/tail/", "packs/"))
    for owner, epoch in epochs:
        for pack in epoch.packs:
            _add(found, sizes, owner, owner.pack_key(pack.hash))
        _add(found, sizes, owner, owner.epoch_key(epoch.new))
    yield from _open(line, shown, found)
    return ArchivedLine(head, number, begins, tuple(found.values()), frozenset(told))


def graves_of(line: Line) -> Protocol[frozenset[str]]:
    """The names of what tells of erasures, here and in what the line reads through, all the way down."""
    yield from refresh(line)
    found: set[str] = set()
    at: Line | None = line
    while at is not None:
        found |= (yield from read_graves(at)).names
        at = at.origin
    return frozenset(found)


def _epochs(owners: list[Line], head: Head, begins: Head) -> Protocol[list[tuple[Line, Epoch]]]:
    """The log behind `begins`, oldest first, each epoch with the line that has it."""
    found, level, at = [], 0, head
    while at.position > begins.position:
        while level + 1 < len(owners) and at.position <= owners[level].start.position:
            level += 1
        epoch = yield from read_epoch(owners[level], at)
        found.append((owners[level], epoch))
        at = epoch.prev
    found.reverse()
    return found


def _sizes(owners: list[Line], folders: tuple[str, ...]) -> Protocol[dict[str, int]]:
    found: dict[str, int] = {}
    for owner in owners:
        for folder in folders:
            found.update({item.key: item.size for item in (yield List(owner.prefix + folder))})
    return found


def _add(found: dict[str, Member], sizes: Mapping[str, int], owner: Line, key: str) -> None:
    if key not in sizes:
        raise missing(key)
    name = key.removeprefix(owner.prefix)
    found.setdefault(name, Member(name, key, sizes[key]))


def _erased(owner: Line, told: set[str], found: dict[str, Member]) -> Protocol[None]:
    """What tells of erasures, and the packs that they have written anew."""
    graves: Graves = yield from read_graves(owner)
    open_names = {item.name for _, _, item in graves.redactions} | set(graves.tombstones)
    if open_names - graves.gone:
        raise Unavailable("something is being erased", hint="try again when that is done: a matter of minutes")
    sizes = {item.key: item.size for item in (yield List(owner.erased_prefix))}
    for name in sorted({moved.name for item in graves.displaced for moved in item.moved}):
        sizes |= {item.key: item.size for item in (yield List(f"{owner.prefix}packs/"))}
        _add(found, sizes, owner, owner.prefix + name)
    for key in sorted(graves.names):
        _add(found, sizes, owner, key)
    told |= graves.names


def _open(line: Line, shown: Callable[[bytes], bool], found: dict[str, Member]) -> Protocol[None]:
    """Sessions that have not landed, and what was pushed of them."""
    prefix = f"{line.prefix}sessions/"
    for item in (yield List(prefix)):
        session = item.key.removeprefix(prefix).removesuffix(".bin")
        if len(session) == 32 and line.find_session(bytes.fromhex(session)) is None and shown(bytes.fromhex(session)):
            name = item.key.removeprefix(line.prefix)
            found[name] = Member(name, item.key, item.size)
    sizes: dict[str, int] = {}
    for push in (yield from pushes(line)):
        if line.find_session(push.session) is not None or not shown(push.session):
            continue
        intent = yield from read_push(push)
        if intent is None:
            continue
        if not sizes:
            sizes = yield from _sizes([line], ("pushed/", "packs/"))
        for pack in intent.packs:
            _add(found, sizes, line, line.pack_key(pack.hash))
        _add(found, sizes, line, push.key)


# ------------------------------------------------------------ projects that arrive


def expect(project: str, at_ms: int) -> Protocol[None]:
    """Say that what comes below the project's prefix is of an archive that is being read, since `at_ms`."""
    yield PutNew(f"{ARRIVING}{project}", b"%d" % at_ms)


def arrived(project: str) -> Protocol[None]:
    """The project is there, or nothing of it is."""
    yield Delete(f"{ARRIVING}{project}")


def forget(project: str) -> Protocol[int]:
    """Remove everything of a project that did not arrive; how many objects. The head goes first."""
    line_prefix = f"projects/{project}/"
    yield Delete(f"{line_prefix}head")
    listed = yield List(line_prefix)
    for item in listed:
        yield Delete(item.key)
    yield Delete(deleted_key(project))
    yield Delete(f"{ARRIVING}{project}")
    return len(listed)
