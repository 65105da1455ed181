"""Where a command works that needs the forge and the working copy to agree: locked, complete, nothing queued."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mic.cli.context.open_session import require_complete
from mic.cli.forge.connection import connect
from mic.cli.landing.queued import settle_first
from mic.cli.landing.send_waiting import send_first
from mic.cli.terminal.output import Output
from mic.rpc.client import Client
from mic.workspace import session as local
from mic.workspace.pending import numbers
from mic.workspace.queued import queued
from mic.workspace.workspace import Workspace


@contextlib.contextmanager
def settled(
    ws: Workspace, out: Output, *, signed_in: bool, keep_waiting: bool = False, pushes: bool = False
) -> Iterator[Client]:
    """A connection, with the working copy locked, a landing that waited on the forge settled first, and what waited for
    the forge sent.

    Who is not `signed_in` may work as well, unless something waits. Raises Busy while a landing does. With
    `keep_waiting` the caller sends what waits; with `pushes` it pushes the open session, whose older pushes go on
    waiting until it has.
    """
    with ws.lock():
        require_complete(ws)
        item = queued(ws)
        waits = bool(numbers(ws))
        with connect(ws.config.instance, signed_in=signed_in or waits or item is not None) as client:
            if item is not None:
                settle_first(client, ws, item, out)
            if waits and not keep_waiting:
                here = local.current(ws) if pushes else None
                send_first(client, ws, out, here.id if here is not None and not here.left else b"")
            yield client
