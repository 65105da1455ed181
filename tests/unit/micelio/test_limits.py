"""Limits of requests: the counting, whom a request is counted to, and the settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from mic.core.errors import RateLimited
from mic.rpc.status import from_rpc_error, retry_after, to_status
from micelio import config
from micelio.audit.origin import visitor_at
from micelio.config import load
from micelio.edge.limits import kind_of
from micelio.limits import door
from micelio.limits.door import Who, counted, spend, spend_sign_in
from micelio.limits.meter import Meter
from micelio.rates import USUAL, Rate, parse_rates
from micelio.setting_values import BadSetting

ANN, BOB = UUID(int=1), UUID(int=2)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_budget_may_be_spent_at_once_and_comes_back_bit_by_bit() -> None:
    """Six a minute: six pass at once, the seventh waits ten seconds; after a minute there are six again."""
    clock = Clock()
    meter, rate = Meter(clock=clock), Rate(6, 60)
    assert [meter.take("a", rate).left for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    assert meter.take("a", rate).wait == pytest.approx(10)
    clock.now += 9.9
    assert meter.take("a", rate).wait == pytest.approx(0.1)
    clock.now += 0.1
    assert meter.take("a", rate) == pytest.approx((0, 60, 0))
    assert meter.take("a", rate).wait == pytest.approx(10)
    clock.now += 60
    assert meter.take("a", rate).left == 5


def test_what_is_refused_costs_nothing() -> None:
    """A hundred refusals later the wait is still what it was."""
    clock = Clock()
    meter, rate = Meter(clock=clock), Rate(1, 60)
    assert meter.take("a", rate).wait == 0
    assert {round(meter.take("a", rate).wait, 6) for _ in range(100)} == {60}
    assert meter.take("b", rate).wait == 0


def test_memory_is_bounded_and_keeps_those_who_asked_most() -> None:
    """A thousand addresses that come once push out nobody who has used up their budget."""
    clock = Clock()
    meter, rate = Meter(100, clock), Rate(5, 60)
    for _ in range(6):
        meter.take("busy", rate)
    for number in range(1000):
        meter.take(number, rate)
        assert len(meter) <= 100
    assert meter.take("busy", rate).wait > 0


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Very small budgets, and counters of this test's own."""
    rates = {
        "pages-anonymous": Rate(2, 60),
        "grpc-anonymous": Rate(2, 60),
        "grpc-user": Rate(4, 60),
        "grpc-token": Rate(2, 60),
        "grpc-session": Rate(1, 60),
        "sign-in": Rate(1, 60),
    }
    monkeypatch.setattr(door, "_meter", Meter())
    monkeypatch.setattr(door, "_refusals", Meter())
    monkeypatch.setattr(door, "_deaf", [])
    monkeypatch.setattr(door, "_guards", [])
    before = config.current()
    config.install(replace(before, rates=rates))
    yield
    config.install(before)


@pytest.mark.usefixtures("few")
def test_addresses_accounts_tokens_and_agents_have_budgets_of_their_own() -> None:
    """Anonymous and signed-in apart; two tokens of one account share the account's; an agent's is the smallest."""
    one, two, agent = (Who("192.0.2.1", ANN, UUID(int=number)) for number in (11, 12, 13))
    agent = agent._replace(session=b"s" * 16)
    spend("grpc", Who("192.0.2.1"))
    spend("grpc", Who("192.0.2.1"))
    with pytest.raises(RateLimited, match="your address"):
        spend("grpc", Who("192.0.2.1"))
    spend("pages", Who("192.0.2.1"))
    spend("grpc", Who("192.0.2.2"))
    spend("grpc", one)
    spend("grpc", one)
    with pytest.raises(RateLimited, match="this token"):
        spend("grpc", one)
    spend("grpc", agent)
    with pytest.raises(RateLimited, match="your account"):
        spend("grpc", two)
    spend("grpc", Who("192.0.2.1", BOB))
    bobs = Who("192.0.2.1", BOB, UUID(int=14), b"s" * 16)
    spend("grpc", bobs)
    with pytest.raises(RateLimited, match="this session"):
        spend("grpc", bobs)


