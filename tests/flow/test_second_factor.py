"""Second factors through the pages, without a script: an app, recovery codes, and what the operator can do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from browser import Browser
from forge_process import Forge
from totp import totp

PASSWORD = "a horse on a battery"
FACTOR = "/-/account/second-factor"


@pytest.fixture
def ada(own_forge: Forge) -> Iterator[Browser]:
    """Signed in with a password that she has set."""
    own_forge.token("ada")
    with Browser(own_forge.base_url) as browser:
        browser.sign_in_once(own_forge.once("ada"))
        assert browser.set_password(PASSWORD).status_code == 302
        browser.submit("/-/account", to="/-/sign-out")
        assert browser.submit("/-/sign-in", login="ada", password=PASSWORD).status_code == 302
        yield browser


def _set_up(browser: Browser) -> tuple[str, list[str]]:
    """An app; (its key, the recovery codes)."""
    asked = browser.get(f"{FACTOR}/app")
    assert asked.headers["location"].startswith("/-/sign-in/again?")
    assert browser.submit("/-/sign-in/again", password="not it").status_code == 200
    browser.submit("/-/sign-in/again", password=PASSWORD)
    page = browser.get(f"{FACTOR}/app")
    assert page.status_code == 200, page.headers
    found = re.search(r"<code class=\"cmd\"[^>]*>([A-Z2-7]{32})</code>", page.text)
    assert found is not None
    assert "data:image/svg+xml" in page.text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token is not None
    wrong = browser.post(f"{FACTOR}/app", data={"csrfmiddlewaretoken": token[1], "code": "000000"})
    assert "This code is not right" in wrong.text
    assert found[1] in wrong.text  # the same key, so that the app need not be set up again
    assert found[1] in browser.get(f"{FACTOR}/app").text  # nor when the page is looked at again
    done = browser.post(f"{FACTOR}/app", data={"csrfmiddlewaretoken": token[1], "code": totp(found[1])})
    assert done.headers["location"] == f"{FACTOR}/recovery"
    codes = re.findall(r"<li><code>([0-9]{8})</code>", browser.get(f"{FACTOR}/recovery").text)
    assert len(codes) == 10
    return found[1], codes


def _signs_in(browser: Browser, code: str) -> bool:
    browser.cookies.clear()
    asked = browser.submit("/-/sign-in", login="ada", password=PASSWORD)
    assert asked.headers["location"] == f"{FACTOR}/code"
    assert browser.get("/-/account").status_code == 302  # not signed in yet
    browser.submit(f"{FACTOR}/code", code=code)
    return browser.get("/-/account").status_code == 200


def test_an_app_and_recovery_codes(ada: Browser, own_forge: Forge) -> None:
    """A password alone is not enough any more; each code works once; a link does not go round it."""
    secret, codes = _set_up(ada)
    assert not _signs_in(ada, "000000")
    assert _signs_in(ada, totp(secret, 1))
    assert not _signs_in(ada, totp(secret, 1))  # used
    assert _signs_in(ada, codes[0])
    assert not _signs_in(ada, codes[0])
    ada.cookies.clear()
    link = own_forge.once("ada").removeprefix(own_forge.base_url)
    assert ada.submit(link).headers["location"] == f"{FACTOR}/code"
    assert ada.get("/-/account").status_code == 302
    ada.submit(f"{FACTOR}/code", code=codes[1])
    page = ada.get(FACTOR).text
    assert "A password alone does not sign in" in page
    assert "8 codes left" in page
    said = ada.get("/-/account/audit").text
    for words in (
        "ada added a second factor to ada",
        "ada used a second factor of ada",
        "failed at the second factor of",
    ):
        assert words in said


def test_secrets_are_encrypted_where_they_lie(ada: Browser, own_forge: Forge) -> None:
    """In the database and in no log; a new key takes over, and the old one can go."""
    secret, codes = _set_up(ada)

    def stored() -> list[str]:
        with own_forge.database.opened() as rows:
            found = [json.loads(row[0]) for row in rows.execute("SELECT CAST(data AS TEXT) FROM mfa_authenticator")]
        return [data.get("secret") or data.get("seed") for data in found]

    old = stored()
    assert len(old) == 2
    assert all(re.match(r"enc1\.[0-9a-f]{8}\.", value) for value in old)
    assert secret not in "".join(old) + own_forge.log()
    made = (own_forge.data_dir / "keys" / "encryption_key").read_text().strip()
    own_forge.settings |= {"ENCRYPTION_KEY": "17" * 32, "ENCRYPTION_PREVIOUS_KEYS": made}
    own_forge.restart()
    assert "2 secrets" in own_forge.run("encrypt-anew")
    new = stored()
    assert {value.split(".")[1] for value in new}.isdisjoint({value.split(".")[1] for value in old})
    del own_forge.settings["ENCRYPTION_PREVIOUS_KEYS"]
    own_forge.restart()
    assert "0 secrets" in own_forge.run("encrypt-anew")
    assert _signs_in(ada, codes[3])


def test_the_operator_lets_somebody_in_who_lost_it(ada: Browser, own_forge: Forge) -> None:
    """And only the operator: taking an app away oneself needs a confirmation."""
    _set_up(ada)
    assert own_forge.run("second-factor-off", "ada") == "ada signs in without a second factor now; 2 removed."
    ada.cookies.clear()
    assert ada.submit("/-/sign-in", login="ada", password=PASSWORD).headers["location"] == "/"
    assert "removed all second factors from ada" in ada.get("/-/account/audit").text


def test_pages_of_others_and_of_nobody(ada: Browser, own_forge: Forge) -> None:
    """Each page asks who one is; what needs a fresh sign-in asks again when it is not."""
    with Browser(own_forge.base_url) as nobody:
        for path in (
            "",
            "/app",
            "/app/stop",
            "/recovery",
            "/recovery/new",
            "/keys/add",
            "/keys/1/remove",
            "/code",
            "/again",
        ):
            answer = nobody.get(FACTOR + path)
            assert (answer.status_code, answer.headers["location"].split("?")[0]) == (302, "/-/sign-in"), path
        assert nobody.get("/-/sign-in/passkey", headers={"Accept": "application/json"}).status_code == 200
        for garbage in ('{"id": [1, 2]}', "[]", "{", '{"rawId": "", "id": "", "response": 7}', "null"):
            answer = nobody.submit("/-/sign-in", to="/-/sign-in/passkey", credential=garbage)
            assert (answer.status_code, answer.headers["location"]) == (302, "/-/sign-in"), garbage
    assert ada.get(f"{FACTOR}/keys/1/remove").headers["location"].startswith("/-/sign-in/again?")
    ada.submit("/-/sign-in/again", password=PASSWORD)
    assert ada.get(f"{FACTOR}/keys/1/remove").status_code == 404
    policy = ada.get(FACTOR).headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in ada.get("/-/account").headers["content-security-policy"]
