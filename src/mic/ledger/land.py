"""Landing one session: record first, compare-and-swap of the head last.

    1 read the head            2 exact conflict check against the head tree
    3 merge what merges        4 one sorted multi-insert -> new tree
    5 create the epoch object  6 swap the head  7 done

A crash before 6 leaves an object that nothing names; after 6 the history is complete. A swap whose
answer is lost is settled by reading back: the head only ever moves forward, so either our epoch is in
the chain or it is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from mic.core import epoch as stored
from mic.core.blob import Chunk, encode_node
from mic.core.epoch import PackRef, decode_epoch, encode_epoch
from mic.core.errors import (
    AlreadyExists,
    Busy,
    Conflicted,
    InvalidInput,
    NothingToLand,
    PreconditionFailed,
    StorageFull,
    Unavailable,
)
from mic.core.head import Head, next_hlc
from mic.core.ids import content_hash, ulid_text
from mic.core.indexrun import Place
from mic.core.paths import display
from mic.core.record import PathChange, Record
from mic.core.session import Change, Session, State, encode_session
from mic.core.tree import CHUNKED, Entry, Node, apply, lookup, reachable
from mic.ledger.blobs import blob_chunks
from mic.ledger.conflict import Clash, Verdict, check_base, judge, new_entries
from mic.ledger.effects import GetRange, Now, Protocol, PutIf, PutNew, Random, Sleep
from mic.ledger.follow import read_pack_toc, refresh
from mic.ledger.line import Line
from mic.ledger.log import records
from mic.ledger.nodes import with_nodes
from mic.ledger.objects import Objects
from mic.ledger.trees import Overlay, tree_at

# With jittered back-off up to 0.4 s this is about 20 s of losing every race.
MAX_ATTEMPTS = 64


class LandRequest(NamedTuple):
    """A session to land. `contents` are stored bytes (MICB) by hash, verified; `packs` hold uploaded ones."""

    session: Session
    contents: Mapping[bytes, bytes]
    packs: Sequence[PackRef] = ()


class Landed(NamedTuple):
    """Where it landed. `changes` that were merged on the way are in `merged`; `already` = it had landed before."""

    position: int
    tree: bytes
    session: Session | None
    merged: tuple[Change, ...] = ()
    already: bool = False


def land(line: Line, request: LandRequest) -> Protocol[Landed]:
    """Land; raises Conflicted (details['clashes']), NothingToLand, BaseMismatch, InvalidInput, Unavailable, Busy."""
    session = request.session
    if not session.changes:
        raise NothingToLand("the session changes nothing", hint="change a file first, or abandon the session")
    wanted = new_entries(session)
    uploaded: dict[bytes, Place] | None = None
    for attempt in range(MAX_ATTEMPTS):
        head = yield from refresh(line)
        position = line.find_session(session.id)
        if position is not None:
            record = (yield from records(line, position, position))[0]
            return Landed(position, record.root_after, None, already=True)
        if uploaded is None:
            uploaded = yield from _uploaded(line, request.packs)
            base = yield from _base(line, session)
            wanted = yield from _check_contents(line, session, wanted, request.contents, uploaded)
        verdict = yield from judge(line, head.tree, session, wanted, base, request.contents)
        if verdict.clashes:
            raise _conflicted(session, verdict.clashes)
        landed = yield from _commit(line, head, request, verdict, uploaded, attempt)
        if landed is not None:
            return landed
        pause = int.from_bytes((yield Random(2)), "big") / 65536
        yield Sleep(min(0.4, 0.01 * (attempt + 1)) * pause)
    raise Busy(f"{MAX_ATTEMPTS} other landings were faster", hint="land again; nothing was changed", session=session.id)


def _conflicted(session: Session, clashes: list[Clash]) -> Conflicted:
    paths = ", ".join(display(clash.path) for clash in clashes[:3]) + (" …" if len(clashes) > 3 else "")
    return Conflicted(
        f"session {ulid_text(session.id)} clashes with what landed since @{session.base_position}: {paths}",
        hint="nothing was changed; take in what landed, then land again",
        clashes=clashes,
    )


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
    for path, entry in wanted.items():
        if entry is None:
            continue
        raw = contents.get(entry.hash)
        kind = entry.kind
        if raw is not None:
            size, kind = int.from_bytes(raw[4:8], "big"), 0
        else:
            place = uploaded.get(entry.hash) or line.objects.find(entry.hash)
            if place is None or place.kind not in stored.CONTENTS:
                raise InvalidInput(
                    f"the content of {display(path)} ({entry.hash.hex()[:12]}) was not sent",
                    hint="send it with the session, or upload it first",
                    path=path,
                )
            if place.kind == stored.CHUNK_LIST:
                size, kind = (yield from _chunked_size(line, entry.hash, uploaded)), CHUNKED
            else:
                size, kind = int.from_bytes((yield GetRange(place.key, place.offset + 4, 4)), "big"), 0
        if size != entry.size:
            raise InvalidInput(f"{display(path)} has {size} bytes, not {entry.size} as the session says", path=path)
        checked[path] = entry._replace(kind=kind)
    return checked


def _chunked_size(line: Line, object_hash: bytes, uploaded: Mapping[bytes, Place]) -> Protocol[int]:
    objects = Objects(line.project, below=line.objects)
    objects.recent.update(uploaded)
    chunks: list[Chunk] = (yield from blob_chunks(objects, object_hash)) or []
    return sum(chunk.length for chunk in chunks)


def _commit(
    line: Line, head: Head, request: LandRequest, verdict: Verdict, uploaded: Mapping[bytes, Place], attempt: int
) -> Protocol[Landed | None]:
    """Make the tree, write the epoch, swap the head; None when another landing was faster."""
    fresh: dict[bytes, Node] = {}
    overlay = Overlay(fresh, line.cache)
    edits = verdict.edits
    root = yield from with_nodes(line.objects, line.cache, apply(overlay, head.tree, edits, fresh))
    new = Head(head.position + 1, root, next_hlc(head.hlc, (yield Now())))
    final = _final_session(request.session, verdict, edits, new)
    encoded = encode_session(final)
    session_hash = content_hash(encoded)
    ops = {change.path: change.op for change in final.changes}
    record = Record(
        new.position,
        final.id,
        session_hash,
        final.base_position,
        new.hlc,
        root,
        tuple(PathChange(path, ops[path], edits[path]) for path in sorted(edits)),
    )
    nodes = reachable(root, fresh)
    wanted_hashes = {entry.hash for entry in edits.values() if entry is not None}
    packed = [(node.hash, stored.NODE, encode_node(node.raw)) for node in nodes]
    for contents in (request.contents, verdict.contents):
        packed += [(h, stored.BLOB, raw) for h, raw in contents.items() if h in wanted_hashes and _is_new(line, h)]
    packed.append((session_hash, stored.SESSION, encoded))
    while True:
        raw = encode_epoch(head, new, attempt, [record], list(request.packs), packed)
        try:
            yield PutNew(line.epoch_key(new), raw)
            break
        except AlreadyExists:
            # The same position, clock and tree: another attempt, or our own write whose answer was lost.
            # A new clock value names a new object; the old one is named by no head.
            new = new._replace(hlc=new.hlc + 1)
            final = msgspec.structs.replace(final, hlc_updated=new.hlc)
            packed.pop()
            encoded = encode_session(final)
            session_hash = content_hash(encoded)
            packed.append((session_hash, stored.SESSION, encoded))
            record = record._replace(hlc=new.hlc, session_object=session_hash)
    if not (yield from swap(line, head, new)):
        return None
    if line.head == head:  # else settling an unclear answer has read our epoch back, and what came behind it
        line.add_epoch(decode_epoch(raw, line.epoch_key(new)))
        line.objects.recent.update(uploaded)
        line.head = new
    for node in nodes:
        line.cache.put(node, len(node.raw))
        node.raw = b""
    return Landed(new.position, root, final, tuple(verdict.merged))


def _is_new(line: Line, object_hash: bytes) -> bool:
    return line.objects.find(object_hash) is None


def _final_session(session: Session, verdict: Verdict, edits: Mapping[bytes, Entry | None], new: Head) -> Session:
    """The session as it is kept: landed, with the changes as they took effect."""
    merged = {change.path: change for change in verdict.merged}
    changes = []
    for change in session.changes:
        entry = edits.get(change.path)
        if change.path in merged:
            changes.append(merged[change.path])
        elif change.path in edits:
            changes.append(msgspec.structs.replace(change, kind=entry.kind) if entry else change)
    metadata = dict(session.metadata)
    if merged:
        metadata["merged"] = [
            {"path": change.path, "sent": change.hash, "base": change.base_hash}
            for change in session.changes
            if change.path in merged
        ]
    same = [change.path for change in session.changes if change.path not in edits]
    if same:
        metadata["already_so"] = same  # landed by somebody else in the same form meanwhile
    return msgspec.structs.replace(
        session, state=int(State.LANDED), hlc_updated=new.hlc, changes=tuple(changes), metadata=metadata
    )


def swap(line: Line, head: Head, new: Head) -> Protocol[bool]:
    """True when the head is ours, False when another landing was faster. An unclear answer is settled by reading."""
    try:
        yield PutIf(line.head_key, new.encode(), line.tag)
        return True
    except PreconditionFailed:
        pass
    except Unavailable as error:
        now = yield from refresh(line)
        if now == head and isinstance(error, StorageFull):
            raise
        if now == head:
            raise Unavailable(
                "the store did not say whether the landing took place",
                hint="land again: the same session is never landed twice",
            ) from error
    # A lost answer and a retry below us look like a lost race: our own head may be in the chain.
    now = yield from refresh(line)
    if now.position < new.position:
        return False
    record = (yield from records(line, new.position, new.position))[0]
    return record.hlc == new.hlc and record.root_after == new.tree
