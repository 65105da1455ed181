"""More clients than the forge can hold: those that are connected are served, the others are told, nothing is lost."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from forge_process import Forge
from mic.core.errors import Unavailable
from mic.rpc.status import from_rpc_error
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, Refused, World, landed


class _Narrow(Forge):
    descriptors = (300, 600)  # of the files that it may open; it takes the second


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    forge = _Narrow(tmp_path / "data")
    world = World(forge)
    yield world
    world.close()
    forge.stop()


def test_the_forge_takes_the_descriptors_that_it_may_have(world: World) -> None:
    """The soft limit is for programs that are content with it."""
    assert resource.prlimit(world.forge.process.pid, resource.RLIMIT_NOFILE) == (600, 600)


def test_those_who_come_too_late_are_refused_and_the_others_served(world: World) -> None:
    """Half of 600 descriptors are for connections, the rest for what these ask for; when some leave, others fit in."""
    project = world.project()
    asked = pb.GetProjectRequest(project=project)
    token = world.forge.token("rita")
    callers: list[Caller] = []
    refused: list[Refused] = []
    try:
        while len(refused) < 5:
            caller = Caller(world.forge.grpc_address, token)
            callers.append(caller)
            try:
                caller("ProjectService.GetProject", asked)
            except Refused as error:
                refused.append(error)
            assert len(callers) < 400, "nobody was refused"
        # Four belong to the world itself.
        assert 250 <= len(callers) - len(refused) <= 300
        assert {error.status for error in refused} == {grpc.StatusCode.UNAVAILABLE}
        for number, caller in enumerate(callers[:40], 1):
            assert world.land(caller, project, {b"%d.txt" % number: b"text"}).position == number
    finally:
        for caller in callers:
            caller.__exit__()
    assert landed(world, project) == 40
    with Caller(world.forge.grpc_address, token) as late:
        late("ProjectService.GetProject", asked)
    assert "Traceback" not in world.forge.log()


def test_a_call_that_was_dropped_says_to_try_again() -> None:
    """gRPC's own word for it is CANCELLED, without anything of ours."""

    class Dropped(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.CANCELLED

        def details(self) -> str:
            return "CANCELLED"

        def trailing_metadata(self) -> None:
            return None

    error = from_rpc_error(Dropped())
    assert isinstance(error, Unavailable)
    assert error.message == "The forge cannot be reached."
