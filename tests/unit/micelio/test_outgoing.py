"""The guarded client: whom it asks, how long it waits, how much it takes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from mic.core.errors import InvalidInput, TooLarge, Unavailable
from micelio.outgoing.client import Outgoing
from micelio.outgoing.reach import may_reach
from web_server import Answer, WebServer

HERE = frozenset({"127.0.0.1", "localhost"})


class Peer(WebServer):
    """A web server of this test: `answers` maps a path to what is written to the connection."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.connections: set[object] = set()
        super().__init__(self._look_up)

    def _look_up(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        self.connections.add(request.client_address)
        self.answers[request.path](request)

    def says(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        """A plain answer at a path."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in {"Content_Length": str(len(body)), **headers}.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


@pytest.fixture
def client() -> Iterator[Outgoing]:
    made = Outgoing(HERE, seconds=5)
    yield made
    made.close()


def test_an_answer_is_given_with_its_status_and_headers(peer: Peer, client: Outgoing) -> None:
    """One connection serves one request after the other."""
    peer.says("/a?b=c", b"hello", X_Name="Value")
    peer.says("/none", b"", 404)
    for _ in range(3):
        answer = client.get(f"{peer.url}/a?b=c", limit=5)
        assert (answer.status, answer.body, answer.headers["x-name"]) == (200, b"hello", "Value")
        assert client.get(f"{peer.url}/none", limit=5).status == 404
    assert len(peer.connections) == 1


def test_a_redirect_is_not_followed(peer: Peer, client: Outgoing) -> None:
    peer.says("/from", b"", 302, Location=f"{peer.url}/to")
    peer.says("/to", b"secret")
    assert client.get(f"{peer.url}/from", limit=100).status == 302
    assert peer.asked == ["/from"]


def test_a_body_above_the_limit_is_not_read(peer: Peer, client: Outgoing) -> None:
    """Whether its length is stated or not."""

    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(1 << 16))
        except OSError:
            handler.close_connection = True

    peer.says("/long", bytes(101))
    peer.answers["/endless"] = endless
    for path in ("/long", "/endless"):
        with pytest.raises(TooLarge, match="more than 100 bytes"):
            client.get(peer.url + path, limit=100)
    assert client.get(f"{peer.url}/long", limit=101).body == bytes(101)


def test_an_answer_that_ends_early_is_none(peer: Peer, client: Outgoing) -> None:
    peer.says("/short", b"12345", Content_Length="10", Connection="close")
    with pytest.raises(Unavailable, match="after 5 of 10 bytes"):
        client.get(f"{peer.url}/short", limit=100)


def test_the_last_answer_of_a_connection_is_read_to_its_end(peer: Peer, client: Outgoing) -> None:
    """Also one that does not come in one piece with its headers, and one that ends with the connection."""
    peer.says("/last", bytes(3 << 20), Connection="close")

    def until_closed(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(bytes(3 << 20))

    peer.answers["/until-closed"] = until_closed
    for path in ("/last", "/until-closed"):
        assert client.get(peer.url + path, limit=3 << 20).body == bytes(3 << 20)


@pytest.mark.parametrize("stated", ["5\r\nContent-Length: 10", "-5", "five", "5" * 30])
def test_an_answer_of_a_doubtful_length_is_none(peer: Peer, client: Outgoing, stated: str) -> None:
    """Two lengths may be two answers to whoever stands in between."""
    peer.says("/doubtful", b"12345", Content_Length=stated, Connection="close")
    with pytest.raises(Unavailable, match="of the length of its answer"):
        client.get(f"{peer.url}/doubtful", limit=100)


def test_who_answers_too_slowly_is_given_up(peer: Peer) -> None:
    """Also one that always sends a little more in time."""
    gone = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        try:
            while not gone.wait(0.05):
                handler.wfile.write(b".")
        except OSError:
            handler.close_connection = True

    def drip_headers(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        try:
            while not gone.wait(0.05):
                handler.wfile.write(b".")
        except OSError:
            handler.close_connection = True

    peer.answers["/drip"] = drip
    peer.answers["/headers"] = drip_headers
    peer.answers["/silent"] = lambda handler: bool(gone.wait(20)) or None
    for path in ("/drip", "/headers", "/silent"):
        with pytest.raises(Unavailable, match="127.0.0.1"):
            Outgoing(HERE, seconds=0.3).get(peer.url + path, limit=1 << 20)
    gone.set()


def test_a_kept_connection_that_was_closed_is_replaced(peer: Peer, client: Outgoing) -> None:
    peer.says("/a", b"a")
    assert client.get(f"{peer.url}/a", limit=1).body == b"a"
    for kept in client._idle.values():
        assert kept[0].sock is not None
        kept[0].sock._socket.shutdown(socket.SHUT_RDWR)
    assert client.get(f"{peer.url}/a", limit=1).body == b"a"


def test_nobody_there_is_unavailable(client: Outgoing) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match="does not answer: .*Connection refused") as refused:
        client.get(f"http://127.0.0.1:{port}/", limit=1)
    assert "Errno" not in refused.value.message


def test_a_name_that_nobody_knows_is_told_without_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Unavailable) as refused:
        Outgoing(seconds=2).get("https://nobody.example/", limit=1)
    assert refused.value.message == "nobody.example has no address: Name or service not known."


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://user@example.org/",
        "https:///path",
        "https://b\u00fccher.example/",
        "https://example.org:99999/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[64:ff9b:1::a00:1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://100.64.0.1/",
        "https://100.100.100.200/",
        "https://198.18.0.1/",
        "https://192.0.2.1/",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://\u2460\u2461\u2466.0.0.1/",
        "https://user:secret@example.org/",
        "https://example.org@127.0.0.1/",
        "https://example.org:22/",
        "https://example.org:25/",
        "https://example.org:8080/",
        "https://example.org:0/",
        "https://example.org\\@127.0.0.1/",
        "https://example.org/\r\nX: y",
        "https://example.org/\x00",
        " https://example.org/",
        "//example.org/",
        "gopher://example.org/",
        "dict://example.org:11211/stat",
        "unix:/run/x.sock",
        "ftp://example.org/",
        "https://" + "a" * 300 + ".example/",
        "https://example.org/" + "a" * 10_000,
        "file:///etc/passwd",
        "",
    ],
)
def test_an_address_that_may_not_be_asked_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is sent; a name is judged by the address that it stands for."""

    def connect(*_: object, **__: object) -> socket.socket:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(InvalidInput):
        Outgoing(seconds=2).get(url, limit=1)


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True),
        ("2002:a00:1::", False),
        ("64:ff9b::a00:1", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),
    ],
)
def test_only_addresses_out_in_the_world(address: str, reached: bool) -> None:
    assert may_reach(address) is reached
