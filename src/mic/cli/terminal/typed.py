"""A name that somebody types before something is gone for good."""

from __future__ import annotations

import os
import select
import signal
import sys

import click

from mic.cli.terminal.exit_codes import WrongCommandLine


def typed(name: str, what: str) -> None:
    """Ask for `what` of it, the name of what is to be deleted.

    Raises WrongCommandLine when nobody types it, or something else; KeyboardInterrupt says that nothing was deleted.
    """
    try:
        # Also who sees the question may press ^C before the call that showed it has ended.
        click.echo(f"Type its {what} to delete it: ", nl=False, err=True)
        _wait()
        line = sys.stdin.readline()
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Nothing was deleted.") from None
    if not line:
        click.echo("", err=True)
        raise WrongCommandLine(f"Nothing was deleted: nobody typed the {what}.", hint="Or add --yes.")
    if line.strip().lower() != name.lower():
        raise WrongCommandLine(
            f"Nothing was deleted: {line.strip()[:200]!r} is not {name.lower()}.", hint="Or add --yes."
        )


def _wait() -> None:
    """Until there is a line, or a signal: one that came just before a read would else wait for a key."""
    if os.name != "posix":
        return
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.set_wakeup_fd(wake)
    try:
        select.select([sys.stdin, woken], [], [])
    finally:
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(wake)
