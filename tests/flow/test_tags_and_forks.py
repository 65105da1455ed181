"""Pages of a project's tags, as Git brought them, and of its forks."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest

from git_server import GitClient
from html_check import Document, dangers
from mic.git.commits import parse_tag_text
from mic.rpc.v1 import mic_pb2 as pb
from micelio.pages.stylesheet import stylesheet
from rpc_world import World

FRAME = frozenset({"meta", "link", "form", "svg"})
HOSTILE = "<script>alert(1)</script> \x1b[31m\u202e"


def _get(world: World, project: pb.ProjectRef, rest: str, **params: str) -> httpx.Response:
    address = rest if rest.startswith("/") else f"/{project.organization}/{project.handle}/-/{rest}"
    return httpx.get(f"{world.forge.base_url}{address}", params=params or None, timeout=60)


def _queries(answer: httpx.Response) -> int:
    return int(answer.headers["Server-Timing"].rpartition('desc="')[2].rstrip('"'))


@pytest.fixture
def tagged(world: World, tmp_path: Path) -> tuple[pb.ProjectRef, GitClient]:
    """@1 was made with mic, @2 came from Git; a commit beside main; a tag of a tag and one of a directory."""
    project = world.project()
    world.land(world.max, project, {b"a.txt": b"one\n"}, goal="Begin")
    git = GitClient(tmp_path / "git")
    base = world.forge.base_url.replace("://", f"://x:{world.forge.token('max')}@")
    git("clone", "-q", f"{base}/{project.organization}/{project.handle}", ".")
    git("tag", "v0.9")
    (git.folder / "b.txt").write_text("two\n")
    git("add", ".")
    git("commit", "-q", "-m", "Add b\n\nwith care")
    git("tag", "-a", "-m", "The first release\n\nAll of it.", "v0.10")
    git("tag", "-a", "-m", "of a tag", "v0.11", "v0.10")
    git("tag", "-a", "-m", HOSTILE, "hostile")
    git("tag", "directory", "HEAD^{tree}")
    git("checkout", "-q", "-b", "side")
    # It says that it is @1, which another commit is.
    git.environment |= {"GIT_COMMITTER_NAME": "mic", "GIT_COMMITTER_EMAIL": "mic@micelio.invalid"}
    git("commit", "-q", "--allow-empty", "-m", git("log", "-1", "--format=%B", "v0.9"))
    assert "Micelio-Position: 1" in git("log", "-1", "--format=%B")
    git("tag", "beside")
    git("push", "-q", "origin", "main", "side", "--tags")
    return project, git


def test_tags_with_their_landings(world: World, tagged: tuple[pb.ProjectRef, GitClient]) -> None:
    """Numbers in names count as such, the highest first; what each stands at; archives where that has landed."""
    project, git = tagged
    answer = _get(world, project, "tags")
    page = answer.text
    assert _queries(answer) <= 12
    assert dangers(page, FRAME) == []
    root = f"/{project.organization}/{project.handle}/-"
    names = [link.text for link in Document(page).all("a") if link.attributes["href"].startswith(f"{root}/tree/@")]
    assert names == ["v0.11", "v0.10", "v0.9", "hostile"]
    assert f'href="{root}/archive/@2.tar.zst"' in page
    assert "The first release" in page
    assert "a commit that has not landed on main" in page
    assert "no commit" in page
    twin = _get(world, project, "tags", format="json").json()
    told = {tag["name"]: tag for tag in twin["tags"]}
    assert [tag["name"] for tag in twin["tags"]] == ["v0.11", "v0.10", "v0.9", "hostile", "directory", "beside"]
    assert {name: tag["landing"] for name, tag in told.items()} == {
        "v0.9": 1, "v0.10": 2, "v0.11": 2, "hostile": 2, "directory": None, "beside": None,
    }  # fmt: skip
    commits = {name: git("rev-parse", f"{name}^{{commit}}").strip() for name in told if name != "directory"}
    assert {name: told[name]["commit"] for name in commits} == commits
    assert told["directory"]["commit"] is None
    assert [told[name]["annotated"] for name in ("v0.9", "v0.10")] == [False, True]
    assert told["v0.10"]["message"] == "The first release\n\nAll of it.\n"
    assert told["v0.10"]["tagger"] == "A U Thor"
    assert told["v0.10"]["tagged_at"] is not None
    assert told["v0.9"]["message"].startswith("Begin")
    assert told["v0.9"]["archives"]["zip"] == f"{root}/archive/@1.zip"
    assert _get(world, project, told["v0.9"]["archives"]["zip"]).status_code == 200
    written = _get(world, project, "tags", format="md").text
    assert "- v0.10 at @2, " in written
    assert "\x1b" not in written


def test_a_branch_is_compared_with_a_tag(world: World, tagged: tuple[pb.ProjectRef, GitClient]) -> None:
    """Either way round, by their names, also through the two boxes; what is a tag and no landing is no point."""
    project, _ = tagged
    place = f"{world.forge.base_url}/api/v1/projects/{project.organization}/{project.handle}"
    own = {"Authorization": f"Bearer {world.forge.token('max')}"}
    assert httpx.post(f"{place}/branches", json={"name": "fix/c"}, headers=own).status_code == 201
    body = {"goal": "Say three", "changes": [{"path": "c.txt", "text": "three\n"}]}
    assert httpx.post(f"{place}/landings", params={"branch": "fix/c"}, json=body, headers=own).status_code == 201

    def differs(points: str) -> list[tuple[str, bool, bool]]:
        answer = _get(world, project, f"compare/{points}", format="json")
        assert answer.status_code == 200, answer.text
        return [(each["path"], bool(each["old"]), bool(each["new"])) for each in answer.json()["changes"]]

    assert differs("v0.9...fix:c") == [("b.txt", False, True), ("c.txt", False, True)]
    assert differs("fix:c...v0.9") == [("b.txt", True, False), ("c.txt", True, False)]
    assert differs("v0.11...fix:c") == [("c.txt", False, True)]
    assert differs("v0.9...v0.10") == differs("@1...v0.10") == [("b.txt", False, True)]
    page = _get(world, project, "compare/v0.9...fix:c")
    assert "<h1>From v0.9@1 to fix/c@3</h1>" in page.text
    assert _queries(page) <= 12
    boxes = _get(world, project, "compare", **{"from": "v0.9", "to": "fix/c"})
    assert boxes.headers["location"].endswith("/-/compare/v0.9...fix:c")
    for no_point in ("beside", "directory", "v9", "v0.9@1"):
        assert _get(world, project, f"compare/{no_point}...fix:c").status_code == 404, no_point


def test_many_tags_have_pages(world: World, tagged: tuple[pb.ProjectRef, GitClient]) -> None:
    """Each on one of them, as many queries as for few, within the weight of a page."""
    project, git = tagged
    git.run("tag", "-d", *git("tag").split())
    lines = "".join(f"create refs/tags/n{number} {git('rev-parse', 'main').strip()}\n" for number in range(100))
    git("update-ref", "--stdin", data=lines.encode())
    git("push", "-q", "origin", "--tags")
    seen: list[str] = []
    rest = "tags"
    while rest:
        answer = _get(world, project, rest)
        assert _queries(answer) <= 12
        assert len(gzip.compress(answer.content)) + len(gzip.compress(stylesheet()[1])) <= 30 * 1024
        twin = _get(world, project, f"{rest}{'&' if '?' in rest else '?'}format=json").json()
        seen += [tag["name"] for tag in twin["tags"]]
        rest = twin["next"] or ""
    expected = ["v0.11", "v0.10", "v0.9", *(f"n{number}" for number in range(99, -1, -1)), "hostile", "directory"]
    assert seen == [*expected, "beside"]
    assert _get(world, project, "tags?after=%00").status_code == 200


def test_forks(world: World) -> None:
    """Those that the reader may see, behind the number on the page of the project."""
    project = world.project()
    world.land(world.max, project, {b"a.txt": b"one\n"})
    assert "There is none that you can see." in _get(world, project, "forks").text
    for name, visibility in (("b-fork", "public"), ("a-fork", "public"), ("c-fork", "private")):
        handle = f"{project.handle}-{name}"
        request = pb.CreateProjectRequest(
            organization=project.organization,
            handle=handle,
            visibility=visibility,
            fork_from=f"{project.organization}/{project.handle}",
        )
        world.rita("ProjectService.CreateProject", request)
    answer = _get(world, project, "forks")
    assert _queries(answer) <= 12
    assert dangers(answer.text, FRAME) == []
    twin = _get(world, project, "forks", format="json").json()
    own = f"{project.organization}/{project.handle}"
    assert sorted(fork["project"] for fork in twin["forks"]) == [f"{own}-a-fork", f"{own}-b-fork"]
    assert twin["next"] is None
    assert "c-fork" not in answer.text
    assert f'href="/{own}/-/forks">2</a>' in _get(world, project, f"/{own}").text
    assert f"- {own}-a-fork\n" in _get(world, project, "forks", format="md").text
    assert "There are no more." in _get(world, project, "forks", after=f"{own}-b-fork").text


def test_what_a_tag_says() -> None:
    """Of old without a tagger, with a date that no calendar has, with a signature that is no part of it."""
    head = b"object " + b"a" * 40 + b"\ntype commit\ntag v1\n"
    assert parse_tag_text(head + b"\nof old\n") == ("", None, "of old\n")
    signed = b"tagger A <a@b> 86400 +0100\n\nyes\n-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n"
    assert parse_tag_text(head + signed) == ("A", 86_400_000, "yes\n")
    assert parse_tag_text(head + b"tagger A <a@b> 99999999999999 +0000\n\n") == ("A", 253_402_300_799_000, "")
    assert parse_tag_text(b"") == ("", None, "")


def test_tags_of_a_fork(world: World, tagged: tuple[pb.ProjectRef, GitClient]) -> None:
    """A fork begins without; what is pushed to it stands at the landings that it shares, whose commits were brought."""
    project, git = tagged
    handle = f"{project.handle}-fork"
    request = pb.CreateProjectRequest(
        organization=project.organization,
        handle=handle,
        visibility="public",
        fork_from=f"{project.organization}/{project.handle}",
    )
    world.rita("ProjectService.CreateProject", request)
    fork = pb.ProjectRef(organization=project.organization, handle=handle)
    assert _get(world, fork, "tags", format="json").json()["tags"] == []
    git("push", "-q", f"{git('remote', 'get-url', 'origin').strip()}-fork", "v0.9", "hostile")
    twin = _get(world, fork, "tags", format="json").json()
    assert [(tag["name"], tag["landing"]) for tag in twin["tags"]] == [("v0.9", 1), ("hostile", 2)]
