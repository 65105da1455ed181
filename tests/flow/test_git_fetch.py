"""git, dulwich and libgit2 before a real forge: what landed by mic is cloned, fetched, and hidden from strangers."""

from __future__ import annotations

import subprocess
import zlib
from collections import Counter
from pathlib import Path

import httpx
import pygit2
import pytest
from dulwich.client import HttpGitClient

from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import World, added, frame, landing

VERSIONS = ("0", "1", "2")


@pytest.fixture(scope="module")
def project(world: World) -> pb.ProjectRef:
    """A public project of twelve landings: files, folders, a link, a program, a name that is no UTF-8."""
    made = world.project()
    files: dict[bytes, tuple[bytes, int]] = {
        b"README.md": (b"# Hello\n", 0o100644),
        b"src/main.py": (b"print('hello')\n", 0o100755),
        b"link": (b"README.md", 0o120000),
        b"caf\xe9": (b"latin\n", 0o100644),
    }
    changes = [added(path, data, mode) for path, (data, mode) in files.items()]
    request = landing(made, {}, goal="Begin", changes=changes)
    request.frames.extend(frame(data) for data in {data for data, _ in files.values()})
    world.rita("SessionService.LandSession", request)
    for number in range(2, 13):
        world.land(world.rita, made, {b"notes/%02d.txt" % number: b"note %d\n" % number}, goal=f"Note {number}")
    return made


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    return GitClient(tmp_path / "work")


def _url(world: World, project: pb.ProjectRef, user: str = "") -> str:
    base = world.forge.base_url.replace("://", f"://{user}@") if user else world.forge.base_url
    return f"{base}/{project.organization}/{project.handle}.git"


@pytest.mark.parametrize("version", VERSIONS)
def test_clone(world: World, project: pb.ProjectRef, git: GitClient, version: str) -> None:
    """Every landing is a commit, each file is as it landed, and git finds nothing wrong."""
    git("-c", f"protocol.version={version}", "clone", "-q", _url(world, project), ".")
    assert git("rev-list", "--count", "HEAD") == "12"
    assert git("log", "--format=%s", "-2") == "Note 12\nNote 11"
    assert git("log", "--format=%an", "-1") == "rita"
    assert git("symbolic-ref", "HEAD") == "refs/heads/main"
    git("fsck", "--strict")
    listed = git("ls-tree", "-r", "-z", "HEAD").split("\0")
    modes = {line.partition("\t")[2]: line[:6] for line in listed if line}
    assert {name: modes[name] for name in ("README.md", "src/main.py", "link", "caf\udce9")} == {
        "README.md": "100644", "src/main.py": "100755", "link": "120000", "caf\udce9": "100644",
    }  # fmt: skip
    assert (git.folder / "notes" / "12.txt").read_text() == "note 12\n"
    assert git("status", "--porcelain") == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_fetch_of_what_landed_since(world: World, git: GitClient, version: str) -> None:
    """Only the new commits come; a fetch with nothing new changes nothing."""
    project = world.project()
    world.land(world.rita, project, {b"a": b"1\n"})
    git("-c", f"protocol.version={version}", "clone", "-q", _url(world, project), ".")
    git("config", "protocol.version", version)
    before = git("rev-parse", "HEAD")
    git("pull", "-q")
    assert git("rev-parse", "HEAD") == before
    world.land(world.rita, project, {b"b": b"2\n"})
    git("pull", "-q")
    assert git("rev-parse", "HEAD~1") == before
    assert (git.folder / "b").read_text() == "2\n"
    git("fsck", "--strict")


