"""How a command that failed says so: one sentence and the way out, or one JSON object."""

from __future__ import annotations

import sys

from mic.cli.exit_codes import exit_code
from mic.core.errors import MicError


def tell(error: MicError, as_json: bool) -> int:
    """Prints the error to stderr, or with `as_json` to stdout as `{"error": {...}}`; returns the exit code."""
    if as_json:
        import json

        fields = {"code": error.code, "message": error.message, "hint": error.hint}
        sys.stdout.write(json.dumps({"error": fields}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    else:
        sys.stderr.write(f"mic: {error.message}\n")
        if error.hint:
            sys.stderr.write(f"     {error.hint}\n")
    return exit_code(error)


def from_system(error: OSError) -> MicError:
    """An error of the operating system as one of ours: its own words and the file that it is about."""
    name = error.filename
    text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name or "")
    words = error.strerror or str(error) or type(error).__name__
    message = f"{text}: {words}." if text else f"{words}."
    return MicError(message, hint="Check the path and its permissions, then repeat.")
