"""`micelio gc` beside a running forge: what it says, what it takes, and that it takes nothing that is needed."""

from __future__ import annotations

import json
import re
import subprocess

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, frame


def _gc(forge: Forge, *arguments: str) -> subprocess.CompletedProcess[str]:
    return forge.command("gc", *arguments)


def test_an_upload_that_waits_is_named(world: World) -> None:
    project = world.project("", "private")
    name = f"{project.organization}/{project.handle}"
    assert re.fullmatch(rf"{name}: \d+ objects?; everything is named\.\n", _gc(world.forge, name).stdout)
    request = [pb.UploadBlobsRequest(project=project, frames=[frame(b"left behind")])]
    world.rita("ProjectService.UploadBlobs", request)
    dry = _gc(world.forge, "--dry-run", name)
    assert (dry.returncode, dry.stderr) == (0, "")
    lines = dry.stdout.splitlines()
    assert re.fullmatch(rf"{name}: 1 object, 1 that nothing names \(\d+ bytes\)\.", lines[0])
    assert re.fullmatch(
        r" +\d+ bytes  packs/[0-9a-f]{64}\.pack: an upload that was not landed,"
        r" seen on [-\d]{10}, condemned after 7 days",
        lines[1],
    )
    told = json.loads(_gc(world.forge, "--json", name).stdout)
    (about,) = told["projects"]
    assert (told["dry_run"], about["project"], about["removed"]) == (False, name, 0)
    assert [(left["stage"], left["bytes"] > 0) for left in about["leavings"]] == [("seen", True)]


def test_what_cannot_be_meant(world: World) -> None:
    assert _gc(world.forge, "no/such").stderr == (
        "micelio: There is no project no/such. Without a name, all projects are looked at.\n"
    )
    for days in ("0", "-3", "nan"):
        done = _gc(world.forge, "--keep", days)
        assert done.returncode == 1
        assert done.stderr.startswith("micelio: --keep is ")
        assert "give at least 1" in done.stderr
