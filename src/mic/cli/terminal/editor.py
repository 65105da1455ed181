"""The person's own editor."""

from __future__ import annotations

import os
import subprocess

from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.core.errors import MicError


def run_editor(names: list[str]) -> None:
    """Run the person's editor on files, and wait for its end; raises MicError when it does not end well."""
    import shlex

    name = "VISUAL" if os.environ.get("VISUAL") else "EDITOR"
    try:
        command = shlex.split(os.environ.get(name) or "vi")
    except ValueError as error:
        raise WrongCommandLine(
            f"{name} has a quotation mark that is not closed.", hint=f"Set {name} to the editor that you use."
        ) from error
    if not command:
        raise WrongCommandLine("VISUAL or EDITOR names no program.", hint="Set EDITOR to the one that you use.")
    try:
        code = subprocess.run([*command, *names], check=False).returncode
    except OSError as error:
        raise MicError(
            f"{command[0]} cannot be run: {error.strerror}.", hint="Set EDITOR to the one that you use."
        ) from error
    if code:
        raise MicError(f"{command[0]} ended with {code}.", hint="The files are as it left them.")
