"""The doors of a running forge against requests that nobody would write: pages, forms, REST, Git, OAuth, gRPC."""

from __future__ import annotations

import http.client
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import grpc
from django.urls import URLPattern, URLResolver, get_resolver
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from browser import Browser
from forge_process import Forge
from fuzz.mutate import ODD, mutate, text
from fuzz.run import SLOW, Target
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import METHODS, Caller, World

_WORDS = (
    "admin", "member", "owner", "rita", "max", "public", "private", "head", "@1", "@99999999999999",
    "readme.txt", "a/b",
    "1", "0", "-1", "on", "all", "open", "json", "jsonl", "md", "html", "x@example.org", "mic", "openid", "mic-cli",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV", "00000000-0000-4000-8000-000000000000", "YQ", "2026-01-01", "project:read",
    "urn:ietf:params:oauth:grant-type:device_code", "refresh_token", "authorization_code", "blob:none",
)  # fmt: skip
_NAMES = (
    "format", "before", "after", "from", "view", "changes", "conversation", "decisions", "state", "actor",
    "act", "since",
    "until", "path", "at", "line", "note", "session", "finding", "reason", "next", "login", "password",
    "password1", "code",
    "email", "handle", "username", "name", "description", "visibility", "role", "scopes", "projects", "days", "mixes",
    "action", "client_id", "client_secret", "grant_type", "device_code", "user_code", "refresh_token", "token", "scope",
    "token_type_hint", "redirect_uri", "response_type", "limit", "cursor", "page_size", "position", "service", "goal",
    "project", "organization", "changes", "files", "title", "expires_in", "confirm", "cookie", "credential",
)  # fmt: skip
# They end the sign-in that the others need, or the project; they are asked elsewhere, by tests of their own.
_SKIPPED = ("sign-out", "browsers", "delete", "transfer", "leave", "look-", "passkeys-", "suspend", "close")
_SPOILING = (
    "DeleteProject",
    "RemoveMember",
    "DeleteOrganization",
    "LeaveOrganization",
    "TransferProject",
    "RevokeToken",
)
_PKT = (
    b"001ecommand=ls-refs\n00010000", b"0014command=fetch\n00010009done\n0000",
    b"0032want " + b"a" * 40 + b"\n00000009done\n",
    b"0094" + b"0" * 40 + b" " + b"a" * 40
    + b" refs/heads/main\x00report-status0000PACK\x00\x00\x00\x02\x00\x00\x00\x01",
)  # fmt: skip
_FINE = {
    grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED, grpc.StatusCode.OUT_OF_RANGE, grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DATA_LOSS,
}  # fmt: skip
_INTS = (0, 1, 2, 40, 127, 128, 255, 65535, 1 << 31, (1 << 31) - 1, (1 << 32) - 1, 1 << 40, (1 << 63) - 1)


def failures_in(log: str) -> list[str]:
    """The tracebacks of a forge's log, each kind once."""
    kinds = {}
    for trace in re.split(r"Traceback \(most recent call last\):\n", log)[1:]:
        lines = re.match(r"((?:  .*\n)*)(.*)", trace)
        assert lines is not None
        kinds[lines[2], lines[1][-400:]] = lines[0]
    return list(kinds.values())


