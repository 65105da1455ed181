"""Why a session did not land, kept with it (`metadata["refusal"]`, docs/formats.md) until it is sent again."""

from __future__ import annotations

from typing import Any

import msgspec

from mic.core.errors import Corrupt, MicError
from mic.core.ids import ulid_text
from mic.core.session import Session, State
from mic.core.tree import Entry
from mic.ledger.conflict import Clash

# What a page and an answer can show. All clashes are found again by whoever syncs.
_MAX_CLASHES = 1_000


class ToldClash(msgspec.Struct, frozen=True):
    """A path that cannot land; hashes are b"" where there is no file."""

    path: bytes
    reason: str
    base: bytes
    ours: bytes
    theirs: bytes
    position: int


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The error that a landing ended with, in words for people. `clashes` of a conflict, the first 1,000."""

    code: str
    message: str
    hint: str = ""
    clashes: tuple[ToldClash, ...] = ()


def refused(session: Session, error: MicError, hlc: int) -> Session:
    """The session as it is kept after an error that ended its landing."""
    clashes = tuple(_told(clash) for clash in error.details.get("clashes", ())[:_MAX_CLASHES])
    refusal = Refusal(error.code, error.message, error.hint, clashes)
    state = State.CONFLICTED if clashes else session.state
    metadata = session.metadata | {"refusal": msgspec.to_builtins(refusal, builtin_types=(bytes,))}
    return msgspec.structs.replace(session, state=int(state), hlc_updated=hlc, metadata=metadata)


def refusal_of(session: Session) -> Refusal | None:
    """Why the last attempt to land a kept session did not succeed; None when it was not refused. Raises Corrupt."""
    kept: Any = session.metadata.get("refusal")
    if kept is None:
        return None
    try:
        return msgspec.convert(kept, Refusal)
    except msgspec.ValidationError as error:
        raise Corrupt(f"what is kept of session {ulid_text(session.id)} is damaged: {error}") from error


def _told(clash: Clash) -> ToldClash:
    return ToldClash(
        clash.path, clash.reason, _hash(clash.base), _hash(clash.ours), _hash(clash.theirs), clash.theirs_position
    )


def _hash(entry: Entry | None) -> bytes:
    return entry.hash if entry is not None else b""
