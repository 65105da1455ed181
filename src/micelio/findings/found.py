"""A finding on its way to the table, and what names the place where it was found."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from mic.core.errors import SecretFound
from mic.core.paths import display
from mic.core.scanning import Finding
from micelio.scanning.refuse import secret_found

_PATH = b"path\x00"
_WORDS = b"words\x00"


class Found(NamedTuple):
    """A secret in a landing. `path` is b"" for words: those of the session, or of the commit that it came from."""

    position: int
    path: bytes
    finding: Finding
    commit: bytes = b""

    @property
    def place(self) -> str:
        """What names the place in the table."""
        return path_place(self.path) if self.path else words_place(self.position)

    @property
    def key(self) -> tuple[str, str]:
        """What makes it one finding: the same secret in the same place, however often it landed there."""
        return self.place, self.finding.fingerprint


def path_place(path: bytes) -> str:
    """The place that a file is, in whichever landing."""
    return hashlib.sha256(_PATH + path).hexdigest()


def words_place(position: int) -> str:
    """The place that the words of one landing are."""
    return hashlib.sha256(_WORDS + position.to_bytes(8, "big")).hexdigest()


def history_secrets(left: Sequence[Found]) -> SecretFound:
    """What is said to whoever wanted to bring a history in: the same document as for a landing."""
    error = secret_found([(item.path or b"(commit message)", item.finding) for item in left])
    first = left[0]
    where = f"{display(first.path)}, line {first.finding.line}," if first.path else "the message"
    more = f", and {len(left) - 1:,} more" if len(left) > 1 else ""
    return SecretFound(
        f"This history holds what looks like a secret, so nothing of it is visible: {first.finding.rule} in {where} "
        f"of commit {first.commit.hex()[:10]}{more}.",
        hint="Revoke it. Then an admin of the project lets it in, on the project's page of secrets or with "
        "`mic import git --accept-secrets REASON`.",
        **error.details,
    )
