"""How a command that failed says so: a sentence and the way out, or one JSON object; in one place for all commands."""

from __future__ import annotations

import contextlib
import errno
import os
import sys

from mic.cli.terminal import voice
from mic.cli.terminal.exit_codes import exit_code
from mic.core.errors import MicError, StorageFull
from mic.core.paths import display


def tell(error: MicError, as_json: bool) -> int:
    """Prints the error to stderr, or with `as_json` to stdout as `{"error": {...}}`; returns the exit code.

    What `details["document"]` holds goes into the JSON object too.
    """
    message, hint = voice.message(error.message), voice.hint(error.hint)
    if as_json:
        import json

        fields = {"code": error.code, "message": message, "hint": hint, **error.details.get("document", {})}
        sys.stdout.write(json.dumps({"error": fields}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    else:
        from mic.cli.terminal.output import safe

        sys.stdout.flush()
        # Where standard error takes no more, the code alone says it.
        with contextlib.suppress(OSError):
            sys.stderr.write(safe(f"mic: {message}\n"))
            if hint:
                sys.stderr.write(safe(f"     {hint}\n"))
    return exit_code(error)


_ROOM = "Make room there, then repeat."
_HINTS = {
    errno.ENOSPC: _ROOM, errno.EDQUOT: _ROOM, errno.EFBIG: _ROOM,
    errno.EROFS: "It is mounted for reading only; work where you may write.",
}  # fmt: skip


def from_system(error: OSError) -> MicError:
    """An error of the operating system as one of ours: its own words and the file that it is about."""
    name = error.filename
    text = display(os.fsencode(name)) if isinstance(name, str | bytes) else str(name or "")
    words = error.strerror or str(error) or type(error).__name__
    message = f"{text}: {words}." if text else f"{words}."
    kind = StorageFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else MicError
    return kind(message, hint=_HINTS.get(error.errno or 0, "Check the path and its permissions, then repeat."))
