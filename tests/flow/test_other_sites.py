"""Signing in with GitHub and GitLab, of which small stand-ins speak the real protocol."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import httpx
import pytest

from browser import Browser
from forge_process import Forge
from other_site import OtherSite

PASSWORD = "a quiet long phrase"


@pytest.fixture(scope="module")
def sites() -> Iterator[dict[str, OtherSite]]:
    made = {kind: OtherSite(kind) for kind in ("github", "gitlab")}
    yield made
    for site in made.values():
        site.close()


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory, sites: dict[str, OtherSite]) -> Iterator[Forge]:
    settings = sites["github"].settings | sites["gitlab"].settings
    made = Forge(tmp_path_factory.mktemp("sites") / "data", MICELIO_OUTGOING_ALLOW="127.0.0.1", **settings)
    yield made
    made.end()


@pytest.fixture
def visitor(forge: Forge) -> Iterator[Browser]:
    with Browser(forge.base_url) as made:
        yield made


def _be(site: OtherSite, number: int, login: str, **about: object) -> None:
    site.who = {"id": number, "login": login, "username": login, "name": login.title(), "email": None} | about


def _begin(browser: Browser, site: OtherSite, page: str = "/-/sign-in", **fields: str) -> str:
    """Press the button; where the browser is sent."""
    answer = browser.submit(page, to=f"/-/sign-in/with/{site.kind}", **fields)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def _come(browser: Browser, site: OtherSite, page: str = "/-/sign-in", **fields: str) -> httpx.Response:
    """Press the button, say yes there, and come back."""
    back = site.approve(_begin(browser, site, page, **fields))
    assert back.startswith(f"{browser.base_url!s}".rstrip("/") + f"/-/sign-in/with/{site.kind}/back?")
    return browser.get(back.removeprefix(str(browser.base_url).rstrip("/")))


def _arrive(browser: Browser, site: OtherSite, handle: str, **fields: str) -> httpx.Response:
    answer = _come(browser, site)
    assert answer.headers["location"] == "/-/sign-up/with"
    values = {"email": f"{handle}@example.org", "username": handle, "name": ""} | fields
    return browser.submit("/-/sign-up/with", **values)


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_new_person_and_the_same_one_again(forge: Forge, sites: dict[str, OtherSite], kind: str) -> None:
    """A handle is chosen here; afterwards the button signs in, whatever name or address the site tells then."""
    site, handle = sites[kind], f"ada-{kind}"
    _be(site, 100, "Ada_There", email="ada@there.example.org")
    with Browser(forge.base_url) as browser:
        assert _come(browser, site).headers["location"] == "/-/sign-up/with"
        page = browser.get("/-/sign-up/with").text
        assert "you are <strong>Ada_There</strong> there" in page
        assert 'value="ada@there.example.org"' in page
        wrong = browser.submit("/-/sign-up/with", email="x@example.org", username="a_b")
        assert "cannot be a handle" in wrong.text
        made = browser.submit("/-/sign-up/with", email=f"{handle}@example.org", username=handle)
        assert made.headers["location"] == "/"
        assert handle in browser.get("/-/account").text
    _be(site, 100, "renamed", email=None)
    with Browser(forge.base_url) as browser:
        assert _come(browser, site, next="/-/account/tokens").headers["location"] == "/-/account/tokens"
        assert handle in browser.get("/-/account").text
        assert "signed in as" in browser.get("/-/account/audit").text


def test_an_address_is_nobody(forge: Forge, sites: dict[str, OtherSite], visitor: Browser) -> None:
    """Whoever has somebody's address, or their name, at another site does not get into their account."""
    site = sites["github"]
    with Browser(forge.base_url) as owner:
        fields = {"email": "owner@example.org", "username": "owner", "password1": PASSWORD}
        assert owner.submit("/-/sign-up", **fields).status_code == 302
    _be(site, 200, "owner", email="owner@example.org", verified=True)
    answer = _come(visitor, site)
    assert answer.headers["location"] == "/-/sign-up/with"
    refused = visitor.submit("/-/sign-up/with", email="owner@example.org", username="owner")
    assert "taken" in refused.text
    assert visitor.get("/-/account").status_code == 302


def test_two_sites_with_one_number_are_two_people(forge: Forge, sites: dict[str, OtherSite]) -> None:
    """7 at GitHub is not 7 at GitLab."""
    for kind in ("github", "gitlab"):
        _be(sites[kind], 7, "seven")
        with Browser(forge.base_url) as browser:
            assert _arrive(browser, sites[kind], f"seven-{kind}").headers["location"] == "/"