@pytest.mark.parametrize("version", VERSIONS)
def test_shallow(world: World, project: pb.ProjectRef, git: GitClient, version: str) -> None:
    """Cloned with one commit, then deepened to all."""
    git("-c", f"protocol.version={version}", "clone", "-q", "--depth", "1", _url(world, project), ".")
    git("config", "protocol.version", version)
    assert git("rev-list", "--count", "HEAD") == "1"
    git("fetch", "-q", "--deepen", "3")
    assert git("rev-list", "--count", "HEAD") == "4"
    git("fetch", "-q", "--unshallow")
    assert git("rev-list", "--count", "HEAD") == "12"
    git("fsck", "--strict")


@pytest.mark.parametrize("wanted", ["blob:none", "blob:limit=5", "tree:0"])
def test_partial(world: World, project: pb.ProjectRef, git: GitClient, wanted: str) -> None:
    """Without contents or trees; they come when they are needed."""
    git("clone", "-q", "--bare", f"--filter={wanted}", _url(world, project), ".")
    missing = [line for line in git("rev-list", "--objects", "--all", "--missing=print").split() if line[0] == "?"]
    assert missing
    assert git("show", "HEAD:notes/07.txt") == "note 7"
    assert git("cat-file", "-s", "HEAD:README.md") == "8"


def _kinds(pack: bytes) -> Counter[int]:
    """How many entries of each type a pack has (gitformat-pack)."""
    kinds: Counter[int] = Counter()
    at = 12
    for _ in range(int.from_bytes(pack[8:12], "big")):
        kinds[kind := pack[at] >> 4 & 7] += 1
        while pack[at] & 0x80:
            at += 1
        at += 21 if kind == 7 else 1
        if kind == 6:
            while pack[at] & 0x80:
                at += 1
            at += 1
        inflater = zlib.decompressobj()
        inflater.decompress(pack[at:])
        at = len(pack) - len(inflater.unused_data)
    assert at == len(pack) - 20
    return kinds


@pytest.mark.parametrize("version", ["0", "2"])
@pytest.mark.parametrize("offered", [True, False])
def test_distances_to_bases_go_only_to_who_offers_ofs_delta(
    world: World, git: GitClient, tmp_path: Path, version: str, offered: bool
) -> None:
    """A pushed pack is kept with its distances, and copied to clones; others are told the name of the base."""
    project = world.project()
    git("init", "-q", "-b", "main")
    lines = [f"line {number} of a file that is worth a delta\n" for number in range(400)]
    for number in range(4):
        lines[number * 50] = f"changed {number}\n"
        (git.folder / "file").write_text("".join(lines))
        git("add", "file")
        git("commit", "-q", "-m", f"c{number}")
    git("push", "-q", _url(world, project, f"x:{world.forge.token('rita')}"), "main")
    other = GitClient(tmp_path / "other")
    other(
        "-c", f"protocol.version={version}", "-c", f"repack.useDeltaBaseOffset={str(offered).lower()}",
        "-c", "fetch.unpackLimit=1",
        "clone", "-q", "--bare", _url(world, project), ".",
    )  # fmt: skip
    (pack,) = (other.folder / "objects" / "pack").glob("*.pack")
    kinds = _kinds(pack.read_bytes())
    assert (kinds[6] > 0, kinds[7] > 0) == (offered, not offered)
    assert sum(kinds.values()) == 12
    other("fsck", "--strict")


def test_empty_project(world: World, git: GitClient) -> None:
    """A project without a landing is cloned as an empty repository."""
    git("clone", "-q", _url(world, world.project()), ".")
    assert git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert git("ls-remote", "origin") == ""


def test_landings_by_name(world: World, project: pb.ProjectRef, git: GitClient) -> None:
    """Not listed; fetched by number, and by the session."""
    assert git("ls-remote", _url(world, project)).split()[1::2] == ["HEAD", "refs/heads/main"]
    git("clone", "-q", _url(world, project), ".")
    git("fetch", "-q", "origin", "refs/landings/3:refs/landings/3")
    assert git("rev-parse", "refs/landings/3") == git("rev-parse", "HEAD~9")
    assert "couldn't find remote ref refs/landings/99" in git.fails("fetch", "origin", "refs/landings/99")


