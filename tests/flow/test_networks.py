"""An organization that is reached from its networks only: from elsewhere a member is a stranger, through every door."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, World, landing

ELSEWHERE = "127.9.9.9"  # nobody in these tests comes from there; the calls come from 127.0.0.1


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
        listed = caller("ProjectService.ListProjects", pb.ListProjectsRequest(organization=organization)).projects
        assert [(project.handle, project.role) for project in listed] == [("open", "")]
        land = landing(world.open, {b"new": b"x"})
        assert caller.refused("SessionService.LandSession", land).code == "permission_denied"
    told = world.rita.refused("OrganizationService.GetNetworks", pb.GetNetworksRequest(organization=organization))
    assert told.code == "permission_denied"
    assert "from named networks only" in told.message
    with Browser(world.forge.base_url) as max_:
        max_.sign_in_once(world.forge.run("link", "max"))
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
        rita.sign_in_once(world.forge.run("link", "rita"))
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
        rita.sign_in_once(world.forge.run("link", "rita"))
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
        assert world.max.refused("ProjectService.GetProject", pb.GetProjectRequest(project=world.closed))
        assert rita.submit(page, networks=f"{ELSEWHERE} far", leave="yes").status_code == 302
        assert rita.get(page).status_code == 403
    assert "come from everywhere now" in world.forge.run("networks-off", world.organization)


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
