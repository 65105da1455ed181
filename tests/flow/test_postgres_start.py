"""A start at a PostgreSQL that cannot be used: one sentence that says why, without the password."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

import postgres_server
from forge_database import Postgres
from forge_process import Forge
from micelio.cluster import server
from micelio.cluster.server import NoDatabase, examine
from micelio.postgres_place import PostgresPlace, parse


@pytest.fixture
def url(postgres: str) -> Iterator[str]:
    made = postgres_server.new_database(postgres)
    yield made
    postgres_server.drop_database(made)


@pytest.fixture
def place(url: str) -> PostgresPlace:
    return parse(url)


def _told(place: PostgresPlace) -> str:
    with pytest.raises(NoDatabase) as caught:
        examine(place)
    everything = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert place.password not in everything
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value.message


def test_a_good_one_is_taken(place: PostgresPlace) -> None:
    examine(place)
    assert not server.answers(place), "there is no forge in it yet"


def test_whoever_cannot_be_reached_is_named(place: PostgresPlace) -> None:
    at = f"{place.database} at 127.0.0.1"
    wrong = replace(place, password="not-the-password")
    assert _told(wrong) == f"The database {at}:{place.port} cannot be used: its user or password is wrong."
    nobody = replace(place, user="nobody-of-this-name")
    assert _told(nobody) == f"The database {at}:{place.port} cannot be used: its user or password is wrong."
    missing = replace(place, database="missing")
    assert "missing at 127.0.0.1" in _told(missing)
    assert _told(missing).endswith("the server has no such database or user.")
    assert "Connection refused" in _told(replace(place, port=1))
    assert "nohost.invalid:5432 cannot be used" in _told(replace(place, host="nohost.invalid", port=5432))
    assert "encrypted connection" in _told(replace(place, options=(("sslmode", "require"),)))


def test_what_no_forge_can_live_in_is_refused(url: str, place: PostgresPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too old, an encoding that cannot hold every text, a user who may not make tables."""
    role = f"guest_of_{place.database}"
    with contextlib.closing(psycopg.connect(url, autocommit=True)) as own:
        own.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD 'guests-word'")
        own.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        assert "may not make tables" in _told(replace(place, user=role, password="guests-word"))
        own.execute(f'DROP ROLE "{role}"')
        own.execute(f'CREATE DATABASE "{place.database}_ascii" TEMPLATE template0 ENCODING SQL_ASCII')
    ascii_only = replace(place, database=f"{place.database}_ascii")
    assert "keeps texts as SQL_ASCII" in _told(ascii_only)
    postgres_server.drop_database(url + "_ascii")
    monkeypatch.setattr(server, "OLDEST", 99)
    assert "which is too old" in _told(place)


def test_the_command_says_it_in_one_line_and_makes_nothing_of_it(url: str, tmp_path: Path) -> None:
    wrong = url.replace(postgres_server.PASSWORD, "secret-and-wrong")
    done = subprocess.run(
        [sys.executable, "-m", "micelio", "serve"],
        env={"MICELIO_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": wrong, "PORT": "0", "GRPC_PORT": "0"}
        | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("micelio: The database ")
    assert "its user or password is wrong. Correct DATABASE_URL" in done.stderr
    assert "secret-and-wrong" not in done.stderr


def test_a_forge_lives_in_it_and_outlives_a_restart_of_the_server(tmp_path: Path) -> None:
    """Every text column compares by code point; connections that the server cut are replaced without an error."""
    import httpx

    with postgres_server.running() as own:
        database = Postgres(postgres_server.new_database(own.url))
        forge = Forge(tmp_path / "data", database=database, whole=True)
        try:
            assert httpx.get(f"{forge.base_url}/").status_code == 200
            with database.opened() as rows:
                others = rows.execute(
                    "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                    " JOIN pg_collation l ON l.oid = a.attcollation AND NOT a.attisdropped"
                    " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND l.collname <> 'C'"
                )
            assert others == []
            own.halt()
            assert httpx.get(f"{forge.base_url}/health/ready").json()["failed"] == ["database"]
            own.start()
            assert httpx.get(f"{forge.base_url}/").status_code == 200
            assert httpx.get(f"{forge.base_url}/-/sign-in").status_code == 200
            assert postgres_server.PASSWORD not in forge.log() + forge.said
        finally:
            forge.stop()
