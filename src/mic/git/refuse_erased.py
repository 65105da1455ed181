"""What was erased does not come back with a push or an import: every blob and every commit of it is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

from mic.core.errors import Erased
from mic.core.tombstone import Tombstone
from mic.git.packentry import BLOB


class RefuseErased:
    """Fed with each object. Costs nothing where nothing was erased, else a hash of each blob of one of the sizes."""

    def __init__(self, erased: Mapping[bytes, Tombstone], gone: Collection[bytes] = ()) -> None:
        self._erased, self._gone = erased, gone  # `gone` are ids of commits and tags that something was erased from
        self._old = b""
        self._sizes = {tombstone.size for tombstone in erased.values()}

    def add(self, kind: int, data: bytes, oid: bytes = b"") -> None:
        """The next object. Raises Erased."""
        if oid in self._gone:
            self._old = oid  # what was erased may come behind it, and says more
        if kind == BLOB and len(data) in self._sizes:
            tombstone = self._erased.get(hashlib.sha256(data).digest())
            if tombstone is not None:
                raise tombstone.error()

    def finish(self) -> None:
        """After the last object. Raises Erased."""
        if self._old:
            raise Erased(
                f"commit {self._old.hex()[:12]} is of a history that something was erased from",
                hint="fetch, and rebase what is new onto the history of now",
            )
