"""Checking an index: what lies in a container that it names for an object which the log has elsewhere."""

from __future__ import annotations

from mic.core import epoch as stored
from mic.core.delta import decode_group
from mic.core.epoch import decode_epoch
from mic.core.errors import NotFound
from mic.core.indexrun import Place
from mic.core.pack import FOOTER_BYTES, decode_toc, toc_bytes
from mic.ledger.chunked import Runner
from mic.ledger.container import check_pack
from mic.ledger.effects import Get, Protocol
from mic.ledger.objects import Objects


def listed_in(objects: Objects, key: str, size: int, is_epoch: bool, run: Runner) -> set[tuple[bytes, int, int, int]]:
    """(hash, kind, offset, length) of all that a container of `size` bytes holds; raises NotFound, Corrupt.

    A pack that compaction wrote, whose name is the hash of all of it unless something was erased from it. An epoch,
    when an old tree came back and its nodes were stored again; or a fork's own copy of one, until the fork says that
    it is independent.
    """
    if is_epoch:
        epoch = decode_epoch(run(_get(key)), key)
        start = epoch.data_start
        return {(item.hash, item.kind, start + item.offset, item.length) for item in epoch.objects}
    name = key.rsplit("/", 1)[-1]
    if not name.endswith(".pack") or not size:
        raise NotFound(f"{key} is missing from the store")
    raw: bytes = run(_get(key))
    run(check_pack(objects, key, bytes.fromhex(name[:-5]), raw))
    found: set[tuple[bytes, int, int, int]] = set()
    for item in decode_toc(raw[-FOOTER_BYTES - toc_bytes(raw[-FOOTER_BYTES:], key) :], len(raw), key):
        if objects.is_zero(Place(key, item.kind, item.offset, item.length)):
            continue
        members = [item.hash]
        if item.kind == stored.GROUP:  # listed by its first member
            group = decode_group(raw[item.offset : item.offset + item.length], key)
            members = [member.hash for member in group.members]
        found.update((member, item.kind, item.offset, item.length) for member in members)
    return found


def _get(key: str) -> Protocol[bytes]:
    return (yield Get(key)).data  # type: ignore[no-any-return]
