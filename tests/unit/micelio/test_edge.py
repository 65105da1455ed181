"""What holds for every answer of the edge, whoever makes it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from micelio.edge.access_log import Scrub, scrubbed
from micelio.edge.app import build, guarded
from micelio.edge.bodies import BodyLimit
from micelio.edge.charsets import as_utf8

POLICY = (
    "default-src 'none'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


async def _echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _sandboxed(request: Request) -> Response:
    return PlainTextResponse("raw", headers={"Content-Security-Policy": "sandbox", "X-Frame-Options": "SAMEORIGIN"})


async def _broken(request: Request) -> Response:
    raise RuntimeError("broken on purpose")


_APP = Starlette(routes=[Route("/echo", _echo, methods=["POST"]), Route("/raw", _sandboxed), Route("/broken", _broken)])


def _client(limit: int | None = None) -> httpx.AsyncClient:
    app = guarded(_APP) if limit is None else BodyLimit(_APP, limit)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://forge.test")


def _run(coroutine: object) -> httpx.Response:
    return asyncio.run(coroutine)  # type: ignore[arg-type]


async def _get(path: str) -> httpx.Response:
    async with _client() as client:
        return await client.get(path)


@pytest.mark.parametrize(("path", "status"), [("/raw", 200), ("/missing", 404), ("/echo", 405), ("/broken", 500)])
def test_every_status_carries_the_security_headers(path: str, status: int) -> None:
    """Answers, misses, wrong methods and crashes alike."""
    answer = _run(_get(path))
    assert answer.status_code == status
    assert POLICY in answer.headers.get_list("content-security-policy")
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers.get_list("referrer-policy") == ["same-origin"]
    assert answer.headers.get_list("x-frame-options") == ["DENY"]


def test_a_stricter_policy_of_an_answer_stays_beside_ours() -> None:
    """Browsers enforce both; replacing it would un-sandbox raw files."""
    assert _run(_get("/raw")).headers.get_list("content-security-policy") == ["sandbox", POLICY]


async def _post(body: bytes, *, chunked: bool) -> httpx.Response:
    async def parts() -> object:
        yield body

    async with _client(limit=10) as client:
        return await client.post("/echo", content=parts() if chunked else body)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(0, 200), (10, 200), (11, 413), (5000, 413)])
def test_body_longer_than_the_limit_is_refused(size: int, status: int, chunked: bool) -> None:
    """Ten bytes pass, eleven do not, with a stated length or without."""
    answer = _run(_post(b"x" * size, chunked=chunked))
    assert answer.status_code == status
    if status == 200:
        assert answer.text == str(size)


@pytest.mark.parametrize(
    ("accept", "kind", "says"),
    [
        ("text/html,*/*", "text/html; charset=utf-8", '<a class="btn" href="/">'),
        ("*/*", "text/plain; charset=utf-8", "The request is larger than 10 bytes.\n"),
    ],
)
def test_a_refused_body_is_answered_with_a_page_in_a_browser(accept: str, kind: str, says: str) -> None:
    """With a way on, and in a line of text elsewhere."""

    async def ask() -> httpx.Response:
        async with _client(limit=10) as client:
            return await client.post("/echo", content=b"x" * 11, headers={"Accept": accept})

    answer = _run(ask())
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, kind)
    assert "larger than 10 bytes" in answer.text
    assert says in answer.text


@pytest.mark.parametrize(("headers", "left"), [([], 0), ([(b"expect", b"100-continue")], 3)])
def test_a_refused_body_is_read_before_the_answer(headers: list[tuple[bytes, bytes]], left: int) -> None:
    """Whoever still writes would see a reset connection and not the sentence; who waits to be told is not told to."""
    parts = [{"type": "http.request", "body": b"x" * 20, "more_body": number > 0} for number in (2, 1, 0)]
    told: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        told.append(message)

    stated = [(b"content-length", b"60"), *headers]
    scope = {"type": "http", "method": "POST", "path": "/echo", "headers": stated}
    asyncio.run(BodyLimit(_APP, 10)(scope, receive, send))
    assert (told[0]["status"], len(parts)) == (413, left)


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ('"GET /-/sign-in/once/abcDEF-_1 HTTP/1.1" 200', '"GET /-/sign-in/once/... HTTP/1.1" 200'),
        ('"GET /-/device?code=WXYZ-1234 HTTP/1.1" 200', '"GET /-/device?code=... HTTP/1.1" 200'),
        ('"GET /-/sign-in?next=/-/device%3Fcode%3DWXYZ HTTP/1.1"', '"GET /-/sign-in?next=... HTTP/1.1"'),
        ('"GET /acme/web?before=7 HTTP/1.1" 200', '"GET /acme/web?before=7 HTTP/1.1" 200'),
    ],
)
def test_secrets_of_addresses_do_not_reach_the_log(line: str, clean: str) -> None:
    """One-time tokens and codes are replaced, everything else stays."""
    assert scrubbed(line) == clean
    record = logging.LogRecord("uvicorn.access", logging.INFO, __file__, 1, "%s", (line,), None)
    assert Scrub().filter(record)
    assert record.getMessage() == clean


def test_pages_get_the_bytes_of_the_path_as_they_were_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file name that is not UTF-8, and one with an escaped percent sign, reach Django unharmed."""
    seen: list[bytes] = []

    def wsgi(environ: dict[str, str], start_response: Callable[..., object]) -> list[bytes]:
        seen.append(environ["PATH_INFO"].encode("latin-1"))
        start_response("200 OK", [])
        return [b""]

    monkeypatch.setattr("micelio.edge.app.get_wsgi_application", lambda: wsgi)

    async def get_all() -> list[int]:
        transport = httpx.ASGITransport(build())
        async with httpx.AsyncClient(transport=transport, base_url="http://forge.test") as client:
            paths = ("/a/%FF%fe", "/a/%25FF", "/a/%C3%A9?x=%FF", "/a/%2Fb")
            return [(await client.get(path)).status_code for path in paths]

    assert asyncio.run(get_all()) == [200, 200, 200, 200]
    assert seen == [b"/a/\xff\xfe", b"/a/%FF", b"/a/\xc3\xa9", b"/a//b"]


@pytest.mark.parametrize(
    ("said", "read", "refused"),
    [
        ("text/html", "text/html", ""),
        ('text/plain; charset="UTF-8"', 'text/plain; charset="UTF-8"', ""),
        ("text/plain; charset=hex", "text/plain", "hex"),
        ("multipart/form-data; charset=utf-16; boundary=b", "multipart/form-data; boundary=b", "utf-16"),
        ("application/json; CHARSET=Latin-1", "application/json", "latin-1"),
    ],
)
def test_another_charset_does_not_reach_django(said: str, read: str, refused: str) -> None:
    """It takes any codec of Python's, and fails over the query of a GET; what was named is kept, to be refused."""
    environ = {"CONTENT_TYPE": said}
    as_utf8(environ)
    assert environ["CONTENT_TYPE"] == read
    assert environ.get("micelio.charset", "") == refused
