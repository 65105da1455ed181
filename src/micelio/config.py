"""Settings of the forge: read once, checked whole, then frozen.

They come from environment variables or from a TOML file named by `MICELIO_CONFIG`; a variable wins over the
file. Nothing here has a side effect: no folder is made, no file is written.
"""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from mic.core.errors import InvalidInput
from mic.store.port import check_key
from mic.store.s3_place import S3Place


class BadSetting(InvalidInput):
    """A setting that is unknown, unsafe or of no meaning. The message names it and says what to do."""

    code = "bad_setting"


# Names this program reads. Each may stand in the environment or, as written, in the TOML file.
_READ = frozenset(
    {
        "MICELIO_DATA_DIR",
        "MICELIO_HOST",
        "MICELIO_BASE_URL",
        "MICELIO_SIGN_UP",
        "MICELIO_ACCESS_LOG",
        "PORT",
        "GRPC_PORT",
        "SECRET_KEY_BASE",
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
        "STORAGE_CDN_BASE_URL",
        "MICELIO_CACHE_DIR",
        "MICELIO_CACHE_RAM_MB",
        "MICELIO_CACHE_DISK_MB",
        "MICELIO_OUTGOING_ALLOW",
    }
)
# Names of the client, which may share an environment with the forge.
_CLIENT = frozenset({"MICELIO_TOKEN", "MICELIO_INSTANCE"})
# Names that other versions know; to ignore them in silence would be to run without what the hoster asked for.
_NOT_HERE = {
    "DATABASE_URL": "this version keeps its rows in SQLite inside the data directory; unset DATABASE_URL",
    "SMTP_HOST": "this version sends no mail; unset SMTP_HOST",
    "GITHUB_CLIENT_ID": "this version signs people in by password only; unset GITHUB_CLIENT_ID",
    "GITLAB_CLIENT_ID": "this version signs people in by password only; unset GITLAB_CLIENT_ID",
}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound


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
    sign_up_open: bool
    access_log: bool
    secret_key_base: str
    cache_dir: Path
    # Bytes; None leaves it to STORAGE_BACKEND.
    cache_ram_bytes: int | None = None
    cache_disk_bytes: int | None = None
    # "" when there is no edge network.
    cdn_base_url: str = ""
    # Hosts that the forge may ask by plain http and at private addresses.
    outgoing_allowed: frozenset[str] = frozenset()

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
        """The SQLite file with people, permissions and derived rows."""
        return self.data_dir / "micelio.sqlite3"

    @property
    def keys_dir(self) -> Path:
        """Folder of the keys that the first start makes."""
        return self.data_dir / "keys"

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
        """People come over https, through a proxy that ends it."""
        return self.base_url.startswith("https://")

    def secret_key(self) -> str:
        """Key for sessions and signatures: the hoster's own, or the one in the data directory.

        Before the first start there is neither; then a random one holds for the life of this process, so that
        tools which only look at models work without a data directory.
        """
        return self.secret_key_base or _text(self.keys_dir / "secret_key") or _passing_key()

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
        if ours and name not in known and name not in _NOT_HERE:
            raise BadSetting(f"{name} is not a setting of this version of Micelio; unset it or correct its spelling.")
    values.update({name: environ[name] for name in _READ if environ.get(name)})
    for name, reason in _NOT_HERE.items():
        if environ.get(name):
            raise BadSetting(f"{name} is set, but {reason}.")
    return _build(values)


def _build(values: Mapping[str, str]) -> Settings:
    data_dir = _data_dir(values.get("MICELIO_DATA_DIR", ""))
    host = values.get("MICELIO_HOST", "127.0.0.1")
    port = _port(values, "PORT", 4000)
    secret = values.get("SECRET_KEY_BASE", "")
    if secret and len(secret) < 64:
        raise BadSetting("SECRET_KEY_BASE is shorter than 64 characters; make a longer one or unset it.")
    store = values.get("STORAGE_LOCAL_PATH", "")
    cache = values.get("MICELIO_CACHE_DIR", "")
    allowed = _hosts(values, "MICELIO_OUTGOING_ALLOW")
    return Settings(
        data_dir=data_dir,
        storage=values.get("STORAGE_BACKEND", "local"),
        s3=_bucket(values),
        store_dir=Path(store).expanduser().absolute() if store else data_dir / "store",
        host=host,
        port=port,
        grpc_port=_port(values, "GRPC_PORT", 4001),
        base_url=_base_url(values.get("MICELIO_BASE_URL", ""), host, port),
        sign_up_open=_choice(values, "MICELIO_SIGN_UP", "open", "closed"),
        access_log=not _choice(values, "MICELIO_ACCESS_LOG", "off", "on"),
        secret_key_base=secret,
        cache_dir=Path(cache).expanduser().absolute() if cache else data_dir / "cache",
        cache_ram_bytes=_mebibytes(values, "MICELIO_CACHE_RAM_MB"),
        cache_disk_bytes=_mebibytes(values, "MICELIO_CACHE_DISK_MB"),
        cdn_base_url=_cdn_base_url(values.get("STORAGE_CDN_BASE_URL", ""), allowed),
        outgoing_allowed=allowed,
    )


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
        if key in _NOT_HERE:
            raise BadSetting(f"{key} is set in {name}, but {_NOT_HERE[key]}.")
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


def _port(values: Mapping[str, str], name: str, default: int) -> int:
    text = values.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise BadSetting(f"{name} is {text!r}, which is not a port; use a number from 0 to 65535.")
    return int(text)


