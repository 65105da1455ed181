"""The Git view of a project: which commit each position is, which refs there are, which packs hold the objects.

    git/views/{number:016x}   'MICV' u8 version=1 u8[3]=0 | u32 bytes | zstd(msgpack)     create-only
    git/packs/{name}.pack     a Git pack          git/packs/{name}.idx    its index (mic.git.packindex)

The view of the highest number counts. Whoever changes it creates the next number; who loses looks again. The commits of
landings are a function of the log, so what is said of them can be made again; refs besides main, and what was pushed
with them, live here alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import msgspec

from mic.core.codec import Reader
from mic.core.errors import AlreadyExists, NotFound, Unavailable
from mic.git.boxed import box, unbox
from mic.ledger.effects import Delete, Get, List, Protocol, PutNew

MAGIC = b"MICV" + bytes((1, 0, 0, 0))
MAX_REFS = 100_000
# The forge's own notes, and where those are that people bring, as they bring them (mic.git.kept_notes).
NOTES, BROUGHT = b"refs/notes/ai", b"refs/imported/notes/ai"
# Views behind the newest that stay for readers who are looking at them.
VIEWS_KEPT = 64
# Whoever created a number this far behind the newest began from a view that was removed meanwhile.
VIEWS_LOST = 32
_NUMBER = re.compile(r"[0-9a-f]{16}")


class KeptPack(msgspec.Struct, frozen=True, array_like=True):
    """A pack of the view. `derived` when all of it is a function of the log."""

    name: str
    size: int
    objects: int
    derived: bool


class Moving(msgspec.Struct, frozen=True, array_like=True):
    """Refs that move when main has landed: those of an atomic push, which lands main elsewhere, in the log.

    They move with the landing of `position` if that has the clock value `hlc`, which no other attempt has, and if each
    of them still names what it did; otherwise never. `refs` gives old and new ids, 20 zero bytes for none; `exact` is
    as in the view.
    """

    position: int
    hlc: int
    refs: dict[bytes, tuple[bytes, bytes]]
    exact: bool


class LineTip(msgspec.Struct, frozen=True, array_like=True):
    """A line besides main: what it is called, its id, and the commit of its landing `position`, b"" before the first.

    `trouble` says why no more of it can be served.
    """

    branch: str
    line: str
    position: int
    tip: bytes
    trouble: str = ""


class View(msgspec.Struct, frozen=True):
    """What a Git client sees. `refs` are those besides main; `trouble` says why nothing can be served, "" when it can.

    `position`: landings up to it have their commits; `tip` is the commit of `position`, b"" at 0.
    """

    position: int = 0
    tip: bytes = b""
    packs: tuple[KeptPack, ...] = ()
    refs: dict[bytes, bytes] = {}
    trouble: str = ""
    # Whether everything in the packs can be reached from what the refs name now.
    exact: bool = True
    # Packs that newer ones hold what they held, and since when (Unix milliseconds): somebody may be reading them.
    retired: tuple[tuple[str, int], ...] = ()
    # How a view was written that could name one alone; read as the first of `movings`.
    moving: Moving | None = None
    # A ref in two of them has the same ids there, see `mic.git.moving`.
    movings: tuple[Moving, ...] = ()
    # Contents that were erased and that the packs hold no longer; and the lists of ids that changed with them.
    erased: tuple[bytes, ...] = ()
    rewritten: tuple[str, ...] = ()
    # The lines besides main. Their refs are not among `refs`: they are what the lines are.
    lines: tuple[LineTip, ...] = ()


class Overtaken(Unavailable):
    """So many views came meanwhile that nobody can tell whether one's own was among them."""

    def __init__(self) -> None:
        super().__init__(
            "The refs of the project changed many times meanwhile, and whether this change is among them is not known.",
            hint="Look at the refs, and try again where they are not as you want them.",
        )


class Numbered(NamedTuple):
    """A view and its number, 0 for a project that has none yet."""

    number: int
    view: View


_decoder = msgspec.msgpack.Decoder(View)
_LATER = frozenset({"erased", "rewritten", "lines"})


def encode_view(view: View) -> bytes:
    """The bytes of a view: those of before there were erasures, where nothing was erased."""
    fields = {name: getattr(view, name) for name in view.__struct_fields__}
    return box(MAGIC, {name: value for name, value in fields.items() if value or name not in _LATER})


