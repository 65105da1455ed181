"""Open sessions narrowed down through REST and gRPC, by the words of their page."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest

from api_client import Api
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, pushing


@pytest.fixture(scope="module")
def told(world: World) -> pb.ProjectRef:
    """A private project with three sessions of two people; the first has two files."""
    project = world.project(visibility="private")
    for number, (caller, goal, agent, files) in enumerate(
        (
            (world.rita, "Water the roses", "claude-code", {b"src/water.py": b"1\n", b"docs/a.md": b"2\n"}),
            (world.max, "Count roses", "codex", {b"src/water.py.txt": b"3\n"}),
            (world.max, "100% of it_", "", {b"readme.txt": b"4\n"}),
        ),
        1,
    ):
        own = number.to_bytes(16, "big")
        start = pb.StartSessionRequest(project=project, session_id=own, goal=goal, agent=agent)
        caller("SessionService.StartSession", start)
        caller("SessionService.PushSession", pushing(project, files, id=own, goal=goal, agent=agent))
    return project


# (filters, goals newest first).
NARROWED = (
    ({}, ["100% of it_", "Count roses", "Water the roses"]),
    ({"goal": "ROSES"}, ["Count roses", "Water the roses"]),
    ({"goal": "%"}, ["100% of it_"]),
    ({"agent": "claude"}, ["Water the roses"]),
    ({"author": "rita"}, ["Water the roses"]),
    ({"author": "nobody-there"}, []),
    ({"path": "src"}, ["Count roses", "Water the roses"]),
    ({"path": "src/water.py"}, ["Water the roses"]),
    ({"path": "src", "author": "max", "state": "active"}, ["Count roses"]),
    ({"goal": "\x00"}, []),
)


@pytest.mark.parametrize(("asked", "goals"), NARROWED)
def test_rest_and_grpc_narrow_down_the_same(
    world: World, told: pb.ProjectRef, asked: dict[str, str], goals: list[str]
) -> None:
    """By the words of the page, for members; page after page; a stranger sees nothing."""
    found: list[str] = []
    with Api(world.forge.base_url, world.forge.token("rita")) as api:
        address: str | None = f"/projects/{told.organization}/{told.handle}/sessions?{urlencode({**asked, 'limit': 1})}"
        if "\x00" in asked.get("goal", ""):
            api.refused("GET", address or "", 400, "invalid_input")  # as in every address
            address = None
        while address:
            answer = api.done("GET", address)
            found += [row["goal"] for row in answer["items"]]
            address = f"{address.partition('&cursor')[0]}&cursor={quote(answer['next'])}" if answer["next"] else None
    assert found == goals
    typed = {name: value.encode() if name == "path" else value for name, value in asked.items()}
    request = pb.ListSessionsRequest(project=told, page_size=1, **typed)  # type: ignore[arg-type]
    found = []
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