def _choice(values: Mapping[str, str], name: str, yes: str, no: str) -> bool:
    text = values.get(name, yes)
    if text not in (yes, no):
        raise BadSetting(f"{name} is {text!r}; use {yes} or {no}.")
    return text == yes


def _base_url(value: str, host: str, port: int) -> str:
    if not value:
        name = "localhost" if host in _LOOPBACK | _ANYWHERE else host
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise BadSetting(f"MICELIO_BASE_URL is {value!r}; use http://host[:port] or https://host[:port].")
    if parts.path not in ("", "/") or parts.username is not None:
        raise BadSetting(f"MICELIO_BASE_URL is {value!r}; it may hold no path and no user name.")
    return value.rstrip("/")


def _bucket(values: Mapping[str, str]) -> S3Place | None:
    """The bucket that the store is in, None when it is a directory. Raises BadSetting, never with a secret in it."""
    backend = values.get("STORAGE_BACKEND", "local")
    if backend not in ("local", "s3", "tiered"):
        raise BadSetting(f"STORAGE_BACKEND is {backend!r}; use local, s3 or tiered.")
    given = sorted(name for name in values if name.startswith("S3_"))
    if backend == "local":
        if given:
            raise BadSetting(f"{given[0]} is set, but STORAGE_BACKEND is local; set it to s3 or tiered, or unset both.")
        return None
    if "STORAGE_LOCAL_PATH" in values:
        raise BadSetting(f"STORAGE_LOCAL_PATH is set, but STORAGE_BACKEND is {backend}; unset one of them.")
    for name in given:
        if not values[name].isascii() or not values[name].isprintable() or " " in values[name]:
            raise BadSetting(f"{name} holds a blank or a sign that cannot be meant; correct it.")
    if "S3_BUCKET" not in values:
        raise BadSetting(f"STORAGE_BACKEND is {backend}, which needs S3_BUCKET; set it to the name of the bucket.")
    bucket, prefix = values["S3_BUCKET"], values.get("S3_PREFIX", "")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise BadSetting(f"S3_BUCKET is {bucket!r}, which is not the name of a bucket; give the bare name.")
    try:
        check_key(prefix or "none")
    except InvalidInput:
        raise BadSetting(f"S3_PREFIX is {prefix!r}; use letters, digits, - and _, with / between folders.") from None
    endpoint = _endpoint(values.get("S3_ENDPOINT_URL", ""))
    region = values.get("S3_REGION", "us-east-1" if endpoint else "")
    if not re.fullmatch(r"[a-z0-9-]{1,64}", region):
        raise BadSetting(f"S3_REGION is {region!r}; set it to the region of the bucket, for example eu-central-1.")
    key, secret, token = _credentials(values)
    return S3Place(
        bucket,
        region,
        endpoint,
        prefix,
        virtual_host=not _choice(values, "S3_ADDRESSING", "path", "virtual"),
        access_key_id=key,
        secret_access_key=secret,
        session_token=token,
        unsigned=values.get("S3_CREDENTIALS") == "none",
    )


def _endpoint(value: str) -> str:
    """Scheme, host and port of an S3 server. Plain http is taken only because it is asked for."""
    parts = urlsplit(value)
    try:
        bad = bool(value) and (parts.scheme not in ("http", "https") or not parts.hostname or (parts.port or 0) < 0)
    except ValueError:
        bad = True
    if parts.username is not None or parts.password is not None:
        raise BadSetting("S3_ENDPOINT_URL holds a user name or a password; put them into S3_ACCESS_KEY_ID and so on.")
    if bad or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadSetting(f"S3_ENDPOINT_URL is {value!r}; use https://host[:port], or http:// for a server beside this.")
    return value.rstrip("/")


def _credentials(values: Mapping[str, str]) -> tuple[str, str, str]:
    """Access key, secret key and session token; all "" when they come from elsewhere or are not needed."""
    names = ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_SESSION_TOKEN")
    source = values.get("S3_CREDENTIALS", "keys")
    if source not in ("keys", "environment", "none"):
        raise BadSetting("S3_CREDENTIALS is none of keys, environment and none; correct it.")
    given = [name for name in names if name in values]
    if source != "keys":
        if given:
            raise BadSetting(f"{given[0]} is set, but S3_CREDENTIALS is {source}; unset one of them.")
        return "", "", ""
    for name in names[:2]:
        if name not in values:
            hint = "set it, or S3_CREDENTIALS=environment to find them as Amazon's tools do"
            raise BadSetting(f"{name} is missing, which the bucket needs; {hint}.")
    return values[names[0]], values[names[1]], values.get(names[2], "")


def _mebibytes(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or int(text) > 1 << 30:
        raise BadSetting(f"{name} is {text!r}; use a whole number of MiB, or 0 for none.")
    return int(text) << 20


def _hosts(values: Mapping[str, str], name: str) -> frozenset[str]:
    hosts = [part.strip().lower() for part in values.get(name, "").split(",") if part.strip()]
    for host in hosts:
        if not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*", host):
            raise BadSetting(f"{name} holds {host!r}; use names of hosts or addresses, with commas, without ports.")
    return frozenset(hosts)


def _cdn_base_url(value: str, allowed: frozenset[str]) -> str:
    if not value:
        return ""
    parts = urlsplit(value)
    good = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in allowed)
    if not good or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise BadSetting(
            f"STORAGE_CDN_BASE_URL is {value!r}; use https://host[/path], "
            "or http for a host that MICELIO_OUTGOING_ALLOW names."
        )
    return value.rstrip("/")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


@cache
def _passing_key() -> str:
    return secrets.token_urlsafe(64)