def decode_view(raw: bytes, name: str) -> View:
    """A view from its bytes. Raises Corrupt."""
    view = _noted(unbox(MAGIC, _decoder, raw, name))
    if view.moving is not None:
        view = msgspec.structs.replace(view, moving=None, movings=(view.moving, *view.movings))
    ids = [*view.refs.values(), *(oid for moving in view.movings for pair in moving.refs.values() for oid in pair)]
    ids += [item.tip for item in view.lines if item.tip]
    if len(view.tip) != (20 if view.position else 0) or any(len(oid) != 20 for oid in ids):
        raise Reader(raw, name).fail("an id that has not 20 bytes")
    return view


def rewritten_key(project: str, name: str) -> str:
    """The key of a list of ids that are no more."""
    return f"projects/{project}/git/rewritten/{name}"


def _noted(view: View) -> View:
    """The view with the notes that people brought under the name they have now: `refs/notes/ai` is the forge's own."""
    if NOTES not in view.refs:
        return view
    refs = dict(view.refs)
    brought = refs.pop(NOTES)
    name = BROUGHT
    while refs.get(name, brought) != brought:
        name = name.replace(b"refs/", b"refs/imported/", 1)
    return msgspec.structs.replace(view, refs={**refs, name: brought})


def views_prefix(project: str) -> str:
    return f"projects/{project}/git/views/"


def packs_prefix(project: str) -> str:
    """Where the kept packs are."""
    return f"projects/{project}/git/packs/"


V = TypeVar("V")


def newest_view(project: str, known: Numbered) -> Protocol[Numbered]:
    """The view that counts now; `known` is returned when it still does."""
    number, view = yield from newest_numbered(views_prefix(project), known, View(), decode_view)
    return known if number == known.number else Numbered(number, view)


def newest_numbered(
    prefix: str, known: tuple[int, V], none: V, decode: Callable[[bytes, str], V]
) -> Protocol[tuple[int, V]]:
    """The object of the highest number below `prefix`, with its number; (0, `none`) when there is none.

    `known` is returned when it still is that one. Objects whose names are no numbers are passed over.
    """
    for _ in range(8):
        listed = yield List(prefix, f"{prefix}{max(known[0] - 1, 0):016x}" if known[0] else "")
        numbers = [int(name, 16) for item in listed if _NUMBER.fullmatch(name := item.key.removeprefix(prefix))]
        if not numbers:
            return 0, none
        newest = max(numbers)
        if newest == known[0]:
            return known
        key = f"{prefix}{newest:016x}"
        try:
            return newest, decode((yield Get(key)).data, key)
        except NotFound:
            continue  # many have moved it on while we looked
    raise Unavailable("The Git view of the project changes faster than it can be read.", hint="Try again.")


def write_view(project: str, before: Numbered, view: View) -> Protocol[Numbered | None]:
    """Make `view` the one that counts, if `before` still is it; None when another came first. Raises Overtaken."""
    made = yield from write_numbered(views_prefix(project), before.number, encode_view(view), decode_view)
    return Numbered(before.number + 1, view) if made else None


def write_numbered(prefix: str, before: int, raw: bytes, decode: Callable[[bytes, str], object]) -> Protocol[bool]:
    """Make `raw` the object that counts, if that of the number `before` still is it; whether it does.

    Raises Overtaken when that cannot be told: so many came meanwhile that the number may have been used before.
    """
    number = before + 1
    key = f"{prefix}{number:016x}"
    try:
        yield PutNew(key, raw)
    except AlreadyExists:
        try:
            there = (yield Get(key)).data
            if there != raw:
                decode(there, key)  # what is read wrongly is not another's
                return False
        except NotFound:
            raise Overtaken from None  # ours, perhaps, if the store did it and we asked twice
    listed = yield List(prefix)
    numbers = sorted(int(name, 16) for item in listed if _NUMBER.fullmatch(name := item.key.removeprefix(prefix)))
    if numbers and numbers[-1] - number >= VIEWS_LOST:
        # Either the view of this number was removed long ago, and this one counts for nothing; or it did count, and
        # the others came before we looked.
        yield Delete(key)
        raise Overtaken
    for old in numbers[:-VIEWS_KEPT]:
        yield Delete(f"{prefix}{old:016x}")
    return True
