"""Reaching the PostgreSQL server itself: the first look at the start, and connections outside Django's pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mic.core.errors import MicError
from micelio.postgres_place import PostgresPlace

if TYPE_CHECKING:
    import psycopg

# The oldest server that Django 5.2 speaks to.
OLDEST = 14
# How the server words what a start stumbles over. libpq gives no code for a failed connection, only these words.
_KNOWN = (
    ("password authentication failed", "its user or password is wrong"),
    ("no password supplied", "it asks for a password, and DATABASE_URL holds none"),
    ("no pg_hba.conf entry", "the server does not admit this machine, user or kind of connection (pg_hba.conf)"),
    ("does not exist", "the server has no such database or user"),
    ("too many clients", "the server has no connection left"),
    ("remaining connection slots", "the server has no connection left"),
    ("starting up", "the server is just starting"),
    ("SSL", "no encrypted connection could be made as sslmode and the certificates ask"),
)


class NoDatabase(MicError):
    """The database that DATABASE_URL names cannot be used; the message says why, never with the password."""

    code = "database"


def connect(place: PostgresPlace, name: str, patience: int | None = None) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of its own, each statement a transaction. `patience` is in seconds. Raises NoDatabase."""
    import psycopg

    parameters = place.parameters(name) | ({} if patience is None else {"connect_timeout": patience})
    try:
        return psycopg.connect(**parameters, autocommit=True)
    except (psycopg.Error, UnicodeError, ValueError) as error:
        # Not chained: the driver's traceback holds the parameters, with the password among them.
        raise _no_database(place, str(error)) from None


def _no_database(place: PostgresPlace, said: str) -> NoDatabase:
    reason = next((words for mark, words in _KNOWN if mark in said), "")
    if not reason:
        reason = place.without_password(" ".join(said.split()))[:300].rstrip(".")
    return NoDatabase(
        f"The database {place.address} cannot be used: {reason}.",
        hint="Correct DATABASE_URL, or start the server.",
    )


def examine(place: PostgresPlace) -> None:
    """Raises NoDatabase, in a sentence, unless a forge can live in this database."""
    with connect(place, "micelio start") as connection:
        version = connection.info.server_version
        encoding = connection.info.parameter_status("server_encoding")
        row = connection.execute(
            "SELECT pg_is_in_recovery(), coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
        ).fetchone()
    assert row is not None
    standby, may_create = row
    if version < OLDEST * 10_000:
        shown = f"{version // 10_000}.{version % 10_000}"
        raise NoDatabase(
            f"The server of {place.address} is PostgreSQL {shown}, which is too old.",
            hint=f"Use PostgreSQL {OLDEST} or newer.",
        )
    if standby:
        raise NoDatabase(f"The database {place.address} is a standby, which only reads.", hint="Name the primary.")
    if encoding != "UTF8":
        raise NoDatabase(
            f"The database {place.address} keeps texts as {encoding}.", hint="Create it with ENCODING 'UTF8'."
        )
    if not may_create:
        raise NoDatabase(
            f"The user of {place.address} may not make tables there.",
            hint="Make it the owner of the database: ALTER DATABASE ... OWNER TO ...",
        )


def answers(place: PostgresPlace) -> bool:
    """A fresh connection finds the schema of a forge, within seconds."""
    import psycopg

    try:
        with connect(place, "micelio health", patience=2) as connection:
            return connection.execute("SELECT 1 FROM django_migrations LIMIT 1").fetchone() is not None
    except (NoDatabase, psycopg.Error):
        return False
