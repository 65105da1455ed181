"""The wire and the door before the clients they are for: git by every protocol, dulwich, libgit2; over a small fake."""

from __future__ import annotations

import gzip
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pygit2
import pytest
from dulwich.client import HttpGitClient
from dulwich.repo import Repo

from git_fake import FIRST_DATE, FakeRepository
from git_server import GitClient, GitServer
from mic.core.errors import TooLarge, Unavailable
from mic.git.serving import FetchRequest, PackStream
from micelio.config import current
from micelio.edge import git as door

VERSIONS = ("0", "1", "2")


class Slow(FakeRepository):
    """A repository whose pack comes when it is let go; `left` is set when nobody waits for it any more."""

    def __init__(self) -> None:
        super().__init__()
        self.free, self.begun, self.left = threading.Event(), threading.Event(), threading.Event()

    def fetch(self, request: FetchRequest) -> PackStream:
        stream = super().fetch(request)

        def data() -> Iterator[bytes]:
            try:
                self.begun.set()
                self.free.wait(30)
                yield from stream.data
            finally:
                self.left.set()

        return stream._replace(data=data())


class Broken(FakeRepository):
    """A repository that the store has lost."""

    def common(self, haves: object) -> list[bytes]:
        raise Unavailable("The forge's store cannot be used: it is away.", hint="Try again.")

    def refs(self) -> object:  # type: ignore[override]
        raise Unavailable("The forge's store cannot be used: it is away.", hint="Try again.")

    def fetch(self, request: FetchRequest) -> PackStream:
        raise RuntimeError("broken on purpose")


class Refusing(FakeRepository):
    """A repository that takes no pack."""

    def receive(self, *arguments: object, **options: object) -> list[object]:  # type: ignore[override]
        raise TooLarge("The pack holds more than 5 objects.", hint="Push less at once.")


def fill(repository: FakeRepository, commits: int = 10) -> FakeRepository:
    """A line of commits on main, a tag of the third, a side branch, and a ref that is hidden."""
    oid: tuple[bytes, ...] = ()
    for number in range(1, commits + 1):
        files = {b"file": b"%d\n" % number, b"other": b"same\n"}
        oid = (repository.commit(files, *oid, number=number, ref=b"refs/heads/main"),)
        if number == 3:
            repository.tag(b"v3", oid[0])
            repository.commit({b"file": b"side\n"}, *oid, number=number, ref=b"refs/heads/side")
    repository.hidden_refs[b"refs/landings/1"] = repository.commit({b"file": b"hidden\n"}, number=99)
    return repository


@pytest.fixture(scope="module")
def server() -> Iterator[GitServer]:
    current().data_dir.mkdir(parents=True, exist_ok=True)
    made = GitServer(
        {
            "acme/web": fill(FakeRepository()),
            "acme/empty": FakeRepository(),
            "acme/slow": fill(Slow()),
            "acme/broken": Broken(),
            "acme/refusing": Refusing(),
        }
    )
    yield made
    made.stop()


@pytest.fixture
def push_to(server: GitServer) -> Iterator[FakeRepository]:
    """A repository of this test's own, `acme/own`, as a part of the server's."""
    made = fill(FakeRepository())
    assert isinstance(server.repositories, dict)
    server.repositories["acme/own"] = made
    yield made
    del server.repositories["acme/own"]


@pytest.fixture
def git(tmp_path: Path) -> GitClient:
    return GitClient(tmp_path / "work")


def _hidden(server: GitServer) -> str:
    web = server.repositories["acme/web"]
    assert isinstance(web, FakeRepository)
    return web.hidden_refs[b"refs/landings/1"].hex()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("suffix", ["", ".git", "/"])
