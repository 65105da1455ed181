"""SQL can be made again from the store: with rows spoiled, and with no database at all."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, session_id

GOALS = ["Add files", "Say why", "Add files"]


@pytest.fixture
def world(own_forge: Forge) -> Iterator[World]:
    """Three landings in the public project, and one session still open."""
    made = World(own_forge)
    decision = pb.Decision(what="Keep it", why="It is short", alternatives=[pb.Alternative(what="Drop it")])
    made.land(made.rita, made.open, {b"b.txt": b"b\n"}, goal="Say why", base_position=1, decisions=[decision])
    made.land(made.max, made.open, {b"c/d.txt": b"d\n"}, base_position=2)
    made.rita(
        "SessionService.StartSession",
        pb.StartSessionRequest(project=made.open, session_id=session_id(), goal="Still open", base_position=3),
    )
    yield made
    made.close()


def _goals(forge: Forge, organization: str) -> list[str]:
    page = httpx.get(f"{forge.base_url}/{organization}/open/-/landings?format=json").json()
    return [item["goal"] for item in page["landings"]]


def test_spoiled_rows_are_made_again(world: World) -> None:
    """Rows that say something else than the log are replaced by what the log says; open sessions stay."""
    forge = world.forge
    forge.stop()
    with forge.database.opened() as database:
        database.change("UPDATE landings_landing SET goal = 'spoiled'")
        database.change("DELETE FROM landings_landing WHERE position = 2")
        database.change("DELETE FROM landings_lastchange")
        database.change("DELETE FROM landings_opensession")
    assert forge.run("rebuild") == "Projects restored: 0. Landings derived: 4."
    forge.start()
    assert _goals(forge, world.organization) == GOALS
    open_sessions = world.rita("SessionService.ListSessions", pb.ListSessionsRequest(project=world.open)).sessions
    assert [session.goal for session in open_sessions] == ["Still open"]
    files = httpx.get(f"{forge.base_url}/{world.organization}/open").text
    assert "c/" in files
    assert "Say why" in files


def test_an_empty_database_is_filled_from_the_store(world: World) -> None:
    """Without any database every project's history is back, with its decisions; private stays private."""
    forge = world.forge
    forge.stop()
    forge.database.lose()
    forge.start()
    assert httpx.get(f"{forge.base_url}/{world.organization}/open").status_code == 404
    forge.stop()
    assert forge.run("rebuild") == "Projects restored: 2. Landings derived: 4."
    forge.start()
    assert _goals(forge, world.organization) == GOALS
    assert "Drop it" in httpx.get(f"{forge.base_url}/{world.organization}/open/-/landings/2").text
    assert httpx.get(f"{forge.base_url}/{world.organization}/closed").status_code == 404


def test_forks_and_deletions_are_in_the_store(world: World) -> None:
    """Without any database: a fork of a private project still asks both, and what was deleted stays deleted."""
    forge = world.forge
    for handle, fork_from in (("fork", f"{world.organization}/closed"), ("gone", "")):
        request = pb.CreateProjectRequest(organization=world.organization, handle=handle, fork_from=fork_from)
        world.rita("ProjectService.CreateProject", request)
    gone = pb.ProjectRef(organization=world.organization, handle="gone")
    world.rita("ProjectService.DeleteProject", pb.DeleteProjectRequest(project=gone))
    forge.stop()
    forge.database.lose()
    assert forge.run("rebuild") == "Projects restored: 3. Landings derived: 5."
    with forge.database.opened() as database:
        found = database.execute(
            "SELECT p.handle, o.handle, p.fork_position, c.source = o.id FROM projects_project p"
            " LEFT JOIN projects_project o ON o.id = p.forked_from_id"
            " LEFT JOIN projects_confinement c ON c.project_id = p.id WHERE p.deleted_at IS NULL ORDER BY p.handle"
        )
        deleted = database.execute("SELECT handle FROM projects_project WHERE deleted_at IS NOT NULL")
    assert found == [("closed", None, None, None), ("fork", "closed", 1, 1), ("open", None, None, None)]
    assert deleted == [("gone",)]
    forge.start()
