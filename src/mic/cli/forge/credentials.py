"""Tokens, one per instance, in a file that only this user can read.

`$XDG_CONFIG_HOME/mic/credentials.json`, mode 0600: {"default": URL, "instances": {URL: {"access_token", ...}}}.
MICELIO_TOKEN and MICELIO_INSTANCE come first and are never written down.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from mic.core.errors import MicError, Unauthenticated, Unavailable
from mic.rpc.discovery import discover, normal_instance, post_form
from mic.workspace.place import write_file

DEFAULT_INSTANCE = "http://localhost:4000"
# A token is renewed when it has less than this left, so that it does not expire in mid-call.
MARGIN = 60
SIGN_IN = "Sign in with `mic auth login`."


class Credential(msgspec.Struct, omit_defaults=True):
    """What is kept for one instance. `expires_at` is Unix seconds, 0 when the token does not say."""

    access_token: str
    refresh_token: str = ""
    expires_at: int = 0
    handle: str = ""


class _File(msgspec.Struct, omit_defaults=True):
    default: str = ""
    instances: dict[str, Credential] = {}


# Made when this is loaded, which a fork of the command server then shares.
_FILE = msgspec.json.Decoder(_File)


def default_instance() -> str:
    """MICELIO_INSTANCE, else where the last sign-in was, else this machine."""
    named = os.environ.get("MICELIO_INSTANCE", "")
    if named:
        return normal_instance(named)
    return _read().default or DEFAULT_INSTANCE


def stored(instance: str) -> Credential | None:
    """The credential kept for an instance."""
    return _read().instances.get(instance)


def environment_token(instance: str) -> str:
    """MICELIO_TOKEN, for the default instance alone: it must not reach whatever host a clone names."""
    token = os.environ.get("MICELIO_TOKEN", "").strip()
    return token if token and instance == default_instance() else ""


def token_for(instance: str) -> str:
    """The token to send to an instance, renewed when it is about to expire; "" when there is none.

    Raises Unauthenticated when it has expired and cannot be renewed.
    """
    return Tokens(instance).current()


class Tokens:
    """The token for one instance while a command runs, which may be longer than a token lives.

    Its end is reckoned by the clock here, from the moment it came: a clock that is wrong does no harm. One that was set
    since may hide the end; then the forge refuses the token, and `instead_of` renews it.
    """

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._held: Credential | None = None

    def current(self) -> str:
        """As `token_for`."""
        named = environment_token(self._instance)
        if named:
            return named
        if self._held is None:
            self._held = stored(self._instance)
        if self._held is not None and _ends_soon(self._held):
            self._held = _renewed(self._instance, lambda kept: not _ends_soon(kept))
        return self._held.access_token if self._held is not None else ""

    def instead_of(self, refused: str) -> str:
        """A token to try when the forge did not take `refused`; "" when there is no other way than to sign in again."""
        kept = stored(self._instance)
        if environment_token(self._instance) or kept is None:
            return ""
        if kept.access_token == refused and not kept.refresh_token:
            return ""
        self._held = _renewed(self._instance, lambda kept: kept.access_token != refused)
        return self._held.access_token if self._held is not None and self._held.access_token != refused else ""


def _ends_soon(credential: Credential) -> bool:
    return bool(credential.expires_at) and credential.expires_at - MARGIN <= time.time()


def _renewed(instance: str, good: Callable[[Credential], bool]) -> Credential | None:
    """The credential of an instance once it is `good`: as somebody else has left it, or exchanged here."""
    with _exchanging(instance):
        # Somebody else may have renewed it while we waited; a refresh token is good for one use.
        credential = stored(instance)
        if credential is None or good(credential):
            return credential
        return _renew(instance, credential)


def _renew(instance: str, credential: Credential) -> Credential:
    if not credential.refresh_token:
        raise Unauthenticated(f"The token for {instance} has expired or was revoked.", hint=SIGN_IN)
    forge = discover(instance)
    fields = {
        "client_id": forge.client_id,
        "grant_type": "refresh_token",
        "refresh_token": credential.refresh_token,
    }
    status, said = post_form(forge.token_endpoint, fields)
    if status >= 500 or status == 429:
        raise Unavailable(f"The forge {instance} answers {status}.", hint="Try again.")
    if status != 200 or "access_token" not in said:
        raise Unauthenticated(f"The sign-in at {instance} has expired or was ended.", hint=SIGN_IN)
    renewed = from_answer(said, credential.handle)
    with _locked():
        _store(instance, renewed)
    return renewed


def from_answer(said: dict[str, Any], handle: str = "") -> Credential:
    """The credential in the answer of a token endpoint (RFC 6749, section 5.1)."""
    lasts = said.get("expires_in")
    expires_at = int(time.time()) + int(lasts) if isinstance(lasts, int | float) else 0
    return Credential(str(said["access_token"]), str(said.get("refresh_token") or ""), expires_at, handle)


def store(instance: str, credential: Credential) -> None:
    """Keep a credential and make its instance the default."""
    with _locked():
        _store(instance, credential, make_default=True)


def kept_handles() -> dict[str, str]:
    """Where somebody is signed in, and as whom, in the order of the sign-ins."""
    return {instance: credential.handle for instance, credential in _read().instances.items()}


def switch_to(instance: str) -> bool:
    """Make an instance the default; False where nothing is kept for it."""
    with _locked():
        kept = _read()
        if instance not in kept.instances:
            return False
        kept.default = instance
        _write(kept)
    return True


def forget(instance: str) -> bool:
    """Drop what is kept for an instance; whether there was something."""
    with _locked():
        kept = _read()
        found = kept.instances.pop(instance, None)
        if kept.default == instance:
            kept.default = next(iter(kept.instances), "")
        if found is not None:
            _write(kept)
    return found is not None


def _store(instance: str, credential: Credential, *, make_default: bool = False) -> None:
    kept = _read()
    kept.instances[instance] = credential
    if make_default:
        kept.default = instance
    _write(kept)


def _folder() -> str:
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "mic")


def _path() -> str:
    return os.path.join(_folder(), "credentials.json")


def _read() -> _File:
    try:
        with open(_path(), "rb") as file:
            return _FILE.decode(file.read())
    except FileNotFoundError:
        return _File(instances={})
    except (msgspec.MsgspecError, OSError, UnicodeDecodeError) as error:
        raise MicError(
            f"{_path()} cannot be read: {error}.", hint="Remove it and sign in again with `mic auth login`."
        ) from error


def _write(kept: _File) -> None:
    os.makedirs(_folder(), mode=0o700, exist_ok=True)
    folder, name = os.path.split(os.fsencode(_path()))
    write_file(folder, name, json.dumps(msgspec.to_builtins(kept), indent=2).encode() + b"\n", 0o600)


def _locked() -> contextlib.AbstractContextManager[None]:
    """Alone with the file, for the moment that it is rewritten."""
    return _alone("credentials.lock")


def _exchanging(instance: str) -> contextlib.AbstractContextManager[None]:
    """Alone in asking one forge for a new token, however long it takes to answer; other forges are not waited for."""
    return _alone(f"renew-{zlib.crc32(instance.encode()):08x}.lock")


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    os.makedirs(_folder(), mode=0o700, exist_ok=True)
    with open(os.path.join(_folder(), name), "a", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
