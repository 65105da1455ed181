"""The web door against a hostile client: requests that mean two things, addresses that climb, texts that would run."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from browser import Browser
from forge_process import Forge
from html_check import CORPUS, dangers, without_data, without_keys
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, added, frame, landing

POLICY = (
    "default-src 'none'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
DIFFERENCES = re.compile(r"/-/(landings|sessions|compare)/.")
KEYS_ALLOWED = re.compile(r" script-src http://(localhost|127\.0\.0\.1):\d+/-/keys-[0-9a-f]{12}\.js;")
SCRIPT = "</script><script>alert(1)</script>"
PASSWD = b"../../../../../../etc/passwd"
# Of the page's own frame, looked at by the pages' own tests.
FRAME = frozenset({"meta", "link", "form", "svg"})


@pytest.fixture(scope="module")
def world(forge: Forge) -> Iterator[World]:
    made = World(forge)
    files = {
        b"README.md": "\n\n".join([*CORPUS, SCRIPT]).encode(),
        b".gitx/a": b"[core]\n\tfsmonitor = touch /tmp/owned\n",
        b"evil.html": b"<script>alert(document.domain)</script>",
        b"evil.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<img src=x onerror=alert(1)>": b"named",
        b"a\r\nSet-Cookie: planted=1": b"split",
        b"binary": bytes(range(256)) * 4,
        b"link": PASSWD,
        b"commit": b"not a commit id",
        b"no/../way"[:3] + b"such": b"x",
    }
    changes = [
        added(path, data, {b"link": 0o120000, b"commit": 0o160000}.get(path, 0o100644)) for path, data in files.items()
    ]
    request = landing(
        made.open,
        {},
        base_position=1,
        goal=f"{SCRIPT}\n\n" + "\n\n".join(CORPUS),
        agent=SCRIPT,
        changes=changes,
        conversation=[pb.Message(role="agent", author=SCRIPT, text=text) for text in (*CORPUS, SCRIPT)],
        decisions=[
            pb.Decision(
                what=text, why=text, by=SCRIPT, evidence=text, alternatives=[pb.Alternative(what=text, why_not=text)]
            )
            for text in (*CORPUS, SCRIPT)
        ],
    )
    request.frames.extend(frame(data) for data in files.values())
    made.rita("SessionService.LandSession", request)
    yield made
    made.close()


@pytest.fixture
def visitor(forge: Forge) -> Iterator[Browser]:
    with Browser(forge.base_url) as browser:
        yield browser


PAGES = (
    "",
    "/-/landings",
    "/-/landings/2",
    "/-/sessions",
    "/-/tree/head",
    "/-/tree/@1",
    "/-/file/head/README.md",
    "/-/file/head/evil.html",
    "/-/file/head/evil.svg",
    "/-/file/head/link",
    "/-/file/head/commit",
    "/-/file/head/binary",
    "/-/file/head/.gitx/a",
    "/-/file/head/%3Cimg%20src=x%20onerror=alert(1)%3E",
    "/-/file/head/a%0D%0ASet-Cookie:%20planted=1",
    "/-/file/head/absent",
    "/-/landings/99",
    "/-/landings?author=%3Cscript%3E&path=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
    "/-/compare/@1...head",
    "/-/compare/@1...head/changes/1",
    "/-/compare/%3Cscript%3E...head",
    "/-/contributors",
    "/-/forks",
    "/-/tags",
    "/-/badges",
)


@pytest.mark.parametrize("path", PAGES)
def test_markdown_javascript_and_script_in_any_text(world: World, visitor: Browser, path: str) -> None:
    """Nothing of what people and agents write can run or load, on any page; each carries the policy."""
    answer = visitor.get(f"/{world.organization}/open{path}")
    assert answer.status_code in (200, 404)
    policies, shown = answer.headers.get_list("content-security-policy"), without_data(answer.text)
    if DIFFERENCES.match(path):
        # The one script of ours, by its whole address, once.
        policies = [KEYS_ALLOWED.sub("", policy, count=1) for policy in policies]
        shown = without_keys(shown)
    assert POLICY in policies
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers
    assert dangers(shown, FRAME) == []
    assert "<script" not in shown.lower()


def test_script_in_what_is_searched_for_and_found(world: World, visitor: Browser) -> None:
    """Neither a question nor a result is more than text; in pages and in feeds."""
    asking = (visitor.get(f"/-/search?q=evil+repo:{world.organization}/open").text for _ in range(5_000))
    assert any("evil.html" in text for text in asking)  # the indexer comes a moment after the landing
    for asked in (*CORPUS, SCRIPT, "script", "alert", "onerror", "javascript:"):
        for kind in ("", "code", "sessions"):
            query = {"q": asked[:400], "type": kind, "repo": f"{world.organization}/open"}
            answer = visitor.get("/-/search", params=query)
            assert answer.status_code in (200, 400), asked
            assert dangers(answer.text, FRAME) == []
            assert "<script" not in answer.text.lower()
        answer = visitor.get("/-/search.atom", params={"q": f"repo:{world.organization} {asked[:400]}"})
        if answer.status_code == 200:
            ElementTree.fromstring(answer.text)
            assert "<script" not in answer.text.lower()


@pytest.mark.parametrize("path", ["", "/-/landings", "/-/landings/2", "/-/file/head/README.md", "/-/file/head/absent"])
def test_json_twins_are_json_and_nothing_else(world: World, visitor: Browser, path: str) -> None:
    """Never taken for HTML, whatever it holds."""
    answer = visitor.get(f"/{world.organization}/open{path}?format=json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    json.loads(answer.text)


@pytest.mark.parametrize(
    "name",
    [
        "evil.html",
        "evil.svg",
        "README.md",
        "link",
        "commit",
        "binary",
        ".gitx/a",
        "a%0D%0ASet-Cookie:%20planted=1",
    ],
)
def test_raw_files_run_nowhere(world: World, visitor: Browser, name: str) -> None:
    """Sandboxed, not sniffed, plain text or a download; a line end in a name ends no header."""
    answer = visitor.get(f"/{world.organization}/open/-/raw/head/{name}")
    assert answer.status_code == 200
    drawn = ("image/svg+xml",) if name == "evil.svg" else ()
    assert answer.headers["content-type"] in ("text/plain; charset=utf-8", "application/octet-stream", *drawn)
    assert any("sandbox" in policy for policy in answer.headers.get_list("content-security-policy"))
    assert "set-cookie" not in answer.headers


def test_symlinks_are_followed(world: World, visitor: Browser) -> None:
    """A link out of the tree is the text of its target, on the page, raw, and as part of a path."""
    root = f"/{world.organization}/open/-"
    assert visitor.get(f"{root}/raw/head/link").content == PASSWD
    page = visitor.get(f"{root}/file/head/link").text
    assert "../../etc/passwd" in page
    assert "root:" not in page
    assert visitor.get(f"{root}/file/head/link/x").status_code == 404
    assert visitor.get(f"{root}/tree/head/link").status_code in (302, 404)


def test_binaries_are_corrupted_by_text_fields(world: World, visitor: Browser) -> None:
    """Every byte value comes back as it was."""
    assert visitor.get(f"/{world.organization}/open/-/raw/head/binary").content == bytes(range(256)) * 4


CLIMBS = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "..%252f..%252fetc/passwd",
    "%c0%ae%c0%ae/etc/passwd",
    "..\\..\\etc\\passwd",
    "%00",
    "README.md%00.png",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "head/../../../x",
)


@pytest.mark.parametrize("climb", CLIMBS)
def test_paths_that_climb(world: World, climb: str) -> None:
    """Every address that takes a path, sent as it stands: not found, never a file of the machine, never a failure."""
    project = f"/{world.organization}/open"
    before = world.forge.log()
    for prefix in (
        f"{project}/-/file/head/",
        f"{project}/-/raw/head/",
        f"{project}/-/tree/head/",
        f"{project}/-/file/",
        f"{project}/-/sessions/",
        f"{project}/-/landings/",
        f"{project}/",
        "/",
        "/-/",
        "/-/sign-in/once/",
        "/health/",
    ):
        status, body = _ask(
            world.forge, f"GET {prefix}{climb} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        assert status in (200, 302, 400, 404), (prefix, status)
        assert b"root:" not in body
        if status == 200:
            assert prefix == "/-/sign-in/once/" or b"passwd" not in body, prefix
    assert world.forge.log() == before


@pytest.mark.parametrize("target", ["//evil.example", "///evil.example/x", "/\\evil.example", "%2f%2fevil.example"])
def test_redirects_to_another_host(world: World, visitor: Browser, target: str) -> None:
    """Neither as the address itself nor as where to go next."""
    status, body = _ask(world.forge, f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert not re.search(rb"(?im)^location: *(//|/\\|https?:)", body), body[:300]
    assert status in (400, 404)
    for path in (f"/-/sign-in?next={target}", f"/-/account?next={target}"):
        answer = visitor.get(path)
        where = urlsplit(answer.headers.get("location", "/"))
        assert (where.netloc, where.path.startswith("//")) in (
            ("", False),
            (urlsplit(str(visitor.base_url)).netloc, False),
        )


SMUGGLES = {
    "both lengths": "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, other order": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": "Content-Length: 0\r\nContent-Length: 36\r\n\r\n",
    "list of lengths": "Content-Length: 0, 36\r\n\r\n",
    "signed length": "Content-Length: +0\r\n\r\n",
    "negative length": "Content-Length: -1\r\n\r\n",
    "hex length": "Content-Length: 0x10\r\n\r\n",
    "length of words": "Content-Length: many\r\n\r\n",
    "huge length": "Content-Length: 99999999999999999999999\r\n\r\n",
    "not chunked": "Transfer-Encoding: identity\r\n\r\n",
    "chunked in the middle": "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "obfuscated": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "space before colon": "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "folded": "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "nul": "X: a\0b\r\n\r\n",
    "bare line feed": "X: a\n\n",
    "no name": ": x\r\n\r\n",
}


@pytest.mark.parametrize("what", sorted(SMUGGLES))
def test_requests_that_mean_two_things(world: World, what: str) -> None:
    """A second request hidden behind one of doubtful length is never answered as a request of its own twice."""
    hidden = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    start = "POST /-/sign-in HTTP/1.1\r\nHost: localhost\r\n"
    _, answers = _ask(world.forge, f"{start}{SMUGGLES[what]}{hidden}", whole=True)
    first = int(answers.split(b" ", 2)[1]) if answers else 400
    assert first in (400, 403, 411, 413, 501), answers[:200]
    # Where the length is in doubt, the connection ends; else each byte belongs to exactly one request.
    assert answers.count(b"HTTP/1.1 ") <= (1 if what not in ("bare line feed", "folded") else 2)
    assert b"Traceback" not in answers


def test_ten_thousand_header_lines(world: World) -> None:
    """Refused or answered, soon, and the next request is answered."""
    lines = "".join(f"X-{number}: {'v' * 50}\r\n" for number in range(10_000))
    status, _ = _ask(world.forge, f"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n")
    assert status in (0, 200, 400, 413, 431)
    status, _ = _ask(world.forge, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost@evil.example", "localhost:1/../x", "", "a" * 5000, "[::1"])
def test_a_host_that_is_not_ours(world: World, host: str) -> None:
    """No page for it, and its name in no answer."""
    status, body = _ask(world.forge, f"GET /-/sign-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert status == 400
    assert b"evil.example" not in body
    doubled = "GET /-/sign-in HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    status, body = _ask(world.forge, doubled)
    assert b"evil.example" not in body


def _ask(forge: Forge, request: str, *, whole: bool = False) -> tuple[int, bytes]:
    """(status, everything that came back) of bytes sent as they stand; status 0 when the connection was just closed."""
    where = urlsplit(forge.base_url)
    with socket.create_connection(("127.0.0.1", where.port or 80), timeout=10) as connection:
        try:
            connection.sendall(request.encode("latin-1"))
            if whole:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass
    return (int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0), answer
