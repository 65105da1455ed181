"""The database as Django has it: SQLite in the data directory, or PostgreSQL where settings name one."""

from __future__ import annotations

from typing import Any

from django.db import close_old_connections, connection

from micelio.config import Settings

# Seconds that a piece of work waits for one of the process's connections before it is refused.
_WAIT = 15


def default(settings: Settings) -> dict[str, Any]:
    """The entry `default` of Django's DATABASES."""
    if settings.postgres is None:
        return _sqlite(settings)
    place = settings.postgres
    options = place.parameters("micelio")
    own = {
        "NAME": options.pop("dbname"),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": options.pop("port"),
    }
    # A pool: there are more threads than a server likes to have connections, and most of them rest or wait for the
    # store. A connection is looked at before it is handed out, so that a restarted server costs nobody an error.
    options["pool"] = {"min_size": 1, "max_size": settings.database_connections, "timeout": _WAIT, "name": "micelio"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **own,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


def let_go() -> None:
    """Give this thread's connection back to the pool, before it waits or works on something else.

    Within a transaction nothing happens, nor over SQLite, where a thread keeps the connection that it has.
    """
    if not connection.in_atomic_block:
        close_old_connections()


def _sqlite(settings: Settings) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(settings.database),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # DEFERRED loses 72 % of read-then-write transactions under six writers; IMMEDIATE none.
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
        },
    }
