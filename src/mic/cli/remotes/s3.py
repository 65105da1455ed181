"""A remote in a bucket: packs named by their content, and one small object that says what the refs are.

{prefix}/remote.json          {"version": 1, "refs": {"refs/heads/main": "..."}, "packs": ["SHA-256 in hex", ...]}
{prefix}/packs/{sha256}.pack

With a key all of it is encrypted (mic.cli.remotes.sealed). A pack is written before it is named, and `remote.json` is
swapped as a whole, where it is still the one that was read.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple

from mic.cli.remotes.configured import Remote
from mic.cli.remotes.git import HEADS, Mirror, Moved, Spec, fatal, refused_push, run_git
from mic.cli.remotes.sealed import SealedStore, is_sealed, read_key
from mic.core.errors import AlreadyExists, Corrupt, InvalidInput, NotFound, PreconditionFailed, Unavailable
from mic.store.port import ObjectStore

VERSION = 1
_NAME = "remote.json"
_TRIES = 3
# Of one request; what is fetched goes through memory in pieces of this.
_PIECE = 16 << 20


Bucket = ObjectStore | SealedStore


class _Held(NamedTuple):
    """What a bucket says that it holds; `tag` is "" where it says nothing yet."""

    refs: dict[str, str]
    packs: list[str]
    tag: str


def open_bucket(remote: Remote) -> Bucket:
    """The store behind an address `s3://bucket/prefix`, encrypted where the remote has a key."""
    from mic.store.s3 import S3Store  # obstore takes long to import
    from mic.store.s3_place import S3Place

    key = read_key(remote.key_file, remote.key_env) if remote.key_file or remote.key_env else b""
    bucket, _, prefix = remote.url.removeprefix("s3://").partition("/")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    store = S3Store(S3Place(bucket, region, os.environ.get("AWS_ENDPOINT_URL", ""), prefix=prefix.strip("/")))
    return SealedStore(store, key, remote.url) if key else store


def fetch_bucket(mirror: Mirror, remote: Remote, store: Bucket) -> list[Moved]:
    """Bring what a bucket holds here; what moved. Raises NotFound where nothing was pushed to it."""
    held = _read(store, remote)
    if not held.tag:
        raise NotFound(f"Nothing was pushed to {remote.name} ({remote.url}) yet.", hint=f"`mic push {remote.name}`.")
    below = f"refs/remotes/{remote.name}/"
    before = mirror.refs(below)
    _bring(mirror, remote, store, held)
    now = {below + ref.removeprefix(HEADS): oid for ref, oid in held.refs.items() if ref.startswith(HEADS)}
    moved = mirror.moved(before, now)
    mirror.see(remote, [each._replace(ref=HEADS + each.ref.removeprefix(below)) for each in moved])
    return moved


def push_bucket(mirror: Mirror, remote: Remote, store: Bucket, specs: Sequence[Spec]) -> list[Moved]:
    """Send refs to a bucket. Raises PreconditionFailed for those that are not ahead of what is there."""
    for _ in range(_TRIES):
        held = _read(store, remote)
        _bring(mirror, remote, store, held)
        moved = _moves(mirror, remote, held, specs)
        if not moved:
            return []
        refs = dict(held.refs)
        for each in moved:
            if each.new:
                refs[each.ref] = each.new
            else:
                refs.pop(each.ref, None)
        packs = [*held.packs, *_send(mirror, store, held, [each.new for each in moved if each.new])]
        raw = json.dumps({"version": VERSION, "refs": refs, "packs": packs}, indent=1, sort_keys=True).encode()
        try:
            if held.tag:
                store.put_if(_NAME, raw, held.tag)
            else:
                store.put_new(_NAME, raw)
        except (PreconditionFailed, AlreadyExists):
            continue  # somebody else pushed at this moment
        mirror.see(remote, moved)
        return moved
    raise PreconditionFailed(f"{remote.name} changes at this moment.", hint="Push again.")


def _moves(mirror: Mirror, remote: Remote, held: _Held, specs: Sequence[Spec]) -> list[Moved]:
    moved, refused = [], []
    for spec in specs:
        old, new = held.refs.get(spec.target, ""), mirror.commit(spec.source) if spec.source else ""
        if old == new:
            continue
        ahead = bool(old and new) and mirror.is_behind(old, new)
        if old and new and not ahead and not spec.forced:
            refused.append((spec.target, "rejected, it has commits that the project has not"))
        how = "gone" if not new else "new" if not old else "moved" if ahead else "forced"
        moved.append(Moved(spec.target, old, new, how))
    if refused:
        raise refused_push(remote, refused)
    return moved


# Where in a pack the number of its objects stands, 4 bytes (gitformat-pack).
_PACK_COUNT = 8


def _send(mirror: Mirror, store: Bucket, held: _Held, wanted: list[str]) -> list[str]:
    """Pack what the bucket has not got and put it there; the names of new packs."""
    lines = [*wanted, *(f"^{oid}" for oid in sorted(set(held.refs.values())) if mirror.commit(oid))]
    asked = "".join(f"{line}\n" for line in lines).encode()
    # Beside the history: what is for small files may have no room for it. Without a name, so that nothing stays.
    with tempfile.TemporaryFile(dir=mirror.path) as pack:
        done = run_git(
            "-C", mirror.path, "pack-objects", "--revs", "--delta-base-offset", "-q", "--stdout", data=asked, into=pack
        )
        if done.returncode:
            raise Corrupt(
                f"git could not pack the history in {mirror.path}: {fatal(done)}.",
                hint="Remove that folder, push again.",
            )
        pack.seek(_PACK_COUNT)
        if pack.read(4) == bytes(4):
            return []
        pack.seek(0)
        name = hashlib.file_digest(pack, "sha256").hexdigest()
        pack.seek(0)
        store.put_file(f"packs/{name}.pack", pack)
    return [] if name in held.packs else [name]


def _bring(mirror: Mirror, remote: Remote, store: Bucket, held: _Held) -> None:
    """Fetch the packs without which a ref of the bucket is not here."""
    if all(mirror.commit(f"{oid}^{{object}}") for oid in held.refs.values()):
        return
    for name in held.packs:
        with tempfile.TemporaryFile(dir=mirror.path) as file:
            digest, at, size = hashlib.sha256(), 0, _PIECE
            while size == _PIECE:  # what is encrypted is read from whole pieces on
                piece = store.get_range(f"packs/{name}.pack", at, _PIECE)
                digest.update(piece)
                file.write(piece)
                size = len(piece)
                at += size
            if digest.hexdigest() != name:
                raise Corrupt(f"The pack {name} in {remote.url} is damaged.", hint="Push again from elsewhere.")
            file.flush()
            file.seek(0)
            done = run_git("-C", mirror.path, "index-pack", "--stdin", "--fix-thin", file=file)
            if done.returncode:
                raise Corrupt(f"The pack {name} in {remote.url} cannot be read.", hint="Push again from elsewhere.")
    for ref, oid in held.refs.items():
        if run_git("-C", mirror.path, "rev-list", "--objects", "--quiet", oid, "--not", "--all").returncode:
            raise Corrupt(f"{ref} in {remote.url} is not whole.", hint="Push again from elsewhere.")


def _read(store: Bucket, remote: Remote) -> _Held:
    try:
        found = store.get(_NAME)
    except NotFound:
        if not isinstance(store, SealedStore) and is_sealed(store):
            raise InvalidInput(
                f"{remote.url} is encrypted.",
                hint=f"Add it with its key: `mic remote add {remote.name} {remote.url} --key-file FILE`.",
            ) from None
        return _Held({}, [], "")
    except Unavailable as error:
        raise Unavailable(
            f"{remote.url} cannot be read: {error.message}.",
            hint="AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL say who asks, and where.",
        ) from error
    try:
        said: Any = json.loads(found.data)
        version, refs, packs = said["version"], said["refs"], said["packs"]
        good = isinstance(version, int) and all(map(_is_hex, [*refs.values(), *packs]))
    except (ValueError, KeyError, TypeError, AttributeError):
        good, version, refs, packs = False, 0, {}, []
    if good and version > VERSION:
        raise InvalidInput(f"{remote.url} was written by a newer version of mic.", hint="Use that version.")
    if not good or not all(isinstance(ref, str) and ref.startswith("refs/") for ref in refs):
        raise Corrupt(f"{remote.url}/{_NAME} is damaged.", hint="Is it a remote of mic? Look at the object.")
    return _Held(refs, packs, found.tag)


def _is_hex(text: object) -> bool:
    return isinstance(text, str) and len(text) in (40, 64) and set(text) <= set("0123456789abcdef")
