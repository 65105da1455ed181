"""The data directory: made on the first start, checked and locked on every one.

```
micelio.sqlite3   people, permissions, derived rows        store/   the object store
keys/             secret_key, encryption_key, oidc.pem, each mode 0600    instance.json   format of this directory
micelio.lock      held by the one server that uses it
```

Over PostgreSQL each forge has a directory of its own, without the first of these.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import IO

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mic.core.errors import Busy, MicError, StorageFull
from micelio.config import Settings

# Raised when an older program could no longer read the directory. A newer program reads every older one.
FORMAT = 1


class Unusable(MicError):
    """The data directory cannot be used; the message says why and what to do."""

    code = "data_directory"


def prepare(settings: Settings) -> IO[str]:
    """Make or check the data directory and take its lock, held until the returned file is closed.

    Raises Unusable or Busy, and then leaves behind nothing that was not there before.
    """
    made = _make_folders(settings.data_dir)
    try:
        _check_writable(settings.data_dir)
        _check_format(settings.data_dir)
    except MicError:
        for folder in reversed(made):
            folder.rmdir()
        raise
    try:
        lock = _lock(settings.data_dir)
    except OSError as error:
        raise _unusable(settings.data_dir, error) from error
    try:
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        if settings.s3 is None:
            settings.store_dir.mkdir(parents=True, exist_ok=True)
        try:
            _make_keys(settings.keys_dir)
        except OSError as error:
            if settings.keys_dir.parent == settings.data_dir:
                raise  # a folder of the data directory, and no affair of its own
            lock.close()
            raise _unusable(settings.keys_dir, error, "keys directory", "MICELIO_KEYS_DIR") from error
        if not (settings.data_dir / "instance.json").exists():
            _write_new(settings.data_dir / "instance.json", json.dumps({"format": FORMAT}) + "\n", 0o644)
    except OSError as error:
        with contextlib.suppress(OSError):
            lock.close()
        raise _unusable(settings.data_dir, error) from error
    return lock


def check_free(settings: Settings) -> None:
    """Raises Busy while another process serves the directory; makes nothing."""
    if (settings.data_dir / "micelio.lock").exists():
        try:
            _lock(settings.data_dir).close()
        except PermissionError:
            return  # `prepare` says it better


def check_exists(settings: Settings, *, with_database: bool = True) -> None:
    """For commands beside the server: raises Unusable unless a first start has been here.

    Without `with_database` the file of SQLite may be lost, as long as the rest is there.
    """
    file = with_database and settings.postgres is None
    if not (settings.database if file else settings.data_dir / "instance.json").exists():
        raise Unusable(
            f"There is no forge in {settings.data_dir}.",
            hint="Start it once with `micelio serve`, or set MICELIO_DATA_DIR.",
        )
    _check_format(settings.data_dir)


def _make_folders(path: Path) -> list[Path]:
    missing: list[Path] = []
    folder = path
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            folder.mkdir(mode=0o700)
            made.append(folder)
    except OSError as error:
        for folder in reversed(made):
            folder.rmdir()
        raise _unusable(path, error) from error
    return made


def _check_writable(path: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise _unusable(path, error) from error


def _check_format(path: Path) -> None:
    try:
        text = (path / "instance.json").read_text(encoding="utf-8")
        found = json.loads(text)["format"]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unusable(
            f"{path / 'instance.json'} cannot be read.", hint="Restore it from a backup of the data directory."
        ) from error
    if not isinstance(found, int) or found > FORMAT:
        raise Unusable(
            f"The data directory {path} has format {found}, made by a newer Micelio; this one reads up to {FORMAT}.",
            hint="Start the newer version again.",
        )


def _lock(path: Path) -> IO[str]:
    file = open(path / "micelio.lock", "a+", encoding="ascii")  # noqa: SIM115 - held for the life of the process
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read(20).strip() or "unknown"
        file.close()
        raise Busy(
            f"Another Micelio already serves {path} (process {holder}).",
            hint="Stop it, or set MICELIO_DATA_DIR to another directory.",
        ) from error
    return file


def _make_keys(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if not (folder / "secret_key").exists():
        _write_new(folder / "secret_key", secrets.token_urlsafe(64) + "\n", 0o600)
    if not (folder / "encryption_key").exists():
        _write_new(folder / "encryption_key", secrets.token_hex(32) + "\n", 0o600)
    if not (folder / "oidc.pem").exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_new(folder / "oidc.pem", pem.decode("ascii"), 0o600)


def _write_new(path: Path, text: str, mode: int) -> None:
    """Whole or not at all: a start that is killed half-way leaves no half key behind.

    Of two forges that share a folder and start at once, the faster one's file stays.
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(part, path)
    part.unlink()


def full(path: Path) -> StorageFull:
    """The error for a data directory without room."""
    return StorageFull(f"There is no space left in {path}.", hint="Free disk space and start again; nothing is lost.")


def _unusable(path: Path, error: OSError, what: str = "data directory", setting: str = "MICELIO_DATA_DIR") -> MicError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return full(path)
    return Unusable(
        f"The {what} {path} cannot be used: {error.strerror or error}.",
        hint=f"Set {setting} to a directory that this user may write to.",
    )
