"""Pages of branches: the list, and the pages of a line below its own address."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World


def _on(project: pb.ProjectRef, branch: str) -> pb.ProjectRef:
    return pb.ProjectRef(organization=project.organization, handle=project.handle, branch=branch)


@pytest.fixture
def project(world: World) -> pb.ProjectRef:
    made = world.project()
    world.land(world.max, made, {b"a.txt": b"on main\n"}, goal="Begin")
    world.max("ProjectService.CreateBranch", pb.CreateBranchRequest(project=made, name="fix/b"))
    world.max("ProjectService.CreateBranch", pb.CreateBranchRequest(project=made, name="quiet"))
    world.land(world.max, _on(made, "fix/b"), {b"b.txt": b"on the branch\n"}, goal="Mend it", base_position=1)
    return made


def _get(world: World, project: pb.ProjectRef, rest: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{world.forge.base_url}/{project.organization}/{project.handle}{rest}", headers=headers)


def test_the_list(world: World, project: pb.ProjectRef, tmp_path: Path) -> None:
    """Lines by name with their newest landing, and behind them what only Git knows; the twin says the same."""
    git = GitClient(tmp_path / "git")
    token = world.forge.token("max")
    url = f"{world.forge.base_url}/{project.organization}/{project.handle}".replace("://", f"://x:{token}@")
    git("clone", "-q", url, ".")
    git("push", "-q", "origin", "HEAD:side")
    text = _get(world, project, "/-/branches").text
    assert text.index("fix/b") < text.index("quiet") < text.index("Only in Git") < text.index("side")
    assert "Mend it" in text
    assert "nothing landed since" in text
    found = _get(world, project, "/-/branches?format=json").json()
    assert [(item["name"], item["head"], item["from_position"]) for item in found["branches"]] == [
        ("fix/b", 2, 1),
        ("quiet", 1, 1),
    ]
    assert found["git_branches"] == ["side"]
    (link,) = re.findall(r'href="([^"]+)">fix/', text)
    assert link == f"/{project.organization}/{project.handle}@fix:b"


def test_pages_of_a_line(world: World, project: pb.ProjectRef) -> None:
    """Its files, landings, raw contents and blame; each link on them stays on the line, settings are the project's."""
    at = "@fix:b"
    page = _get(world, project, at).text
    assert "b.txt" in page
    assert "branch fix/b" in page
    assert f"{project.handle}{at}/-/file/head/b.txt" in page
    assert "b.txt" not in _get(world, project, "").text
    assert _get(world, project, f"{at}/-/raw/head/b.txt").content == b"on the branch\n"
    assert "on the branch" in _get(world, project, f"{at}/-/file/head/b.txt").text
    assert _get(world, project, f"{at}/-/blame/head/b.txt").status_code == 200
    twin = _get(world, project, f"{at}/-/landings?format=json").json()
    assert (twin["branch"], [item["goal"] for item in twin["landings"]]) == ("fix/b", ["Mend it", "Begin"])
    assert "Mend it" in _get(world, project, f"{at}/-/landings/2").text
    assert "branch" not in _get(world, project, "/-/landings?format=json").json()
    assert f"{project.handle}{at}/-/landings/2" in _get(world, project, f"{at}/-/landings.atom").text
    for absent in ("@nowhere", "@", "@fix/b", "@@", "@fix:b@x"):
        assert _get(world, project, absent).status_code == (200 if absent == "@" else 404), absent


def test_rest_reads_and_lands_on_a_line(world: World, project: pb.ProjectRef) -> None:
    """`?branch=` goes with files, landings and landing; without it everything is main's."""
    place = f"{world.forge.base_url}/api/v1/projects/{project.organization}/{project.handle}"
    own = {"Authorization": f"Bearer {world.forge.token('max')}"}
    body = {"goal": "Say hello", "changes": [{"path": "hello.txt", "text": "hello\n"}]}
    made = httpx.post(f"{place}/landings", params={"branch": "quiet"}, json=body, headers=own)
    assert (made.status_code, made.json()["position"]) == (201, 2)
    assert (
        httpx.get(world.forge.base_url + made.headers["Location"], headers=own).json()["landing"]["goal"] == "Say hello"
    )
    assert httpx.get(f"{place}/files/hello.txt", params={"branch": "quiet"}).text == "hello\n"
    assert httpx.get(f"{place}/files/hello.txt").status_code == 404
    listed = httpx.get(f"{place}/branches", params={"limit": 1}).json()
    assert [item["name"] for item in listed["items"]] == ["fix/b"]
    begun = httpx.post(f"{place}/branches", json={"name": "third/one", "origin": "quiet"}, headers=own)
    assert (begun.status_code, begun.json()["origin"], begun.json()["position"]) == (201, "quiet", 2)
    assert httpx.get(f"{place}/branches/third/one").json()["head_position"] == 2
    assert httpx.delete(f"{place}/branches/third/one", headers=own).status_code == 204
    assert httpx.get(f"{place}/branches/third/one").status_code == 404


def test_lines_are_compared_by_name(world: World, project: pb.ProjectRef) -> None:
    """What differs between two heads, whatever landed on either since they parted; positions of a line too."""
    world.land(world.max, project, {b"m.txt": b"later on main\n"}, goal="Go on", base_position=1)
    found = _get(world, project, "/-/compare/main...fix:b?format=json").json()
    assert [(item["path"], item["old"] is None, item["new"] is None) for item in found["changes"]] == [
        ("b.txt", True, False),
        ("m.txt", False, True),
    ]
    assert [item["goal"] for item in found["landings"]] == ["Mend it"]
    assert (found["from"], found["to"], found["from_branch"], found["to_branch"]) == (2, 2, "main", "fix/b")
    page = _get(world, project, "/-/compare/main...fix:b").text
    assert "From main@2 to fix/b@2" in page
    assert "later on main" in page
    assert "on the branch" in page
    assert "later on main" in _get(world, project, "/-/compare/main...fix:b/changes/2").text
    back = _get(world, project, "/-/compare/fix:b...main@1?format=json").json()
    assert [(item["path"], item["new"] is None) for item in back["changes"]] == [("b.txt", True)]
    same = _get(world, project, "/-/compare/quiet...fix:b?format=json").json()
    assert [item["path"] for item in same["changes"]] == ["b.txt"]
    moved = _get(world, project, "/-/compare?from=main&to=fix/b")
    assert moved.headers["Location"].endswith("/-/compare/main...fix:b")
    for absent in ("main...gone", "@1...@9", "fix:b@9...main", "x@y...main", "..", "a@b@c...head"):
        assert _get(world, project, f"/-/compare/{absent}").status_code == 404, absent
