"""Landings narrowed down through REST, by the words of their page."""

from __future__ import annotations

import pytest

from api_client import Api
from mic.rpc.v1 import mic_pb2 as pb
from roses import GOALS, NARROWED, roses
from rpc_world import World, landing


@pytest.fixture(scope="module")
def told(world: World) -> pb.ProjectRef:
    """A private project with three landings of two people; the first has two files."""
    project = world.project(visibility="private")
    for caller, goal, agent, files in roses(world):
        caller("SessionService.LandSession", landing(project, files, goal=goal, agent=agent))
    return project


DAYS = (
    ({"path": "/src/water.py"}, ["Water the roses"]),
    ({"since": "2000-01-01", "until": "9999-12-31"}, GOALS),
    ({"until": "2000-01-01"}, []),
    ({"since": "9999-12-31"}, []),
)


@pytest.mark.parametrize(("asked", "goals"), NARROWED + DAYS)
def test_landings_are_narrowed_down(world: World, told: pb.ProjectRef, asked: dict[str, str], goals: list[str]) -> None:
    """For who may read the project, one by one over all pages."""
    with Api(world.forge.base_url, world.forge.token("rita")) as api:
        assert api.goals(f"/projects/{told.organization}/{told.handle}/landings", asked) == goals


def test_a_day_that_is_none_is_refused(world: World, told: pb.ProjectRef) -> None:
    """With the name of what was asked, and nothing else happens."""
    with Api(world.forge.base_url, world.forge.token("rita")) as api:
        api.refused(
            "GET", f"/projects/{told.organization}/{told.handle}/landings?since=yesterday", 400, "invalid_input"
        )
