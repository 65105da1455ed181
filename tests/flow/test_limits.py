"""Limits of requests, asked of a running forge through every door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from browser import Browser
from forge_process import Forge
from mic.core.errors import RateLimited
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller

RATES = (
    "pages-anonymous=5/min, pages-user=8/min, costly-anonymous=2/min, sign-in=3/min, "
    "grpc-anonymous=2/min, grpc-user=1000/min, grpc-token=2/s"
)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A forge that takes little, behind a proxy that is this test."""
    made = Forge(
        tmp_path_factory.mktemp("strict") / "data", MICELIO_LIMITS=RATES, MICELIO_TRUSTED_PROXIES="127.0.0.0/8"
    )
    yield made
    made.end()


def _at(forge: Forge, address: str) -> Browser:
    browser = Browser(forge.base_url)
    browser.headers["X-Forwarded-For"] = address
    return browser


def test_an_address_that_asks_too_much_is_told_when_to_come_back(strict: Forge) -> None:
    """Five pages pass, the sixth is 429 with all that a program needs; another address is not concerned."""
    with _at(strict, "198.51.100.1") as visitor:
        assert [visitor.get("/").status_code for _ in range(6)] == [200] * 5 + [429]
        answer = visitor.get("/")
        assert 1 <= int(answer.headers["retry-after"]) <= 12
        assert answer.headers["ratelimit-policy"] == '"pages-anonymous";q=5;w=60'
        assert re.fullmatch(r'"pages-anonymous";r=0;t=\d+', answer.headers["ratelimit"])
        assert answer.headers["cache-control"] == "no-store"
        assert "Too many requests from your address: 5 a minute are taken." in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        twin = visitor.get("/?format=json")
        assert (twin.status_code, twin.json()["error"]["code"]) == (429, "rate_limited")
    with _at(strict, "198.51.100.2") as other:
        assert other.get("/").status_code == 200


def test_a_forged_address_buys_nothing(strict: Forge) -> None:
    """What stands left of the proxy's own entry is the visitor's invention."""
    with Browser(strict.base_url) as visitor:
        codes = []
        for number in range(6):
            visitor.headers["X-Forwarded-For"] = f"6.6.6.{number}, 198.51.100.3"
            codes.append(visitor.get("/").status_code)
        assert codes == [200] * 5 + [429]


def test_without_trusted_proxies_the_header_is_not_read(forge: Forge) -> None:
    """The audit log has the connection's address, whatever the request claims; the log names the setting once."""
    with Browser(forge.base_url) as visitor:
        visitor.headers["X-Forwarded-For"] = "6.6.6.6"
        visitor.sign_in_once(forge.once("phil", "--create"))
        events = visitor.get("/-/account/audit?format=json").json()["events"]
    assert all("6.6.6.6" not in str(event) for event in events)
    assert forge.log().count("MICELIO_TRUSTED_PROXIES does not name that address") == 1


def test_somebody_signed_in_is_counted_as_the_account(strict: Forge) -> None:
    """From wherever: the address's budget is not touched, and the account's own is used up in two places."""
    with _at(strict, "198.51.100.4") as one, _at(strict, "198.51.100.5") as two:
        for browser in (one, two):
            browser.sign_in_once(strict.once("olga", "--create"))
        codes = [browser.get("/-/account").status_code for _ in range(4) for browser in (one, two)]
        assert codes == [200] * 8
        assert [one.get("/").status_code, two.get("/").status_code] == [429, 429]
        assert "your account" in one.get("/").text


def test_costly_pages_and_attempts_to_sign_in_have_budgets_of_their_own(strict: Forge) -> None:
    with _at(strict, "198.51.100.6") as visitor:
        raw = [visitor.get("/acme/web/-/raw/head/a").status_code for _ in range(3)]
        assert raw == [404, 404, 429]
        fields = visitor.hidden("/-/sign-in") | {"login": "nobody", "password": "wrong"}
        tries = [visitor.post("/-/sign-in", data=fields).status_code for _ in range(4)]
        assert tries == [200, 200, 200, 429]
        assert visitor.get("/-/sign-in").status_code == 200


def test_grpc_refuses_with_the_time_to_wait(strict: Forge) -> None:
    """RESOURCE_EXHAUSTED and the pushback; bad tokens are attempts to sign in."""
    with Caller(strict.grpc_address, **{"x-forwarded-for": "198.51.100.7"}) as nobody:
        for _ in range(2):
            nobody("ProjectService.ListProjects", pb.ListProjectsRequest())
        refused = nobody.refused("ProjectService.ListProjects", pb.ListProjectsRequest())
    assert (refused.status.name, refused.code) == ("RESOURCE_EXHAUSTED", "rate_limited")
    assert 1 <= int(refused.trailing["grpc-retry-pushback-ms"]) <= 30_000
    with Caller(strict.grpc_address, "not a token", **{"x-forwarded-for": "198.51.100.8"}) as guesser:
        codes = [guesser.refused("AuthService.GetCurrentUser", pb.GetCurrentUserRequest()).code for _ in range(4)]
    assert codes == ["unauthenticated"] * 3 + ["rate_limited"]


def test_mic_waits_and_says_so(strict: Forge) -> None:
    """A token's third call in a second is repeated when the forge takes it; the caller hears how long it waits."""
    with Client(strict.grpc_address, strict.token("ina"), insecure=True) as signed_in:
        request = pb.CreateTokenRequest(name="quick", scopes=["org:read"], days=1)
        token = signed_in.call(signed_in.account.CreateToken, request).value
    waits: list[float] = []
    with Client(strict.grpc_address, token, insecure=True, waiting=waits.append) as client:
        for _ in range(6):
            assert client.call(client.auth.GetCurrentUser, pb.GetCurrentUserRequest()).user.handle == "ina"
    assert waits
    assert all(0 < wait <= 0.5 for wait in waits)


def test_mic_does_not_wait_for_ever(strict: Forge) -> None:
    """Where the wait is longer than its patience, the sentence of the forge comes through."""
    with Client(strict.grpc_address, insecure=True, pause=lambda seconds: None) as client:
        request = pb.ListProjectsRequest()
        with pytest.raises(RateLimited) as caught:
            [client.call(client.projects.ListProjects, request) for _ in range(20)]
        assert caught.value.message == "Too many requests from your address: 2 a minute are taken."
        assert caught.value.hint.startswith("Try again in")


def test_limits_can_be_off(tmp_path: Path) -> None:
    forge = Forge(tmp_path / "data", MICELIO_LIMITS="off")
    try:
        with httpx.Client(base_url=forge.base_url) as visitor:
            assert {visitor.get("/.well-known/micelio.json").status_code for _ in range(1300)} == {200}
    finally:
        forge.end()
