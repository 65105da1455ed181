"""Where a PostgreSQL database is, as settings say it. Apart from the driver, whose library takes long to import."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# What may stand behind the question mark: how to reach the server and whom to trust. Others would change how the
# forge's statements behave (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS).
_OPTIONS = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding", "passfile", "host"})
# Seconds until an address that does not answer counts as unreachable.
_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A database and how it is reached. The password is never shown.

    `host` is a name, an address, or the folder of a local socket; "" for the driver's usual socket. `options` are
    parameters of libpq by name.
    """

    database: str
    host: str = ""
    port: int = 5432
    user: str = ""
    password: str = field(default="", repr=False)
    options: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The database in one line, without who asks: for messages and the log."""
        if not self.host or self.host.startswith("/"):
            return f"{self.database} at the socket {self.host or 'of this machine'}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.database} at {host}:{self.port}"

    def parameters(self, name: str) -> dict[str, Any]:
        """Arguments of psycopg's `connect`; the server lists the connection as `name`."""
        given = {"host": self.host, "user": self.user, "password": self.password}
        # A peer that vanished without a word is noticed within a minute and a half.
        living = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 6}
        return {
            "dbname": self.database,
            "port": self.port,
            "connect_timeout": _PATIENCE,
            "application_name": name,
            **living,
            **{key: value for key, value in given.items() if value},
            **dict(self.options),
        }

    def without_password(self, text: str) -> str:
        """`text` with the password blotted out, should the server or the driver have repeated it."""
        return text.replace(self.password, "***") if self.password else text


def parse(url: str) -> PostgresPlace:
    """The place that `postgresql://[user[:password]@][host][:port]/database[?option=value]` names.

    Raises ValueError whose text says what is wrong without repeating any of the address.
    """
    scheme = url.partition(":")[0].lower()
    if scheme not in ("postgresql", "postgres"):
        raise ValueError("it begins with neither postgresql:// nor postgres://")
    if not url.isprintable() or " " in url:
        raise ValueError("it holds a blank or a sign that cannot be meant; write such signs of a password as %XX")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("its host or port is not one; write /, @, : and # of a password as %XX") from None
    database = unquote(parts.path[1:])
    if parts.fragment or "/" in parts.path[1:] or not database:
        raise ValueError("it does not end with the name of one database; write / and # of a password as %XX")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name in options:
        if name not in _OPTIONS:
            raise ValueError(f"of what may stand behind the question mark it has one that is none of {_listed()}")
    host = options.pop("host", "") or unquote(parts.hostname or "")
    if "," in host or "\x00" in url or "%00" in url:
        raise ValueError("it names several hosts, or holds a NUL; name one host")
    return PostgresPlace(
        database,
        host,
        port or 5432,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        tuple(sorted(options.items())),
    )


def _listed() -> str:
    return ", ".join(sorted(_OPTIONS))