def test_clone(server: GitServer, git: GitClient, version: str, suffix: str) -> None:
    """Ten commits, both branches and the tag; whole by git's own check."""
    git("-c", f"protocol.version={version}", "clone", "-q", f"{server.url}/acme/web{suffix}", "web")
    assert git("-C", "web", "rev-list", "--count", "HEAD") == "10"
    assert git("-C", "web", "branch", "-r") == "origin/HEAD -> origin/main\n  origin/main\n  origin/side"
    assert git("-C", "web", "tag") == "v3"
    git("-C", "web", "fsck", "--strict")
    assert (git.folder / "web" / "file").read_text() == "10\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_clone_of_nothing(server: GitServer, git: GitClient, version: str) -> None:
    """An empty repository is cloned; by v2 with the branch that there will be."""
    git("-c", f"protocol.version={version}", "clone", "-q", f"{server.url}/acme/empty", "empty")
    if version == "2":
        assert git("-C", "empty", "symbolic-ref", "HEAD") == "refs/heads/main"


@pytest.mark.parametrize("version", VERSIONS)
def test_fetch(push_to: FakeRepository, server: GitServer, git: GitClient, version: str) -> None:
    """Only what came since; both sides' own commits do no harm, and nothing new is nothing."""
    git("-c", f"protocol.version={version}", "clone", "-q", f"{server.url}/acme/own", ".")
    git("config", "protocol.version", version)
    for number in range(40):
        git("commit", "-q", "--allow-empty", "-m", f"own {number}")
    push_to.commit({b"file": b"new\n"}, push_to.heads[b"refs/heads/main"], number=11, ref=b"refs/heads/main")
    push_to.asked.clear()
    git("fetch", "-q")
    assert git("rev-list", "--count", "HEAD..origin/main") == "1"
    assert push_to.asked[-1].haves
    push_to.asked.clear()
    git("fetch", "-q")
    assert push_to.asked == []


@pytest.mark.parametrize("version", VERSIONS)
def test_depths(server: GitServer, git: GitClient, version: str) -> None:
    """Cloned with one commit, deepened by two, from a date on, up to a ref, and to the whole."""
    git("-c", f"protocol.version={version}", "clone", "-q", "--depth", "1", f"{server.url}/acme/web", ".")
    git("config", "protocol.version", version)
    count = ("rev-list", "--count", "HEAD")
    assert git(*count) == "1"
    git("fetch", "-q", "--deepen", "2")
    assert git(*count) == "3"
    git("fetch", "-q", "--depth", "5")
    assert git(*count) == "5"
    git("fetch", "-q", "--shallow-since", str(FIRST_DATE + 5 * 86_400))
    assert git(*count) == "6"
    git("fetch", "-q", "--shallow-exclude", "side")
    assert git(*count) == "7"
    git("fetch", "-q", "--unshallow")
    assert git(*count) == "10"
    git("fsck", "--strict")


@pytest.mark.parametrize("version", VERSIONS)
def test_partial(server: GitServer, git: GitClient, version: str) -> None:
    """Without blobs, and without trees: what is missing comes when it is needed."""
    git("config", "--global", "protocol.version", version)
    git("clone", "-q", "--bare", "--filter=blob:none", f"{server.url}/acme/web", "blobless")
    assert git("-C", "blobless", "rev-list", "--objects", "--all", "--missing=print").count("?") == 12
    assert git("-C", "blobless", "show", "HEAD~5:file") == "5"
    git("clone", "-q", "--bare", "--filter=tree:0", f"{server.url}/acme/web", "treeless")
    assert git("-C", "treeless", "log", "--format=%s", "-1") == "commit 10"
    assert git("-C", "treeless", "show", "HEAD~8:file") == "2"


def test_hidden_refs(server: GitServer, git: GitClient) -> None:
    """Not listed, not in a mirror, and fetched by name."""
    assert "landings" not in git("ls-remote", f"{server.url}/acme/web")
    git("clone", "-q", "--mirror", f"{server.url}/acme/web", ".")
    assert "landings" not in git("for-each-ref")
    git("fetch", "-q", "origin", "refs/landings/1:refs/landings/1")
    assert git("rev-parse", "refs/landings/1") == _hidden(server)
    assert git("ls-remote", "origin", "v3*").split()[1::2] == ["refs/tags/v3", "refs/tags/v3^{}"]


