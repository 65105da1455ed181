"""Where a forge of the tests keeps its rows, to look into and to lose: SQLite in its data directory, or PostgreSQL."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import psycopg

import postgres_server


class Database(Protocol):
    """The database of one forge. Statements write `?` for a value; what a block wrote is committed at its end."""

    @property
    def settings(self) -> dict[str, str]:
        """What the forge's environment says about it."""
        ...

    def opened(self) -> contextlib.AbstractContextManager[Rows]:
        """A connection beside the forge's own."""
        ...

    def lose(self) -> None:
        """All rows are gone, as after a broken disk; the forge must be stopped."""
        ...

    def unreachable(self) -> contextlib.AbstractContextManager[None]:
        """Whoever connects meanwhile is refused."""
        ...

    def drop(self) -> None:
        """The forge is not needed any more."""
        ...

    def dump(self) -> bytes:
        """All that it holds, to look for what it must not hold."""
        ...


class Rows:
    """An open connection, for statements that both kinds of database understand."""

    def __init__(self, connection: Any, mark: str) -> None:
        self._connection = connection
        self._mark = mark

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows that one statement finds."""
        return list(self._connection.execute(statement.replace("?", self._mark), values).fetchall())

    def change(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement that changes rows; how many."""
        return int(self._connection.execute(statement.replace("?", self._mark), values).rowcount)


class Sqlite:
    """The file in a data directory."""

    settings: dict[str, str] = {}

    def __init__(self, data_dir: Path) -> None:
        self.file = data_dir / "micelio.sqlite3"

    @contextlib.contextmanager
    def opened(self) -> Iterator[Rows]:
        with contextlib.closing(sqlite3.connect(self.file, timeout=20)) as connection, connection:
            yield Rows(connection, "?")

    def lose(self) -> None:
        for file in self.file.parent.glob(f"{self.file.name}*"):
            file.unlink()

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[None]:
        away = self.file.with_name("away")
        self.file.rename(away)
        yield
        away.rename(self.file)

    def drop(self) -> None:
        pass

    def dump(self) -> bytes:
        return b"".join(file.read_bytes() for file in sorted(self.file.parent.glob(f"{self.file.name}*")))


class Postgres:
    """A database at a server, of one forge or of several."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def settings(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url, "DATABASE_CONNECTIONS": "8"}

    @contextlib.contextmanager
    def opened(self) -> Iterator[Rows]:
        with psycopg.connect(self.url) as connection:
            yield Rows(connection, "%s")

    def lose(self) -> None:
        postgres_server.empty_database(self.url)

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[None]:
        postgres_server.allow_connections(self.url, False)
        yield
        postgres_server.allow_connections(self.url, True)

    def drop(self) -> None:
        postgres_server.drop_database(self.url)

    def dump(self) -> bytes:
        with self.opened() as rows:
            tables = rows.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            texts = [str(rows.execute(f'SELECT * FROM "{table}"')) for (table,) in tables]
        return "\n".join(texts).encode()


def new_database(data_dir: Path) -> Database:
    """The kind of database that this run is about: with this program's schema, and empty."""
    server = os.environ.get("TEST_POSTGRES_URL")
    if server:
        return Postgres(postgres_server.new_database(server))
    made = Sqlite(data_dir)
    if not made.file.exists():
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(_migrated(), made.file)
    return made


@functools.cache
def _migrated() -> Path:
    """A file that every migration has been applied to, once a run: it takes a second that each forge need not spend."""
    folder = Path(tempfile.mkdtemp(prefix="micelio-schema-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MICELIO_")}
    subprocess.run(
        [sys.executable, "-c", "import django; django.setup(); from micelio.edge import schema; schema.ensure()"],
        env=environment | {"MICELIO_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "micelio.django_settings"},
        check=True,
    )
    return Sqlite(folder).file
