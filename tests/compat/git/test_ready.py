"""Clones that leave something out of what is kept: chosen once, kept, extended; beside what C git itself sends."""

from __future__ import annotations

import io
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledgers import traced
from mic.git import ready
from mic.git.kept import KeptObjects
from mic.git.packs import Packs
from mic.git.packscan import Limits
from mic.git.quarantine import Quarantine
from mic.git.served import ServedRepository
from mic.git.serving import FetchRequest
from mic.store import DirectoryStore, MemoryStore, ObjectStore

_ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
_CLONED = ("refs/heads", "refs/tags")
READY = "projects/p/git/ready/"


def git(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, input=data, capture_output=True, env=_ENVIRONMENT, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def commits(ref: str, first: int, count: int, start: str = "") -> bytes:
    """A fast-import stream of commits on a ref, each with two files of its own and one that all change."""
    out = []
    for number in range(first, first + count):
        out.append(
            b"commit %b\ncommitter A <a@example.org> %d +0000\ndata 2\nm\n" % (ref.encode(), 1_600_000_000 + number)
        )
        if start and number == first:
            out.append(b"from %b^0\n" % start.encode())
        for name in (b"dir/%d" % number, b"other/%d" % number, b"all"):
            data = b"%b of %d\n" % (name, number) * 60
            out.append(b"M 100644 inline %b\ndata %d\n%b\n" % (name, len(data), data))
        out.append(b"\n")
    return b"".join(out)


class Source:
    """A Git repository, and a project that is given what it has, as a push would."""

    def __init__(self, path: Path, store: ObjectStore) -> None:
        self.path, self.store = path, store
        git(path.parent, "init", "-q", "--bare", "-b", "trunk", str(path))
        project, _ = traced(store)
        project.create()
        self.kept = KeptObjects(project)

    def grow(self, stream: bytes) -> None:
        git(self.path, "fast-import", "--quiet", "--force", data=stream)
        self.give()

    def give(self) -> None:
        """Push all, without a landing: the project has no main, and every ref is in the view."""
        before = self.kept.snapshot()
        known = b"".join(b"^%b\n" % oid.hex().encode() for oid in before.graph.lines)
        pack = git(self.path, "pack-objects", "--revs", "--all", "--stdout", "-q", data=known)
        quarantine = Quarantine(io.BytesIO(pack), before, self.kept.reader(before), lambda *_: None, Limits())
        view = before.view
        if not quarantine.empty:
            out = io.BytesIO()
            view = msgspec.structs.replace(view, packs=(*view.packs, self.kept.keep(quarantine.write(out), out, False)))
        listed = git(self.path, "for-each-ref", "--format=%(objectname) %(refname)").split()
        refs = {name: bytes.fromhex(oid.decode()) for oid, name in zip(listed[::2], listed[1::2], strict=True)}
        assert self.kept.replace(before, msgspec.structs.replace(view, refs=refs, exact=False))

    def listed(self) -> list[str]:
        return sorted(item.key.removeprefix(READY) for item in self.store.list(READY))


def objects(folder: Path) -> list[bytes]:
    return sorted(
        git(folder, "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)").split(b"\n")
    )


def taken(kept: KeptObjects, folder: Path, **request: object) -> list[bytes]:
    """What a client gets that clones branches and tags: sound, and no more than its header says."""
    repository = ServedRepository(kept)
    refs = [ref for ref in repository.refs().refs if ref.name.startswith((b"refs/heads/", b"refs/tags/"))]
    wants = tuple(sorted({ref.oid for ref in refs}))
    stream = repository.fetch(FetchRequest(wants=wants, ofs_delta=True, **request))  # type: ignore[arg-type]
    pack = b"".join(stream.data)
    assert int.from_bytes(pack[8:12], "big") == stream.objects
    git(folder.parent, "init", "-q", "--bare", "-b", "trunk", str(folder))
    if stream.shallow:
        (folder / "shallow").write_text("".join(f"{oid.hex()}\n" for oid in stream.shallow))
    git(folder, "index-pack", "--stdin", "--strict", data=pack)
    for ref in refs:
        git(folder, "update-ref", ref.name.decode(), ref.oid.hex())
    assert git(folder, "fsck", "--strict", "--full") == b""
    assert len(objects(folder)) - 1 == stream.objects
    return objects(folder)


@pytest.fixture(params=["memory", "directory"])
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr("mic.git.ready.FEW", 20)
    store = MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "store")
    made = Source(tmp_path / "source.git", store)
    made.grow(commits("refs/heads/trunk", 0, 12))
    made.grow(commits("refs/pull/1/head", 50, 5, "refs/heads/trunk"))
    return made


