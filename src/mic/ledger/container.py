"""Checking bytes that hold many objects: each must be what its hash says, however it is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from mic.core import epoch as stored
from mic.core.chunklist import decode_list
from mic.core.errors import Corrupt
from mic.core.indexrun import Place
from mic.core.pack import FOOTER_BYTES, decode_toc, toc_bytes
from mic.ledger.contents import digest_of
from mic.ledger.effects import Protocol
from mic.ledger.objects import Objects, check_length
from mic.ledger.small import Form, read_small


def check_container(
    objects: Objects, key: str, base: int, raw: bytes, listed: Iterable[stored.Stored]
) -> Protocol[None]:
    """Raises Corrupt unless each listed object is in `raw`, where the list says, counted from byte `base`.

    What an object leans on, or is made of, is read through `objects`; `key` is the name of the container. What went
    with something that was erased must be gone.
    """
    found: dict[Place, list[bytes]] = {}  # the members of a group share a place
    for item in listed:
        found.setdefault(Place(key, item.kind, base + item.offset, item.length), []).append(item.hash)
    for place, hashes in found.items():
        piece = raw[place.offset : place.offset + place.length]
        check_length(place, piece, "an object")
        if objects.is_zero(place):
            if any(piece):
                raise Corrupt(
                    f"{key} holds what was erased", hint="erase it again: it goes on where it stopped", object=key
                )
            continue
        if place.kind == stored.CHUNK_LIST:
            name = f"chunk list {hashes[0].hex()} in {key}"
            if (yield from digest_of(objects, decode_list(piece, name))) != hashes[0]:
                raise Corrupt(f"{name} is damaged: its chunks make other bytes", object=key)
            continue
        form = Form(place, piece, hashes)
        leans_on = form.base
        form.open(b"" if leans_on is None else (yield from read_small(objects, [leans_on]))[leans_on])


def check_pack(objects: Objects, key: str, name: bytes, raw: bytes) -> Protocol[None]:
    """Raises Corrupt unless these are the bytes of the pack of that name.

    One that something was erased from has other bytes than it was named for: then each object is checked.
    """
    if hashlib.sha256(raw).digest() == name:
        return
    listed = decode_toc(raw[-FOOTER_BYTES - toc_bytes(raw[-FOOTER_BYTES:], key) :], len(raw), key)
    if not any(objects.is_zero(Place(key, item.kind, item.offset, item.length)) for item in listed):
        raise Corrupt(f"{key} is damaged: its bytes have another hash than its name says", object=key)
    yield from check_container(objects, key, 0, raw, listed)
