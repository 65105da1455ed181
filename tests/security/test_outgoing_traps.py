"""What lures the forge inside, or keeps it waiting: each trap that a guarded client has to stand."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from mic.core.errors import InvalidInput, TooLarge, Unavailable
from micelio.outgoing.client import Outgoing
from web_server import Answer, WebServer

HERE = frozenset({"127.0.0.1"})
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


class Peer(WebServer):
    """`answers` maps a path to what is written; `asked` holds each path with the headers it was asked with."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        super().__init__(self._look_up)

    def _look_up(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append((request.path, {name.lower(): value for name, value in request.headers.items()}))
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

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


@pytest.fixture
def other() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.close()


@pytest.fixture
def client() -> Iterator[Outgoing]:
    made = Outgoing(HERE, seconds=10)
    yield made
    made.close()


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """The system's resolver says one list of addresses after the other; returns what it was asked for."""
    asked: list[str] = []
    rest = list(answers)

    def look_up(host: str, port: int, *about: object) -> list[tuple[object, ...]]:
        asked.append(host)
        found = rest.pop(0) if len(rest) > 1 else rest[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_that_moves_inside_after_it_was_judged(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked up once, and the address that was judged is connected to; Host is the name."""
    asked = names(monkeypatch, ["127.0.0.1"], ["169.254.169.254"])
    peer.says("/", b"hello")
    client = Outgoing(seconds=10, networks=LOOPBACK)
    assert client.get(f"http://moving.example:{peer.port}/", limit=10).body == b"hello"
    assert asked == ["moving.example"]
    assert peer.asked[0][1]["host"] == f"moving.example:{peer.port}"
    client.close()
    with pytest.raises(InvalidInput, match="inside of a private network"):
        client.get(f"http://moving.example:{peer.port}/", limit=10)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.7"],
        ["169.254.169.254"],
        ["100.64.3.4"],
        ["::ffff:10.0.0.7"],
        ["64:ff9b::a00:7"],
        ["0.0.0.0"],
        ["::"],
        ["93.184.216.34", "10.0.0.7"],
        ["2606:2800:220:1:248:1893:25c8:1946", "::1"],
    ],
)
def test_a_name_that_stands_for_an_inner_address(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it stands for an outer one as well. Nobody is connected to."""

    def connect(*_: object) -> None:
        raise AssertionError("a connection was made")

    names(monkeypatch, addresses)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(InvalidInput, match=r"inward\.example is inside of a private network"):
        Outgoing(seconds=10).get("https://inward.example/", limit=10)


def test_a_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver knows no deadline."""
    gone = threading.Event()

    def look_up(*_: object) -> list[object]:
        gone.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(Unavailable, match="not found in time"):
        Outgoing(seconds=0.2).get("https://slow.example/", limit=10)
    gone.set()


def test_networks_that_settings_name_are_asked_by_any_name(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any port and by http; what is in no such network is not, whatever its port."""
    peer.says("/", b"in the house")
    names(monkeypatch, ["127.0.0.1"], ["10.0.0.7"], ["93.184.216.34"])
    client = Outgoing(seconds=10, networks=LOOPBACK)
    assert client.get(f"http://gitlab.lan:{peer.port}/", limit=20).body == b"in the house"
    with pytest.raises(InvalidInput, match="inside of a private network"):
        client.get("http://10.0.0.7/", limit=20)
    with pytest.raises(InvalidInput, match="only be asked by https"):
        client.get("http://93.184.216.34/", limit=20)
    with pytest.raises(InvalidInput, match="port 25"):
        client.get("https://93.184.216.34:25/", limit=20)
    client.close()


def test_redirects_are_followed_and_judged_one_by_one(peer: Peer, other: Peer, client: Outgoing) -> None:
    """At another origin nothing arrives that could be a secret; within one everything does."""
    secret = {"Authorization": "Bearer secret", "Private-Token": "secret", "X-Odd": "secret", "Accept": "text/plain"}
    peer.says("/a", b"moved", 301, Location="/b")
    peer.says("/b", b"", 307, Location=f"{other.url}/c?d=e#f")
    other.says("/c?d=e", b"here")
    answer = client.follow(f"{peer.url}/a", secret, limit=100)
    assert (answer.status, answer.body, answer.url) == (200, b"here", f"{other.url}/c?d=e")
    assert [path for path, _ in peer.asked] == ["/a", "/b"]
    assert peer.asked[1][1]["private-token"] == "secret"
    assert other.asked[0][1].get("accept") == "text/plain"
    assert not {"authorization", "private-token", "x-odd"} & set(other.asked[0][1])


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://169.254.169.254/latest/meta-data", "only be asked by https"),
        ("https://169.254.169.254/latest/meta-data", "inside of a private network"),
        ("https://[::ffff:10.0.0.1]/", "inside of a private network"),
        ("https://0x7f.1/", "no address|cannot be asked|inside of a private network|has no address"),
        ("https://localhost/", "inside of a private network"),
        ("file:///etc/passwd", "cannot be asked"),
        ("gopher://example.org/", "cannot be asked"),
        ("https://a:b@example.org/", "cannot be asked"),
        ("//[", "sends to what is no address"),
        ("https://example.org:6379/", "may not be asked at port 6379"),
    ],
)
def test_a_redirect_inside_is_not_followed(peer: Peer, client: Outgoing, location: str, said: str) -> None:
    peer.says("/", b"", 302, Location=location)
    with pytest.raises((InvalidInput, Unavailable), match=said):
        client.follow(f"{peer.url}/", limit=100)


def test_redirects_without_end(peer: Peer, client: Outgoing) -> None:
    """Five are followed, whether they go round or always further."""
    peer.says("/round", b"", 302, Location="/round")
    with pytest.raises(InvalidInput, match="more than 5 times"):
        client.follow(f"{peer.url}/round", limit=100)
    assert len(peer.asked) == 6


def test_a_body_is_not_sent_behind_a_redirect(peer: Peer, client: Outgoing) -> None:
    peer.says("/", b"", 307, Location="/further")
    assert client.post(f"{peer.url}/", {}, b"body", limit=100).status == 307
    assert [path for path, _ in peer.asked] == ["/"]


def test_a_body_that_grows_as_it_is_unpacked(peer: Peer, client: Outgoing) -> None:
    """A hundred megabytes of nothing in a hundred kilobytes: as much is unpacked as the limit says."""
    peer.says("/bomb", gzip.compress(bytes(100 << 20), 9), Content_Encoding="gzip")
    with client.opened(f"{peer.url}/bomb", {"Accept-Encoding": "gzip"}, limit=1 << 20) as answer:
        read = 0
        for _ in range(16):
            piece = answer.read()
            assert len(piece) <= 64 << 10
            read += len(piece)
        with pytest.raises(TooLarge, match="more than 1048576 bytes"):
            answer.whole()
    assert read <= 1 << 20
    peer.says("/good", gzip.compress(b"one") + gzip.compress(b"two"), Content_Encoding="gzip")
    assert client.get(f"{peer.url}/good", limit=6).body == b"onetwo"
    peer.says("/half", gzip.compress(bytes(1000))[:15], Content_Encoding="gzip")
    with pytest.raises(Unavailable, match="in the middle"):
        client.get(f"{peer.url}/half", limit=2000)
    peer.says("/none", b"no gzip", Content_Encoding="gzip")
    with pytest.raises(Unavailable):
        client.get(f"{peer.url}/none", limit=2000)
    peer.says("/br", b"\x0b\x02\x80", Content_Encoding="br")
    with pytest.raises(Unavailable, match="'br', which nobody asked for"):
        client.get(f"{peer.url}/br", limit=2000)


def test_gzip_that_stands_for_nothing_without_end(peer: Peer, client: Outgoing) -> None:
    peer.says("/nothing", gzip.compress(b"") * 10_000, Content_Encoding="gzip")
    with pytest.raises(TooLarge):
        client.get(f"{peer.url}/nothing", limit=100)


@pytest.mark.parametrize("kind", ["long", "many", "interim"])
def test_headers_without_end(peer: Peer, client: Outgoing, kind: str) -> None:
    """One long line, many of them, or answers before the answer: 64 KiB are read, and no more."""
    line = {
        "long": b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * (1 << 20),
        "many": b"HTTP/1.1 200 OK\r\n" + b"X-Many: " + b"a" * 60_000 + b"\r\nX-Many: " + b"a" * 60_000 + b"\r\n",
        "interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
    }[kind]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        try:
            handler.wfile.write(line + b"\r\n\r\n")
        except OSError:
            return

    peer.answers["/"] = answer
    with pytest.raises(Unavailable):
        client.get(f"{peer.url}/", limit=100)


@pytest.mark.parametrize(
    "headers",
    [{"X": "a\r\nY: b"}, {"X Y": "a"}, {"X": "\u00e9"}, {"Host": "inner"}, {"Content-Length": "5"}, {"": "a"}],
)
def test_a_header_that_smuggles_another(client: Outgoing, headers: dict[str, str]) -> None:
    """Nothing is sent, and the value, which may be a secret, stands in no message."""
    with pytest.raises(InvalidInput) as caught:
        client.get("http://127.0.0.1:1/", headers, limit=1)
    assert "a\r\nY" not in caught.value.message


def test_an_error_tells_no_secret(client: Outgoing) -> None:
    with pytest.raises(InvalidInput) as caught:
        client.get("https://user:hunter2@example.org/?token=hunter3", limit=1)
    assert "hunter" not in caught.value.message + caught.value.hint


def test_silence_ends_a_long_transfer(peer: Peer) -> None:
    """The whole may take long; a byte may not."""
    gone = threading.Event()

    def stalls(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"x")
        handler.wfile.flush()
        gone.wait(60)

    peer.answers["/"] = stalls
    client = Outgoing(HERE, seconds=600)
    with client.opened(f"{peer.url}/", limit=100, idle=0.2) as answer:
        assert answer.read() == b"x"
        with pytest.raises(Unavailable):
            answer.read()
    gone.set()
    client.close()
