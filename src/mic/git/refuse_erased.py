"""What was erased does not come back with a push or an import: every blob of it is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from mic.core.tombstone import Tombstone
from mic.git.packentry import BLOB


class RefuseErased:
    """Fed with each object. Costs nothing where nothing was erased, else a hash of each blob of one of the sizes."""

    def __init__(self, erased: Mapping[bytes, Tombstone]) -> None:
        self._erased = erased
        self._sizes = {tombstone.size for tombstone in erased.values()}

    def add(self, kind: int, data: bytes) -> None:
        """The next object. Raises Erased."""
        if kind == BLOB and len(data) in self._sizes:
            tombstone = self._erased.get(hashlib.sha256(data).digest())
            if tombstone is not None:
                raise tombstone.error()
