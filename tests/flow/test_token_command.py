"""`micelio token`: what it prints may do little, unless more was asked for by name."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest

from forge_process import Forge
from rpc_world import World


def _as(forge: Forge, token: str) -> httpx.Client:
    return httpx.Client(base_url=f"{forge.base_url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_without_more_it_reads_projects(world: World, forge: Forge) -> None:
    """The private ones of its account too; it starts no session, makes nothing, and is in the list of tokens."""
    owner, handle = world.organization, "closed"
    with _as(forge, forge.run("token", "rita")) as reader:
        assert reader.get(f"/projects/{owner}/{handle}").status_code == 200
        assert reader.get(f"/projects/{owner}/{handle}/sessions").status_code == 403
        refused = reader.post("/orgs", json={"handle": "made-by-a-reader"})
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
        assert reader.get("/me/tokens").status_code == 403
    with _as(forge, forge.token("rita")) as rita:
        names = {row["name"]: row["scopes"] for row in rita.get("/me/tokens").json()["items"]}
    assert names["micelio token"] == ["project:read"]


def test_scopes_projects_and_days_are_named(world: World, forge: Forge) -> None:
    """It is for that project alone, and as long as it says."""
    where = f"{world.organization}/open"
    wanted = ("--scope", "project:read,session:write", "--project", where, "--days", "2", "--name", "lander")
    with _as(forge, forge.run("token", "rita", *wanted)) as lander:
        assert lander.post(f"/projects/{where}/sessions", json={"goal": "by a script"}).status_code == 201
        assert lander.get(f"/projects/{world.organization}/closed").status_code == 404
    with _as(forge, forge.token("rita")) as rita:
        (made,) = [row for row in rita.get("/me/tokens").json()["items"] if row["name"] == "lander"]
    assert (made["scopes"], made["projects"]) == (["project:read", "session:write"], [where])
    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert round(lasts.total_seconds()) == 2 * 24 * 3600


def test_the_whole_account_is_asked_for_by_name(world: World, forge: Forge) -> None:
    """Then it may do everything, its tokens included; limits beside it have no meaning."""
    with _as(forge, forge.run("token", "rita", "--whole-account", "--days", "3650")) as whole:
        assert whole.get("/me/tokens").status_code == 200


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (("--scope", "all"), "'all' is not a scope"),
        (("--whole-account", "--scope", "project:read"), "no limits"),
        (("--project", "nowhere"), "does not name a project"),
        (("--project", "no/where"), "no project"),
        (("--days", "400"), "Use 1 to 366 days"),
        (("--scope", "project:read,project:write"), "would read private projects and write public ones"),
    ],
)
def test_what_cannot_be_meant_is_refused(world: World, forge: Forge, wanted: tuple[str, ...], says: str) -> None:
    """With a sentence, and nothing is made."""
    with pytest.raises(AssertionError) as refused:
        forge.run("token", "rita", *wanted)
    assert says in str(refused.value)
