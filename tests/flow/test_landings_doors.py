"""Landings narrowed down through REST, by the words of their page."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest

from api_client import Api
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, landing


@pytest.fixture(scope="module")
def told(world: World) -> pb.ProjectRef:
    """A private project with three landings of two people; the first has two files."""
    project = world.project(visibility="private")
    for caller, goal, agent, files in (
        (world.rita, "Water the roses", "claude-code", {b"src/water.py": b"1\n", b"docs/a.md": b"2\n"}),
        (world.max, "Count roses", "codex", {b"src/water.py.txt": b"3\n"}),
        (world.max, "100% of it_", "", {b"readme.txt": b"4\n"}),
    ):
        caller("SessionService.LandSession", landing(project, files, goal=goal, agent=agent))
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
    ({"path": "/src/water.py"}, ["Water the roses"]),
    ({"path": "src", "author": "max"}, ["Count roses"]),
    ({"since": "2000-01-01", "until": "9999-12-31"}, ["100% of it_", "Count roses", "Water the roses"]),
    ({"until": "2000-01-01"}, []),
    ({"since": "9999-12-31"}, []),
)


@pytest.mark.parametrize(("asked", "goals"), NARROWED)
def test_landings_are_narrowed_down(world: World, told: pb.ProjectRef, asked: dict[str, str], goals: list[str]) -> None:
    """For who may read the project, one by one over all pages."""
    found: list[str] = []
    with Api(world.forge.base_url, world.forge.token("rita")) as api:
        address: str | None = f"/projects/{told.organization}/{told.handle}/landings?{urlencode({**asked, 'limit': 1})}"
        while address:
            answer = api.done("GET", address)
            found += [row["goal"] for row in answer["items"]]
            address = f"{address.partition('&cursor')[0]}&cursor={quote(answer['next'])}" if answer["next"] else None
    assert found == goals


def test_a_day_that_is_none_is_refused(world: World, told: pb.ProjectRef) -> None:
    """With the name of what was asked, and nothing else happens."""
    with Api(world.forge.base_url, world.forge.token("rita")) as api:
        api.refused(
            "GET", f"/projects/{told.organization}/{told.handle}/landings?since=yesterday", 400, "invalid_input"
        )
