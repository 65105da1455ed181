"""Guessing passwords and handing in forged addresses."""

from __future__ import annotations

import pytest

from browser import Browser
from forge_process import Forge

PASSWORD = "a quiet long phrase"


@pytest.fixture
def victim(forge: Forge) -> str:
    """An account with a password."""
    with Browser(forge.base_url) as owner:
        owner.sign_in_once(forge.once("victoria", "--create"))
        assert owner.set_password(PASSWORD).status_code == 302
    return "victoria"


def test_guessing_one_account_is_stopped_whatever_address_it_claims(forge: Forge, victim: str) -> None:
    """After some wrong passwords even the right one is refused; a forged X-Forwarded-For buys no new attempts."""
    with Browser(forge.base_url) as guesser:
        for attempt in range(12):
            guesser.headers["X-Forwarded-For"] = f"203.0.113.{attempt}"
            guesser.submit("/-/sign-in", login=victim, password=f"wrong guess {attempt}")
        guesser.submit("/-/sign-in", login=victim, password=PASSWORD)
        assert guesser.get("/-/account").status_code == 302


def test_a_forged_host_reaches_no_page_and_no_link(forge: Forge) -> None:
    """Neither the device page's address nor the issuer can be made to name somebody else's host."""
    with Browser(forge.base_url) as visitor:
        for path in ("/.well-known/openid-configuration", "/.well-known/micelio.json", "/-/sign-in"):
            answer = visitor.get(path, headers={"Host": "evil.example"})
            assert answer.status_code == 400
            assert "evil.example" not in answer.text
        answer = visitor.post(
            "/-/oauth/device/code",
            data={"client_id": "mic-cli", "scope": "mic"},
            headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
        )
        assert "evil.example" not in answer.text


def test_a_token_is_no_session_and_a_session_no_token(forge: Forge) -> None:
    """A bearer token opens no page, so that a page cannot be framed into spending it."""
    with Browser(forge.base_url) as visitor:
        token = forge.token("tom")
        answer = visitor.get("/-/account", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 302
