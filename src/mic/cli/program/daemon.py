"""`mic daemon`: a process that keeps watch over working copies, so that `mic status` answers at once."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import click

from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.output import Output, plural, when
from mic.core.errors import MicError, Unavailable
from mic.daemon import door

_STARTING = 5.0
_IDLE = "MIC_DAEMON_IDLE"


@click.group(cls=Suggesting)
def daemon() -> None:
    """A process that keeps watch over working copies, and has loaded what commands need.

    It starts by itself where there are many files, or commands come one after the other, and ends when nobody asks.
    Every command works without it.
    MIC_DAEMON=off, or `mic config set daemon.enabled false`, keeps it away.
    """


@daemon.command(short_help="Start it, if it does not run.")
@json_option
def start(out: Output) -> None:
    """Start the daemon, and wait until it answers. It does nothing when it runs already."""
    said = _state()
    if said is None:
        if door.address() is None:
            raise Unavailable(
                "There is no place for a daemon here.", hint="It needs Linux, HOME, and not MIC_DAEMON=off."
            )
        from mic.cli.program.daemon_start import spawn

        spawn()
        said = _wait(there=True)
    if said is None:
        raise Unavailable("The daemon did not start.", hint="`mic` works without it. `mic daemon run` says why.")
    out.line(f"The daemon runs (process {said['process']}).")
    out.document({"running": True, **said})


@daemon.command(short_help="End it, if it runs.")
@json_option
def stop(out: Output) -> None:
    """End the daemon. Nothing is lost: it holds nothing that is not in the files."""
    was = door.ask(b"stop") is not None
    if was and _wait(there=False) is not None:
        raise Unavailable("The daemon does not end.", hint="Try again.")
    out.line("The daemon has ended." if was else "No daemon runs.")
    out.document({"running": False, "stopped": was})


@daemon.command(short_help="Whether it runs, and what it watches.")
@json_option
def status(out: Output) -> None:
    """Whether the daemon runs, since when, and which working copies it watches."""
    said = _state()
    if said is None:
        out.line("No daemon runs. One starts by itself where it pays; `mic daemon start` starts it now.")
        out.document({"running": False})
        return
    out.line(f"The daemon runs (process {said['process']}), since {when(said['began_ms'])}.")
    commands = said["commands"]
    if commands is not None and commands["ready"]:
        out.line(f"Commands begin at once (process {commands['process']}): {commands['carried_out']:,} so far.")
    for place in said["workspaces"]:
        words = f"{place['state']}: {place['why']}" if place["why"] else place["state"]
        if place["state"] == "ready":
            words += f", {plural(place['files'], 'file')}, {plural(place['folders_watched'], 'folder')} watched"
        out.line(f"  {place['root']}: {words}")
    out.document({"running": True, **said})


@daemon.command(short_help="Be it, in this terminal.")
@json_option
def run(out: Output) -> None:
    """Be the daemon, in this terminal and not in the background, until ^C: to see why it does not start."""
    _serve(lambda: out.note("The daemon runs here. ^C ends it."))
    out.document({"running": False})


def serve() -> None:
    """The process that `mic.cli.program.daemon_start` starts."""
    from mic.cli.program.daemon_start import failed
    from mic.daemon.server import RunsAlready

    where = door.folder()
    try:
        _serve()
    except RunsAlready:
        sys.exit(1)
    except (MicError, OSError):
        if where is not None and os.path.isdir(where):
            failed(where)
        sys.exit(1)


def _serve(began: Callable[[], None] = lambda: None) -> None:
    from mic.cli import served
    from mic.cli.program.daemon_answers import ANSWERS, Connections
    from mic.daemon.beside import Beside
    from mic.daemon.server import IDLE, Others, Server

    # The token of the one command that started it is not for the others.
    os.environ.pop("MICELIO_TOKEN", None)
    connections = Connections()
    idle = float(os.environ.get(_IDLE) or IDLE)
    others: Others = {b"log": connections.log, b"forge": connections.forge, b"call": connections.call}
    Server(ANSWERS, others, idle, connections.tidy, Beside(served.command())).run(began)


def _state() -> dict[str, Any] | None:
    """What the daemon says of itself; None when none answers."""
    answer = door.ask(b"state", patience=2.0)
    if answer is None or answer[0] != door.FINISHED:
        return None
    said: dict[str, Any] = json.loads(answer[1])
    return said


def _wait(*, there: bool) -> dict[str, Any] | None:
    """The state once it runs, or once it does not, or after some seconds in any case."""
    until = time.monotonic() + _STARTING
    while ((said := _state()) is not None) != there and time.monotonic() < until:
        time.sleep(0.02)
    return said
