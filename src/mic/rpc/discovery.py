"""What a forge says of itself at `/.well-known/micelio.json`: all that a client needs beside its address."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from typing import Any, NamedTuple

from mic.core.errors import InvalidInput, MicError, RateLimited, Unavailable
from mic.rpc.unreached import Unreached

WELL_KNOWN = "/.well-known/micelio.json"
TIMEOUT = 20.0  # seconds for one answer of the web side
# A forge that wants one to wait is asked so often in all, while it says so for no longer than these seconds.
_TURNS, _SOON = 4, 5
MAX_ANSWER = 1 << 20  # bytes; what the forge says of itself is below 1 KiB
_LOCAL = ("localhost", "127.0.0.1", "[::1]", "::1")


class Forge(NamedTuple):
    """A forge as it describes itself. `grpc` is `host:port`; the endpoints are URLs."""

    instance: str
    grpc: str
    tls: bool
    device_authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str
    client_id: str
    scope: str


def normal_instance(text: str) -> str:
    """An instance as `scheme://host[:port]`, from a URL or a host name; raises InvalidInput.

    A bare host is reached by HTTPS, except this very machine, by HTTP.
    """
    whole = text.strip()
    if "://" not in whole:
        host = whole.partition("/")[0]
        scheme = "http" if is_local(host) else "https"
        whole = f"{scheme}://{whole}"
    try:
        parts = urllib.parse.urlsplit(whole)
        valid = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # brackets that hold no address, or a port that is none
        parts, valid = urllib.parse.SplitResult("", "", "", "", ""), False
    if "@" in whole.partition("://")[2].partition("/")[0]:
        # Without the words themselves: errors end in logs.
        raise InvalidInput(
            "The address of a forge holds no name and no password.", hint="Use a form like https://host:port."
        )
    if not valid:
        raise InvalidInput(f"{text[:200]!r} is not the address of a forge.", hint="Use a form like https://host:port.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def is_local(host: str) -> bool:
    """Whether a `host` or `host:port` names this machine."""
    if host in _LOCAL:
        return True
    name, _, port = host.rpartition(":")
    return port.isdecimal() and name in _LOCAL


def discover(instance: str, pause: Callable[[float], None] = time.sleep) -> Forge:
    """Ask a forge for its doors; raises Unavailable when nobody answers, InvalidInput when it is no forge.

    One that takes nothing more just now is asked again when it says so, if that is soon; else RateLimited is raised.
    """
    for _ in range(_TURNS - 1):
        try:
            return _discover(instance)
        except RateLimited as error:
            seconds = error.details["retry_after"]
            if seconds > _SOON:
                raise
            pause(seconds)
    return _discover(instance)


def _discover(instance: str) -> Forge:
    url = instance + WELL_KNOWN
    try:
        said = _answer(urllib.request.Request(url, headers={"Accept": "application/json"}))  # noqa: S310  # http(s)
        return Forge(
            instance,
            str(said["grpc"]),
            bool(said["grpc_tls"]),
            str(said["device_authorization_endpoint"]),
            str(said["token_endpoint"]),
            str(said["revocation_endpoint"]),
            str(said["client_id"]),
            str(said["scope"]),
        )
    except urllib.error.HTTPError as error:
        error.close()
        if error.code >= 500:
            raise Unavailable(f"The forge {instance} answers {error.code}.", hint="Try again.") from error
        if error.code == 429:
            after = error.headers.get("Retry-After", "")
            seconds = max(int(after), 1) if after.isascii() and after.isdecimal() and len(after) < 6 else 60
            raise RateLimited(
                f"The forge {instance} is asked too often from here.",
                hint=f"Try again in {seconds} second{'s' if seconds > 1 else ''}.",
                retry_after=seconds,
            ) from error
        raise _no_forge(instance) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _no_forge(instance) from error
    except (OSError, HTTPException) as error:
        raise unreachable(instance, error) from error


def post_form(url: str, fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Send a form; the status and the JSON object that came back (empty when it was none). Raises Unavailable."""
    data = urllib.parse.urlencode(fields).encode()
    request = urllib.request.Request(url, data, {"Accept": "application/json"})  # noqa: S310  # from the forge itself
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise InvalidInput(f"{url[:200]!r} is not a web address.")
    try:
        return 200, _answer(request)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _parse(error.read(MAX_ANSWER))
    except ValueError:
        return 200, {}
    except (OSError, HTTPException) as error:
        raise unreachable(url, error) from error


def unreachable(instance: str, error: Exception) -> MicError:
    """The error for a forge that does not answer."""
    reason = getattr(error, "reason", None) or error
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return Unreached(
        f"The forge {instance} cannot be reached: {text}.", hint="Is it running? Is the address right? Then try again."
    )


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  # the scheme is checked above
        found = json.loads(answer.read(MAX_ANSWER))
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _no_forge(instance: str) -> MicError:
    return InvalidInput(f"There is no Micelio forge at {instance}.", hint="Check the address of the instance.")
