"""A session that is to land: what came with it, and what can be checked of it before the head is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mic.core import epoch as stored
from mic.core.epoch import PackRef
from mic.core.errors import InvalidInput
from mic.core.indexrun import Place
from mic.core.paths import display
from mic.core.session import Session
from mic.core.tree import BLOB, CHUNKED, Entry, lookup
from mic.ledger.chunked import require_chunks
from mic.ledger.conflict import check_base, new_entries
from mic.ledger.contents import stored_size
from mic.ledger.effects import Protocol
from mic.ledger.follow import read_pack_toc
from mic.ledger.line import Line
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects
from mic.ledger.small import stated_sizes
from mic.ledger.trees import tree_at


class LandRequest(NamedTuple):
    """A session to land. `contents` are stored bytes (MICB) by hash, verified; `packs` hold uploaded ones.

    `uploaded` is where those lie, when `check_lists` has read it already.
    """

    session: Session
    contents: Mapping[bytes, bytes]
    packs: Sequence[PackRef] = ()
    uploaded: Mapping[bytes, Place] | None = None


class Prepared(NamedTuple):
    """A request whose base and contents are as it says: that cannot change any more, whatever else lands.

    `wanted` is the entry that each path is to have, `base` what it had, `uploaded` where contents in packs lie.
    """

    request: LandRequest
    wanted: Mapping[bytes, Entry | None]
    base: Mapping[bytes, Entry]
    uploaded: Mapping[bytes, Place]


def prepare(line: Line, request: LandRequest) -> Protocol[Prepared]:
    """Check a request; raises InvalidInput, InvalidPath, BaseMismatch, and Corrupt for a pack that is none."""
    wanted = new_entries(request.session)
    uploaded = request.uploaded
    if uploaded is None:
        uploaded = yield from _uploaded(line, request.packs)
    base = yield from _base(line, request.session)
    checked = yield from _check_contents(line, request.session, wanted, request.contents, uploaded)
    return Prepared(request, checked, base, uploaded)


def _base(line: Line, session: Session) -> Protocol[dict[bytes, Entry]]:
    """The session's paths at its base position, which must be what the session says they were."""
    assert line.head is not None
    if session.base_position > line.head.position:
        raise InvalidInput(
            f"the session's base is position {session.base_position}; the newest is {line.head.position}",
            hint="clone again: this workspace belongs to another history",
        )
    root = yield from tree_at(line, session.base_position)
    paths = [change.path for change in session.changes]
    base = yield from with_nodes(line.objects, line.cache, lookup(line.cache, root, paths))
    check_base(session, base)
    return base


def _uploaded(line: Line, packs: Sequence[PackRef]) -> Protocol[dict[bytes, Place]]:
    places: dict[bytes, Place] = {}
    for pack in packs:
        key = line.pack_key(pack.hash)
        for item in (yield from read_pack_toc(line, pack)):
            places[item.hash] = Place(key, item.kind, item.offset, item.length)
    return places


def _check_contents(
    line: Line,
    session: Session,
    wanted: Mapping[bytes, Entry | None],
    contents: Mapping[bytes, bytes],
    uploaded: Mapping[bytes, Place],
) -> Protocol[dict[bytes, Entry | None]]:
    """Every new content must be there and have the size that the session says; kinds are set from what is stored."""
    checked = dict(wanted)
    objects = _with(line, uploaded)
    asked = {entry.hash for entry in wanted.values() if entry is not None and entry.hash not in contents}
    sizes = yield from stated_sizes(objects, asked)
    for path, entry in wanted.items():
        if entry is None:
            continue
        raw = contents.get(entry.hash)
        kind = entry.kind
        if raw is not None:
            size, kind = int.from_bytes(raw[4:8], "big"), 0
        elif sizes.get(entry.hash) == entry.size:
            size, kind = entry.size, BLOB
        else:
            found = yield from stored_size(objects, entry.hash, entry.size)
            if found is None:
                raise InvalidInput(
                    f"the content of {display(path)} ({entry.hash.hex()[:12]}) was not sent",
                    hint="send it with the session, or upload it first",
                    path=path,
                )
            size, kind = found[0], CHUNKED if found[1] == stored.CHUNK_LIST else BLOB
        if size != entry.size:
            raise InvalidInput(f"{display(path)} has {size} bytes, not {entry.size} as the session says", path=path)
        if kind != entry.kind:
            checked[path] = entry._replace(kind=kind)
    return checked


def _with(line: Line, uploaded: Mapping[bytes, Place]) -> Objects:
    """The objects of the line and those that a landing brings along."""
    objects = Objects(line.project, below=line.objects)
    objects.recent.update(uploaded)
    return objects


def check_lists(line: Line, packs: Sequence[PackRef]) -> Protocol[dict[bytes, Place]]:
    """Where the contents of packs lie.

    Raises InvalidInput when they list large contents whose chunks are neither in these packs nor in the line. An
    upload of several packs has several receipts, and a landing may name fewer. The content would then count as
    present, and nobody would send it again.
    """
    uploaded = yield from _uploaded(line, packs)
    objects = _with(line, uploaded)
    for object_hash in [item for item, place in uploaded.items() if place.kind == stored.CHUNK_LIST]:
        yield from require_chunks(objects, object_hash)
    return uploaded
