"""Fetching what another forge knew of a project, on a running forge: to the end, again, canceled, after a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import other_forge_data
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from other_forge import GitHubServer
from rpc_world import World

TOKEN = "tok-" + "7" * 30


@pytest.fixture(scope="module")
def reaching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A forge that may ask this machine by http."""
    made = Forge(tmp_path_factory.mktemp("archive") / "data", MICELIO_OUTGOING_ALLOW="127.0.0.1")
    yield made
    made.end()


@pytest.fixture(scope="module")
def there(reaching: Forge) -> Iterator[World]:
    made = World(reaching)
    yield made
    made.close()


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    made = GitHubServer("acme/tool")
    made.lists = other_forge_data.github(made.page)
    yield made
    made.close()


def _until(world: World, project: pb.ProjectRef, wanted: Callable[[Any], bool]) -> Any:
    """The newest run once it is as wanted."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        run = world.max("ProjectService.GetForgeArchive", pb.ForgeArchiveRequest(project=project)).run
        if wanted(run):
            return run
        time.sleep(0.05)
    raise AssertionError(f"still {run}")


def _start(world: World, project: pb.ProjectRef, server: GitHubServer, token: str = "") -> Any:
    request = pb.StartForgeArchiveRequest(project=project, url=server.page, provider="github", token=token)
    return world.max("ProjectService.StartForgeArchive", request).run


def _export(world: World, project: pb.ProjectRef) -> list[dict[str, Any]]:
    chunks = world.stan("ProjectService.ExportForgeArchive", pb.ForgeArchiveRequest(project=project))
    return [json.loads(line) for line in b"".join(chunk.data for chunk in chunks).splitlines()]


def test_an_archive_is_fetched_and_handed_out(there: World, github: GitHubServer) -> None:
    """With its counts, to whoever may read the project; again fetches what changed."""
    project = there.project("fetched", "public")
    assert _start(there, project, github).state in ("waiting", "running", "done")
    run = _until(there, project, lambda run: run.state == "done")
    assert (run.pages, dict(run.done)["issue"], run.error) == (8, 2, "")
    found = there.stan("ProjectService.GetForgeArchive", pb.ForgeArchiveRequest(project=project))
    assert not found.HasField("run")  # whoever may start none sees none
    assert dict(found.archive.counts) == {
        "change": 1, "comment": 2, "issue": 2, "label": 1, "milestone": 1, "review": 1, "review_comment": 2
    }  # fmt: skip
    lines = _export(there, project)
    assert (lines[0]["kind"], lines[0]["version"], lines[0]["source"]) == ("archive", 1, github.page)
    assert [line["kind"] for line in lines[1:]].count("review_comment") == 2
    github.asked.clear()
    _start(there, project, github)
    _until(there, project, lambda run: run.state == "done")
    assert {asked.query.get("since") for asked in github.asked if asked.path == "/issues"} == {"2026-11-01T11:58:00Z"}
    assert len(_export(there, project)) == len(lines)


def test_a_pause_is_waited_for(there: World, github: GitHubServer) -> None:
    """The run rests as long as it is told, and goes on by itself."""
    project = there.project("paused", "public")
    github.script = [None, None, (429, {"Retry-After": "2"})]
    _start(there, project, github)
    resting = _until(there, project, lambda run: run.state in ("resting", "done"))
    assert (resting.state, resting.rests_until_ms > 0) == ("resting", True)
    _until(there, project, lambda run: run.state == "done")


def test_a_canceled_run_leaves_nothing(there: World, github: GitHubServer, reaching: Forge) -> None:
    """While it rests: its objects are removed, and another can be started."""
    project = there.project("canceled", "private")
    github.script = [None, None, None, None, (429, {"Retry-After": "3600"})]
    _start(there, project, github)
    _until(there, project, lambda run: run.state == "resting")
    folder = reaching.data_dir / "store" / "projects" / _id(there, project) / "archive"
    assert list((folder / "parts").iterdir())
    busy = there.max.refused(
        "ProjectService.StartForgeArchive",
        pb.StartForgeArchiveRequest(project=project, url=github.page, provider="github"),
    )
    assert busy.code == "busy"
    there.max("ProjectService.CancelForgeArchive", pb.ForgeArchiveRequest(project=project))
    _emptied(folder / "parts")
    found = there.rita("ProjectService.GetForgeArchive", pb.ForgeArchiveRequest(project=project))
    assert (found.run.state, found.HasField("archive")) == ("canceled", False)


def test_a_restart_keeps_what_was_fetched_and_no_token(there: World, github: GitHubServer, tmp_path: Path) -> None:
    """A run without a token goes on by itself; one with a token says that it needs it again, and goes on then."""
    own = Forge(tmp_path / "data", MICELIO_OUTGOING_ALLOW="127.0.0.1")
    try:
        world = World(own)
        bare, secret = world.project("bare", "private"), world.project("secret", "private")
        github.script = [None, None, (429, {"Retry-After": "2"})]
        _start(world, bare, github)
        _until(world, bare, lambda run: run.state == "resting")
        github.script = [None, None, None, None, (429, {"Retry-After": "2"})]
        github.token = TOKEN
        _start(world, secret, github, TOKEN)
        _until(world, secret, lambda run: run.state == "resting" and run.pages == 4)
        github.token = ""
        world.close()
        own.stop()
        files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
        assert not [path for path in files if TOKEN.encode() in path.read_bytes()]
        own.start()
        world = World(own)
        _until_admin(own, bare, "done")
        failed = _until_admin(own, secret, "failed")
        assert (failed.error_code, failed.pages) == ("unauthenticated", 4)
        github.asked.clear()
        caller = World(own).rita
        caller(
            "ProjectService.StartForgeArchive",
            pb.StartForgeArchiveRequest(project=secret, url=github.page, provider="github", token=TOKEN),
        )
        _until_admin(own, secret, "done")
        assert github.asked[0].path == "/issues/comments"
        world.close()
    finally:
        own.end()


def _until_admin(forge: Forge, project: pb.ProjectRef, state: str) -> Any:
    world = World(forge)
    end = time.monotonic() + 60
    try:
        while time.monotonic() < end:
            run = world.rita("ProjectService.GetForgeArchive", pb.ForgeArchiveRequest(project=project)).run
            if run.state == state:
                return run
            time.sleep(0.05)
        raise AssertionError(f"still {run}")
    finally:
        world.close()


def _id(world: World, project: pb.ProjectRef) -> str:
    found = world.rita("ProjectService.GetProject", pb.GetProjectRequest(project=project)).project
    return str(found.id).replace("-", "")


def _emptied(folder: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if not list(folder.iterdir()):
            return
        time.sleep(0.05)
    raise AssertionError(list(folder.iterdir()))
