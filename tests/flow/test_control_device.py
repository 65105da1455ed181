"""The device grant (RFC 8628) from end to end, as `mic auth login` walks it."""

from __future__ import annotations

import time

import httpx
import pytest

from browser import Browser
from forge_process import Forge

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def person(forge: Forge, browser: Browser) -> Browser:
    """A browser signed in as dora."""
    browser.sign_in_once(forge.once("dora", "--create"))
    return browser


def _ask(forge: Forge, **fields: str) -> httpx.Response:
    return httpx.post(f"{forge.base_url}/-/oauth/device/code", data={"client_id": "mic-cli", "scope": "mic"} | fields)


def _poll(forge: Forge, device_code: str, **fields: str) -> httpx.Response:
    data = {"client_id": "mic-cli", "grant_type": GRANT, "device_code": device_code} | fields
    return httpx.post(f"{forge.base_url}/-/oauth/token", data=data)


def _wait(forge: Forge, asked: dict[str, object]) -> httpx.Response:
    """Poll as the protocol says, `interval` seconds apart, until the answer is neither pending nor "slow down"."""
    while True:
        time.sleep(float(str(asked["interval"])))
        answer = _poll(forge, str(asked["device_code"]))
        if answer.json().get("error") not in ("slow_down", "authorization_pending"):
            return answer


def _userinfo(forge: Forge, token: str) -> httpx.Response:
    return httpx.get(f"{forge.base_url}/-/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})


def _page(asked: dict[str, object], forge: Forge) -> str:
    return str(asked["verification_uri_complete"]).removeprefix(forge.base_url)


def test_the_whole_grant(forge: Forge, person: Browser) -> None:
    """Pending, slow down, approved, token, replay refused, refresh rotated, revoked."""
    asked = _ask(forge).json()
    assert asked["verification_uri"] == f"{forge.base_url}/-/device"
    code = asked["device_code"]
    assert _poll(forge, code).json()["error"] == "authorization_pending"
    assert _poll(forge, code).json()["error"] == "slow_down"

    page = _page(asked, forge)
    shown = person.get(page).text
    assert asked["user_code"] in shown
    assert "dora" in shown
    assert "Connected" in person.submit(page, action="confirm").text

    granted = _wait(forge, asked)
    assert granted.status_code == 200, granted.text
    tokens = granted.json()
    assert (tokens["token_type"], tokens["scope"], tokens["expires_in"]) == ("Bearer", "mic", 900)
    assert _poll(forge, code).json()["error"] == "invalid_grant"

    renewed = httpx.post(
        f"{forge.base_url}/-/oauth/token",
        data={"client_id": "mic-cli", "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
    ).json()
    assert renewed["access_token"] != tokens["access_token"]
    spent = httpx.post(
        f"{forge.base_url}/-/oauth/token",
        data={"client_id": "mic-cli", "grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
    )
    assert spent.json()["error"] == "invalid_grant"

    gone = httpx.post(
        f"{forge.base_url}/-/oauth/revoke", data={"client_id": "mic-cli", "token": renewed["access_token"]}
    )
    assert gone.status_code == 200
    assert not _stored(forge, renewed["access_token"])


def _stored(forge: Forge, token: str) -> bool:
    """A row for this token exists; the token itself never does."""
    import hashlib

    digest = hashlib.sha256(token.encode()).hexdigest()
    with forge.database.opened() as rows:
        found = rows.execute("SELECT hash FROM allauth_idp_oidc_token WHERE hash IN (?, ?)", (digest, token))
    hashed, plain = (digest,) in found, (token,) in found
    assert not plain
    return bool(hashed)


def test_refused_by_the_person(forge: Forge, person: Browser) -> None:
    asked = _ask(forge).json()
    assert "Refused" in person.submit(_page(asked, forge), action="deny").text
    assert _wait(forge, asked).json()["error"] == "access_denied"


def test_approval_needs_the_csrf_token(forge: Forge, person: Browser) -> None:
    """A page of somebody else cannot approve their device for the signed-in person."""
    asked = _ask(forge).json()
    page = _page(asked, forge)
    assert person.post(page, data={"action": "confirm"}).status_code == 403
    wrong = {"action": "confirm", "csrfmiddlewaretoken": "x" * 64}
    assert person.post(page, data=wrong).status_code == 403
    foreign = person.hidden(page) | {"action": "confirm"}
    assert person.post(page, data=foreign, headers={"Origin": "https://evil.example"}).status_code == 403
    assert _poll(forge, asked["device_code"]).json()["error"] == "authorization_pending"


def test_approval_needs_a_signed_in_person(forge: Forge, browser: Browser) -> None:
    asked = _ask(forge).json()
    answer = browser.get(_page(asked, forge))
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/-/sign-in?next=/-/device")


def test_a_code_is_approved_once(forge: Forge, person: Browser) -> None:
    asked = _ask(forge).json()
    page = _page(asked, forge)
    person.submit(page, action="confirm")
    assert "Connected" not in person.submit(page, action="confirm").text


@pytest.mark.parametrize("code", ["WRONG", "", "x" * 300])
def test_a_wrong_code_is_said_to_be_wrong(person: Browser, code: str) -> None:
    answer = person.get("/-/device", params={"code": code})
    assert answer.status_code == 200
    assert 'class="errorlist"' in answer.text


@pytest.mark.parametrize(
    "fields", [{"client_id": "somebody"}, {"scope": "mic admin"}, {"scope": "email"}, {"client_id": ""}]
)
def test_unknown_clients_and_scopes_get_no_code(forge: Forge, fields: dict[str, str]) -> None:
    answer = _ask(forge, **fields)
    assert 400 <= answer.status_code < 500
    assert "device_code" not in answer.json()


def test_other_grants_are_closed_to_the_client(forge: Forge) -> None:
    for grant in ("client_credentials", "password", "authorization_code"):
        answer = httpx.post(
            f"{forge.base_url}/-/oauth/token",
            data={"client_id": "mic-cli", "grant_type": grant, "username": "dora", "password": "x", "code": "x"},
        )
        assert 400 <= answer.status_code < 500
        assert "access_token" not in answer.json()


def test_codes_are_shared_between_processes(forge: Forge) -> None:
    """They live in the database, not in one process's memory: a restart in mid-sign-in loses nothing."""
    count = "SELECT count(*) FROM micelio_cache"
    with forge.database.opened() as rows:
        before = rows.execute(count)[0][0]
    assert _ask(forge).status_code == 200
    with forge.database.opened() as rows:
        assert rows.execute(count)[0][0] >= before + 2  # the code that people type, and the device's
