"""Who may make an account, what becomes of it, and what happens to one that is shut out; a forge without mail."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from browser import Browser
from forge_process import Forge
from mail_server import path_in, running_mail_server, text_of
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller

PASSWORD = "a quiet long phrase"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """New accounts wait for approval, and no mail is sent."""
    made = Forge(tmp_path_factory.mktemp("arrivals") / "data", MICELIO_SIGN_UP="approval")
    yield made
    made.end()


@pytest.fixture(scope="module")
def admin(forge: Forge) -> Iterator[Browser]:
    with Browser(forge.base_url) as made:
        made.sign_in_once(forge.once("admin"))
        yield made


@pytest.fixture
def visitor(forge: Forge) -> Iterator[Browser]:
    with Browser(forge.base_url) as made:
        yield made


def _sign_up(browser: Browser, handle: str, **changes: str) -> httpx.Response:
    fields = {"email": f"{handle}@example.org", "username": handle, "name": "", "password1": PASSWORD}
    return browser.submit("/-/sign-up", **(fields | changes))


def _sign_in(browser: Browser, handle: str) -> httpx.Response:
    return browser.submit("/-/sign-in", login=handle, password=PASSWORD)


def _invite(admin: Browser, note: str = "") -> str:
    """The path of a new invitation."""
    page = admin.submit("/-/admin/sign-ups", act="invite", note=note)
    found = re.search(r"/-/invited/[\w-]+", page.text)
    assert found is not None, page.text
    return found[0]


def test_an_account_waits_until_it_is_approved(visitor: Browser, admin: Browser) -> None:
    """Until then it is shut, with a page that says so; it stands on the list of administrators, as JSON too."""
    assert _sign_up(visitor, "abel").headers["location"] == "/-/sign-up/waiting"
    assert "An administrator of this forge looks at new accounts" in visitor.get("/-/sign-up/waiting").text
    assert visitor.get("/-/account").status_code == 302
    assert _sign_in(visitor, "abel").headers["location"] == "/-/sign-up/waiting"
    listed = admin.get("/-/admin/sign-ups?format=json").json()
    assert listed["mode"] == "approval"
    assert [(row["handle"], row["email"]) for row in listed["waiting"]] == [("abel", "abel@example.org")]
    assert admin.submit("/-/admin/sign-ups", act="approve", handle="abel").status_code == 302
    again = admin.submit("/-/admin/sign-ups", act="approve", handle="abel")
    assert again.status_code == 404
    assert "does not wait for approval" in again.text
    assert _sign_in(visitor, "abel").headers["location"] == "/"
    assert "admin approved the account abel" in admin.get("/-/audit").text


def test_a_declined_account_leaves_nothing(visitor: Browser, admin: Browser) -> None:
    """Its handle and its address are free again, and an open page of it is of no use."""
    _sign_up(visitor, "cain")
    assert admin.submit("/-/admin/sign-ups", act="decline", handle="cain").status_code == 302
    assert _sign_in(visitor, "cain").status_code == 200
    assert _sign_up(visitor, "cain").headers["location"] == "/-/sign-up/waiting"


def test_an_invitation_is_an_approval_for_one(admin: Browser, forge: Forge) -> None:
    """Looking at it spends nothing. Of two who take it along, one gets in; a withdrawn one is over."""
    path = _invite(admin, "for Deb")
    with Browser(forge.base_url) as first, Browser(forge.base_url) as second:
        for browser in (first, second):
            assert browser.get(path).status_code == browser.head(path).status_code == 200
            assert browser.submit(path).headers["location"] == "/-/sign-up"
        assert _sign_up(first, "deb").headers["location"] == "/"
        assert first.get("/-/account").status_code == 200
        assert _sign_up(second, "dot").headers["location"] == "/-/sign-up/waiting"
        over = second.get(path)
        assert over.status_code == 410
        assert "It was used or withdrawn" in over.text
    page = admin.get("/-/admin/sign-ups").text
    assert "used by deb" in page
    withdrawn = _invite(admin, "never mind")
    number = re.findall(r'name="invitation" value="([0-9a-f-]+)"', admin.get("/-/admin/sign-ups").text)
    assert admin.submit("/-/admin/sign-ups", act="withdraw", invitation=number[0]).status_code == 302
    assert admin.get(withdrawn).status_code == 410
    assert admin.submit("/-/admin/sign-ups", act="withdraw", invitation=number[0]).status_code == 404
    assert path.rpartition("/")[2] not in forge.log()
    assert path.rpartition("/")[2].encode() not in forge.database.dump()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"act": "approve", "handle": "nobody-here"}, 404),
        ({"act": "approve", "handle": "a\x00b"}, 404),
        ({"act": "withdraw", "invitation": "7"}, 400),
        ({"act": "withdraw", "invitation": NOBODY}, 404),
        ({"act": "invite", "note": "x" * 201}, 400),
        ({"act": "invite", "note": "two\nlines"}, 400),
        ({"act": "explode"}, 400),
        ({}, 400),
    ],
)
def test_bad_acts_say_what_is_wrong(admin: Browser, fields: dict[str, str], status: int) -> None:
    answer = admin.submit("/-/admin/sign-ups", **fields)
    assert answer.status_code == status
    assert 'role="alert"' in answer.text


def test_suspending_shuts_every_door_at_once(admin: Browser, forge: Forge) -> None:
    """Browsers, `mic`, personal tokens and links; opening again brings none of them back."""
    token = forge.token("evan")
    with Browser(forge.base_url) as browser, Caller(forge.grpc_address, token) as caller:
        browser.sign_in_once(forge.once("evan"))
        made = browser.submit("/-/account/tokens", name="script", scopes="org:read", days="3")
        value = re.search(r'<code class="cmd plain">([^<]+)</code>', made.text)
        assert value is not None
        link = forge.once("evan").removeprefix(forge.base_url)
        with Caller(forge.grpc_address, value[1]) as script:
            me = ("AuthService.GetCurrentUser", pb.GetCurrentUserRequest())
            assert caller(*me).user.handle == script(*me).user.handle == "evan"
            done = admin.submit("/-/admin/suspended", act="suspend", handle="EVAN", reason="spam in <projects>")
            assert done.status_code == 302
            for _ in range(2):
                assert caller.refused(*me).code == script.refused(*me).code == "unauthenticated"
                assert browser.get("/-/account").status_code == 302
                assert browser.submit(link).status_code == 410
                page = admin.get("/-/admin/suspended").text
                if "spam in &lt;projects&gt;" in page:
                    assert admin.submit("/-/admin/suspended", act="unsuspend", handle="evan").status_code == 302
    with Browser(forge.base_url) as browser:
        browser.sign_in_once(forge.once("evan"))
        assert browser.get("/-/account").status_code == 200
    said = admin.get("/-/audit").text
    assert "admin suspended evan" in said
    assert "admin opened again evan" in said


@pytest.mark.parametrize(
    ("fields", "status", "words"),
    [
        ({"act": "suspend", "handle": "nobody-here", "reason": "x"}, 404, "There is no account"),
        ({"act": "suspend", "handle": "abel", "reason": " "}, 400, "A reason has"),
        ({"act": "suspend", "handle": "abel", "reason": "x" * 501}, 400, "A reason has"),
        ({"act": "suspend", "handle": "abel", "reason": "turn\u202earound"}, 400, "A reason has"),
        ({"act": "suspend", "handle": "admin", "reason": "x"}, 403, "cannot suspend yourself"),
        ({"act": "unsuspend", "handle": "admin"}, 409, "is not suspended"),
    ],
)
def test_bad_suspensions(admin: Browser, fields: dict[str, str], status: int, words: str) -> None:
    answer = admin.submit("/-/admin/suspended", **fields)
    assert answer.status_code == status
    assert words in answer.text


def test_without_mail_an_administrator_hands_links_over(admin: Browser, forge: Forge) -> None:
    """The link is in the log and on the page, once it was asked to be read; then it is used, and gone."""
    path = _invite(admin)
    with Browser(forge.base_url) as owner:
        owner.submit(path)
        assert _sign_up(owner, "finn").headers["location"] == "/"
    with Browser(forge.base_url) as visitor:
        visitor.submit("/-/reset-password", email="finn@example.org")
        visitor.submit("/-/reset-password", email="unknown@example.org")
        listed = admin.get("/-/admin/mail?format=json").json()
        assert listed["postal"] is False
        assert [row["to"] for row in listed["letters"]] == ["finn@example.org"]
        assert "/-/reset-password/link/" not in admin.get("/-/admin/mail").text
        letter = listed["letters"][0]["id"]
        page = admin.submit("/-/admin/mail", act="read", letter=letter)
        link = re.search(rf"{re.escape(forge.base_url)}(/-/reset-password/link/[\w-]+)", page.text)
        assert link is not None
        assert f"no mail server; for finn@example.org: A new password for localhost: {link[0]}" in forge.log()
        assert link[1].rpartition("-")[2].encode() not in forge.database.dump()
        assert admin.submit("/-/admin/mail", act="done", letter=letter).status_code == 302
        assert admin.submit("/-/admin/mail", act="read", letter=letter).status_code == 404
        assert admin.submit("/-/admin/mail", act="again", letter=letter).status_code == 400
        form = visitor.get(link[1]).headers["location"]
        assert (
            visitor.submit(form, password1="a fresh quiet phrase", password2="a fresh quiet phrase").status_code == 302
        )
    assert "read the undelivered letter A new password for localhost" in admin.get("/-/audit").text


def test_letters_at_a_shell(admin: Browser, forge: Forge) -> None:
    """The same as on the page, with the links; what was handed over is off both lists."""
    with Browser(forge.base_url) as owner:
        owner.submit(_invite(admin))
        assert _sign_up(owner, "gwen").headers["location"] == "/"
        owner.submit("/-/account", to="/-/sign-out")
        owner.submit("/-/sign-in/link", email="gwen@example.org")
        letters = [row for row in json.loads(forge.run("admin", "mail", "--json")) if row["to"] == "gwen@example.org"]
        assert [row["subject"] for row in letters] == ["Sign in to localhost"]
        link = letters[0]["link"]
        assert link in forge.run("admin", "mail")
        assert owner.submit(link.removeprefix(forge.base_url)).headers["location"] == "/-/account"
    assert forge.run("admin", "mail", "--done", letters[0]["id"]) == ""
    assert link not in forge.run("admin", "mail")
    assert "operator handed over the letter" in admin.get("/-/audit").text


def test_invitation_only(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Without one there is no form, and no way around it."""
    forge = Forge(tmp_path_factory.mktemp("invite") / "data", MICELIO_SIGN_UP="invite")
    try:
        with Browser(forge.base_url) as admin, Browser(forge.base_url) as visitor:
            admin.sign_in_once(forge.once_link)
            assert "need an invitation" in visitor.get("/-/sign-up").text
            hidden = visitor.hidden("/-/sign-in")
            fields = {"email": "g@example.org", "username": "gus", "password1": PASSWORD}
            assert "need an invitation" in visitor.post("/-/sign-up", data=hidden | fields).text
            visitor.submit(_invite(admin))
            assert _sign_up(visitor, "gus").headers["location"] == "/"
    finally:
        forge.end()