class Doors:
    """A forge of its own with people, two projects and a sign-in; a context manager."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.forge = Forge(folder / "data", MICELIO_LIMITS="off", MICELIO_SIGN_UP="open")
        self.world = World(self.forge)
        where = urlsplit(self.forge.base_url)
        self._host, self._port = where.hostname or "127.0.0.1", where.port or 80
        self._token = self.forge.token("rita")
        self._line: http.client.HTTPConnection | None = None
        self._routes = sorted(_routes(get_resolver()))
        self._sign_in()

    def __enter__(self) -> Doors:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.world.close()
        self.forge.end()

    def targets(self) -> list[Target]:
        """Every door. Those of gRPC go by service."""
        services = sorted({name.partition(".")[0] for name in METHODS})
        return [
            Target("pages", self._pages),
            Target("pages, nobody", lambda rng: self._pages(rng, nobody=True)),
            Target("forms", self._forms),
            Target("OAuth and device flow", self._oauth),
            Target("REST", self._rest),
            Target("Git", self._git),
            Target("ranges", self._ranges),
            *(Target(f"gRPC {name}", self._calls(name)) for name in services),
        ]

    def complain(self) -> int:
        """Print what the forge's log says of failures, each kind once; how many kinds."""
        kinds = failures_in(self.forge.log())
        for trace in kinds:
            print(f"in the log of the forge: {trace[-2500:]}", flush=True)
        return len(kinds)

    def _sign_in(self) -> None:
        with Browser(self.forge.base_url) as browser:
            browser.sign_in_once(self.forge.once("rita"))
            self._csrf = browser.hidden("/-/account")["csrfmiddlewaretoken"]
            self._cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)

    def _pages(self, rng: random.Random, *, nobody: bool = False) -> tuple[bytes, str] | None:
        method = rng.choice(("GET", "GET", "GET", "HEAD"))
        headers = _headers(rng)
        if not nobody:
            headers["Cookie"] = self._cookies
        elif rng.random() < 0.2:
            headers["Cookie"] = _line(rng, "sessionid=" + "a" * 32)
        return self._ask(rng, method, self._address(rng), headers, b"")

    def _forms(self, rng: random.Random) -> tuple[bytes, str] | None:
        fields = _fields(rng)
        if rng.random() < 0.95:
            fields.append(("csrfmiddlewaretoken", self._csrf))
        kind = rng.choice(
            ("application/x-www-form-urlencoded",) * 4 + ("multipart/form-data; boundary=b", "text/plain", _kind(rng))
        )
        body = urlencode(fields, errors="replace").encode()
        if kind.startswith("multipart"):
            parts = [
                f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields
            ]
            body = mutate(rng, ["".join([*parts, "--b--\r\n"]).encode("utf-8", "replace")])
        elif rng.random() < 0.2:
            body = mutate(rng, [body])
        headers = _headers(rng) | {"Content-Type": kind, "Origin": self.forge.base_url, "Cookie": self._cookies}
        return self._ask(rng, "POST", self._address(rng), headers, body)

    def _oauth(self, rng: random.Random) -> tuple[bytes, str] | None:
        place = rng.choice(
            ("/-/oauth/token", "/-/oauth/device/code", "/-/oauth/revoke", "/-/oauth/userinfo", "/-/oauth/authorize",
             "/-/device", "/-/oauth/logout", "/.well-known/openid-configuration")
        )  # fmt: skip
        fields = [("client_id", "mic-cli"), *_fields(rng)]
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.forge.base_url}
        if rng.random() < 0.4:
            headers["Authorization"] = _line(rng, f"Bearer {self._token}")
        if rng.random() < 0.5:
            headers["Cookie"] = self._cookies
            fields.append(("csrfmiddlewaretoken", self._csrf))
        body = urlencode(fields, errors="replace").encode()
        if rng.random() < 0.3:
            return self._ask(rng, "GET", f"{place}?{body.decode()}", headers, b"")
        return self._ask(rng, "POST", place, headers, body)

    def _rest(self, rng: random.Random) -> tuple[bytes, str] | None:
        method = rng.choice(("GET", "GET", "POST", "POST", "PATCH", "PUT"))
        headers = _headers(rng) | {"Content-Type": "application/json"}
        if rng.random() < 0.9:
            headers["Authorization"] = f"Bearer {self._token}"
        if rng.random() < 0.2:
            headers["Idempotency-Key"] = _line(rng, "key-1")
        body = json.dumps(_value(rng, 3)).encode()
        if rng.random() < 0.3:
            body = mutate(rng, [body])
        routes = [route for route in self._routes if route.startswith("api/")]
        return self._ask(rng, method, self._address(rng, routes), headers, b"" if method == "GET" else body)

    def _git(self, rng: random.Random) -> tuple[bytes, str] | None:
        project = rng.choice(("open", "closed", "open.git", "open.git", _safe(rng)))
        root = f"/{self.world.organization}/{project}"
        headers = _headers(rng)
        if rng.random() < 0.5:
            headers["Git-Protocol"] = _line(rng, "version=2")
        service = rng.choice(("git-upload-pack", "git-receive-pack", "git-upload-archive"))
        if rng.random() < 0.3:
            return self._ask(rng, "GET", f"{root}/info/refs?service={service}", headers, b"")
        headers["Content-Type"] = f"application/x-{service}-request"
        if rng.random() < 0.2:
            headers["Content-Encoding"] = rng.choice(("gzip", "deflate", "br", "x"))
        return self._ask(rng, "POST", f"{root}/{service}", headers, mutate(rng, _PKT))

    def _ranges(self, rng: random.Random) -> tuple[bytes, str] | None:
        headers = {"Range": _line(rng, "bytes=0-3"), "If-Range": _line(rng, '"x"')}
        return self._ask(rng, "GET", f"/{self.world.organization}/open/-/raw/head/readme.txt", headers, b"")

    def _calls(self, service: str) -> Callable[[random.Random], tuple[bytes, str] | None]:
        names = sorted(name for name in METHODS if name.startswith(f"{service}."))

        def attempt(rng: random.Random) -> tuple[bytes, str] | None:
            name = rng.choice(names)
            method = METHODS[name]
            caller = rng.choice((self.world.rita, self.world.rita, self.world.max, self.world.stan, self.world.nobody))
            count = rng.choice((1, 1, 2, 3)) if method.client_streaming else 1
            messages = [self._message(rng, method.input_type, name) for _ in range(count)]
            raws = [one.SerializeToString() for one in messages]
            if rng.random() < 0.1:
                raws = [mutate(rng, [raw]) for raw in raws]
            code, said = _call(caller, name, method, raws)
            # To wait for a landing that does not come is what was asked for.
            waited = code == grpc.StatusCode.DEADLINE_EXCEEDED and name.endswith("AwaitLanding")
            return None if code in _FINE or waited else (b"\n".join(raws), f"{name}: {code} {said}")

        return attempt

    def _message(self, rng: random.Random, kind: Any, name: str) -> Message:
        made: Message = getattr(pb, kind.name)()
        for field in kind.fields:
            if rng.random() < 0.7:
                self._fill(rng, made, field, name, 4)
        return made

    def _fill(self, rng: random.Random, made: Any, field: FieldDescriptor, name: str, depth: int) -> None:
        count = rng.choice((0, 1, 1, 2, 5)) if field.is_repeated else 1
        for _ in range(count):
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                if depth == 0:
                    return
                inner = getattr(made, field.name).add() if field.is_repeated else getattr(made, field.name)
                inner.SetInParent() if not field.is_repeated else None
                if field.message_type.name == "ProjectRef" and rng.random() < 0.8:
                    spoiling = name.endswith(_SPOILING)
                    inner.organization = self.world.organization
                    inner.handle = "absent" if spoiling else rng.choice(("open", "open", "closed"))
                    continue
                for part in field.message_type.fields:
                    if rng.random() < 0.7:
                        self._fill(rng, inner, part, name, depth - 1)
                continue
            value = self._scalar(rng, field, name)
            if field.is_repeated:
                getattr(made, field.name).append(value)
            else:
                setattr(made, field.name, value)

    def _scalar(self, rng: random.Random, field: FieldDescriptor, name: str) -> Any:
        if field.type == FieldDescriptor.TYPE_BYTES:
            return rng.choice(
                (rng.randbytes(32), rng.randbytes(16), b"readme.txt", mutate(rng, (b"a/b", bytes(32)), 500))
            )
        if field.type == FieldDescriptor.TYPE_STRING:
            if field.name == "organization" and not name.endswith(_SPOILING) and rng.random() < 0.7:
                return self.world.organization
            return rng.choice(_WORDS) if rng.random() < 0.5 else text(rng, _WORDS, 2000)
        if field.type == FieldDescriptor.TYPE_BOOL:
            return rng.random() < 0.5
        if field.type == FieldDescriptor.TYPE_ENUM:
            return rng.randrange(5)
        signed = field.type in (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT64)
        narrow = field.type in (FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_INT32)
        number = rng.choice(_INTS)
        number = min(number, (1 << 31) - 1 if signed else (1 << 32) - 1) if narrow else number
        return -number if signed and rng.random() < 0.3 else number

    def _address(self, rng: random.Random, routes: list[str] | None = None) -> str:
        route = rng.choice(routes or self._routes)

        def value(match: re.Match[str]) -> str:
            name = match[1].rpartition(":")[2]
            good = {
                "owner": [self.world.organization], "organization": [self.world.organization],
                "org": [self.world.organization],
                "handle": ["open", "closed"], "project": ["open", "closed"], "ref": ["head", "@1"],
                "path": ["readme.txt"],
                "position": ["1", "2"], "number": ["1"],
            }.get(name, list(_WORDS))  # fmt: skip
            if "int:" in match[1]:
                return str(rng.choice(_INTS))
            return quote(rng.choice(good), safe="/@") if rng.random() < 0.7 else _safe(rng)

        address = "/" + re.sub(r"<([^>]+)>", value, route)
        if rng.random() < 0.6:
            address += "?" + urlencode(_fields(rng)[:4], errors="replace")
        return address

    def _ask(
        self, rng: random.Random, method: str, address: str, headers: dict[str, str], body: bytes
    ) -> tuple[bytes, str] | None:
        said = f"{method} {address}\n{json.dumps(headers)}\n\n".encode() + body
        started = time.monotonic()
        for again in (False, True):
            if self._line is None:
                self._line = http.client.HTTPConnection(self._host, self._port, timeout=30)
            try:
                self._line.putrequest(method, address, skip_accept_encoding=True)
                for name, value in headers.items():
                    self._line.putheader(name, value.encode("latin-1", "replace"))
                if method not in ("GET", "HEAD"):
                    self._line.putheader("Content-Length", str(len(body)))
                self._line.endheaders(body if method not in ("GET", "HEAD") else None)
                answer = self._line.getresponse()
                answer.read()
            except http.client.InvalidURL:
                return None
            except (http.client.HTTPException, OSError) as error:
                self._line.close()
                self._line = None
                if again:
                    return said, f"{method} {address}: {error!r}"
                continue
            if answer.will_close:
                self._line.close()
                self._line = None
            if answer.status >= 500:
                return said, f"{method} {address}: {answer.status}"
            took = time.monotonic() - started
            return (said, f"{method} {address}: took {took:.1f} s") if took > SLOW else None
        return None


