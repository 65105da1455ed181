"""An archive in the store: a list that is swapped, and parts that never change.

projects/{project}/archive/head
projects/{project}/archive/parts/{sha256}.jsonl.zst
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from uuid import UUID

from mic.core.blob import compress, frame_size, inflate
from mic.core.errors import AlreadyExists, Corrupt, NotFound
from mic.core.scanning import RULES_VERSION
from mic.store import ObjectStore
from micelio.archives import manifest as manifests
from micelio.archives import records
from micelio.archives.clean import clean
from micelio.archives.manifest import Manifest, Part, Pending
from micelio.archives.records import Any
from micelio.projects.ledgers import bucket

# A part holds about so much, inflated; one record may be as long as a line may.
PART = 512 << 10
MAX_INFLATED = PART + 2 * records.MAX_LINE


class KeptArchive:
    """One project's archive. Raises what the store raises, and Corrupt."""

    def __init__(self, project_id: UUID, store: ObjectStore | None = None) -> None:
        self._store = store or bucket()
        self._folder = f"projects/{project_id.hex}/archive"

    def load(self) -> tuple[Manifest | None, str]:
        """The list and its tag; None when there is no archive."""
        key = f"{self._folder}/head"
        try:
            data, tag = self._store.get(key)
        except NotFound:
            return None, ""
        return manifests.decode(data, key), tag

    def save(self, manifest: Manifest, tag: str) -> str:
        """The list in place of the one with this tag, "" for the first; its own tag. Raises PreconditionFailed."""
        key, data = f"{self._folder}/head", manifests.encode(manifest)
        if not tag:
            # Compared below: another run was first, or this one, before it lost the answer.
            with contextlib.suppress(AlreadyExists):
                self._store.put_new(key, data)
            found, tag = self._store.get(key)
            if found == data:
                return tag
        return self._store.put_if(key, data, tag) or self._store.get(key).tag

    def add(self, found: Sequence[Any]) -> Part:
        """Keep records, searched for secrets; where they are."""
        data = b"".join(records.line(record) for record in found)
        stored = compress(data)
        name = hashlib.sha256(stored).hexdigest()
        with contextlib.suppress(AlreadyExists):  # the same records
            self._store.put_new(self._key(name), stored)
        return Part(name, len(stored), len(found), RULES_VERSION)

    def drop(self, pending: Pending, manifest: Manifest) -> None:
        """Remove the parts of a run that nothing came of, unless the archive has the same ones."""
        kept = {part.name for part in manifest.parts}
        for part in pending.parts:
            if part.name not in kept:
                self._store.delete(self._key(part.name))

    def records(self, manifest: Manifest) -> Iterator[Any]:
        """Each thing once, as it was fetched last, in the order in which they came; read part by part."""
        last: dict[int, int] = {}
        number = 0
        for part in manifest.parts:
            for record in self._part(part):
                last[_hash(record)] = number
                number += 1
        number = 0
        for part in manifest.parts:
            for record in self._part(part):
                if last[_hash(record)] == number:
                    yield record
                number += 1

    def lines(self, manifest: Manifest) -> Iterator[bytes]:
        """The archive as it is handed out: header, records, and what could not be fetched."""
        yield records.line(records.Header(records.VERSION, manifest.provider, manifest.source, manifest.fetched_at))
        for record in self.records(manifest):
            yield records.line(record)
        for number, text in enumerate(manifest.warnings, 1):
            yield records.line(records.Warned(id=str(number), body=text))

    def _part(self, part: Part) -> Sequence[Any]:
        key = self._key(part.name)
        data = self._store.get(key).data
        if hashlib.sha256(data).hexdigest() != part.name:
            raise Corrupt(f"{key} does not hold what its name promises")
        found = list(records.records(_inflated(data, key), key))
        return found if part.rules == RULES_VERSION else clean(found)

    def _key(self, name: str) -> str:
        return f"{self._folder}/parts/{name}.jsonl.zst"


def _inflated(data: bytes, key: str) -> bytes:
    size = frame_size(data, key)
    if size > MAX_INFLATED:
        raise Corrupt(f"{key} states {size} bytes, at most {MAX_INFLATED}", object=key)
    return inflate(data, size, key)


def _hash(record: Any) -> int:
    """64 bits that stand for kind and id: an archive of millions has no two alike by chance."""
    name = f"{records.kind_of(record)}\0{record.id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest())