@pytest.mark.parametrize("version", VERSIONS)
def test_push(push_to: FakeRepository, server: GitServer, git: GitClient, version: str) -> None:
    """New commits, a new branch, a tag, a deletion, options; and refs that are not taken, one by one or all at once."""
    git("clone", "-q", f"{server.url}/acme/own", ".")
    git("config", "protocol.version", version)
    git("commit", "-q", "--allow-empty", "-m", "eleven")
    git("tag", "-a", "-m", "a tag", "v11")
    git("push", "-q", "-o", "one;two", "origin", "HEAD:main", "HEAD:refs/heads/other", "v11", ":side")
    tip = bytes.fromhex(git("rev-parse", "HEAD"))
    assert push_to.heads[b"refs/heads/main"] == push_to.heads[b"refs/heads/other"] == tip
    assert b"refs/heads/side" not in push_to.heads
    assert push_to.heads[b"refs/tags/v11"].hex() == git("rev-parse", "v11")
    assert push_to.options == [b"one;two"]
    said = git.fails("push", "origin", "HEAD:refs/heads/third", "HEAD:refs/refused/x")
    assert "[remote rejected] HEAD -> refs/refused/x (not here)" in said
    assert b"refs/heads/third" in push_to.heads
    said = git.fails("push", "--atomic", "origin", "HEAD:refs/heads/fourth", "HEAD:refs/refused/x")
    assert "[remote rejected] HEAD -> fourth (atomic push failed)" in said
    assert b"refs/heads/fourth" not in push_to.heads


def test_push_of_many_bytes(push_to: FakeRepository, server: GitServer, git: GitClient) -> None:
    """More than git holds back comes in chunks behind a probe, and arrives whole."""
    git("clone", "-q", f"{server.url}/acme/own", ".")
    with open("/dev/urandom", "rb") as noise:
        (git.folder / "large").write_bytes(noise.read(3 << 20))
    git("add", "large")
    git("commit", "-q", "-m", "large")
    git("-c", "http.postBuffer=65536", "push", "-q", "origin", "main")
    assert push_to.heads[b"refs/heads/main"].hex() == git("rev-parse", "HEAD")
    assert bytes.fromhex(git("rev-parse", "HEAD:large")) in push_to


def test_push_that_is_refused_says_why(server: GitServer, git: GitClient) -> None:
    """In one line that git shows."""
    git("init", "-q", "-b", "main")
    git("commit", "-q", "--allow-empty", "-m", "one")
    said = git.fails("push", f"{server.url}/acme/refusing", "main")
    assert "remote unpack failed: The pack holds more than 5 objects. Push less at once." in said


def test_errors_reach_the_user(server: GitServer, git: GitClient) -> None:
    """What the store refuses and what breaks is a line of git's, without what only the log may say."""
    said = git.fails("ls-remote", f"{server.url}/acme/broken")
    assert "remote: " not in said
    assert "The forge's store cannot be used: it is away. Try again." in said
    said = git.fails("clone", f"{server.url}/acme/none")
    assert "could not read Username" in said
    git("init", "-q")
    said = git.fails("fetch", f"{server.url}/acme/web", "ab" * 20)
    assert f"There is no object {'ab' * 20} here." in said
    answer = httpx.post(
        f"{server.url}/acme/broken/git-upload-pack",
        content=b"0011command=fetch0001" + b"0032want " + b"ab" * 20 + b"\n0009done\n0000",
        headers={"Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request"},
    )
    assert answer.content.startswith(b"000dpackfile\n")
    assert answer.content.endswith(b"\x03Something went wrong in the forge. Try again; its log says more.\n")


def test_dulwich(push_to: FakeRepository, server: GitServer, tmp_path: Path) -> None:
    """Clone, fetch with a depth, and push by a client in Python."""
    client = HttpGitClient(server.url)
    repo = client.clone("/acme/own", str(tmp_path / "d"), mkdir=True)
    assert repo.head().hex() != ""
    assert repo.head() == push_to.heads[b"refs/heads/main"].hex().encode()
    made = repo.get_worktree().commit(b"by dulwich", committer=b"D <d@example.com>", author=b"D <d@example.com>")
    said = client.send_pack("/acme/own", lambda _: {b"refs/heads/main": made}, repo.generate_pack_data)
    assert said.ref_status is None or said.ref_status.get(b"refs/heads/main") is None
    assert push_to.heads[b"refs/heads/main"].hex().encode() == made
    shallow = Repo.init(str(tmp_path / "s"), mkdir=True)
    client.fetch("/acme/own", shallow, depth=1)
    assert made in shallow.object_store
    repo.close()
    shallow.close()


