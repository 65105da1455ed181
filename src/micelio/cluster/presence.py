"""Which forges are at work over one PostgreSQL: each holds locks through a connection of its own while it lives.

A shared lock says "here somebody serves" and keeps maintenance out; one with the name of the process says who. When
the process dies, or its machine, the server ends the connection and with it the locks: nothing is left to clear up.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction

from mic.core.errors import Busy
from micelio.cluster.locks import is_free, number
from micelio.cluster.server import NoDatabase, connect
from micelio.postgres_place import PostgresPlace

if TYPE_CHECKING:
    import psycopg

_log = logging.getLogger("micelio.cluster")

# The name of this process among all that ever served this database.
PROCESS = f"serve-{uuid.uuid4().hex[:12]}"
_SERVING = "serving"
_STARTING = "starting"
# Seconds between two looks whether the connection still lives.
LOOK = 5.0


class Presence:
    """This forge among the others of its database, from the start on. `alone`: no other served when it came."""

    def __init__(self, place: PostgresPlace) -> None:
        """Raises Busy while maintenance is at work, NoDatabase when the server cannot be reached."""
        self._place = place
        self._stopping = threading.Event()
        self._connection = connect(place, "micelio presence")
        self.alone = False

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """For what one forge does at a time when it starts: schema, first rows. Announces this process before."""
        if not _try(self._connection, "pg_try_advisory_lock", _STARTING):
            print("Another Micelio is starting at this database; waiting for it ...", file=sys.stderr, flush=True)
            _do(self._connection, "pg_advisory_lock", _STARTING)
        try:
            self.alone = _try(self._connection, "pg_try_advisory_lock", _SERVING)
            self._announce()
            if self.alone:
                _do(self._connection, "pg_advisory_unlock", _SERVING)
            yield
        finally:
            _do(self._connection, "pg_advisory_unlock", _STARTING)

    def watch(self) -> None:
        """Keep the locks until `close`, in a thread: taken again through a new connection when the old one broke."""
        threading.Thread(target=self._watch, name="presence", daemon=True).start()

    def close(self) -> None:
        """Leave. The locks go with the connection."""
        self._stopping.set()
        self._connection.close()

    def _announce(self) -> None:
        if not _try(self._connection, "pg_try_advisory_lock_shared", _SERVING):
            raise _maintained(self._place)
        _do(self._connection, "pg_advisory_lock", PROCESS)

    def _watch(self) -> None:
        import psycopg

        while not self._stopping.wait(LOOK):
            try:
                self._connection.execute("SELECT 1")
            except psycopg.Error:
                if self._stopping.is_set():
                    return
                self._connection.close()
                try:
                    self._connection = connect(self._place, "micelio presence")
                    self._announce()
                except (NoDatabase, Busy, psycopg.Error) as error:
                    _log.error("this forge is not known to the others at present: %s", error)


@contextlib.contextmanager
def maintenance(place: PostgresPlace) -> Iterator[None]:
    """For commands that need every forge stopped. Raises Busy while one serves, NoDatabase."""
    with connect(place, "micelio maintenance") as own:
        if not _try(own, "pg_try_advisory_lock", _SERVING):
            raise Busy(
                f"A Micelio serves the database {place.address}.", hint="Stop every forge that uses it, then try again."
            )
        yield


def is_alive(process: str) -> bool:
    """Whether the process of this name is at work. Over SQLite only this one can be."""
    if connection.vendor != "postgresql":
        return process == PROCESS
    with transaction.atomic():
        return not is_free(process)


def _maintained(place: PostgresPlace) -> Busy:
    return Busy(
        f"Somebody repairs or rebuilds what is in the database {place.address}.", hint="Start again when that is done."
    )


def _try(own: psycopg.Connection[tuple[Any, ...]], function: str, name: str) -> bool:
    row = own.execute(f"SELECT {function}(%s)", [number(name)]).fetchone()
    return bool(row and row[0])


def _do(own: psycopg.Connection[tuple[Any, ...]], function: str, name: str) -> None:
    own.execute(f"SELECT {function}(%s)", [number(name)])
