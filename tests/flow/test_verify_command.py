"""`micelio verify` beside a running forge: what is sound, what is not, and its exit code."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World


@pytest.fixture
def world(own_forge: Forge) -> Iterator[World]:
    made = World(own_forge)
    yield made
    made.close()


def _verify(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    return world.forge.command("verify", *arguments)


def test_sound_projects_are_said_to_be_sound(world: World) -> None:
    done = _verify(world)
    names = sorted((f"{world.organization}/closed", f"{world.organization}/open"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "".join(f"{name}: sound.\n" for name in names)


def test_a_lost_object_is_named_and_the_exit_code_is_1(world: World) -> None:
    answer = world.rita("ProjectService.GetProject", pb.GetProjectRequest(project=world.open))
    key = f"projects/{answer.project.id.replace('-', '')}/landing-log/tail/"
    folder = world.forge.data_dir / "store" / key
    newest = max(folder.iterdir())
    newest.unlink()
    name = f"{world.organization}/open"
    done = _verify(world, name)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{name}: missing: {key}{newest.name}: ")
    assert lines[-1] == f"{name}: 2 findings."
    told = json.loads(_verify(world, "--json", name).stdout)["projects"]
    assert [(project["project"], project["sound"], len(project["findings"])) for project in told] == [(name, False, 2)]
    assert _verify(world, f"{world.organization}/closed").returncode == 0


def test_a_project_that_there_is_not(world: World) -> None:
    done = _verify(world, "no/such")
    assert done.returncode == 1
    assert done.stderr == ("micelio: There is no project no/such. Without a name, all projects are checked.\n")


def test_repair_puts_a_lost_head_back(world: World) -> None:
    """With the forge stopped; afterwards everything is sound and the forge serves what it had."""
    answer = world.rita("ProjectService.GetProject", pb.GetProjectRequest(project=world.open))
    head = world.forge.data_dir / "store" / "projects" / answer.project.id.replace("-", "") / "head"
    wanted = head.read_bytes()
    head.unlink()
    name = f"{world.organization}/open"
    beside = world.forge.command("repair", name)
    assert beside.returncode == 1
    assert not head.exists()
    world.forge.stop()
    done = world.forge.command("repair", name)
    position = answer.project.head_position
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{name}: the head stands at @{position} again.\n{name}: sound.\nLists derived again: {position} landings.\n"
    )
    assert head.read_bytes() == wanted