@pytest.mark.usefixtures("few")
def test_all_addresses_of_one_ipv6_network_are_one() -> None:
    """/64, as a household has it; the next network is another."""
    spend_sign_in("2001:db8:1:2::1")
    with pytest.raises(RateLimited):
        spend_sign_in("2001:db8:1:2:ffff::2")
    spend_sign_in("2001:db8:1:3::1")
    assert counted("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"
    assert counted("192.0.2.7") == "192.0.2.7"


@pytest.mark.usefixtures("few")
def test_who_goes_on_through_refusals_is_told_of_once() -> None:
    """After 300 refusals an anonymous address is called deaf, once, and again after 300 more."""
    heard: list[Who] = []
    door.on_deaf(heard.append)
    who = Who("192.0.2.9")
    spend("pages", who)
    spend("pages", who)
    for _ in range(301):
        with pytest.raises(RateLimited):
            spend("pages", who)
    assert heard == [who]
    for _ in range(301):
        with pytest.raises(RateLimited):
            spend("pages", who)
    assert heard == [who, who]


@pytest.mark.usefixtures("few")
def test_a_refusal_travels_with_the_time_to_wait() -> None:
    """As gRPC's own pushback, as a RetryInfo that protobuf reads, and for `mic`."""
    who = Who("192.0.2.3", BOB, UUID(int=99), b"x")
    spend("grpc", who)
    with pytest.raises(RateLimited) as caught:
        spend("grpc", who)
    status, _, trailing = to_status(caught.value)
    found = dict(trailing)
    wait = int(found["grpc-retry-pushback-ms"])
    assert status.name == "RESOURCE_EXHAUSTED"
    assert 59_000 < wait <= 60_000

    from google.protobuf.any_pb2 import Any
    from google.protobuf.duration_pb2 import Duration

    raw = found["grpc-status-details-bin"]
    assert isinstance(raw, bytes)
    # code 8; a message; then the packed details, of which the value is field 1 of a RetryInfo.
    assert raw[:2] == b"\x08\x08"
    at = 4 + raw[3]
    packed = Any.FromString(raw[at + 2 :])
    assert packed.type_url == "type.googleapis.com/google.rpc.RetryInfo"
    delay = Duration.FromString(packed.value[2:])
    assert delay.seconds * 1000 + delay.nanos // 1_000_000 == wait

    class Failed:
        def code(self) -> object:
            return status

        def details(self) -> str:
            return "x"

        def trailing_metadata(self) -> object:
            return trailing

    read = from_rpc_error(Failed())
    assert isinstance(read, RateLimited)
    assert retry_after(read) == wait / 1000


def test_settings_change_single_rates() -> None:
    """What is not named keeps its usual rate; off takes one limit or all away."""
    assert parse_rates("") == USUAL
    assert parse_rates("off") == {}
    some = parse_rates("pages-anonymous=10/min, git-user=off,grpc-token=5/s")
    assert some["pages-anonymous"] == Rate(10, 60)
    assert some["grpc-token"] == Rate(5, 1)
    assert "git-user" not in some
    assert some["sign-in"] == USUAL["sign-in"]


@pytest.mark.parametrize(
    "text", ["on", "pages=1/min", "pages-anonymous=0/min", "pages-anonymous=1/day", "sign-in=-1/s"]
)
def test_rates_that_mean_nothing_stop_the_start(text: str) -> None:
    with pytest.raises(BadSetting, match="MICELIO_LIMITS"):
        load({"MICELIO_LIMITS": text})


@pytest.mark.parametrize("text", ["10.0.0.1/8", "proxy.example.org", "0.0.0.0/0", "::/0"])
def test_proxies_are_networks_and_not_the_world(text: str) -> None:
    with pytest.raises(BadSetting, match="MICELIO_TRUSTED_PROXIES"):
        load({"MICELIO_TRUSTED_PROXIES": text})


def test_https_means_a_proxy_on_this_machine_unless_it_is_said_where() -> None:
    https = {"MICELIO_BASE_URL": "https://forge.example.org"}
    assert [str(network) for network in load(https).trusted_proxies] == ["127.0.0.0/8", "::1/128"]
    assert load({}).trusted_proxies == ()
    assert load(https | {"MICELIO_TRUSTED_PROXIES": "none"}).trusted_proxies == ()
    assert [str(n) for n in load({"MICELIO_TRUSTED_PROXIES": "10.1.0.0/16, fd00::/8"}).trusted_proxies] == [
        "10.1.0.0/16",
        "fd00::/8",
    ]


# Connection, X-Forwarded-For, who it is, where 10.0.0.0/8 and fd00::/8 are proxies of ours.
VISITORS = [
    ("203.0.113.5", "", "203.0.113.5"),
    ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
    ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
    ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
    ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
    ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
    ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
    ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
    ("fd00::1", "2001:db8::1", "2001:db8::1"),
    ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
    ("", "198.51.100.1", ""),
    ("10.0.0.1", ",", "10.0.0.1"),
    ("10.0.0.1", "6.6.6.6" + ", 10.0.0.1" * 5000, "10.0.0.1"),
]


@pytest.mark.parametrize(("connection", "forwarded", "visitor"), VISITORS)
def test_a_forwarded_address_counts_as_far_as_trusted_proxies_wrote_it(
    connection: str, forwarded: str, visitor: str
) -> None:
    before = config.current()
    proxies = load({"MICELIO_TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8"}).trusted_proxies
    config.install(replace(before, trusted_proxies=proxies))
    try:
        assert visitor_at(connection, forwarded) == visitor
    finally:
        config.install(before)


KINDS = [
    ("GET", "/", "pages"),
    ("GET", "/acme/web", "pages"),
    ("GET", "/-/sign-in", "pages"),
    ("POST", "/-/sign-in", "sign-in"),
    ("POST", "/-/sign-in/once/abc", "sign-in"),
    ("POST", "/-/oauth/token", "sign-in"),
    ("POST", "/-/device", "sign-in"),
    ("POST", "/-/account", "pages"),
    ("GET", "/acme/web/-/raw/head/a", "costly"),
    ("GET", "/acme/web/-/landings/4/changes/1", "costly"),
    ("GET", "/acme/web/-/compare/1..2", "costly"),
    ("GET", "/acme/web/-/compare", "pages"),
    ("GET", "/acme/web/-/blame/head/a", "costly"),
    ("GET", "/acme/web/-/history/head/a", "costly"),
    ("GET", "/-/search", "costly"),
    ("GET", "/acme/web.git/info/refs", "git"),
    ("POST", "/acme/web.git/git-upload-pack", "git"),
    ("GET", "/api/v1/projects", "api"),
    ("GET", "/-/look-0123456789ab.css", ""),
]


@pytest.mark.parametrize(("method", "path", "kind"), KINDS)
def test_each_address_is_taken_from_its_budget(method: str, path: str, kind: str) -> None:
    assert kind_of(method, path) == kind


def test_what_is_asked_for_whole_is_costly() -> None:
    """The audit log as lines of JSON, a difference on one page."""
    assert kind_of("GET", "/-/audit", much=True) == "costly"
