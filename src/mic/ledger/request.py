"""A session that is to land: what came with it, and what can be checked of it before the head is looked at."""

from __future__ import annotations

import contextlib
from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from mic.core import epoch as stored
from mic.core.epoch import PackRef
from mic.core.errors import Corrupt, InvalidInput, MicError, NotFound, NothingToLand
from mic.core.indexrun import Place
from mic.core.paths import display
from mic.core.session import Session
from mic.core.tree import BLOB, CHUNKED, Entry, compare
from mic.core.tree.compare import Place as Standing
from mic.ledger import attribution
from mic.ledger.chunked import require_chunks
from mic.ledger.conflict import MAX_MERGE, asked, check_base, new_entries, to_merge
from mic.ledger.contents import stored_size
from mic.ledger.effects import Protocol
from mic.ledger.follow import read_pack_toc
from mic.ledger.gate import Gate
from mic.ledger.leavings import expired, refuse_leaving, require_there
from mic.ledger.line import Line
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects
from mic.ledger.small import read_small, stated_sizes
from mic.ledger.trees import tree_at

# Contents of one session that are read ahead; more are read one by one, when they are merged.
_MOST_TEXTS = 64


class LandRequest(NamedTuple):
    """A session to land. `contents` are stored bytes (MICB) by hash, verified; `packs` hold uploaded ones.

    `uploaded` is where those lie, when `check_lists` has read it already. With `may_move`, whoever asks can have it
    landed elsewhere when this front end keeps losing. What has a `gate` lands here: it knows who lands.
    """

    session: Session
    contents: Mapping[bytes, bytes]
    packs: Sequence[PackRef] = ()
    uploaded: Mapping[bytes, Place] | None = None
    may_move: bool = False
    gate: Gate | None = None


class Prepared(NamedTuple):
    """A request whose base and contents are as it says: that cannot change any more, whatever else lands.

    `wanted` is the entry that each path is to have, `before` what was at the base and what has become of it,
    `uploaded` where contents in packs lie, `texts` those that will probably be merged.
    """

    request: LandRequest
    wanted: Mapping[bytes, Entry | None]
    before: Before
    uploaded: Mapping[bytes, Place]
    texts: Mapping[bytes, bytes]


class Before(NamedTuple):
    """What a session looks at: its paths, and the directories above those that it adds.

    `base` says where those stand that were files at its base, in the tree of root `root`. `moved` are those that are
    another in the tree `seen`: the new entry, None for none. Both were read in one walk.
    """

    paths: Sequence[bytes]
    root: bytes
    base: Mapping[bytes, Standing]
    seen: bytes
    moved: Mapping[bytes, Entry | None]


def prepare(line: Line, request: LandRequest, contested: Container[bytes] = ()) -> Protocol[Prepared]:
    """Check a request, which meets others on the `contested` paths.

    Raises InvalidInput, InvalidPath, BaseMismatch, Erased, and Corrupt for a pack that is none.
    """
    wanted = new_entries(request.session)
    line.objects.refuse_erased(entry.hash for entry in wanted.values() if entry is not None)
    attribution.check(request.session)
    uploaded = request.uploaded
    if uploaded is None:
        uploaded = yield from _uploaded(line, request.packs)
    yield from refuse_leaving(line, request.packs)
    yield from require_there(line, request.packs)
    before = yield from _before(line, request.session)
    checked = yield from _check_contents(line, request.session, wanted, request.contents, uploaded)
    texts = yield from _texts(line, request, checked, before, contested, uploaded)
    return Prepared(request, checked, before, uploaded, texts)


def check(line: Line, request: LandRequest) -> Protocol[None]:
    """As `prepare`; NothingToLand for a session without changes."""
    if not request.session.changes:
        raise NothingToLand("the session changes nothing", hint="change a file first, or abandon the session")
    yield from prepare(line, request)


def _before(line: Line, session: Session) -> Protocol[Before]:
    """The session's paths at its base position, which must be what the session says they were, and at the head."""
    assert line.head is not None
    if session.base_position > line.head.position:
        raise InvalidInput(
            f"the session's base is position {session.base_position}; the newest is {line.head.position}",
            hint="clone again: this workspace belongs to another history",
        )
    root = yield from tree_at(line, session.base_position)
    paths, seen = asked(session), line.head.tree
    base, moved = yield from with_nodes(line.objects, line.cache, compare(line.cache, root, seen, paths))
    check_base(session, base)
    return Before(paths, root, base, seen, moved)


def _texts(
    line: Line,
    request: LandRequest,
    wanted: Mapping[bytes, Entry | None],
    before: Before,
    contested: Container[bytes],
    uploaded: Mapping[bytes, Place],
) -> Protocol[Mapping[bytes, bytes]]:
    """What will probably be merged, read beside what others of the group want; from near it is read when needed."""
    if not line.far:
        return {}
    met = [path for path in wanted if path in contested]
    texts: dict[bytes, bytes] = {}
    missing = []
    for content in sorted(to_merge(wanted, before.base, before.moved, met) - request.contents.keys()):
        data = line.recent.get(content)
        if data is not None:
            texts[content] = data
        else:
            missing.append(content)
    if 0 < len(missing) <= _MOST_TEXTS:
        with contextlib.suppress(MicError):  # who needs it finds out what is wrong with it
            texts |= yield from read_small(_with(line, uploaded), missing, MAX_MERGE)
    for content in missing:
        if content in texts:
            line.recent.put(content, texts[content])
    return texts


def _uploaded(line: Line, packs: Sequence[PackRef]) -> Protocol[dict[bytes, Place]]:
    places: dict[bytes, Place] = {}
    for pack in packs:
        key = line.pack_key(pack.hash)
        try:
            listed = yield from read_pack_toc(line, pack)
        except Corrupt as error:
            if isinstance(error.__cause__, NotFound):
                raise expired(key.removeprefix(line.prefix), gone=True) from error
            raise
        for item in listed:
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
    sent = {content: int.from_bytes(raw[4:8], "big") for content, raw in contents.items()}
    # Most often all of them came with the session, and are as it says.
    left = [
        (path, entry)
        for path, entry in wanted.items()
        if entry is not None and (sent.get(entry.hash) != entry.size or entry.kind != BLOB)
    ]
    sizes = yield from stated_sizes(objects, {entry.hash for _, entry in left if entry.hash not in sent})
    for path, entry in left:
        kind = entry.kind
        if entry.hash in sent:
            size, kind = sent[entry.hash], BLOB
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