def _call(caller: Caller, name: str, method: Any, raws: list[bytes]) -> tuple[grpc.StatusCode, str]:
    request: Any = raws if method.client_streaming else raws[0]
    try:
        if method.server_streaming:
            for _ in caller.start(name, request, 15):
                pass
        else:
            caller.start(name, request, 2 if name.endswith("AwaitLanding") else 15).result()
    except grpc.RpcError as error:
        found: Any = error
        return found.code(), found.details() or ""
    return grpc.StatusCode.OK, ""


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for item in resolver.url_patterns:
        route = before + getattr(item.pattern, "_route", "")
        if any(word in route for word in _SKIPPED):
            continue
        if isinstance(item, URLResolver):
            yield from _routes(item, route)
        elif isinstance(item, URLPattern) and hasattr(item.pattern, "_route"):
            yield route


def _safe(rng: random.Random) -> str:
    """Any bytes as a part of an address, sometimes not even encoded."""
    raw = mutate(rng, [word.encode() for word in _WORDS], 300)
    if rng.random() < 0.8:
        return quote(raw, safe="")
    return re.sub(r"[\x00-\x20\x7f-\xff]", "", raw.decode("latin-1"))


def _line(rng: random.Random, good: str) -> str:
    """A header's value: one line of Latin-1."""
    if rng.random() < 0.2:
        return good
    return re.sub(r"[\x00-\x1f\x7f]", "", mutate(rng, [good.encode()], 1000).decode("latin-1"))