def _cloned(source: Source, folder: Path, *arguments: str) -> list[bytes]:
    """What C git gives a client that clones branches and tags."""
    git(folder.parent, "clone", "-q", "--bare", "--no-local", *arguments, f"file://{source.path}", str(folder))
    return objects(folder)


def test_what_clones_do_not_take_is_left_out(source: Source, tmp_path: Path) -> None:
    """As git does; the second client, at another front end, is sent what was kept for the first."""
    expected = _cloned(source, tmp_path / "peer.git")
    assert taken(source.kept, tmp_path / "one.git") == expected
    kept = source.listed()
    assert len(kept) == 3  # what it is, the pack, its index
    other, _ = traced(source.store)
    assert taken(KeptObjects(other), tmp_path / "two.git") == expected
    assert source.listed() == kept


def test_clones_at_once_share_one_build(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads of a front end that begin together, and a pack that takes its time."""
    copy, built = ready.copy_entries, []

    def slow(*given: Any) -> None:
        built.append(threading.get_ident())
        time.sleep(0.2)
        copy(*given)

    monkeypatch.setattr(ready, "copy_entries", slow)
    together = threading.Barrier(8)

    def one(number: int) -> list[bytes]:
        together.wait()
        return taken(source.kept, tmp_path / f"{number}.git")

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(8)))
    assert found == [_cloned(source, tmp_path / "peer.git")] * 8
    assert len(built) == 1
    assert len(source.listed()) == 3


def test_what_landed_since_comes_behind(source: Source, tmp_path: Path) -> None:
    """A few objects for each client anew, many as another part; what was there is neither sent twice nor kept twice."""
    taken(source.kept, tmp_path / "one.git")
    first = source.listed()
    # The file that all change goes back to what it was: a tree and a content that the first pack has already.
    source.grow(commits("refs/heads/trunk", 3, 1, "refs/heads/trunk"))
    assert taken(source.kept, tmp_path / "few.git") == _cloned(source, tmp_path / "few-peer.git")
    assert source.listed() == first
    source.grow(commits("refs/heads/trunk", 20, 9, "refs/heads/trunk"))
    expected = _cloned(source, tmp_path / "many-peer.git")
    assert taken(source.kept, tmp_path / "many.git") == expected
    assert len([key for key in source.listed() if key.endswith(".pack")]) == 2
    assert taken(KeptObjects(traced(source.store)[0]), tmp_path / "again.git") == expected


def test_what_a_branch_held_that_is_gone_is_not_sent(source: Source, tmp_path: Path) -> None:
    """A pack that was kept for tips which are no longer reached is no beginning of another."""
    source.grow(commits("refs/heads/secret", 80, 3, "refs/heads/trunk"))
    taken(source.kept, tmp_path / "one.git")
    git(source.path, "update-ref", "-d", "refs/heads/secret")
    source.give()
    assert taken(source.kept, tmp_path / "two.git") == _cloned(source, tmp_path / "peer.git")


def test_a_tag_that_came_later_is_included(source: Source, tmp_path: Path) -> None:
    """A client that clones one branch with its tags gets one that names a commit of the pack that was kept."""
    source.grow(commits("refs/heads/side", 80, 1, "refs/heads/trunk"))
    git(source.path, "update-ref", "-d", "refs/heads/side")
    source.give()
    wants = (bytes.fromhex(git(source.path, "rev-parse", "trunk").decode().strip()),)
    asked = FetchRequest(wants=wants, ofs_delta=True, include_tag=True)
    before = ServedRepository(source.kept).fetch(asked).objects
    assert len(source.listed()) == 3
    source.grow(b"tag v1\nfrom refs/heads/trunk^0\ntagger A <a@example.org> 1600000000 +0000\ndata 1\nt")
    stream = ServedRepository(source.kept).fetch(asked)
    assert stream.objects == before + 1
    assert int.from_bytes(b"".join(stream.data)[8:12], "big") == before + 1


def test_shallow_and_partial_clones(source: Source, tmp_path: Path) -> None:
    """They are kept too, each form by itself; a shallow client is told where its history ends."""
    git(source.path, "config", "uploadpack.allowFilter", "true")
    for number, (fields, arguments) in enumerate(
        (({"depth": 1}, ("--depth=1", "--no-single-branch")), ({"filter": "blob:none"}, ("--filter=blob:none",)))
    ):
        repository = ServedRepository(source.kept)
        wants = (bytes.fromhex(git(source.path, "rev-parse", "trunk").decode().strip()),)
        asked = FetchRequest(wants=wants, ofs_delta=True, **fields)  # type: ignore[arg-type]
        expected = len(_cloned(source, tmp_path / f"peer{number}.git", *arguments)) - 1
        for _ in range(2):
            stream = repository.fetch(asked)
            assert stream.objects == expected
            assert int.from_bytes(b"".join(stream.data)[8:12], "big") == expected
            assert list(stream.shallow) == (list(wants) if "depth" in fields else [])
    assert len(source.listed()) == 6


def test_only_so_many_are_kept(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes once nobody can be reading it; until then a new one is chosen for each client."""
    monkeypatch.setattr("mic.git.ready._KEPT", 1)
    taken(source.kept, tmp_path / "one.git")
    first = source.listed()
    source.grow(commits("refs/heads/trunk", 20, 9, "refs/heads/trunk"))
    expected = _cloned(source, tmp_path / "peer.git")
    assert taken(source.kept, tmp_path / "two.git") == expected
    assert source.listed() == first
    monkeypatch.setattr("mic.git.ready._READ_MS", -1)
    assert taken(source.kept, tmp_path / "three.git") == expected
    assert len([key for key in source.listed() if "." not in key]) == 1
    assert taken(KeptObjects(traced(source.store)[0]), tmp_path / "four.git") == expected


def test_what_refs_say_is_worked_out_once(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view's tags are read for the first client; the next gets the same bytes, and a new tag alone is read."""
    tag = b"tag v%d\nfrom refs/heads/trunk^0\ntagger A <a@example.org> 1600000000 +0000\ndata 1\nt"
    for number in range(3):
        source.grow(tag % number)
    read: list[bytes] = []
    reading = Packs.read

    def counted(packs: Packs, oid: bytes, kind: int = 0) -> tuple[int, bytes]:
        read.append(oid)
        return reading(packs, oid, kind)

    monkeypatch.setattr(Packs, "read", counted)

    def asked() -> tuple[list[bytes], bytes]:
        read.clear()
        repository = ServedRepository(source.kept)
        wants = tuple(ref.oid for ref in repository.refs().refs)
        pack = b"".join(repository.fetch(FetchRequest(wants=wants, ofs_delta=True, include_tag=True)).data)
        return list(read), pack

    first, pack = asked()
    assert len(first) > 2
    again, same = asked()
    assert (again, same == pack) == ([], True)
    source.grow(tag % 3)
    new = bytes.fromhex(git(source.path, "rev-parse", "v3").decode().strip())
    read.clear()
    assert ServedRepository(source.kept).refs().refs[-1].oid == new
    assert read == [new]