def test_connecting_needs_who_is_signed_in_to_confirm(forge: Forge, sites: dict[str, OtherSite]) -> None:
    """Then it signs in; somebody else cannot connect the same; and the last way in cannot be taken away."""
    site = sites["gitlab"]
    _be(site, 300, "gia")
    with Browser(forge.base_url) as gia, Browser(forge.base_url) as other:
        gia.submit("/-/sign-up", email="gia@example.org", username="gia", password1=PASSWORD)
        asked = _come(gia, site, "/-/account/other-sites", process="connect")
        assert asked.headers["location"] == "/-/sign-in/again"
        assert "gia" not in _main(gia.get("/-/account/other-sites"))
        assert gia.submit("/-/sign-in/again", password=PASSWORD).headers["location"] == "/-/account/other-sites"
        assert "<b>GitLab</b> gia" in gia.get("/-/account/other-sites").text
        assert _come(other, site).headers["location"] == "/"
        assert "gia" in other.get("/-/account").text
    with Browser(forge.base_url) as thief:
        thief.submit("/-/sign-up", email="thief@example.org", username="thief", password1=PASSWORD)
        thief.confirm(PASSWORD)
        answer = _come(thief, site, "/-/account/other-sites", process="connect")
        assert answer.headers["location"] == "/-/account/other-sites"
        assert "signs in to another account" in thief.get("/-/account/other-sites").text
        assert "signs in to another account" not in thief.get("/-/account/other-sites").text
    with Browser(forge.base_url) as gia:
        _come(gia, site)
        number = re.search(r'name="account" value="([0-9]+)"', gia.get("/-/account/other-sites").text)
        assert number is not None
        stopped = gia.submit("/-/account/other-sites", account=number[1])
        assert stopped.headers["location"].startswith("/-/sign-in/again")
        gia.confirm(PASSWORD)
        assert gia.submit("/-/account/other-sites", account=number[1]).status_code == 302
        assert "None." in gia.get("/-/account/other-sites").text
        said = gia.get("/-/account/audit").text
        assert "let another site sign in to gia" in said
        assert "let another site no longer sign in to gia" in said


def test_nobody_locks_themselves_out(forge: Forge, sites: dict[str, OtherSite], visitor: Browser) -> None:
    """Without a password the only site stays; somebody else's connection is none of mine."""
    site = sites["github"]
    _be(site, 400, "hank")
    _arrive(visitor, site, "hank")
    number = re.search(r'name="account" value="([0-9]+)"', visitor.get("/-/account/other-sites").text)
    assert number is not None
    kept = visitor.submit("/-/account/other-sites", account=number[1])
    assert "Set a password first" in kept.text
    assert "<b>GitHub</b> hank" in visitor.get("/-/account/other-sites").text
    with Browser(forge.base_url) as other:
        _be(site, 401, "ike")
        _arrive(other, site, "ike")
        for wrong in (number[1], "0", "x", ""):
            answer = other.submit("/-/account/other-sites", account=wrong)
            assert answer.status_code == 200
            assert 'role="alert"' in answer.text


def _main(answer: httpx.Response) -> str:
    return answer.text.partition("<main")[2].partition("</main>")[0]


def test_a_second_factor_is_still_asked_for(forge: Forge, sites: dict[str, OtherSite], visitor: Browser) -> None:
    """And a closed account stays closed, whichever site vouches for it."""
    site = sites["github"]
    _be(site, 500, "jan")
    _arrive(visitor, site, "jan")
    with Browser(forge.base_url) as admin, Browser(forge.base_url) as again:
        admin.sign_in_once(forge.once("admin"))
        admin.submit("/-/admin/suspended", act="suspend", handle="jan", reason="a test")
        assert visitor.get("/-/account").status_code == 302
        assert _come(again, site).headers["location"] == "/-/sign-in/inactive"


