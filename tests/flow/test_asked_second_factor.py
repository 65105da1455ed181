"""An organization that asks its members for a second factor: who has none is a stranger there, through every door."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, World, landing
from totp import totp


@pytest.fixture
def rita(world: World) -> Iterator[Browser]:
    """The owner, who has an app."""
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once("rita"))
        refused = browser.submit(f"/{world.organization}/-/second-factor", act="ask")
        assert refused.status_code == 409
        assert "this would shut you out" in refused.text
        _add_app(browser)
        yield browser
    world.forge.run("second-factor-off", "rita")


@pytest.fixture
def asking(world: World, rita: Browser) -> Iterator[World]:
    """The organization asks for it."""
    page = f"/{world.organization}/-/second-factor"
    assert rita.get(f"{page}?format=json").json()["lacking"] == ["max"]
    assert rita.submit(page, act="ask").headers["location"] == page
    assert "They are outside now" in rita.get(page).text
    for fields in ({}, {"act": "bogus"}, {"act": ""}):
        refused = rita.submit(page, **fields)
        assert refused.status_code == 400
        assert "This form has no such button." in refused.text
        assert rita.get(f"{page}?format=json").json()["asks"] is True
    yield world
    assert rita.submit(page, act="stop").status_code == 302


def _add_app(browser: Browser) -> str:
    """An authenticator app; its key."""
    page = browser.get("/-/account/second-factor/app").text
    key = re.search(r"<code class=\"cmd\"[^>]*>([A-Z2-7]{32})</code>", page)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert key is not None
    assert token is not None
    fields = {"csrfmiddlewaretoken": token[1], "code": totp(key[1])}  # looking again would make another key
    assert browser.post("/-/account/second-factor/app", data=fields).status_code == 302
    return key[1]


def test_without_one_a_member_is_a_stranger(asking: World) -> None:
    """gRPC with `mic`'s token and with a personal one, lists, pages: all at once, and all back with the factor."""
    forge, organization, max_ = asking.forge, asking.organization, asking.max
    private, public = f"/{organization}/closed", f"/{organization}/open"
    closed = pb.GetProjectRequest(project=asking.closed)
    stranger = asking.stan.refused("ProjectService.GetProject", closed)
    refused = max_.refused("ProjectService.GetProject", closed)
    assert (refused.code, refused.message) == (stranger.code, stranger.message)
    reason = (
        f"The organization {organization} asks its members for a second factor, which your account lacks. Set one up at"
    )
    missing = pb.GetProjectRequest(project=pb.ProjectRef(organization=organization, handle="missing"))
    for request in (closed, missing):  # why is for members, and about whatever they name there
        assert reason in str(max_.refused("ProjectService.GetProject", request).trailing)
        assert reason not in str(asking.stan.refused("ProjectService.GetProject", request).trailing)
        assert reason not in str(asking.nobody.refused("ProjectService.GetProject", request).trailing)
    listed = max_("ProjectService.ListProjects", pb.ListProjectsRequest(organization=organization)).projects
    assert [project.handle for project in listed] == ["open"]
    land = max_.refused("SessionService.LandSession", landing(asking.open, {b"new": b"x"}))
    assert land.code == "permission_denied"
    assert reason in str(land.trailing)
    told = max_.refused("OrganizationService.ListMembers", pb.ListMembersRequest(organization=organization))
    assert told.code == "permission_denied"
    assert "asks its members for a second factor" in told.message
    own = max_("OrganizationService.ListOrganizations", pb.ListOrganizationsRequest()).organizations
    assert organization in [row.handle for row in own]  # it is still theirs, and they may look why it is shut
    made = max_("AccountService.CreateToken", pb.CreateTokenRequest(name="script", scopes=["project:read"]))
    one = f"{organization}/open"
    limited = max_(
        "AccountService.CreateToken", pb.CreateTokenRequest(name="o", scopes=["project:read"], projects=[one])
    )
    with Caller(forge.grpc_address, limited.value) as script:  # does not learn where its owner is a member
        assert reason not in str(script.refused("ProjectService.GetProject", closed).trailing)
    with Caller(forge.grpc_address, made.value) as script, Browser(forge.base_url) as browser:
        assert script.refused("ProjectService.GetProject", closed).code == "not_found"
        browser.sign_in_once(forge.once("max"))
        assert browser.get(private).status_code == 404
        assert browser.get(public).status_code == 200
        assert "Until it has one you see here what a stranger sees" in browser.get(f"/{organization}").text
        _add_app(browser)
        assert browser.get(private).status_code == 200
        assert "what a stranger sees" not in browser.get(f"/{organization}").text
        assert script("ProjectService.GetProject", closed).project.handle == "closed"
        asking.land(max_, asking.open, {b"landed": b"x"}, base_position=1)
    assert forge.run("second-factor-off", "max").startswith("max signs in without")
    assert max_.refused("ProjectService.GetProject", closed).code == "not_found"


def test_a_role_in_one_project_is_none_either(asking: World) -> None:
    """Whoever was let into a private project alone is outside of it as well."""
    asking.rita(
        "ProjectService.SetProjectMember",
        pb.SetProjectMemberRequest(project=asking.closed, handle="stan", role="reader"),
    )
    closed = pb.GetProjectRequest(project=asking.closed)
    assert asking.stan.refused("ProjectService.GetProject", closed).code == "not_found"
    listed = asking.stan("ProjectService.ListProjects", pb.ListProjectsRequest(organization=asking.organization))
    assert [project.handle for project in listed.projects] == ["open"]


def test_a_token_asks_and_does_not_stop(asking: World, rita: Browser) -> None:
    """Calls and REST show it to owners, and start it; to end it is for a browser that has confirmed who uses it."""
    forge, organization, owner = asking.forge, asking.organization, asking.rita
    wanted = pb.SetSecondFactorRequest(organization=organization, asks=False)
    refused = owner.refused("OrganizationService.SetSecondFactor", wanted)
    assert (refused.code, refused.status.name) == ("confirmation_needed", "PERMISSION_DENIED")
    assert f"/{organization}/-/second-factor" in refused.message + str(refused.trailing)
    address = f"{forge.base_url}/api/v1/orgs/{organization}/second-factor"
    made = owner("AccountService.CreateToken", pb.CreateTokenRequest(name="org", scopes=["org:admin"]))
    for token in (forge.token("rita"), made.value):
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.put(address, json={"asks": False}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "confirmation_needed")
        assert httpx.get(address, headers=headers).json()["asks"] is True
    assert rita.submit(f"/{organization}/-/second-factor", act="stop").status_code == 302
    asked = pb.GetSecondFactorRequest(organization=organization)
    found = owner("OrganizationService.GetSecondFactor", asked)
    assert (found.asks, list(found.lacking), found.lacking_in_all) == (False, ["max"], 1)
    wanted.asks = True
    assert owner("OrganizationService.SetSecondFactor", wanted).asks
    assert asking.max.refused("ProjectService.GetProject", pb.GetProjectRequest(project=asking.closed))


def test_only_owners_decide(world: World) -> None:
    """A member gets a sentence; there is nothing to see for others."""
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once("max"))
        answer = browser.submit("/-/account", to=f"/{world.organization}/-/second-factor", act="ask")
        assert answer.status_code == 403
        assert "Only an owner" in answer.text
        assert browser.get("/nobody-here/-/second-factor").status_code == 404
