"""Other forges beside the test's own process, as far as the database knows of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg
from django.db import connection

from micelio.cluster.locks import number


@contextlib.contextmanager
def at_work(process: str) -> Iterator[None]:
    """A process of this name lives as long as the block. Over SQLite only this one can, and it does."""
    if connection.vendor != "postgresql":
        yield
        return
    known = connection.get_connection_params()
    parameters = {name: known[name] for name in ("dbname", "user", "password", "host", "port")}
    with contextlib.closing(psycopg.connect(**parameters, autocommit=True)) as own:
        own.execute("SELECT pg_advisory_lock(%s)", [number(process)])
        yield