def test_libgit2(push_to: FakeRepository, server: GitServer, tmp_path: Path) -> None:
    """Clone and push by libgit2, which speaks v0."""
    repo = pygit2.clone_repository(f"{server.url}/acme/own", str(tmp_path / "l"))
    assert str(repo.head.target) == push_to.heads[b"refs/heads/main"].hex()
    who = pygit2.Signature("L", "l@example.com", FIRST_DATE)
    made = repo.create_commit(
        "refs/heads/main", who, who, "by libgit2", repo[repo.head.target].tree.id, [repo.head.target]
    )
    repo.remotes["origin"].push(["refs/heads/main"])
    assert push_to.heads[b"refs/heads/main"].hex() == str(made)


def _post(server: GitServer, body: bytes, **headers: str) -> httpx.Response:
    sent = {"Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": "version=2"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{server.url}/acme/web/git-upload-pack", content=body, headers=sent)


LS_REFS = b"0014command=ls-refs\n00010000"


def test_request_bodies(server: GitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gzip is inflated, also when it is a bomb: up to the limit, and no further."""
    plain = _post(server, LS_REFS)
    assert plain.status_code == 200
    assert plain.headers["content-type"] == "application/x-git-upload-pack-result"
    assert plain.headers["cache-control"] == "no-cache, max-age=0, must-revalidate"
    assert _post(server, gzip.compress(LS_REFS), Content_Encoding="gzip").content == plain.content
    assert _post(server, gzip.compress(LS_REFS)[:-3], Content_Encoding="gzip").status_code == 400
    assert _post(server, gzip.compress(LS_REFS) + b"more", Content_Encoding="gzip").status_code == 400
    assert _post(server, LS_REFS, Content_Encoding="gzip").status_code == 400
    assert "'br'" in _post(server, LS_REFS, Content_Encoding="br").text
    bomb = gzip.compress(bytes(100 << 20))
    refused = _post(server, bomb, Content_Encoding="gzip")
    assert refused.status_code == 413
    assert "67,108,864 bytes" in refused.text
    monkeypatch.setattr(door.upload_pack, "LARGEST_REQUEST", 1000)
    assert _post(server, bytes(1001)).status_code == 413
    assert b"ERR The request holds" in _post(server, bytes(100)).content


def test_a_probe_and_what_is_no_request(server: GitServer) -> None:
    """A flush alone is answered with nothing; what is no pkt-line with a line that says so."""
    probe = _post(server, b"0000")
    assert (probe.status_code, probe.content) == (200, b"")
    assert b"ERR The request holds b'GET ' where the length" in _post(server, b"GET / HTTP/1.1").content
    assert b"ERR The command 'push'" in _post(server, b"0010command=push0000").content.replace(b"b'push'", b"'push'")


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "info/refs", 403, "smart protocol"),
        ("GET", "info/refs?service=git-upload-archive", 403, "smart protocol"),
        ("GET", "info/refs?service=git-upload-pack&service=git-receive-pack", 403, "smart protocol"),
        ("GET", "HEAD", 403, "smart protocol"),
        ("GET", "objects/info/packs", 403, "smart protocol"),
        ("POST", "info/refs?service=git-upload-pack", 405, "Use GET here."),
        ("GET", "git-upload-pack", 405, "Use POST here."),
        ("POST", "git-upload-pack", 415, "application/x-git-upload-pack-request"),
        ("GET", "info/other", 404, "behind"),
    ],
)
def test_other_requests(server: GitServer, method: str, path: str, status: int, words: str) -> None:
    """The old protocol of plain files is refused in a sentence, and what is not Git's goes on to the pages."""
    answer = httpx.request(method, f"{server.url}/acme/web/{path}")
    assert answer.status_code == status
    assert words in answer.text


@pytest.mark.parametrize("path", ["/-/health/info/refs", "/acme/-/info/refs", "/acme/web/x/info/refs", "/a_b/web/HEAD"])
def test_addresses_of_pages_stay_theirs(server: GitServer, path: str) -> None:
    """Only an owner and a project, by handles as they are given out."""
    assert httpx.get(f"{server.url}{path}?service=git-upload-pack").text == "behind"


def test_nobody_is_asked_for_a_token(server: GitServer) -> None:
    """What is absent, or private: 401 for whoever brings no token, so that git asks for one."""
    answer = httpx.get(f"{server.url}/acme/none/info/refs?service=git-upload-pack")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="Micelio", charset="UTF-8"'
    assert answer.text.startswith("This needs a token")


def test_a_client_that_waits_hears_that_work_goes_on(server: GitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty line of band 2 every few seconds, until the pack comes."""
    monkeypatch.setattr("micelio.edge.git_answer.KEEPALIVE_AFTER", 0.05)
    slow = server.repositories["acme/slow"]
    assert isinstance(slow, Slow)
    want = slow.heads[b"refs/heads/main"].hex().encode()
    body = b"0011command=fetch0001" + b"0032want " + want + b"\n0009done\n0000"
    headers = {"Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request"}
    slow.free.clear()
    found = io.BytesIO()
    with httpx.stream("POST", f"{server.url}/acme/slow/git-upload-pack", content=body, headers=headers) as answer:
        for piece in answer.iter_raw():
            found.write(piece)
            if found.getvalue().count(b"0005\x02") == 3:
                slow.free.set()
    assert b"0005\x020005\x020005\x02" in found.getvalue()
    assert found.getvalue().endswith(b"0000")


def test_work_stops_when_the_client_goes(server: GitServer) -> None:
    """A connection that ends in mid-answer ends the making of the pack."""
    slow = server.repositories["acme/slow"]
    assert isinstance(slow, Slow)
    for event in (slow.free, slow.begun, slow.left):
        event.clear()
    want = slow.heads[b"refs/heads/main"].hex().encode()
    body = b"0011command=fetch0001" + b"0032want " + want + b"\n0009done\n0000"
    head = (
        f"POST /acme/slow/git-upload-pack HTTP/1.1\r\nHost: x\r\nGit-Protocol: version=2\r\n"
        f"Content-Type: application/x-git-upload-pack-request\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode() + body)
        assert slow.begun.wait(10)
    slow.free.set()
    assert slow.left.wait(10)


def test_a_client_that_says_nothing_is_let_go(server: GitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that stops in its middle is answered 408."""
    monkeypatch.setattr("micelio.edge.git_body.SILENCE", 0.05)
    monkeypatch.setattr("micelio.edge.git_refusal._LINGER", 0.05)
    head = (
        "POST /acme/web/git-upload-pack HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        "Content-Type: application/x-git-upload-pack-request\r\nContent-Length: 100\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(head.encode())
        said = b""
        while data := connection.recv(4096):
            said += data
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 ")


def test_as_many_as_there_are_places(server: GitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One client more than the forge answers at once is told when to come back."""
    monkeypatch.setattr(door, "PATIENCE", 0.05)
    slow = server.repositories["acme/slow"]
    assert isinstance(slow, Slow)
    for event in (slow.free, slow.begun, slow.left):
        event.clear()
    want = slow.heads[b"refs/heads/main"].hex().encode()
    body = b"0011command=fetch0001" + b"0032want " + want + b"\n0009done\n0000"
    headers = {"Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request"}
    address = f"{server.url}/acme/slow/git-upload-pack"
    with httpx.Client(limits=httpx.Limits(max_connections=200)) as client:
        waiting = [client.send(client.build_request("POST", address, content=body, headers=headers), stream=True)]
        refused = [client.post(address, content=b"0000", headers=headers)]
        for _ in range(door.FETCHES - 1):
            request = client.build_request("POST", address, content=body, headers=headers)
            waiting.append(client.send(request, stream=True))
        refused.append(client.post(address, content=b"0000", headers=headers))
        slow.free.set()
        for answer in waiting:
            assert answer.read().endswith(b"0000")
    assert [answer.status_code for answer in refused] == [200, 503]
    assert refused[1].headers["retry-after"] == "5"
