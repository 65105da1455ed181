"""Passkeys in a real browser, with an authenticator that the browser plays itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from forge_process import Forge

pytestmark = pytest.mark.browser

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PASSWORD = "a horse on a battery"
FACTOR = "/-/account/second-factor"


@pytest.fixture
def page(forge: Forge) -> Iterator[Any]:
    """A page of a browser with an authenticator that knows its owner."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(base_url=forge.base_url).new_page()
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        yield page
        assert errors == []
        browser.close()


def _sign_in(page: Any, forge: Forge, handle: str) -> None:
    """With a password that is set on the way."""
    forge.token(handle)
    page.goto(forge.once(handle))
    page.click("main button")
    page.goto("/-/account/password")
    page.fill("#id_password", PASSWORD)
    page.click("button >> text=Save")
    page.wait_for_selector("text=Saved.")


@pytest.mark.parametrize("alone", [True, False])
def test_a_passkey_signs_in(page: Any, forge: Forge, alone: bool) -> None:
    """Alone, or beside the password, and it confirms what is dangerous."""
    handle = f"key{int(alone)}"
    _sign_in(page, forge, handle)
    page.goto(f"{FACTOR}/keys/add")  # whoever has just set the password need not say it again
    page.fill("#id_name", "My <b>laptop</b>")
    if alone:
        page.check("#id_passwordless")
    page.click("button >> text=Add it")
    page.wait_for_url("**/recovery")
    page.goto(FACTOR)
    assert page.inner_text("ul.list .goal") == "My <b>laptop</b>"
    assert ("signs in without a password" in page.inner_text("main")) is alone
    page.context.clear_cookies()
    page.goto("/-/sign-in")
    if alone:
        page.click("text=Sign in with a passkey")
        page.click("button >> text=Use a passkey")
    else:
        page.fill("#id_login", handle)
        page.fill("#id_password", PASSWORD)
        page.click("button >> text=Sign in")
        page.wait_for_url(f"**{FACTOR}/code")
        page.click("button >> text=Use a passkey or security key")
    page.wait_for_url(lambda url: "/-/" not in url)
    page.goto("/-/account")
    assert handle in page.inner_text("main")
    page.goto(f"{FACTOR}/keys/add")
    page.goto(f"{FACTOR}/keys/again?next={FACTOR}")
    page.click("button >> text=Use a passkey or security key")
    page.wait_for_url(f"**{FACTOR}")
    page.click("text=Remove")
    page.click("button >> text=Remove it")
    page.wait_for_url(f"**{FACTOR}/keys")
    assert page.query_selector("ul.list") is None


def test_without_a_script_nothing_is_offered_that_cannot_work(forge: Forge) -> None:
    """Forms for passkeys stay hidden; a password and a code do without."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(base_url=forge.base_url, java_script_enabled=False).new_page()
        page.goto("/-/sign-in/with-passkey")
        assert not page.is_visible("button >> text=Use a passkey")
        assert "Passkeys need JavaScript" in page.content()
        page.click("text=Use handle and password")
        assert page.is_visible("#id_password")
        browser.close()
