"""The page of one's own tokens: made, shown once, listed, revoked; and what is refused in words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from browser import Browser
from html_check import malformed
from mic.core.token import FORM, is_token
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, World

PAGE = "/-/account/tokens"
ME = ("AuthService.GetCurrentUser", pb.GetCurrentUserRequest())


@pytest.fixture
def rita(world: World) -> Iterator[Browser]:
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once("rita"))
        yield browser


def _make(browser: Browser, **fields: object) -> str:
    data = browser.hidden(PAGE) | {"name": "Nightly", "scopes": ["project:read"], "projects": "", "days": "7"} | fields
    answer = browser.post(PAGE, data=data)
    assert answer.status_code == 200
    assert malformed(answer.text) == []
    return html.unescape(answer.text)


def test_a_token_from_the_page(world: World, rita: Browser) -> None:
    """Shown in the answer and nowhere afterwards; good until it is revoked by its button."""
    said = _make(rita, projects=f"{world.organization}/closed\r\n", name="Nightly <build>")
    value = next(found.group() for found in FORM.finditer(said))
    assert is_token(value)
    with Caller(world.forge.grpc_address, value) as caller:
        assert caller(*ME).user.handle == "rita"
        listed = rita.get(PAGE)
        assert listed.headers["cache-control"].startswith("max-age=0, no-cache, no-store")
        assert malformed(listed.text) == []
        assert value not in listed.text
        assert "Nightly &lt;build&gt;" in listed.text
        assert f"{world.organization}/closed" in listed.text
        address = re.findall(r'action="(/-/account/tokens/[0-9a-f-]{36}/revoke)"', listed.text)[0]
        assert rita.submit(PAGE, to=address).headers["location"] == PAGE
        assert caller.refused(*ME).code == "unauthenticated"
    # The back button and another tab send it again: it is gone, as was wanted.
    assert rita.submit(PAGE, to=address).status_code == 302


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"scopes": []}, "Choose what it may do."),
        ({"scopes": ["admin"]}, "admin is not one of the available choices"),
        ({"scopes": ["session:read"]}, "Add project:read."),
        ({"name": ""}, "Say what will use it."),
        ({"name": "a\u202eb"}, "printable characters"),
        ({"days": "367"}, "Use a whole number from 1 to 366."),
        ({"days": "soon"}, "Use a whole number from 1 to 366."),
        ({"projects": "nothing"}, "does not name a project"),
        ({"projects": "no/where"}, "There is no project no/where, or you may not see it."),
        ({"scopes": ["project:write"]}, "read private projects and write public ones"),
    ],
)
def test_what_is_refused_in_words(rita: Browser, fields: dict[str, object], sentence: str) -> None:
    said = _make(rita, **fields)
    assert sentence in said
    assert FORM.search(said) is None


def test_it_is_ones_own_and_needs_the_form(world: World, rita: Browser) -> None:
    """A visitor signs in first; a page of somebody else makes and revokes nothing; others' tokens are not there."""
    _make(rita)
    address = re.findall(r'action="(/-/account/tokens/[0-9a-f-]{36}/revoke)"', rita.get(PAGE).text)[0]
    with Browser(world.forge.base_url) as nobody:
        assert nobody.get(PAGE).headers["location"] == f"/-/sign-in?next={PAGE}"
        assert nobody.post(address).status_code == 403
    assert rita.post(PAGE, data={"name": "x", "scopes": "org:read", "days": "1"}).status_code == 403
    assert rita.get(address).status_code == 405
    with Browser(world.forge.base_url) as stan:
        stan.sign_in_once(world.forge.once("stan"))
        assert stan.submit(PAGE, to=address).status_code == 302
    assert address in rita.get(PAGE).text
