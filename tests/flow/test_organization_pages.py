"""Organizations in a browser: inviting, answering, roles, leaving, another handle, handing over, deleting."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World


@pytest.fixture(scope="module")
def rita(world: World) -> Iterator[Browser]:
    """The owner."""
    yield from _signed_in(world, "rita")


@pytest.fixture(scope="module")
def stan(world: World) -> Iterator[Browser]:
    """A stranger."""
    yield from _signed_in(world, "stan")


def _signed_in(world: World, handle: str) -> Iterator[Browser]:
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once(handle))
        yield browser


def _members(browser: Browser, address: str) -> list[tuple[str, str]]:
    found = browser.get(f"{address}?format=json").json()
    return [(row["handle"], row["role"]) for row in found["members"]]


def _organization(world: World, handle: str) -> str:
    made = f"{world.organization}-{handle}"
    world.rita("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=made))
    return made


def test_an_account_is_invited_and_answers(world: World, rita: Browser, stan: Browser) -> None:
    """It is told on its first page; declining and accepting are buttons."""
    name = _organization(world, "asks")
    members = f"/{name}/-/members"
    for answer in ("decline", "accept"):
        assert rita.submit(members, act="invite", whom="stan", role="reader").status_code == 302
        assert "1 invitation" in stan.get("/").text
        assert f"as reader</span><span>by {'rita'}" in stan.get("/-/invitations").text
        done = stan.submit("/-/invitations", act=answer, organization=name)
        assert done.headers["location"] == ("/-/invitations" if answer == "decline" else f"/{name}")
    assert _members(stan, members) == [("rita", "owner"), ("stan", "reader")]
    again = stan.submit("/-/invitations", act="accept", organization=name)
    assert (again.status_code, f"You are a member of {name} already." in again.text) == (409, True)
    assert stan.submit(members, act="invite", whom="max", role="member").status_code == 403
    assert rita.submit(members, act="role", member="stan", role="admin").status_code == 302
    assert _members(rita, members)[1] == ("stan", "admin")
    assert stan.submit(members, act="leave").headers["location"] == "/"
    assert stan.get(members).status_code == 403
    last = rita.submit(members, act="leave")
    assert last.status_code == 403
    assert "would be left without an owner" in last.text


def test_a_link_is_shown_once_and_accepted_once(world: World, rita: Browser, stan: Browser) -> None:
    """Looking at it spends nothing, and says nothing of the address; a visitor is sent to the sign-in and back."""
    name = _organization(world, "links")
    members = f"/{name}/-/members"
    told = rita.submit(members, act="invite", whom="guest@example.org", role="member")
    assert told.status_code == 200
    (link,) = re.findall(r"/-/invitations/[\w-]{43}", told.text)
    assert link not in rita.get(members).text
    assert "guest@example.org" in rita.get(members).text
    with Browser(world.forge.base_url) as visitor:
        for _ in range(2):
            seen = visitor.get(link)
            assert f'href="/-/sign-in?next={link.replace("/", "%2F")}"' in seen.text
            assert "guest@" not in seen.text
        german = visitor.get(link, headers={"Accept-Language": "de"}).text
        assert f'rita lädt dich zu <a href="/{name}">{name}</a> ein, als Mitglied.' in german
        assert "Melde dich an, um zu antworten." in german
        assert visitor.submit(link, act="accept").status_code in (401, 403)
    assert stan.submit(link, act="accept").headers["location"] == f"/{name}"
    assert _members(rita, members) == [("rita", "owner"), ("stan", "member")]
    for again in (stan.get(link), stan.post(link, data=stan.hidden("/-/invitations") | {"act": "accept"})):
        assert again.status_code in (403, 404)


def test_an_invitation_is_taken_back(world: World, rita: Browser, stan: Browser) -> None:
    name = _organization(world, "back")
    members = f"/{name}/-/members"
    rita.submit(members, act="invite", whom="stan", role="member")
    (waiting,) = rita.get(f"{members}?format=json").json()["invitations"]
    assert rita.submit(members, act="take_back", invitation=waiting["id"]).status_code == 302
    assert stan.get("/-/invitations?format=json").json() == {"invitations": []}


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"act": "invite"}, {"act": "invite", "whom": "nobody-there", "role": "member"},
        {"act": "invite", "whom": "stan", "role": "chief"}, {"act": "invite", "whom": "\x00", "role": "member"},
        {"act": "invite", "whom": "x" * 1_000_000, "role": "member"}, {"act": "role", "member": "\u202e", "role": "x"},
        {"act": "take_back", "invitation": "1"}, {"act": "remove", "member": ""}, {"act": "dance"},
    ],
)  # fmt: skip
def test_what_a_form_cannot_mean(world: World, rita: Browser, fields: dict[str, str]) -> None:
    """A sentence on the page that it came from."""
    members = f"/{world.organization}/-/members"
    answer = rita.submit(members, **fields)
    assert 400 <= answer.status_code < 500
    assert 'role="alert"' in answer.text


def test_settings_and_another_handle(world: World, rita: Browser) -> None:
    """Whoever follows an old address is led to the new one, files and all; nobody else gets the old handle."""
    name = _organization(world, "old")
    request = pb.CreateProjectRequest(organization=name, handle="site", visibility="public")
    world.rita("ProjectService.CreateProject", request)
    settings = f"/{name}/-/settings"
    assert rita.submit(settings, act="update", name="The Name", description="Told.").status_code == 302
    assert "The Name" in rita.get(f"/{name}").text
    new = f"{name}-new"
    assert rita.submit(settings, act="rename", handle=new).headers["location"] == f"/{new}/-/settings"
    for old, led in (
        (f"/{name}", f"/{new}"),
        (f"/{name}?after=x", f"/{new}?after=x"),
        (f"/{name}/site", f"/{new}/site"),
        (f"/{name}/site/-/landings?format=json", f"/{new}/site/-/landings?format=json"),
        (f"/{name}/-/members", f"/{new}/-/members"),
        (settings, f"/{new}/-/settings"),
    ):
        answer = rita.get(old)
        assert (answer.status_code, answer.headers.get("location")) == (301, led)
    taken = rita.submit(f"/{new}/-/settings", act="rename", handle=world.organization)
    assert taken.status_code == 409
    assert "is taken" in taken.text
    refused = rita.submit(f"/{new}/-/settings", act="delete", confirm=new)
    assert refused.status_code == 409
    assert "still has projects" in refused.text


def test_handed_over_and_deleted(world: World, rita: Browser) -> None:
    name = _organization(world, "end")
    settings = f"/{name}/-/settings"
    wrong = rita.submit(settings, act="delete", confirm="yes")
    assert wrong.status_code == 400
    assert "nothing was deleted" in wrong.text
    assert rita.submit(settings, act="transfer", member="stan").status_code == 404
    world.let_in("max", organization=name)
    assert rita.submit(settings, act="transfer", member="max").status_code == 302
    assert _members(rita, f"/{name}/-/members") == [("max", "owner"), ("rita", "admin")]
    assert rita.submit(settings, act="delete", confirm=name).status_code == 403
    own = _organization(world, "gone")
    assert rita.submit(f"/{own}/-/settings", act="delete", confirm=own).headers["location"] == "/"
    assert rita.get(f"/{own}").status_code == 404


def test_members_of_a_project(world: World, rita: Browser, stan: Browser) -> None:
    """A role in one project opens it, and is given up on the same page."""
    project = world.project("", "private")
    members = f"/{project.organization}/{project.handle}/-/members"
    assert stan.get(members).status_code == 404
    assert rita.submit(members, act="add", whom="stan", role="reader").status_code == 302
    assert _members(stan, members) == [("stan", "reader")]
    assert stan.submit(members, act="role", member="stan", role="owner").status_code == 403
    assert rita.submit(members, act="role", member="stan", role="member").status_code == 302
    assert stan.submit(members, act="remove", member="stan").headers["location"] == "/"
    assert stan.get(members).status_code == 404


def test_a_person_changes_their_handle(world: World) -> None:
    """The sign-in goes on; the old handle is nobody else's."""
    for browser in _signed_in_new(world, "hana-old"):
        assert browser.submit("/-/account/handle", handle="admin").status_code == 400
        assert browser.submit("/-/account/handle", handle="rita").status_code == 400
        assert browser.submit("/-/account/handle", handle="Hana-New").status_code == 302
        assert "hana-new" in browser.get("/-/account").text
    taken = world.stan.refused(
        "OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle="hana-old")
    )
    assert taken.code == "already_exists"


