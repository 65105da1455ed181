"""Signing up, in and out; the one-time link; the account page."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from browser import Browser
from forge_process import Forge

PASSWORD = "a quiet long phrase"


def _sign_up(browser: Browser, handle: str, **changes: str) -> httpx.Response:
    fields = {"email": f"{handle}@example.org", "username": handle, "name": handle.title(), "password1": PASSWORD}
    return browser.submit("/-/sign-up", **(fields | changes))


@pytest.fixture
def new_browser(forge: Forge) -> Callable[[], Browser]:
    return lambda: Browser(forge.base_url)


def test_sign_up_out_and_in_by_handle_and_by_address(browser: Browser) -> None:
    """An account is usable at once, and has one spelling."""
    assert _sign_up(browser, "Nora").headers["location"] == "/"
    assert "nora" in browser.get("/-/account").text
    assert browser.submit("/-/account", to="/-/sign-out").headers["location"] == "/"
    assert browser.get("/-/account").status_code == 302
    for login in ("NORA", "nora@Example.org"):
        answer = browser.submit("/-/sign-in", login=login, password=PASSWORD)
        assert answer.status_code == 302, answer.text
        assert browser.get("/-/account").status_code == 200
        browser.submit("/-/account", to="/-/sign-out")


def test_wrong_password_and_unknown_person_get_the_same_answer(browser: Browser) -> None:
    _sign_up(browser, "quiet-petra")
    browser.submit("/-/account", to="/-/sign-out")
    answers = [
        browser.submit("/-/sign-in", login=login, password="not the phrase") for login in ("quiet-petra", "nobody-here")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    errors = {line for answer in answers for line in answer.text.splitlines() if 'class="error"' in line}
    assert len(errors) == 1
    assert browser.get("/-/account").status_code == 302


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"username": "admin"}, "reserved"),
        ({"username": "Settings"}, "reserved"),
        ({"username": "a_b"}, "cannot be a handle"),
        ({"username": "-x"}, "cannot be a handle"),
        ({"email": "no address"}, "email"),
        ({"password1": "short"}, "12 characters"),
        ({"password1": "password123"}, "common"),
    ],
)
def test_bad_sign_ups_say_what_is_wrong(browser: Browser, changes: dict[str, str], word: str) -> None:
    answer = _sign_up(browser, "quinn", **changes)
    assert answer.status_code == 200
    assert word in answer.text
    assert browser.get("/-/account").status_code == 302


def test_a_handle_is_taken_once(browser: Browser, new_browser: Callable[[], Browser]) -> None:
    _sign_up(browser, "rosa")
    with new_browser() as other:
        answer = _sign_up(other, "ROSA", email="other@example.org")
        assert "taken" in answer.text
        assert other.get("/-/account").status_code == 302


def test_the_sign_in_page_leads_to_sign_up(browser: Browser) -> None:
    """As a plain line, while sign-up is open."""
    assert '<p>New here? <a href="/-/sign-up">Make an account</a>.</p>' in browser.get("/-/sign-in").text


def test_sign_up_can_be_closed(tmp_path_factory: pytest.TempPathFactory) -> None:
    """MICELIO_SIGN_UP=closed: no form, and no way around it."""
    forge = Forge(tmp_path_factory.mktemp("closed") / "data", MICELIO_SIGN_UP="closed")
    try:
        with Browser(forge.base_url) as browser:
            assert "closed" in browser.get("/-/sign-up").text
            assert "Make an account" not in browser.get("/-/sign-in").text
            token = browser.hidden("/-/sign-in")
            answer = browser.post(
                "/-/sign-up", data=token | {"email": "s@example.org", "username": "s", "password1": PASSWORD}
            )
            assert "closed" in answer.text
            assert browser.get("/-/account").status_code == 302
            browser.sign_in_once(forge.once("tess", "--create"))
            assert "tess" in browser.get("/-/account").text
    finally:
        forge.stop()


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_never_leads_away(browser: Browser, target: str) -> None:
    browser.cookies.clear()
    handle = f"uma{abs(hash(target)) % 10**8}"
    answer = _sign_up(browser, handle, next=target)
    assert answer.headers["location"] == "/"
    browser.submit("/-/account", to="/-/sign-out")
    answer = browser.submit("/-/sign-in", login=handle, password=PASSWORD, next=target)
    assert answer.headers["location"] == "/"


def test_signing_in_leads_back_to_where_it_was_asked_for(browser: Browser) -> None:
    asked = browser.get("/-/account").headers["location"]
    assert asked == "/-/sign-in?next=/-/account"
    _sign_up(browser, "quiet-vera")
    browser.submit("/-/account", to="/-/sign-out")
    answer = browser.submit(asked, login="quiet-vera", password=PASSWORD)
    assert answer.headers["location"] == "/-/account"


def test_the_session_key_changes_at_sign_in(browser: Browser) -> None:
    """A key that somebody planted before is worth nothing after."""
    _sign_up(browser, "wanda")
    first = browser.cookies["sessionid"]
    browser.submit("/-/account", to="/-/sign-out")
    browser.cookies.set("sessionid", first, domain="localhost.local")
    browser.submit("/-/sign-in", login="wanda", password=PASSWORD)
    keys = {cookie.value for cookie in browser.cookies.jar if cookie.name == "sessionid"}
    assert keys - {first}


def test_sign_out_and_forms_need_the_csrf_token(browser: Browser) -> None:
    """Posts from another site change nothing."""
    _sign_up(browser, "xenia")
    for path in ("/-/sign-out", "/-/account", "/-/sign-in", "/-/sign-up"):
        assert browser.post(path, data={"name": "Changed"}).status_code == 403
    assert browser.get("/-/sign-out").status_code == 405
    assert "Changed" not in browser.get("/-/account").text


def test_account_page_changes_name_address_and_password(browser: Browser) -> None:
    _sign_up(browser, "yara")
    assert browser.get("/-/account/password").headers["location"] == "/-/sign-in/again?next=%2F-%2Faccount%2Fpassword"
    browser.confirm(PASSWORD)
    assert browser.set_password("another long phrase").headers["location"] == "/-/account?saved"
    assert browser.submit("/-/account/e-mail", email="y@example.org").headers["location"] == "/-/account?saved"
    assert "Saved." in browser.submit("/-/account", name="Yara Y.").text
    page = browser.get("/-/account").text
    assert "Yara Y." in page
    assert "y@example.org" in page
    browser.submit("/-/account", to="/-/sign-out")
    assert browser.submit("/-/sign-in", login="yara", password=PASSWORD).status_code == 200
    assert browser.submit("/-/sign-in", login="y@example.org", password="another long phrase").status_code == 302


def test_account_page_refuses_a_taken_address_and_a_weak_password(
    browser: Browser, new_browser: Callable[[], Browser]
) -> None:
    _sign_up(browser, "zoe")
    with new_browser() as other:
        _sign_up(other, "zara")
        other.confirm(PASSWORD)
        assert "zoe@example.org" in other.submit("/-/account/e-mail", email="ZOE@example.org").text
        assert "12 characters" in other.set_password("short").text
        assert "zara@example.org" in other.get("/-/account").text


def test_the_first_link_signs_the_administrator_in_once(own_forge: Forge) -> None:
    """Looking does not spend it, a post without CSRF token neither; the button does, for good."""
    path = own_forge.once_link.removeprefix(own_forge.base_url)
    with Browser(own_forge.base_url) as browser, Browser(own_forge.base_url) as late:
        for _ in range(3):
            assert browser.get(path).status_code == 200
            assert browser.head(path).status_code == 200
        assert browser.post(path).status_code == 403
        answer = browser.submit(path)
        assert (answer.status_code, answer.headers["location"]) == (302, "/-/account")
        assert "admin" in browser.get("/-/account").text
        again = late.submit(path)
        assert again.status_code == 410
        assert "spent or expired" in again.text
        assert late.get("/-/account").status_code == 302
    token = path.rpartition("/")[2]
    assert token not in own_forge.log()
    assert token.encode() not in own_forge.database.dump()


def test_a_wrong_link_opens_nothing(browser: Browser) -> None:
    assert browser.submit("/-/sign-in/once/not-a-token").status_code == 410
    assert browser.get("/-/account").status_code == 302


def test_links_are_printed_until_an_administrator_has_a_password(own_forge: Forge) -> None:
    """Each start closes the link of the one before; a password ends them."""
    first = own_forge.once_link
    own_forge.restart()
    second = own_forge.once_link
    assert second not in ("", first)
    with Browser(own_forge.base_url) as browser:
        assert browser.submit(first.removeprefix(own_forge.base_url)).status_code == 410
        browser.sign_in_once(second)
        assert browser.set_password(PASSWORD).status_code == 302
        own_forge.restart()
        assert own_forge.once_link == ""
        browser.submit("/-/account", to="/-/sign-out")
        assert browser.submit("/-/sign-in", login="admin", password=PASSWORD).status_code == 302


def test_secrets_stay_out_of_the_access_log(tmp_path_factory: pytest.TempPathFactory) -> None:
    """With the log on, one-time tokens and device codes are blanked, the rest of the line is there."""
    forge = Forge(tmp_path_factory.mktemp("log") / "data", MICELIO_ACCESS_LOG="on")
    try:
        with Browser(forge.base_url) as browser:
            browser.sign_in_once(forge.once_link)
            browser.get("/-/device?code=SECRETCODE")
    finally:
        forge.stop()
    assert "GET /-/sign-in/once/... HTTP/1.1" in forge.log()
    assert "SECRETCODE" not in forge.log()
    assert forge.once_link.rpartition("/")[2] not in forge.log()
