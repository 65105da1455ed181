"""Settings of the forge: read once, checked whole, then frozen.

They come from environment variables or from a TOML file named by `MICELIO_CONFIG`; a variable wins over the
file. Nothing here has a side effect: no folder is made, no file is written.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from mic.store.s3_place import S3Place
from micelio import bucket_place, front_end_place, oauth_place, outgoing_place, postal_place, web_place
from micelio.front_end_place import FrontEndPlace
from micelio.oauth_place import OAuthPlace
from micelio.postal_place import PostalPlace
from micelio.postgres_place import PostgresPlace, parse
from micelio.rates import USUAL, Rate, parse_rates
from micelio.setting_values import (
    BadSetting,
    Network,
    choice,
    count,
    existing_file,
    existing_folder,
    key_bytes,
    mebibytes,
    one_of,
    port_number,
)

# Names this program reads. Each may stand in the environment or, as written, in the TOML file.
_READ = frozenset(
    {
        "MICELIO_DATA_DIR",
        "MICELIO_HOST",
        "MICELIO_BASE_URL",
        "MICELIO_SIGN_UP",
        "MICELIO_UNCONFIRMED_DAYS",
        "MICELIO_NETWORKS",
        "MICELIO_NETWORKS_TOKENS",
        "MICELIO_ACCESS_LOG",
        "MICELIO_KEYS_DIR",
        "DATABASE_URL",
        "DATABASE_CONNECTIONS",
        "PORT",
        "GRPC_PORT",
        "SECRET_KEY_BASE",
        "ENCRYPTION_KEY",
        "ENCRYPTION_PREVIOUS_KEYS",
        "STORAGE_BACKEND",
        "STORAGE_LOCAL_PATH",
        "S3_BUCKET",
        "S3_REGION",
        "S3_ENDPOINT_URL",
        "S3_PREFIX",
        "S3_ADDRESSING",
        "S3_CREDENTIALS",
        "S3_ACCESS_KEY_ID",
        "S3_SECRET_ACCESS_KEY",
        "S3_SESSION_TOKEN",
        "MICELIO_PURGE_NEEDS_TWO",
        "STORAGE_CDN_BASE_URL",
        "STORAGE_CDN_PURGE_URL",
        "MICELIO_CACHE_DIR",
        "MICELIO_CACHE_RAM_MB",
        "MICELIO_CACHE_DISK_MB",
        "MICELIO_OUTGOING_ALLOW",
        "MICELIO_PASSWORD_BREACHES",
        "MICELIO_TRUSTED_PROXIES",
        "MICELIO_TLS_CERTIFICATE",
        "MICELIO_TLS_KEY",
        "MICELIO_LIMITS",
        "MICELIO_LIMIT_PUBLIC_PROJECTS",
        "MICELIO_LIMIT_PRIVATE_PROJECTS",
        "MICELIO_LIMIT_STORED_MB",
        "MICELIO_LEGAL_FILE",
        "MICELIO_BLOG_DIR",
        "MICELIO_FRONT_END_ADDRESS",
        "MICELIO_FRONT_END_SECRET",
        "MICELIO_FRONT_END_NETWORKS",
    }
    | postal_place.NAMES
    | oauth_place.NAMES
)
# Names of the client, which may share an environment with the forge.
_CLIENT = frozenset({"MICELIO_TOKEN", "MICELIO_INSTANCE"})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Paths are absolute; a port of 0 means "any free one" until `serve` has bound it."""

    data_dir: Path
    storage: str  # local, s3 or tiered
    store_dir: Path
    s3: S3Place | None  # None exactly when storage is local
    host: str
    port: int
    grpc_port: int
    base_url: str
    sign_up: str  # open, invite, approval or closed
    access_log: bool
    secret_key_base: str = field(repr=False)
    encryption_key: bytes = field(repr=False)  # b"" for the one of the first start
    encryption_previous_keys: tuple[bytes, ...] = field(repr=False)
    cache_dir: Path
    # Bytes; None leaves it to STORAGE_BACKEND.
    cache_ram_bytes: int | None = None
    cache_disk_bytes: int | None = None
    # None when no mail is sent: then an administrator hands over what would have been.
    postal: PostalPlace | None = None
    oauth: tuple[OAuthPlace, ...] = ()
    # An account whose address nobody confirmed is removed after so many days; 0 keeps it.
    unconfirmed_days: int = 7
    # The networks (as micelio.networks stores a list) that accounts are used from; "" for everywhere. Whether tokens
    # that were made to come from anywhere may.
    networks: str = ""
    networks_let_tokens: bool = False
    # Where passwords known from breaches are asked for, "" for nowhere.
    password_breach_address: str = ""
    # What an organization may have unless an administrator says otherwise for it; 0 is no limit.
    max_public_projects: int = 0
    max_private_projects: int = 0
    max_stored_bytes: int = 0
    # Whether a second administrator has to confirm what is erased for good.
    purge_needs_two: bool = False
    # "" when there is no edge network.
    cdn_base_url: str = ""
    # Where that network is told what is gone; "" when nobody is.
    cdn_purge_url: str = ""
    # Hosts that the forge may ask by plain http, at any port and at private addresses; and networks of such hosts.
    outgoing_allowed: frozenset[str] = frozenset()
    outgoing_networks: tuple[Network, ...] = ()
    # None when this front end neither forwards landings nor takes forwarded ones.
    front_end: FrontEndPlace | None = None
    # None for SQLite in the data directory.
    postgres: PostgresPlace | None = None
    # At most so many connections of this process to PostgreSQL.
    database_connections: int = 20
    # None for the folder in the data directory.
    own_keys_dir: Path | None = None
    # Where what stands in front of the forge may be: only from there does X-Forwarded-For count.
    trusted_proxies: tuple[Network, ...] = ()
    # Markdown of the legal page; None for what administrators write there.
    legal_file: Path | None = None
    # Folder of posts beside those of this version; None when the forge has none of its own.
    blog_dir: Path | None = None
    # Certificate chain and key in PEM; None when a proxy ends TLS, or nobody does.
    tls: tuple[Path, Path] | None = None
    # By the names in `micelio.rates`; what is missing has no limit.
    rates: Mapping[str, Rate] = field(default_factory=lambda: USUAL)

    @property
    def cache_ram(self) -> int:
        """Bytes of memory for objects of the store, 0 for none."""
        usual = 256 << 20 if self.storage == "tiered" else 0
        return usual if self.cache_ram_bytes is None else self.cache_ram_bytes

    @property
    def cache_disk(self) -> int:
        """Bytes of disk for objects of the store, 0 for none."""
        usual = 10 << 30 if self.storage == "tiered" else 0
        return usual if self.cache_disk_bytes is None else self.cache_disk_bytes

    @property
    def database(self) -> Path:
        """The SQLite file with people, permissions and derived rows; of no meaning where PostgreSQL has them."""
        return self.data_dir / "micelio.sqlite3"

    @property
    def keys_dir(self) -> Path:
        """Folder of the keys that the first start makes. Forges of one database share what is in it."""
        return self.own_keys_dir or self.data_dir / "keys"

    @property
    def hostname(self) -> str:
        """Name under which people reach the forge, without port."""
        return urlsplit(self.base_url).hostname or "localhost"

    @property
    def grpc_address(self) -> str:
        """`host:port` that clients dial for the typed surface."""
        name = self.hostname
        return f"[{name}]:{self.grpc_port}" if ":" in name else f"{name}:{self.grpc_port}"

    @property
    def secure(self) -> bool:
        """People come over https, which a proxy ends, or the forge itself."""
        return self.base_url.startswith("https://")

    def secret_key(self) -> str:
        """Key for sessions and signatures: the hoster's own, or the one in the data directory.

        Before the first start there is neither; then a random one holds for the life of this process, so that
        tools which only look at models work without a data directory.
        """
        return self.secret_key_base or _text(self.keys_dir / "secret_key") or _passing_key()

    def encryption_keys(self) -> tuple[bytes, ...]:
        """Keys of 32 bytes for secrets in the database, the one that encrypts first; see `micelio.vault`."""
        made = _text(self.keys_dir / "encryption_key")
        own = self.encryption_key or (bytes.fromhex(made) if made else _passing_key().encode()[:32])
        # Whoever sets a key of their own later still reads what the first start's key has encrypted.
        older = (bytes.fromhex(made),) if made and self.encryption_key else ()
        return (own, *self.encryption_previous_keys, *older)

    def signing_key(self) -> str:
        """RSA key in PEM that signs identity tokens; empty before the first start."""
        return _text(self.keys_dir / "oidc.pem")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read settings from `environ` (the process's own by default) and the file it names. Raises BadSetting."""
    environ = os.environ if environ is None else environ
    values = _file_values(environ.get("MICELIO_CONFIG", ""))
    known = _READ | _CLIENT | {"MICELIO_CONFIG"}
    # Other programs have S3_ names too: they are ours where a bucket is.
    bucket = environ.get("STORAGE_BACKEND", "local") != "local"
    for name in sorted(environ):
        ours = name.startswith(("MICELIO_", "STORAGE_")) or (bucket and name.startswith("S3_"))
        if ours and name not in known:
            raise BadSetting(f"{name} is not a setting of this version of Micelio; unset it or correct its spelling.")
    values.update({name: environ[name] for name in _READ if environ.get(name)})
    return _build(values)


def _build(values: Mapping[str, str]) -> Settings:
    data_dir = _data_dir(values.get("MICELIO_DATA_DIR", ""))
    host = values.get("MICELIO_HOST", "127.0.0.1")
    port = port_number(values, "PORT", 4000)
    secret = values.get("SECRET_KEY_BASE", "")
    if secret and len(secret) < 64:
        raise BadSetting("SECRET_KEY_BASE is shorter than 64 characters; make a longer one or unset it.")
    store = values.get("STORAGE_LOCAL_PATH", "")
    cache = values.get("MICELIO_CACHE_DIR", "")
    keys = values.get("MICELIO_KEYS_DIR", "")
    tls = web_place.tls_files(values)
    base_url = web_place.base_address(
        values.get("MICELIO_BASE_URL", ""), host, port, "http" if tls is None else "https"
    )
    try:
        named = outgoing_place.parse("MICELIO_OUTGOING_ALLOW", values.get("MICELIO_OUTGOING_ALLOW", ""))
        allowed = named.hosts
        postal = postal_place.parse(values, urlsplit(base_url).hostname or "localhost")
        oauth = oauth_place.parse(values, allowed)
    except ValueError as error:
        raise BadSetting(str(error)) from None
    return Settings(
        data_dir=data_dir,
        storage=values.get("STORAGE_BACKEND", "local"),
        s3=bucket_place.parse(values),
        store_dir=Path(store).expanduser().absolute() if store else data_dir / "store",
        host=host,
        port=port,
        grpc_port=port_number(values, "GRPC_PORT", 4001),
        base_url=base_url,
        sign_up=one_of(values, "MICELIO_SIGN_UP", "open", "invite", "approval", "closed"),
        access_log=not choice(values, "MICELIO_ACCESS_LOG", "off", "on"),
        secret_key_base=secret,
        encryption_key=key_bytes(values.get("ENCRYPTION_KEY", ""), "ENCRYPTION_KEY"),
        encryption_previous_keys=tuple(
            key_bytes(part.strip(), "ENCRYPTION_PREVIOUS_KEYS")
            for part in values.get("ENCRYPTION_PREVIOUS_KEYS", "").split(",")
            if part.strip()
        ),
        cache_dir=Path(cache).expanduser().absolute() if cache else data_dir / "cache",
        cache_ram_bytes=mebibytes(values, "MICELIO_CACHE_RAM_MB"),
        cache_disk_bytes=mebibytes(values, "MICELIO_CACHE_DISK_MB"),
        purge_needs_two=not choice(values, "MICELIO_PURGE_NEEDS_TWO", "no", "yes"),
        cdn_base_url=_cdn_base_url(values.get("STORAGE_CDN_BASE_URL", ""), allowed),
        cdn_purge_url=_cdn_base_url(values.get("STORAGE_CDN_PURGE_URL", ""), allowed, "STORAGE_CDN_PURGE_URL"),
        postal=postal,
        oauth=oauth,
        unconfirmed_days=count(values, "MICELIO_UNCONFIRMED_DAYS", 7),
        networks=web_place.networks(values),
        networks_let_tokens=not choice(values, "MICELIO_NETWORKS_TOKENS", "refused", "pass"),
        outgoing_allowed=allowed,
        outgoing_networks=named.networks,
        password_breach_address=_breach_address(values.get("MICELIO_PASSWORD_BREACHES", "on"), allowed),
        max_public_projects=count(values, "MICELIO_LIMIT_PUBLIC_PROJECTS"),
        max_private_projects=count(values, "MICELIO_LIMIT_PRIVATE_PROJECTS"),
        max_stored_bytes=mebibytes(values, "MICELIO_LIMIT_STORED_MB") or 0,
        front_end=front_end_place.parse(values, host),
        postgres=_postgres(values),
        database_connections=_connections(values),
        own_keys_dir=Path(keys).expanduser().absolute() if keys else None,
        trusted_proxies=web_place.trusted_proxies(values, behind=base_url.startswith("https://") and tls is None),
        tls=tls,
        legal_file=existing_file(values, "MICELIO_LEGAL_FILE"),
        blog_dir=existing_folder(values, "MICELIO_BLOG_DIR"),
        rates=_rates(values.get("MICELIO_LIMITS", "")),
    )


def _rates(text: str) -> Mapping[str, Rate]:
    try:
        return parse_rates(text)
    except ValueError as error:
        raise BadSetting(f"MICELIO_LIMITS cannot be used: {error}.") from None


_installed: Settings | None = None


def install(settings: Settings) -> None:
    """Make `settings` the ones of this process. To be called before Django starts, or by tests."""
    global _installed
    _installed = settings


def current() -> Settings:
    """The settings of this process, loaded from the environment at the first call. Raises BadSetting."""
    if _installed is None:
        install(load())
    assert _installed is not None
    return _installed


def with_port(base_url: str, asked: int, bound: int) -> str:
    """`base_url` with the port that was really bound, where "any free port" was asked for."""
    if asked == 0 and base_url.endswith(":0"):
        return f"{base_url[:-2]}:{bound}"
    return base_url


def _file_values(name: str) -> dict[str, str]:
    if not name:
        return {}
    try:
        with open(name, "rb") as file:
            table = tomllib.load(file)
    except OSError as error:
        raise BadSetting(f"MICELIO_CONFIG names {name}, which cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"MICELIO_CONFIG names {name}, which is not TOML: {error}.") from error
    values: dict[str, str] = {}
    for key, value in table.items():
        if key not in _READ:
            raise BadSetting(f"{key} in {name} is not a setting of this version of Micelio; remove it.")
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise BadSetting(f"{key} in {name} must be a text or a whole number.")
        values[key] = str(value)
    return values


def _data_dir(value: str) -> Path:
    if value:
        return Path(value).expanduser().absolute()
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(home).expanduser().absolute() / "micelio"


def _postgres(values: Mapping[str, str]) -> PostgresPlace | None:
    """The database that DATABASE_URL names, None without one. Raises BadSetting, never with a password in it."""
    if "DATABASE_URL" not in values:
        return None
    try:
        return parse(values["DATABASE_URL"])
    except ValueError as error:
        # What was parsed is in the traceback of the cause.
        raise BadSetting(
            f"DATABASE_URL cannot be used: {error}.",
            hint="Use postgresql://USER:PASSWORD@HOST:5432/DATABASE, or unset it to keep the rows in SQLite.",
        ) from None


def _connections(values: Mapping[str, str]) -> int:
    text = values.get("DATABASE_CONNECTIONS", "20")
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 2 <= int(text) <= 1000):
        raise BadSetting(f"DATABASE_CONNECTIONS is {text!r}; use a number from 2 to 1000.")
    if "DATABASE_CONNECTIONS" in values and "DATABASE_URL" not in values:
        raise BadSetting("DATABASE_CONNECTIONS is set, but DATABASE_URL is not; set both or neither.")
    return int(text)


def _cdn_base_url(value: str, allowed: frozenset[str], name: str = "STORAGE_CDN_BASE_URL") -> str:
    if not value:
        return ""
    parts = urlsplit(value)
    good = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in allowed)
    if not good or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise BadSetting(
            f"{name} is {value!r}; use https://host[/path], or http for a host that MICELIO_OUTGOING_ALLOW names."
        )
    return value.rstrip("/")


# Have I Been Pwned's range service, whose protocol others speak too.
_BREACHES = "https://api.pwnedpasswords.com/range/"


def _breach_address(value: str, allowed: frozenset[str]) -> str:
    if value in ("on", "off"):
        return _BREACHES if value == "on" else ""
    parts = urlsplit(value)
    good = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in allowed)
    if not good or not parts.hostname or not value.endswith("/") or parts.query or parts.fragment:
        raise BadSetting(
            f"MICELIO_PASSWORD_BREACHES is {value!r}; use on, off, or an address such as {_BREACHES} that ends with a "
            "slash, by http only for a host that MICELIO_OUTGOING_ALLOW names."
        )
    return value


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


@cache
def _passing_key() -> str:
    return secrets.token_urlsafe(64)
