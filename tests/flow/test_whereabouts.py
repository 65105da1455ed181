"""A forge whose accounts are used from named networks only: from elsewhere everybody is a visitor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from browser import Browser
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from micelio.config import load
from micelio.setting_values import BadSetting
from rpc_world import Caller

ELSEWHERE = "127.9.9.9"  # everything else comes from 127.0.0.1


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    settings = {"MICELIO_NETWORKS": "127.0.0.0/24, 10.0.0.0/8", "MICELIO_NETWORKS_TOKENS": "pass"}
    made = Forge(tmp_path_factory.mktemp("closed") / "data", **settings)
    made.once("ada", "--create")
    yield made
    made.end()


def _client(forge: Forge, address: str, token: str = "") -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    transport = httpx.HTTPTransport(local_address=address)
    return httpx.Client(base_url=forge.base_url, headers=headers, transport=transport, timeout=60)


def test_a_visitor_from_elsewhere_reads_and_cannot_sign_in(closed: Forge) -> None:
    with _client(closed, ELSEWHERE) as client:
        assert client.get("/").status_code == 200
        for address in ("/-/sign-in", "/-/sign-up", "/-/sign-in/once/abc", "/-/device", "/-/reset-password"):
            answer = client.get(address)
            assert answer.status_code == 403, address
            assert f"from named networks only, and {ELSEWHERE} is in none" in answer.text
        assert client.post("/-/oauth/token", data={"grant_type": "refresh_token"}).status_code == 403
    with _client(closed, "127.0.0.1") as client:
        assert client.get("/-/sign-in").status_code == 200


def test_a_browser_that_is_signed_in_is_a_visitor_elsewhere(closed: Forge) -> None:
    with Browser(closed.base_url) as ada:
        ada.sign_in_once(closed.once("ada"))
        assert ada.get("/-/account").status_code == 200
        with _client(closed, ELSEWHERE) as client:
            client.cookies.update(ada.cookies)
            assert client.get("/-/account").status_code == 302
            assert client.get("/api/v1/me").status_code == 401
            assert client.get("/-/admin").status_code == 401
        assert ada.get("/-/account").status_code == 200


def test_tokens(closed: Forge) -> None:
    """Refused in words at REST and Git, but one that was made for it."""
    usual = closed.token("ada")
    with Caller(closed.grpc_address, usual) as ada:
        assert ada("AuthService.GetCurrentUser", pb.GetCurrentUserRequest()).user.handle == "ada"
        made = pb.CreateTokenRequest(name="build", scopes=["project:read"], mixes=True, days=1, anywhere=True)
        passing = ada("AccountService.CreateToken", made).value
        made.name, made.anywhere = "other", False
        refused = ada("AccountService.CreateToken", made).value
    for token, status in ((usual, 403), (refused, 403), (passing, 200)):
        with _client(closed, ELSEWHERE, token) as client:
            answer = client.get("/api/v1/projects")
            assert answer.status_code == status, answer.text
            if status == 403:
                assert answer.json()["code"] == "permission_denied"
                assert "named networks only" in answer.json()["detail"]
    transport = httpx.HTTPTransport(local_address=ELSEWHERE)
    with httpx.Client(base_url=closed.base_url, transport=transport, auth=("ada", usual), timeout=60) as git:
        assert git.get("/acme/api.git/info/refs?service=git-upload-pack").status_code == 403


def test_tokens_do_not_pass_unless_settings_say_so(tmp_path: Path) -> None:
    forge = Forge(tmp_path / "data", MICELIO_NETWORKS="127.0.0.0/24")
    try:
        with Caller(forge.grpc_address, forge.token("ada")) as ada:
            made = pb.CreateTokenRequest(name="build", scopes=["project:read"], mixes=True, days=1, anywhere=True)
            passing = ada("AccountService.CreateToken", made).value
        with _client(forge, ELSEWHERE, passing) as client:
            assert client.get("/api/v1/projects").status_code == 403
    finally:
        forge.end()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("10.0.0.1/8", "MICELIO_NETWORKS: '10.0.0.1/8' is an address in a network"),
        ("office", "MICELIO_NETWORKS: 'office' is no network"),
        ("0.0.0.0/0", "is the whole world"),
        ("10.0.0.0/8,10.0.0.0/8", "stands in the list twice"),
    ],
)
def test_bad_settings(value: str, says: str) -> None:
    with pytest.raises(BadSetting, match=re.escape(says)):
        load({"MICELIO_NETWORKS": value})
    with pytest.raises(BadSetting, match="MICELIO_NETWORKS_TOKENS"):
        load({"MICELIO_NETWORKS_TOKENS": "maybe"})
