"""DATABASE_URL: what it may say, and that nothing ever shows its password."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from micelio import databases
from micelio.config import load
from micelio.postgres_place import PostgresPlace, parse
from micelio.setting_values import BadSetting

SECRET = "s3cr3t%2Fword"


def test_every_part_is_understood() -> None:
    place = parse("postgresql://mic%40el:p%2Fw%3A%23@db.example.org:6432/forge?sslmode=verify-full&sslrootcert=/ca.pem")
    assert place == PostgresPlace(
        "forge", "db.example.org", 6432, "mic@el", "p/w:#", (("sslmode", "verify-full"), ("sslrootcert", "/ca.pem"))
    )
    assert place.address == "forge at db.example.org:6432"
    assert parse("postgres://[::1]/f").address == "f at [::1]:5432"
    socket = parse("postgresql:///forge?host=/run/postgresql")
    assert (socket.host, socket.user, socket.address) == ("/run/postgresql", "", "forge at the socket /run/postgresql")


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{SECRET}@h/d",
        f"postgresql://u:{SECRET}@h",
        f"postgresql://u:{SECRET}@h/",
        f"postgresql://u:{SECRET}@h/a/b",
        f"postgresql://u:{SECRET}@h:port/d",
        f"postgresql://u:{SECRET}@h:99999/d",
        f"postgresql://u:{SECRET}@h,i/d",
        f"postgresql://u:{SECRET}@h/d?options=-cfsync%3Doff",
        f"postgresql://u:{SECRET}@h/d#x",
        f"postgresql://u:{SECRET} @h/d",
        f"postgresql://u:{SECRET}%00@h/d",
        f"postgresql://u:{SECRET}@[h/d",
        f"postgresql://u:{SECRET}\n@h/d",
    ],
)
def test_what_cannot_be_meant_is_refused_without_the_password(url: str) -> None:
    with pytest.raises(BadSetting, match=r"DATABASE_URL cannot be used: .*\.$") as caught:
        load({"DATABASE_URL": url})
    told = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert "s3cr3t" not in told


def test_the_password_is_shown_nowhere() -> None:
    settings = load({"DATABASE_URL": "postgresql://u:s3cr3t@h/d"})
    assert "s3cr3t" not in repr(settings) + str(settings.postgres)
    assert settings.postgres is not None
    assert settings.postgres.without_password("FATAL: s3cr3t is wrong") == "FATAL: *** is wrong"


def test_what_django_is_told() -> None:
    """The pool has the size that is asked for; SQLite stays what it was."""
    told = databases.default(load({"DATABASE_URL": "postgresql://u:p@h:1/d", "DATABASE_CONNECTIONS": "7"}))
    assert (told["NAME"], told["USER"], told["PASSWORD"], told["HOST"], told["PORT"]) == ("d", "u", "p", "h", 1)
    assert told["OPTIONS"]["pool"]["max_size"] == 7
    alone = databases.default(load({"MICELIO_DATA_DIR": "/srv/m"}))
    assert (alone["ENGINE"], alone["NAME"]) == ("django.db.backends.sqlite3", "/srv/m/micelio.sqlite3")
    assert alone["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@given(st.text() | st.text(alphabet="postgresql:/@[]?&=%#,0123456789 \x00é").map("postgresql://".__add__))
def test_any_text_is_a_place_or_a_reason(url: str) -> None:
    try:
        place = parse(url)
    except ValueError:
        return
    assert place.database
    assert "\x00" not in place.database + place.host + place.user + place.password
