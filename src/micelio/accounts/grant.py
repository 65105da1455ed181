"""What a token may do: scopes, projects, a session. A value; `policy` judges by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Scope(StrEnum):
    """One permission of a token."""

    PROJECT_READ = "project:read"
    PROJECT_WRITE = "project:write"
    SESSION_READ = "session:read"
    SESSION_WRITE = "session:write"
    ORG_READ = "org:read"
    ORG_ADMIN = "org:admin"


# To write is to read as well.
_CONTAINED = {
    Scope.PROJECT_WRITE: Scope.PROJECT_READ,
    Scope.SESSION_WRITE: Scope.SESSION_READ,
    Scope.ORG_ADMIN: Scope.ORG_READ,
}
WRITING = frozenset({Scope.PROJECT_WRITE, Scope.SESSION_WRITE})


@dataclass(frozen=True, slots=True)
class Grant:
    """The limits of the token that an actor came with.

    `projects` None means all that the account reaches. `session` is the id of the only session that may be written,
    empty for a personal token. `mixes` allows reading private projects and writing public ones. `anywhere` passes the
    networks of organizations that let such tokens pass.
    """

    token_id: UUID
    scopes: frozenset[Scope]
    projects: frozenset[UUID] | None
    session: bytes = b""
    mixes: bool = False
    anywhere: bool = False

    def has(self, scope: Scope) -> bool:
        """Whether it permits this, by itself or within what writes."""
        return scope in self.scopes or any(_CONTAINED.get(held) is scope for held in self.scopes)


# What an agent gets for its one session.
FOR_SESSION = frozenset({Scope.PROJECT_READ, Scope.SESSION_READ, Scope.SESSION_WRITE})


def scopes_text(scopes: Iterable[Scope]) -> str:
    """Scopes as they are stored and shown: sorted, one blank between."""
    return " ".join(sorted(scopes))
