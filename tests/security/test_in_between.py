"""What happens between a form and its answer: a second tab, the back button, two presses at once, an account closed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from browser import Browser
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
In = Callable[[str], Browser]


@pytest.fixture
def signed_in(forge: Forge) -> Iterator[In]:
    """A browser of an account that is made."""
    with ExitStack() as stack:

        def come_in(handle: str) -> Browser:
            browser = stack.enter_context(Browser(forge.base_url))
            forge.token(handle)
            browser.sign_in_once(forge.once(handle))
            return browser

        yield come_in


def _at_once(*asks: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(asks)) as threads:
        return [made.result() for made in [threads.submit(ask) for ask in asks]]


def _close(forge: Forge, handle: str) -> None:
    with forge.database.opened() as rows:
        assert rows.change("UPDATE accounts_user SET is_active = false WHERE handle = ?", (handle,)) == 1


def test_a_form_of_before_the_sign_in(forge: Forge, browser: Browser) -> None:
    """Two tabs hold the form: the second, sent after the first has signed in, gets a sentence that helps."""
    forge.token("tabby")
    with Browser(forge.base_url) as setting:
        setting.sign_in_once(forge.once("tabby"))
        setting.set_password("a horse on a battery", tokens_too="")
    fields = browser.hidden("/-/sign-in") | {"login": "tabby", "password": "a horse on a battery"}
    assert browser.post("/-/sign-in", data=fields).status_code == 302
    again = browser.post("/-/sign-in", data=fields)
    assert again.status_code == 302 or "load the page again" in again.text
    assert browser.get("/-/account").status_code == 200


def test_the_back_button_behind_the_sign_out(forge: Forge, signed_in: In) -> None:
    """The form that is still shown changes nothing."""
    browser = signed_in("backy")
    fields = browser.hidden("/-/account") | {"name": "Changed"}
    browser.post("/-/sign-out", data=fields)
    answer = browser.post("/-/account", data=fields)
    assert answer.status_code in (302, 403)
    assert "Changed" not in signed_in("backy").get("/-/account").text


def test_a_form_that_is_sent_twice_at_once(world: World, signed_in: In) -> None:
    """Each press has an answer; the thing is done once."""
    rita, guest = signed_in("rita"), signed_in("twice-guest")
    members, name = f"/{world.organization}/-/members", world.organization
    fields = rita.hidden(members) | {"act": "invite", "whom": "twice-guest", "role": "member"}
    answers = _at_once(*[lambda: rita.post(members, data=fields)] * 3)
    assert sorted({answer.status_code for answer in answers}) in ([302], [302, 409], [302, 400], [302, 400, 409])
    listed = world.rita("OrganizationService.ListInvitations", pb.ListInvitationsRequest(organization=name))
    assert [one.handle for one in listed.invitations if one.handle == "twice-guest"] == ["twice-guest"]
    fields = guest.hidden("/-/invitations") | {"act": "accept", "organization": name}
    answers = _at_once(*[lambda: guest.post("/-/invitations", data=fields)] * 3)
    assert all(answer.status_code in (302, 404, 409) for answer in answers)
    assert 302 in [answer.status_code for answer in answers]
    found = world.rita("OrganizationService.ListMembers", pb.ListMembersRequest(organization=name)).members
    assert [one.role for one in found if one.handle == "twice-guest"] == ["member"]
    project = world.project("twice", "public")
    settings, typed = f"/{name}/twice/-/settings", f"{name}/{project.handle}"
    fields = rita.hidden(settings) | {"act": "delete", "confirm": typed}
    answers = _at_once(*[lambda: rita.post(settings, data=fields)] * 3)
    done = sorted(answer.status_code for answer in answers)
    assert done[0] == 302
    assert all(400 <= status < 500 for status in done[1:]), done


def test_one_handle_for_two_sign_ups_at_once(forge: Forge) -> None:
    """One account is made, and the other is told that it is taken."""
    with ExitStack() as stack:
        browsers = [stack.enter_context(Browser(forge.base_url)) for _ in range(3)]
        fields = {"username": "at-once", "password1": "a horse on a battery"}
        forms = [browser.hidden("/-/sign-up") | fields for browser in browsers]
        asks = [
            lambda browser=browser, form=form, number=number: browser.post(
                "/-/sign-up", data=form | {"email": f"at-once-{number}@example.org"}
            )
            for number, (browser, form) in enumerate(zip(browsers, forms, strict=True))
        ]
        answers = _at_once(*asks)
    assert sorted(answer.status_code for answer in answers) == [302, 409, 409]
    assert all("taken" in answer.text for answer in answers if answer.status_code == 409)


def test_an_account_that_is_closed_half_way(forge: Forge, signed_in: In) -> None:
    """Its forms, its devices and its links end with a sentence; nothing is done in its name."""
    browser = signed_in("halfway")
    link = forge.once("halfway").removeprefix(forge.base_url)
    account, once = browser.hidden("/-/account"), browser.hidden(link)
    asked = httpx.post(f"{forge.base_url}/-/oauth/device/code", data={"client_id": "mic-cli", "scope": "mic"}).json()
    page = str(asked["verification_uri_complete"]).removeprefix(forge.base_url)
    assert "Connected" in browser.submit(page, action="confirm").text
    _close(forge, "halfway")
    assert browser.post("/-/account", data=account | {"name": "Late"}).status_code in (302, 403)
    assert browser.post(link, data=once).status_code < 500
    poll = {"client_id": "mic-cli", "grant_type": GRANT, "device_code": str(asked["device_code"])}
    answer = httpx.post(f"{forge.base_url}/-/oauth/token", data=poll)
    assert answer.status_code in (400, 401, 403)
    assert re.fullmatch("[a-z_]+", answer.json()["error"])
    assert "access_token" not in answer.text
    assert browser.get("/-/account").status_code == 302