def test_approval_with_mail_tells_nobody_who_is_here(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A known address leads to the page of who waits; approval, refusal and suspension come by letter."""
    with running_mail_server() as post:
        forge = Forge(tmp_path_factory.mktemp("letters") / "data", MICELIO_SIGN_UP="approval", **post.settings)
        try:
            with Browser(forge.base_url) as admin, Browser(forge.base_url) as visitor:
                admin.sign_in_once(forge.once_link)
                assert _sign_up(visitor, "hal").headers["location"] == "/-/sign-up/waiting"
                known = _sign_up(visitor, "hal-two", email="hal@example.org")
                assert known.headers["location"] == "/-/sign-up/waiting"
                assert "It has one already" in text_of(post.wait_for("hal@example.org"))
                admin.submit("/-/admin/sign-ups", act="approve", handle="hal")
                assert "was approved" in text_of(post.wait_for("hal@example.org", 2))
                assert _sign_in(visitor, "hal").headers["location"] == "/-/sign-up/confirm"
                assert visitor.submit(path_in(post.wait_for("hal@example.org", 3), forge.base_url)).status_code == 302
                assert _sign_in(visitor, "hal").headers["location"] == "/"
                admin.submit("/-/admin/suspended", act="suspend", handle="hal", reason="a long silence")
                assert "given: a long silence" in text_of(post.wait_for("hal@example.org", 4))
        finally:
            forge.end()