def test_private_projects(world: World, git: GitClient, tmp_path: Path) -> None:
    """With a token however it is sent; without one as if there were none, and the token stays out of sight."""
    closed = _url(world, world.closed)
    assert "could not read Username" in git.fails("clone", closed)
    assert "could not read Username" in git.fails("clone", closed.replace("closed", "absent"))
    token = world.forge.token("max")
    for user in (f"x-token:{token}", f"max:{token}", f"anything:{token}", f"{token}:"):
        assert git("ls-remote", _url(world, world.closed, user)).endswith("refs/heads/main")
    header = f"http.extraHeader=Authorization: Bearer {token}"
    assert git("-c", header, "ls-remote", closed).endswith("refs/heads/main")
    stranger = world.forge.token("stan")
    said = git.fails("ls-remote", _url(world, world.closed, f"x:{stranger}"))
    assert "not found" in said
    asked = {"service": "git-upload-pack"}
    answer = httpx.get(f"{_url(world, world.open)}/info/refs", params=asked, auth=("x", "wrong"))
    assert (answer.status_code, answer.text) == (
        401, "The access token is not valid here. Sign in again with `mic auth login`.\n",
    )  # fmt: skip
    assert token not in world.forge.log()


def test_dulwich_and_libgit2(world: World, project: pb.ProjectRef, tmp_path: Path) -> None:
    """Both clone it, whole and shallow, and have the same commit; dulwich leaves contents out, libgit2 cannot."""
    with HttpGitClient(world.forge.base_url).clone(
        f"/{project.organization}/{project.handle}", str(tmp_path / "d"), mkdir=True
    ) as repo:
        head = repo.head().decode()
        assert (tmp_path / "d" / "README.md").read_bytes() == b"# Hello\n"
    cloned = pygit2.clone_repository(_url(world, project), str(tmp_path / "l"))
    assert str(cloned.head.target) == head
    assert (tmp_path / "l" / "README.md").read_bytes() == b"# Hello\n"
    client, address = HttpGitClient(world.forge.base_url), f"/{project.organization}/{project.handle}"
    with client.clone(address, str(tmp_path / "ds"), mkdir=True, bare=True, depth=1) as repo:
        assert repo.get_shallow() == {head.encode()}
    with client.clone(address, str(tmp_path / "dp"), mkdir=True, bare=True, filter_spec=b"blob:none") as repo:
        assert repo[head.encode()].type_name == b"commit"
        assert [name for name in repo.object_store if repo[name].type_name == b"blob"] == []
    shallow = pygit2.clone_repository(_url(world, project), str(tmp_path / "ls"), bare=True, depth=1)
    assert shallow.is_shallow
    assert [str(commit.id) for commit in shallow.walk(shallow.head.target)] == [head]


def test_many_clones_at_once(world: World, project: pb.ProjectRef, git: GitClient) -> None:
    """Fifty at once, no error."""
    running = [
        subprocess.Popen(
            ["git", "clone", "-q", "--bare", _url(world, project), f"c{number}"],
            cwd=git.folder,
            env=git.environment,
            stderr=subprocess.PIPE,
        )
        for number in range(50)
    ]
    said = [process.communicate(timeout=120)[1] for process in running]
    assert said == [b""] * 50
    heads = {git("-C", f"c{number}", "rev-parse", "HEAD") for number in range(50)}
    assert len(heads) == 1


def test_the_old_protocol_is_refused(world: World, project: pb.ProjectRef, git: GitClient) -> None:
    """Files of a repository are not served, in a sentence, whether there is such a project or not."""
    git.environment["GIT_SMART_HTTP"] = "0"
    assert "smart protocol over HTTP only" in git.fails("clone", _url(world, project))
    answer = httpx.get(f"{world.forge.base_url}/no/thing.git/HEAD")
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/plain; charset=utf-8")
