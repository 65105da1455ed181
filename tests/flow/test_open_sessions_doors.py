"""Open sessions narrowed down through REST and gRPC, by the words of their page."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from api_client import Api
from mic.rpc.v1 import mic_pb2 as pb
from roses import NARROWED, roses
from rpc_world import World, pushing


@pytest.fixture(scope="module")
def told(world: World) -> pb.ProjectRef:
    """A private project with three sessions of two people; the first has two files."""
    project = world.project(visibility="private")
    for number, (caller, goal, agent, files) in enumerate(roses(world), 1):
        own = number.to_bytes(16, "big")
        start = pb.StartSessionRequest(project=project, session_id=own, goal=goal, agent=agent)
        caller("SessionService.StartSession", start)
        caller("SessionService.PushSession", pushing(project, files, id=own, goal=goal, agent=agent))
    return project


OPEN = (
    ({"path": "src", "author": "max", "state": "active"}, ["Count roses"]),
    ({"goal": "\x00"}, []),
)


@pytest.mark.parametrize(("asked", "goals"), NARROWED + OPEN)
def test_rest_and_grpc_narrow_down_the_same(
    world: World, told: pb.ProjectRef, asked: dict[str, str], goals: list[str]
) -> None:
    """By the words of the page, for members; page after page; a stranger sees nothing."""
    address = f"/projects/{told.organization}/{told.handle}/sessions"
    with Api(world.forge.base_url, world.forge.token("rita")) as api:
        if "\x00" in asked.get("goal", ""):
            api.refused("GET", f"{address}?{urlencode(asked)}", 400, "invalid_input")  # as in every address
        else:
            assert api.goals(address, asked) == goals
    typed = {name: value.encode() if name == "path" else value for name, value in asked.items()}
    request = pb.ListSessionsRequest(project=told, page_size=1, **typed)  # type: ignore[arg-type]
    found: list[str] = []
    while True:
        answer = world.rita("SessionService.ListSessions", request)
        found += [row.goal for row in answer.sessions]
        request.page_token = answer.next_page_token
        if not request.page_token:
            break
    assert found == goals


def test_what_cannot_be_narrowed_down(world: World, told: pb.ProjectRef) -> None:
    """What has landed, what can be resumed, a state that there is not; others are told of nothing."""
    for fields, code in (
        ({"resumable": True}, "invalid_input"),
        ({"state": "landed"}, "invalid_input"),
        ({"state": "asleep"}, "invalid_input"),
        ({"path": b"../x"}, "invalid_path"),
    ):
        request = pb.ListSessionsRequest(**{"project": told, "goal": "roses", **fields})  # type: ignore[arg-type]
        assert world.rita.refused("SessionService.ListSessions", request).code == code
    hidden = pb.ListSessionsRequest(project=told, goal="roses")
    assert world.stan.refused("SessionService.ListSessions", hidden).code == "not_found"
    world.rita("SessionService.StartSession", pb.StartSessionRequest(project=world.open, goal="Water the roses"))
    request = pb.ListSessionsRequest(project=world.open, goal="roses")
    assert len(world.rita("SessionService.ListSessions", request).sessions) == 1
    assert len(world.nobody("SessionService.ListSessions", request).sessions) == 0
    with Api(world.forge.base_url) as nobody:
        address = f"/projects/{world.open.organization}/{world.open.handle}/sessions?goal=roses"
        assert nobody.done("GET", address) == {"items": [], "next": None}