def test_the_way_back_is_good_for_one_browser_and_once(
    forge: Forge, sites: dict[str, OtherSite], visitor: Browser
) -> None:
    """A foreign, spent, old or made-up answer signs nobody in; a no is taken as one."""
    site = sites["github"]
    _be(site, 600, "kim")
    _arrive(visitor, site, "kim")
    visitor.submit("/-/account", to="/-/sign-out")
    back = site.approve(_begin(visitor, site)).removeprefix(forge.base_url)
    with Browser(forge.base_url) as victim:
        answer = victim.get(back)
        assert answer.status_code == 401
        assert "Begin again" in answer.text
    assert visitor.get(back).headers["location"] == "/"
    assert visitor.get(back).status_code == 401
    visitor.submit("/-/account", to="/-/sign-out")
    state = re.search(r"state=([\w-]+)", _begin(visitor, site))
    assert state is not None
    said_no = visitor.get(f"/-/sign-in/with/github/back?error=access_denied&state={state[1]}")
    assert said_no.headers["location"] == "/-/sign-in/with/cancelled"
    assert "Nothing was changed" in visitor.get("/-/sign-in/with/cancelled").text
    with Browser(forge.base_url) as fresh:
        for query in ("", "?code=x", "?state=x", "?code=x&state=y", "?error=server_error", "?code[]=1&state=%00"):
            answer = fresh.get(f"/-/sign-in/with/github/back{query}")
            assert answer.status_code == 401, query
            state = re.search(r"state=([\w-]+)", _begin(fresh, site))
            assert state is not None
        assert fresh.get(f"/-/sign-in/with/github/back?code=made-up&state={state[1]}").status_code == 401
        assert fresh.get("/-/sign-in/with/github").status_code == 200  # a button, not a way in
        assert fresh.post("/-/sign-in/with/github").status_code == 403


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_back_leads_nowhere_else(sites: dict[str, OtherSite], visitor: Browser, target: str) -> None:
    """Whatever the button was told."""
    _be(sites["github"], 900, "nell")
    answer = _come(visitor, sites["github"], next=target)
    if answer.headers["location"] == "/-/sign-up/with":
        answer = visitor.submit("/-/sign-up/with", email="nell@example.org", username="nell")
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("broken", ["text", "list", "long", "error", "redirect"])
def test_strange_answers_sign_nobody_in(sites: dict[str, OtherSite], visitor: Browser, broken: str) -> None:
    """Whatever comes back, there is a page that says so; a secret is sent to no other address."""
    site = sites["github"]
    _be(site, 700, "lee")
    site.broken = broken
    try:
        answer = _come(visitor, site)
    finally:
        site.broken = ""
    assert answer.status_code == 401
    assert "did not say who you are" in answer.text
    assert not [path for path in site.asked if "elsewhere" in path]


@pytest.mark.parametrize("who", [{}, {"id": None}, {"id": "7"}, {"id": True}, {"id": -1}, {"id": 7.5}, {"id": [7]}, []])
def test_who_has_no_number_is_nobody(sites: dict[str, OtherSite], visitor: Browser, who: object) -> None:
    sites["github"].who = who
    assert _come(visitor, sites["github"]).status_code == 401


def test_texts_that_are_none(sites: dict[str, OtherSite], visitor: Browser) -> None:
    """A profile of other types than it should have leads to an empty form."""
    sites["github"].who = {"id": 800, "login": ["x"], "name": {"a": 1}, "email": 7}
    assert _come(visitor, sites["github"]).headers["location"] == "/-/sign-up/with"
    assert visitor.get("/-/sign-up/with").status_code == 200


def test_tokens_are_kept_nowhere(forge: Forge, sites: dict[str, OtherSite]) -> None:
    """Not in the database, sessions included, and in no log; nor is the forge's own secret there."""
    for number, site in itertools.product(range(3), sites.values()):
        _be(site, 9900 + number, "kept")
        with Browser(forge.base_url) as browser:
            assert _come(browser, site).headers["location"] == "/-/sign-up/with"
    everything = forge.database.dump() + forge.log().encode()
    tokens = {token for site in sites.values() for token in site.tokens}
    assert len(tokens) > 5
    assert not [token for token in tokens if token.encode() in everything]
    assert b"forge-secret" not in everything


def test_a_forge_without_them(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No button, and a sentence for whoever types the address."""
    plain = Forge(tmp_path_factory.mktemp("plain") / "data")
    try:
        with Browser(plain.base_url) as browser:
            assert "GitHub" not in browser.get("/-/sign-in").text
            for path in ("", "/back"):
                answer = browser.get(f"/-/sign-in/with/github{path}")
                assert answer.status_code == 404
                assert "does not sign people in with GitHub" in answer.text
            assert "form-action 'self';" in browser.get("/-/sign-in").headers["content-security-policy"]
    finally:
        plain.end()
    with Browser(forge.base_url) as browser:
        policy = browser.get("/-/sign-in").headers["content-security-policy"]
        assert re.search(r"form-action 'self' http://127\.0\.0\.1:\d+ http://127\.0\.0\.1:\d+;", policy)
        assert "127.0.0.1" not in browser.get("/").headers["content-security-policy"]
