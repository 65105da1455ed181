"""What a command's exit code says (docs/users/exit-codes.md): stable, one number a kind of outcome."""

from __future__ import annotations

from mic.core.errors import InvalidInput, MicError

OK = 0
ERROR = 1
USAGE = 2
CONFLICT = 3
NOT_FOUND = 4
AUTH = 5
UNAVAILABLE = 6

_BY_CODE = {
    "conflict": CONFLICT,
    "not_found": NOT_FOUND,
    "unauthenticated": AUTH,
    "permission_denied": AUTH,
    "unavailable": UNAVAILABLE,
}


class WrongCommandLine(InvalidInput):
    """A value on the command line that cannot be meant: a typing mistake, known before anything is done."""


def exit_code(error: MicError) -> int:
    """The exit code of a command that ended with this error. Subclasses count as what they are a case of."""
    if error.code == InvalidInput.code:
        # Whoever noticed it. Its subclasses have codes of their own, and are no mistakes in what was typed.
        return USAGE
    for kind in type(error).__mro__:
        found = _BY_CODE.get(getattr(kind, "code", ""))
        if found is not None:
            return found
    return ERROR
