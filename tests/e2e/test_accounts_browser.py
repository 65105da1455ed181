"""Signing in and one's account in a real browser: no rule of accessibility is broken, and no script is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from browser import Browser
from forge_process import Forge
from mail_server import MailServer, path_in, running_mail_server
from other_site import OtherSite

pytestmark = pytest.mark.browser

PASSWORD = "a horse on a battery"
VISITOR_PAGES = [
    "/-/sign-in", "/-/sign-in/with-passkey", "/-/sign-in/link", "/-/sign-in/link/asked", "/-/sign-in/once/spent",
    "/-/sign-up", "/-/sign-up/confirm", "/-/sign-up/waiting", "/-/sign-in/inactive", "/-/reset-password",
    "/-/reset-password/asked", "/-/reset-password/done", "/-/reset-password/link/x-y", "/-/e-mail/confirm/nonsense",
    "/-/invited/nonsense", "/-/sign-in/with/github", "/-/sign-in/with/cancelled", "/-/sign-in/with/github/back",
]  # fmt: skip
OWN_PAGES = [
    "/-/account", "/-/account/password", "/-/account/e-mail", "/-/account/browsers", "/-/account/other-sites",
    "/-/account/tokens", "/-/account/audit", "/-/account/second-factor", "/-/sign-in/again",
    "/-/account/second-factor/app", "/-/account/second-factor/keys/add", "/-/device", "/-/admin/sign-ups",
    "/-/admin/suspended", "/-/admin/mail",
]  # fmt: skip


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    with running_mail_server() as made:
        yield made


@pytest.fixture(scope="module")
def site() -> Iterator[OtherSite]:
    made = OtherSite("github")
    yield made
    made.close()


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory, post: MailServer, site: OtherSite) -> Iterator[Forge]:
    """With mail and another site, so that every page has all its parts."""
    settings = post.settings | site.settings
    made = Forge(tmp_path_factory.mktemp("pages") / "data", MICELIO_OUTGOING_ALLOW="127.0.0.1", **settings)
    with Browser(made.base_url) as admin:
        admin.sign_in_once(made.once_link)
        assert admin.set_password(PASSWORD).status_code == 302
        assert admin.submit("/-/account/tokens", name="script", scopes="org:read", days="3").status_code == 200
        assert admin.submit("/-/admin/sign-ups", act="invite", note="for Deb").status_code == 200
        made.run("token", "evan", "--create", "--whole-account")
        assert admin.submit("/-/admin/suspended", act="suspend", handle="evan", reason="spam").status_code == 302
    yield made
    made.end()


def _page(chromium: Any, forge: Forge, scheme: str = "light", **options: Any) -> Any:
    # The rules are run by a script that the policy of the pages would not let in; they themselves need none.
    context = chromium.new_context(base_url=forge.base_url, color_scheme=scheme, bypass_csp=True, **options)
    return context.new_page()


def _sign_in(page: Any) -> None:
    page.goto("/-/sign-in")
    page.fill("#id_login", "admin")
    page.fill("#id_password", PASSWORD)
    page.click("main button >> text=Sign in")
    page.wait_for_url(lambda url: "/-/" not in url)


def _broken(page: Any) -> list[str]:
    """The rules that the page breaks, and where: WCAG 2.2 A and AA, and axe's good practice."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{page.url}: {rule['id']} at {node['target']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(chromium: Any, forge: Forge, scheme: str) -> None:
    """For a visitor, for somebody signed in, and for an administrator; with the errors of forms as well."""
    page = _page(chromium, forge, scheme)
    broken = []
    page.set_content('<html lang="en"><title>x</title><main><h1>x</h1><input></main>')
    assert any("label at" in rule for rule in _broken(page))  # so it would be found
    for path in VISITOR_PAGES:
        page.goto(path)
        broken += _broken(page)
    for path in ("/-/sign-in", "/-/sign-up", "/-/reset-password", "/-/sign-in/link"):
        page.goto(path)
        page.evaluate("for (const form of document.forms) form.noValidate = true")
        page.click("main form >> nth=0 >> button")
        page.wait_for_load_state()
        broken += _broken(page)
    _sign_in(page)
    for path in OWN_PAGES:
        page.goto(path)
        assert page.locator("h1").count() == 1, path
        broken += _broken(page)
    assert broken == []


def test_all_of_it_without_a_script(chromium: Any, forge: Forge, post: MailServer, site: OtherSite) -> None:
    """Signing up, confirming, in by a link, with another site, a new password: forms and links are enough."""
    page = _page(chromium, forge, java_script_enabled=False)
    page.goto("/-/sign-up")
    for name, value in (("email", "zoe@example.org"), ("username", "zoe"), ("password1", PASSWORD)):
        page.fill(f"#id_{name}", value)
    page.click("button >> text=Make the account")
    assert page.inner_text("h1") == "Confirm your address"
    page.goto(path_in(post.wait_for("zoe@example.org"), forge.base_url))
    page.click("button >> text=Yes, confirm it")
    page.goto("/-/sign-in")
    page.click("text=Get a link that signs you in")
    page.fill("#id_email", "zoe@example.org")
    page.click("button >> text=Send the link")
    page.goto(path_in(post.wait_for("zoe@example.org", 2), forge.base_url))
    page.click("button >> text=Sign me in")
    assert page.inner_text("h1") == "Your account"
    page.click("main >> text=Password")
    # Whoever came by a link has just shown who they are: nothing is to be confirmed.
    page.fill("#id_password", "another long quiet phrase")
    page.click("button >> text=Save")
    assert "Saved." in page.inner_text("main")


def test_the_policy_lets_the_button_lead_to_the_other_site(chromium: Any, forge: Forge, site: OtherSite) -> None:
    """Browsers hold a redirect after a form to the page's policy: the way there and back is open, and no other."""
    page = chromium.new_context(base_url=forge.base_url).new_page()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    page.goto("/-/sign-in")
    page.click("button >> text=Sign in with GitHub")
    page.wait_for_url("**/-/sign-up/with")
    assert re.search("you are octo there", page.inner_text("main"))
    assert refused == []
