"""A project that the rows know and the store has lost is damaged, not absent; the others go on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import grpc
import httpx
import pytest

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, landing, session_id


@pytest.fixture
def world(own_forge: Forge) -> Iterator[World]:
    made = World(own_forge)
    yield made
    made.close()


def _lose(world: World, *names: str) -> str:
    """Delete these parts of the public project from the store; the hexadecimal id that the store knows it by."""
    answer = world.rita("ProjectService.GetProject", pb.GetProjectRequest(project=world.open))
    name = str(answer.project.id).replace("-", "")
    folder = world.forge.data_dir / "store" / "projects" / name
    for part in names:
        (folder / part).unlink()
    if not names:
        shutil.rmtree(folder)
    return name


@pytest.mark.parametrize("lost", [(), ("head",)], ids=["all", "head"])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_lost_history_is_told_as_damage_at_every_door(world: World, lost: tuple[str, ...], restarted: bool) -> None:
    """By the project's name, with the way out; the store's name for it stands in the log alone."""
    key = _lose(world, *lost)
    if restarted:
        world.forge.restart()
    sentence = f"The history of {world.organization}/open is missing from the store."
    address = f"{world.forge.base_url}/{world.organization}/open"
    for path in ("", "/-/landings", "/-/landings/1", "/-/file/head/readme.txt"):
        answer = httpx.get(address + path)
        assert (answer.status_code, sentence in answer.text, key in answer.text) == (500, True, False), path
    error = httpx.get(f"{address}?format=json").json()["error"]
    hint = "Whoever runs the forge can run `micelio verify`: it names what to restore."
    assert error == {"code": "corrupt_object", "message": sentence, "hint": hint}
    calls = {
        "ProjectService.GetProject": pb.GetProjectRequest(project=world.open),
        "ProjectService.GetProjectTree": pb.GetProjectTreeRequest(project=world.open),
        "ProjectService.StreamBlobs": pb.StreamBlobsRequest(project=world.open, hashes=bytes(32)),
        "SessionService.GetSession": pb.GetSessionRequest(project=world.open, session_id=session_id()),
        "SessionService.LandSession": landing(world.open, {b"b.txt": b"b\n"}, base_position=1),
    }
    for name, request in calls.items():
        refused = world.rita.refused(name, request)
        assert (refused.status, refused.code) == (grpc.StatusCode.DATA_LOSS, "corrupt_object"), name
        assert refused.message == sentence
    assert f"projects/{key}/head" in world.forge.log()
    assert httpx.get(f"{address}-other").status_code == 404
    assert world.land(world.rita, world.closed, {b"c.txt": b"c\n"}, base_position=1).position == 2


def test_a_rebuild_keeps_the_rows_of_a_lost_history_and_derives_the_others(world: World) -> None:
    """It ends with exit code 1 and the name of what is missing."""
    key = _lose(world)
    world.forge.stop()
    done = world.forge.command("rebuild")
    assert done.returncode == 1
    assert done.stdout == "Projects restored: 0. Landings derived: 1.\n"
    assert done.stderr.splitlines()[-1] == (
        f"micelio: The history of {world.organization}/open is missing from the store. "
        "Whoever runs the forge can run `micelio verify`: it names what to restore."
    )
    assert key in done.stderr
