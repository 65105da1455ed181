"""The errors of the whole house: few, typed, each with a stable code and a way out.

Every error says what happened, to which object, and what to do. The `code` is part of the public
interface (docs/users/errors.md): it travels through gRPC and JSON unchanged and never changes meaning.
"""

from __future__ import annotations

# Importing typing costs 5 ms, which `mic status` would pay for every error that it might raise.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class MicError(Exception):
    """Base of all expected errors. `message` is one sentence; `hint` says what to do next."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class InvalidInput(MicError):
    """Something that was sent cannot be meant that way."""

    code = "invalid_input"


class InvalidPath(InvalidInput):
    """A path that no tree can hold: empty, absolute, with `..` or NUL, or longer than 16,384 bytes."""

    code = "invalid_path"


class NotFound(MicError):
    """The thing does not exist, or this actor may not know that it does."""

    code = "not_found"


class AlreadyExists(MicError):
    """A create-only write met an existing object, or a name is taken."""

    code = "already_exists"


class PreconditionFailed(MicError):
    """A compare-and-swap lost: the object changed since it was read."""

    code = "precondition_failed"


class NotEmpty(PreconditionFailed):
    """What is to be deleted still holds something that is deleted by itself."""

    code = "not_empty"


class Unavailable(MicError):
    """The store, the forge or the network did not answer. Never the same as NotFound."""

    code = "unavailable"


class StorageFull(Unavailable):
    """No space left where the object should be written; nothing was changed."""

    code = "storage_full"


class UnsafeStore(Unavailable):
    """The store breaks a promise that landing stands on, or cannot give it: it is read and not written."""

    code = "unsafe_store"


class Corrupt(MicError):
    """Stored bytes are not what their name promises. Names the object and, where known, the offset."""

    code = "corrupt_object"


class Unauthenticated(MicError):
    """No token, or one that is wrong, expired or revoked."""

    code = "unauthenticated"


class PermissionDenied(MicError):
    """The actor may see the thing but not do this to it."""

    code = "permission_denied"


class ConfirmationNeeded(PermissionDenied):
    """Only a browser that has lately shown who uses it may do this."""

    code = "confirmation_needed"


class Archived(PermissionDenied):
    """The project is archived: everything can be read, nothing lands."""

    code = "archived"


class Protected(PermissionDenied):
    """Others land on this line, or on these paths. `details['document']` lists each path, its rule and who may."""

    code = "protected"


class LimitReached(PermissionDenied):
    """The owner has as much as it may: projects, or bytes. The message names the limit."""

    code = "limit_reached"


class TooLarge(InvalidInput):
    """A stated limit was passed; the message names the limit."""

    code = "too_large"


class NotText(InvalidInput):
    """What was asked about lines has none: a directory, a link, a binary file."""

    code = "not_text"


class Conflicted(MicError):
    """A session clashes with what landed since its base. `details['clashes']` lists each path."""

    code = "conflict"


class SecretFound(InvalidInput):
    """A content of a session looks like it holds a secret. `details['document']` lists where, never what."""

    code = "secret_found"


class InvalidOwners(InvalidInput):
    """The list of owners that a session brings along cannot be read. `details['document']` has each line."""

    code = "invalid_owners"


class Expired(InvalidInput):
    """What was uploaded waited too long to be landed; it is removed, or will be."""

    code = "upload_expired"


class Erased(MicError):
    """A content was erased from the project. `details['text']` says what class of thing it was, who did it and when."""

    code = "erased"


class NothingToLand(InvalidInput):
    """A session without a single change."""

    code = "nothing_to_land"


class BaseMismatch(InvalidInput):
    """The base that a session claims is not what the project held at that position."""

    code = "base_mismatch"


class Busy(MicError):
    """Somebody else holds the thing (another command in this workspace, a contended head)."""

    code = "busy"


class QueueFull(Busy):
    """As many landings wait for this project as may; nothing was accepted."""

    code = "queue_full"


class RateLimited(MicError):
    """More requests than one may make. `details['retry_after']` says in how many seconds the next is taken."""

    code = "rate_limited"


class Blocked(PermissionDenied):
    """An address or an account that the forge takes nothing from, for a time or until somebody lifts it."""

    code = "blocked"