def _signed_in_new(world: World, handle: str) -> Iterator[Browser]:
    world.forge.token(handle)
    yield from _signed_in(world, handle)


def test_an_organization_and_a_project_are_made_on_pages(world: World) -> None:
    """What was typed stays where it is refused; a taken handle is 409, and who administers nothing is led on."""
    made = f"{world.organization}-page"
    with Browser(world.forge.base_url) as rita, Browser(world.forge.base_url) as visitor:
        rita.sign_in_once(world.forge.once("rita"))
        for page in ("/-/new/organization", "/-/new/project"):
            assert visitor.get(page).status_code == 401
        taken = rita.submit("/-/new/organization", act="create", handle=world.organization, name="Kept <here>")
        assert taken.status_code == 409
        assert 'value="Kept &lt;here&gt;"' in taken.text
        done = rita.submit("/-/new/organization", act="create", handle=made, name="On a page", description="Told")
        assert (done.status_code, done.headers["location"]) == (302, f"/{made}")
        assert "On a page" in rita.get(f"/{made}").text
        form = rita.get(f"/-/new/project?owner={made}").text
        assert f'<option value="{made}" selected>' in form
        project = {"act": "create", "owner": made, "handle": "tool", "name": "A tool", "visibility": "public"}
        done = rita.submit("/-/new/project", **project)
        assert (done.status_code, done.headers["location"]) == (302, f"/{made}/tool")
        assert visitor.get(f"/{made}/tool").status_code == 200
        again = rita.submit("/-/new/project", **project)
        assert again.status_code == 409
        assert 'id="public" checked' in again.text
        assert rita.submit("/-/new/project", **{**project, "handle": "other", "visibility": "all"}).status_code == 400
        world.forge.run("token", f"{made}-new", "--create")
        visitor.sign_in_once(world.forge.once(f"{made}-new"))
        assert "You administer no organization yet" in visitor.get("/-/new/project").text
        assert visitor.submit("/-/new/project", to="/-/new/project").status_code in (400, 403)
        foreign = visitor.post("/-/new/project", data=visitor.hidden("/-/new/organization") | project)
        assert foreign.status_code == 403