def _kind(rng: random.Random) -> str:
    charset = rng.choice(("utf-16", "hex", "idna", "latin-1", "utf-7", "undefined", "nonsense", '"UTF-8"'))
    return f"{rng.choice(('application/x-www-form-urlencoded', 'multipart/form-data; boundary=b'))}; charset={charset}"


def _headers(rng: random.Random) -> dict[str, str]:
    found = {}
    for name, good in (
        ("Accept", "application/json"), ("Content-Type", "text/plain; charset=utf-8"),
        ("Range", "bytes=0-3"), ("If-None-Match", '"x"'), ("If-Match", '"x"'),
        ("If-Modified-Since", "Sat, 28 Nov 2026 00:00:00 GMT"), ("X-Forwarded-For", "192.0.2.1"),
        ("Accept-Language", "en"),
        ("Referer", "http://localhost/"), ("Authorization", "Bearer x"), ("X-Request-Id", "abc"), ("Forwarded",
        "for=x"),
        ("X-HTTP-Method-Override", "DELETE"), ("Accept-Encoding", "gzip"), ("Sec-Fetch-Site", "cross-site"),
    ):  # fmt: skip
        if rng.random() < 0.12:
            found[name] = _line(rng, good)
    return found


def _fields(rng: random.Random) -> list[tuple[str, str]]:
    """Some fields, some of them twice, with values that may mean something."""
    names = [rng.choice(_NAMES) for _ in range(rng.choice((1, 2, 3, 5, 9)))]
    names += [names[0]] if rng.random() < 0.2 else []
    names = [name + "[]" if rng.random() < 0.05 else name for name in names]
    return [(name, rng.choice(_WORDS) if rng.random() < 0.6 else text(rng, _WORDS, 3000)) for name in names]


def _value(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(8 if depth else 6)
    if kind == 6:
        return [_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 7 or depth == 3:
        return {rng.choice(_NAMES): _value(rng, depth - 1) for _ in range(rng.randrange(6))}
    odd = rng.choice(ODD).decode("utf-8", "replace")
    return rng.choice((None, True, 1.5, rng.choice(_INTS), rng.choice(_WORDS), odd))
