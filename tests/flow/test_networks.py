"""An organization that is reached from its networks only: from elsewhere a member is a stranger, through every door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, World, landing

ELSEWHERE = "127.9.9.9"  # nobody in these tests comes from there; the calls come from 127.0.0.1
_HIDDEN = ("csrfmiddlewaretoken", "seen")


def _list(world: World, *networks: str, **more: bool) -> pb.SetNetworksRequest:
    listed = [pb.Network(network=network, note="a note") for network in networks]
    return pb.SetNetworksRequest(organization=world.organization, networks=listed, **more)


@pytest.fixture
def open_world(world: World) -> Iterator[World]:
    yield world
    world.forge.run("networks-off", world.organization)


def _elsewhere(world: World, token: str) -> httpx.Client:
    """REST from an address that is in the list."""
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.HTTPTransport(local_address=ELSEWHERE)
    return httpx.Client(base_url=f"{world.forge.base_url}/api/v1", headers=headers, transport=transport, timeout=60)


def test_from_elsewhere_a_member_is_a_stranger(open_world: World) -> None:
    """Calls, lists, landings and pages at once; an owner too; and all is back from within."""
    world, organization = open_world, open_world.organization
    closed, missing = (pb.GetProjectRequest(project=ref) for ref in (world.closed, _missing(world)))
    assert world.max("ProjectService.GetProject", closed).project.handle == "closed"
    refused = world.rita.refused("OrganizationService.SetNetworks", _list(world, ELSEWHERE))
    assert refused.code == "precondition_failed"
    assert "127.0.0.1, is in none of these networks: this would shut you out" in refused.message
    assert world.max("ProjectService.GetProject", closed).project.handle == "closed"
    made = world.rita("OrganizationService.SetNetworks", _list(world, ELSEWHERE, leave=True))
    assert [(item.network, item.note) for item in made.networks] == [(f"{ELSEWHERE}/32", "a note")]
    for caller in (world.rita, world.max):
        answer = caller.refused("ProjectService.GetProject", closed)
        assert answer.code == "not_found"
        other = caller.refused("ProjectService.GetProject", missing)
        assert answer.message.replace("/closed", "/missing") == other.message
        for refused in (answer, other):
            assert "from named networks only, and your address is in none of them" in str(refused.trailing)
        listed = caller("ProjectService.ListProjects", pb.ListProjectsRequest(organization=organization)).projects
        assert [(project.handle, project.role) for project in listed] == [("open", "")]
        land = landing(world.open, {b"new": b"x"})
        assert caller.refused("SessionService.LandSession", land).code == "permission_denied"
    told = world.rita.refused("OrganizationService.GetNetworks", pb.GetNetworksRequest(organization=organization))
    assert told.code == "permission_denied"
    assert "from named networks only" in told.message
    with Browser(world.forge.base_url) as max_:
        max_.sign_in_once(world.forge.once("max"))
        assert max_.get(f"/{organization}/closed").status_code == 404
        assert max_.get(f"/{organization}/open").status_code == 200
        assert "your address is in none of them" in max_.get(f"/{organization}").text
    git = httpx.get(
        f"{world.forge.base_url}/{organization}/closed.git/info/refs?service=git-upload-pack",
        auth=("max", world.forge.token("max")),
    )
    assert git.status_code == 404
    with _elsewhere(world, world.forge.token("rita")) as rita:
        assert rita.get(f"/projects/{organization}/closed").status_code == 200
        assert rita.get(f"/orgs/{organization}/networks").json()["address"] == ELSEWHERE
        answer = rita.put(f"/orgs/{organization}/networks", json={"networks": []})
        assert answer.json()["networks"] == []
    assert world.max("ProjectService.GetProject", closed).project.handle == "closed"
    events = _events(world)
    assert [(event["before"], event["after"]) for event in events][:2] == [
        ([f"{ELSEWHERE}/32"], []),
        ([], [f"{ELSEWHERE}/32"]),
    ]


def _missing(world: World) -> pb.ProjectRef:
    return pb.ProjectRef(organization=world.organization, handle="missing")


def _events(world: World) -> list[dict[str, list[str]]]:
    with Browser(world.forge.base_url) as rita:
        rita.sign_in_once(world.forge.once("rita"))
        events = rita.get(f"/{world.organization}/-/audit?format=json").json()["events"]
    return [event["details"] for event in events if event["action"] == "organization.networks"]


def test_a_role_in_one_project_ends_there_too(open_world: World) -> None:
    """Whoever was let into a private project alone is bound to the networks of its owner."""
    world = open_world
    request = pb.SetProjectMemberRequest(project=world.closed, handle="stan", role="reader")
    world.rita("ProjectService.SetProjectMember", request)
    closed = pb.GetProjectRequest(project=world.closed)
    assert world.stan("ProjectService.GetProject", closed).project.handle == "closed"
    world.rita("OrganizationService.SetNetworks", _list(world, ELSEWHERE, leave=True))
    assert world.stan.refused("ProjectService.GetProject", closed).code == "not_found"
    listed = world.stan("ProjectService.ListProjects", pb.ListProjectsRequest(organization=world.organization))
    assert [project.handle for project in listed.projects] == ["open"]


def test_tokens_pass_where_they_may(open_world: World) -> None:
    """A token made for it, of an admin, where the organization says so: all three."""
    world = open_world
    closed = pb.GetProjectRequest(project=world.closed)
    scopes = ["project:read"]
    made = {
        (name, anywhere): caller(
            "AccountService.CreateToken", pb.CreateTokenRequest(name="build", scopes=scopes, anywhere=anywhere)
        )
        for name, caller in (("rita", world.rita), ("max", world.max))
        for anywhere in (True, False)
    }
    assert made["rita", True].token.anywhere
    for pass_ in (True, False):
        request = _list(world, ELSEWHERE, leave=True, tokens_pass=pass_)
        with Caller(world.forge.grpc_address, world.forge.token("rita")) as rita:
            if pass_:
                rita("OrganizationService.SetNetworks", request)
            else:
                with _elsewhere(world, world.forge.token("rita")) as inside:
                    networks = [{"network": ELSEWHERE}]
                    body = {"networks": networks, "tokens_pass": False}
                    assert inside.put(f"/orgs/{world.organization}/networks", json=body).status_code == 200
        for (name, anywhere), token in made.items():
            with Caller(world.forge.grpc_address, token.value) as caller:
                if pass_ and name == "rita" and anywhere:
                    assert caller("ProjectService.GetProject", closed).project.handle == "closed"
                else:
                    assert caller.refused("ProjectService.GetProject", closed).code == "not_found"


def test_the_page_asks_before_it_shuts_one_out(open_world: World) -> None:
    """The first time it refuses and offers a tick; bad networks are named, and what was typed stays."""
    world = open_world
    page = f"/{world.organization}/-/networks"
    with Browser(world.forge.base_url) as rita:
        rita.sign_in_once(world.forge.once("rita"))
        assert "may come from everywhere" in rita.get(page).text
        bad = rita.submit(page, networks="10.1.2.3/16 office")
        assert bad.status_code == 400
        assert "Write 10.1.0.0/16 for the network" in bad.text
        assert "10.1.2.3/16 office" in bad.text
        own = rita.get(f"{page}?format=json").json()["address"]
        assert own.startswith("127.0.")
        refused = rita.submit(page, networks=f"{ELSEWHERE} far")
        assert refused.status_code == 409
        assert "this would shut you out" in refused.text
        assert 'name="leave"' in refused.text
        assert rita.submit(page, networks=f"{own} here\n{ELSEWHERE} far", tokens_pass="yes").status_code == 302
        found = rita.get(f"{page}?format=json").json()
        assert found["entries"] == [
            {"network": f"{own}/32", "note": "here"},
            {"network": f"{ELSEWHERE}/32", "note": "far"},
        ]
        assert found["tokens_pass"] is True
        assert rita.post(page, data=rita.hidden(page)).status_code == 400  # a form without the field is no empty list
        assert len(rita.get(f"{page}?format=json").json()["entries"]) == 2
        assert world.max.refused("ProjectService.GetProject", pb.GetProjectRequest(project=world.closed))
        assert rita.submit(page, networks=f"{ELSEWHERE} far", leave="yes").status_code == 302
        assert rita.get(page).status_code == 403
    assert "come from everywhere now" in world.forge.run("networks-off", world.organization)
    lifted = world.rita("OrganizationService.GetNetworks", pb.GetNetworksRequest(organization=world.organization))
    assert (list(lifted.networks), lifted.tokens_pass) == ([], False)  # the next list begins without the exception


def test_two_who_change_the_list_at_once_both_have_their_way(open_world: World) -> None:
    """Whoever saves a page that somebody overtook sees what is there now; adding and removing lose nothing."""
    world, page = open_world, f"/{open_world.organization}/-/networks"
    with Browser(world.forge.base_url) as rita, Browser(world.forge.base_url) as other:
        for browser in (rita, other):
            browser.sign_in_once(world.forge.once("rita"))
        token, seen = (re.search(rf'name="{name}" value="([^"]+)"', rita.get(page).text) for name in _HIDDEN)
        assert token is not None
        assert seen is not None
        assert other.submit(page, networks="127.0.0.0/8 here").status_code == 302
        typed = {"csrfmiddlewaretoken": token[1], "seen": seen[1], "networks": "127.0.0.0/8\n10.0.0.0/8 mine"}
        refused = rita.post(page, data=typed)
        assert refused.status_code == 409
        assert "Somebody changed the list since you looked at it" in refused.text
        assert "<code>127.0.0.0/8</code> here" in refused.text  # theirs
        assert "10.0.0.0/8 mine" in refused.text
        assert len(rita.get(f"{page}?format=json").json()["entries"]) == 1
        again = re.search(r'name="seen" value="([^"]+)"', refused.text)
        assert again is not None
        assert rita.post(page, data=typed | {"seen": again[1]}).status_code == 302

    def add(number: int) -> None:
        added = [pb.Network(network=f"10.{number}.0.0/16")]
        with Caller(world.forge.grpc_address, world.forge.token("rita")) as caller:
            caller(
                "OrganizationService.ChangeNetworks",
                pb.ChangeNetworksRequest(organization=world.organization, add=added, remove=[f"192.0.2.{number}"]),
            )

    first = [pb.Network(network=text) for text in ("127.0.0.0/8", *(f"192.0.2.{number}" for number in range(12)))]
    world.rita(
        "OrganizationService.SetNetworks", pb.SetNetworksRequest(organization=world.organization, networks=first)
    )
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(add, range(12)))
    found = world.rita("OrganizationService.GetNetworks", pb.GetNetworksRequest(organization=world.organization))
    assert {item.network for item in found.networks} == {
        "127.0.0.0/8",
        *(f"10.{number}.0.0/16" for number in range(12)),
    }
    with httpx.Client(headers={"Authorization": f"Bearer {world.forge.token('rita')}"}) as rest:
        address = f"{world.forge.base_url}/api/v1/orgs/{world.organization}/networks"
        tag = {"If-Match": rest.get(address).headers["ETag"]}
        changed = rest.patch(address, json={"remove": ["10.3.0.0/16"], "tokens_pass": True}).json()
        assert len(changed["networks"]) == 12
        assert changed["tokens_pass"] is True
        late = rest.put(address, json={"networks": []}, headers=tag)
        assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
        assert rest.patch(address, json={"remove": ["10.3.0.0/16"]}).status_code == 404
        assert rest.patch(address, json={"add": [{"network": "10.4.0.0/16"}]}).status_code == 400
        there = [item["network"] for item in rest.get(address).json()["networks"]]
        assert len(there) == 12
        emptied = rest.patch(address, json={"remove": there}).json()
        # The next list begins without the exception.
        assert (emptied["networks"], emptied["tokens_pass"]) == ([], False)


def test_only_owners_decide(open_world: World) -> None:
    world = open_world
    for caller in (world.max, world.stan):
        answer = caller.refused("OrganizationService.SetNetworks", _list(world, "127.0.0.1"))
        assert answer.code == "permission_denied"
        assert "Only an owner" in answer.message
    with _elsewhere(world, world.forge.token("rita")) as rita:
        for networks in ({"network": 5}, ["10.0.0.0/8"], {"network": "10.0.0.0/8", "x": 1}, {"network": "a" * 1000}):
            answer = rita.put(f"/orgs/{world.organization}/networks", json={"networks": [networks]})
            assert answer.status_code in (400, 422), answer.text
        many = [{"network": f"10.{n >> 8}.{n & 255}.0/24"} for n in range(10_000)]
        answer = rita.put(f"/orgs/{world.organization}/networks", json={"networks": many})
        assert answer.status_code in (400, 413, 422)
