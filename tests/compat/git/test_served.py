"""What a project gives to Git, taken in by C Git: `index-pack --strict`, `fsck`, and the same ids."""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import os
import random
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

import ledgers
from ledgers import EXECUTABLE, LINK, Files, Wanted, traced
from mic.core.errors import MicError
from mic.core.session import Author
from mic.git import kept as kept_module
from mic.git.kept import KeptObjects
from mic.git.objects import commit_line
from mic.git.packentry import COMMIT, object_id
from mic.git.packindex import PackIndex
from mic.git.packwrite import PackWriter
from mic.git.served import ServedRepository
from mic.git.serving import FetchRequest
from mic.ledger.project import Project
from mic.store import DirectoryStore, MemoryStore, ObjectStore
from mic.store.faults import Fault, FaultyStore

_ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}


_numbers = itertools.count(1)


def land(project: Project, files: Mapping[bytes, Wanted], **session: object) -> None:
    """Land these files on the newest position; `session` are fields of the session."""
    number = next(_numbers)
    wanted = ledgers.request(project, number, project.head().position, files)
    changed = msgspec.structs.replace(wanted.session, **session)
    project.land(wanted._replace(session=changed))


class Clone:
    """A bare repository that takes what is served."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(path), at="/")

    def git(self, *arguments: str, data: bytes = b"", at: str | None = None) -> bytes:
        done = subprocess.run(
            ["git", *arguments], cwd=at or self.path, input=data, capture_output=True, env=_ENVIRONMENT, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def take(self, repository: ServedRepository, **request: object) -> int:
        """Fetch all refs that are shown; how many objects came."""
        refs = repository.refs().refs
        wants = tuple(sorted({ref.oid for ref in refs}))
        sent = repository.fetch(FetchRequest(wants=wants, **request))  # type: ignore[arg-type]
        pack = b"".join(sent.data)
        assert int.from_bytes(pack[8:12], "big") == sent.objects
        if sent.objects:
            self.git("index-pack", "--stdin", "--fix-thin", data=pack)
        for ref in refs:
            self.git("update-ref", ref.name.decode(), ref.oid.hex())
        return sent.objects

    def fsck(self) -> str:
        return self.git("fsck", "--strict", "--full").decode()

    def objects(self) -> list[str]:
        out = self.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
        return sorted(out.decode().splitlines())


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "store")


@pytest.fixture
def project(store: ObjectStore) -> Project:
    made, _ = traced(store)
    made.create()
    return made


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone.git")


def _served(project: Project) -> ServedRepository:
    return ServedRepository(KeptObjects(project))


def test_an_empty_project_has_an_unborn_head(project: Project) -> None:
    """HEAD names main, and there is no ref."""
    refs = _served(project).refs()
    assert (refs.head, list(refs.refs)) == (b"refs/heads/main", [])


def test_a_landing_is_a_commit_with_its_tree(project: Project, clone: Clone) -> None:
    """Git checks it out as it was landed, and finds nothing wrong."""
    land(project, {b"README": b"hello\n", b"bin/run": (EXECUTABLE, b"#!/bin/sh\n"), b"link": (LINK, b"README")})
    land(project, {b"README": b"hello again\n", b"a/b/c.txt": b"deep\n", b"bin/run": None})
    clone.take(_served(project))
    assert clone.fsck() == ""
    assert clone.git("rev-list", "--count", "main") == b"2\n"
    assert clone.git("ls-tree", "-r", "--name-only", "main") == b"README\na/b/c.txt\nlink\n"
    assert clone.git("ls-tree", "main", "link").split()[0] == b"120000"
    assert clone.git("ls-tree", "main~1", "bin/run").split()[0] == b"100755"
    assert clone.git("show", "main:README") == b"hello again\n"


def test_the_commit_is_a_function_of_the_landing(store: ObjectStore, project: Project, clone: Clone) -> None:
    """Another front end, with nothing remembered, makes the same ids; so does one after all packs are gone."""
    for number in range(5):
        land(project, {b"file-%d" % number: b"content %d\n" % number})
    first = _served(project).refs()
    for listed in list(store.list("projects/p/git/")):
        store.delete(listed.key)
    other, _ = traced(store)
    assert _served(other).refs() == first


def test_random_histories(project: Project, clone: Clone) -> None:
    """Files come, change, move between file and directory, and go; Git sees each tree as the model has it."""
    draw = random.Random(7)
    model: Files = {}
    names = [b"a", b"a/x", b"a/x/y", b"b", b"b.c", b"b/c", b"b0", b"dir/one", b"dir/two", b"z" * 300]
    trees = []
    for number in range(60):
        wanted: dict[bytes, Wanted] = {}
        name = draw.choice(names)
        for other in list(model):
            if other.startswith(name + b"/") or name.startswith(other + b"/"):
                wanted[other] = None
        wanted[name] = None if name in model and draw.random() < 0.3 else b"%d\n" % number * draw.randint(1, 200)
        land(project, wanted)
        for path, value in wanted.items():
            if value is None:
                model.pop(path, None)
            else:
                assert isinstance(value, bytes)
                model[path] = 0o100644, value
        trees.append(dict(model))
    clone.take(_served(project))
    assert clone.fsck() == ""
    commits = clone.git("rev-list", "--reverse", "main").decode().split()
    assert len(commits) == len(trees)
    for commit, files in zip(commits, trees, strict=True):
        listed = clone.git("ls-tree", "-r", "-z", commit)
        expected = b"".join(b"100644 blob %s\t%s\0" % (_blob(data), path) for path, (_, data) in sorted(files.items()))
        assert listed == expected


def _blob(data: bytes) -> bytes:
    return hashlib.sha1(b"blob %d\x00" % len(data) + data).hexdigest().encode()


def test_a_large_content_is_sent_from_where_it_is_kept(project: Project, clone: Clone) -> None:
    """It is in no pack of ours, and in Git's it is whole."""
    data = random.Random(1).randbytes(3 << 20)
    land(project, {b"large.bin": data, b"small": b"x"})
    repository = _served(project)
    clone.take(repository)
    assert clone.fsck() == ""
    assert clone.git("cat-file", "blob", "main:large.bin") == data
    assert repository.sizes([bytes.fromhex(_blob(data).decode())]) == [len(data)]


def test_fetching_what_came_since(project: Project, clone: Clone) -> None:
    """A fetch brings the new objects alone, thin or not, and nothing when there is nothing new."""
    body = b"".join(b"line %d of a file that is long enough\n" % line for line in range(500))
    land(project, {b"dir/%d.txt" % number: body + b"%d" % number for number in range(40)})
    kept = KeptObjects(project)
    clone.take(ServedRepository(kept))
    head = clone.git("rev-parse", "main").decode().strip()
    for number in range(3):
        land(project, {b"dir/7.txt": body + b"changed %d" % number})
    repository = ServedRepository(kept)
    have = (bytes.fromhex(head),)
    assert repository.ready([repository.refs().refs[0].oid], have)
    sent = repository.fetch(FetchRequest(wants=(repository.refs().refs[0].oid,), haves=have, thin=True, ofs_delta=True))
    assert sent.objects == 12  # three commits, roots, directories and files
    thin = b"".join(sent.data)
    assert len(thin) < 4000
    assert clone.take(repository, haves=have, thin=True, ofs_delta=True) == 12
    assert clone.fsck() == ""
    now = (repository.refs().refs[0].oid,)
    assert repository.fetch(FetchRequest(wants=now, haves=now)).objects == 0


@pytest.mark.parametrize("thin", [False, True])
def test_every_pair_of_have_and_want(project: Project, clone: Clone, tmp_path: Path, thin: bool) -> None:
    """Whatever the client has, it is complete afterwards."""
    draw = random.Random(3)
    for number in range(12):
        land(project, {b"d%d/f%d" % (draw.randint(0, 2), draw.randint(0, 3)): b"%d\n" % number * 100})
    repository = _served(project)
    commits = [repository.hidden([b"refs/landings/%d" % number])[0].oid for number in range(1, 13)]
    for have in (0, 3, 7, 10):
        for want in (have + 1, 11):
            target = Clone(tmp_path / f"{thin}-{have}-{want}.git")
            _pull(target, repository, commits[have], ())
            _pull(target, repository, commits[want], (commits[have],), thin=thin, ofs_delta=thin)
            assert target.git("rev-list", "--objects", commits[want].hex())
            assert target.fsck() == ""


def _pull(clone: Clone, repository: ServedRepository, want: bytes, haves: Sequence[bytes], **more: bool) -> None:
    sent = repository.fetch(FetchRequest(wants=(want,), haves=tuple(haves), **more))
    clone.git("index-pack", "--stdin", "--fix-thin", data=b"".join(sent.data))
    clone.git("update-ref", "refs/heads/main", want.hex())


def test_many_small_packs_become_few(store: ObjectStore, project: Project, clone: Clone) -> None:
    """Who fetches after each landing leaves no pack for each behind, and the objects stay the same."""
    kept = KeptObjects(project)
    for number in range(60):
        land(project, {b"dir/%d" % (number % 7): b"%d\n" % number})
        ServedRepository(kept)
    packs = kept.snapshot().view.packs
    assert len(packs) < 20
    clone.take(ServedRepository(kept))
    assert clone.fsck() == ""
    fresh = Clone(clone.path.with_name("fresh.git"))
    fresh.take(_served(traced(store)[0]))
    assert fresh.objects() == clone.objects()


def test_two_front_ends_catch_up_at_once(store: ObjectStore, project: Project, clone: Clone) -> None:
    """Both derive the same landings; one view counts, and no object is listed twice."""
    one, other = KeptObjects(project), KeptObjects(traced(store)[0])
    for number in range(4):
        land(project, {b"f": b"%d\n" % number})
    before = one.snapshot(), other.snapshot()
    one._catch_up(before[0], 4)
    other._catch_up(before[1], 4)
    assert one.snapshot().numbered == other.snapshot().numbered
    assert len(one.snapshot().view.packs) == 1
    clone.take(ServedRepository(other))
    assert clone.fsck() == ""


def test_filters_and_depth(project: Project) -> None:
    """As many objects as Git itself would send."""
    for number in range(3):
        land(project, {b"dir/sub/f": b"%d\n" % number, b"top": b"top %d\n" % number})
    repository = _served(project)
    want = (repository.refs().refs[0].oid,)

    def count(**request: object) -> int:
        return repository.fetch(FetchRequest(wants=want, **request)).objects  # type: ignore[arg-type]

    assert count() == 3 * (1 + 3 + 2)
    assert count(filter="blob:none") == 3 * (1 + 3)
    assert count(filter="blob:limit=3") == 3 * (1 + 3 + 1)
    assert count(filter="tree:0") == 3
    assert count(filter="tree:1") == 3 * 2
    assert count(filter="tree:2") == 3 * (1 + 2 + 1)
    assert count(depth=1) == 1 + 3 + 2
    shallow = repository.fetch(FetchRequest(wants=want, depth=2))
    assert shallow.objects == 2 * 6
    assert len(shallow.shallow) == 1
    deeper = repository.fetch(FetchRequest(wants=want, haves=want, shallow=tuple(shallow.shallow), depth=3))
    assert (deeper.objects, len(deeper.shallow), list(deeper.unshallow)) == (6, 0, list(shallow.shallow))


def test_names_and_words_that_git_would_not_take(project: Project, clone: Clone) -> None:
    """An author with brackets, a goal with NUL and odd ends: the commit passes git's own check."""
    land(project, {b"f": b"1"}, goal="\n\n  Make\x00it  \n\n", author=Author("<Eve>\n.", "e<v>e@x "), agent="a\nb")
    clone.take(_served(project))
    assert clone.fsck() == ""
    text = clone.git("log", "-1", "--format=%an|%ae|%cn|%B", "main").decode()
    assert text.startswith("Eve|eve@x|mic|  Make\ufffdit\n\nMicelio-Session: ")
    assert "\nMicelio-Position: 1\nAssisted-by: a b\n" in text


class _Dies:
    """Plans that a process ends at a call: that one is done or not, and none after it is."""

    def __init__(self, at: int, fault: Fault) -> None:
        self.at, self.fault, self.calls = at, fault, 0

    def __call__(self, call: str, key: str) -> Fault:
        self.calls += 1
        if self.calls < self.at:
            return Fault.NONE
        return self.fault if self.calls == self.at else Fault.BEFORE


def _history(store: MemoryStore) -> None:
    project, _ = traced(store)
    project.create()
    for number in range(7):
        land(project, {b"file-%d" % (number % 3): b"content %d\n" % number, b"dir/%d" % number: b"x\n"})


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_stopped_at_every_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Fault) -> None:
    """Whoever goes on makes the ids that an unstopped run makes, lists no object twice, and git finds nothing wrong."""
    monkeypatch.setattr(kept_module, "_LANDINGS", 2)
    origin = MemoryStore()
    _history(origin)
    whole = MemoryStore()
    for listed in origin.list(""):
        whole.put_new(listed.key, origin.get(listed.key).data)
    expected = ServedRepository(KeptObjects(traced(whole)[0])).refs()
    stopped = 0
    for at in range(1, 1_000):
        store = MemoryStore()
        for listed in origin.list(""):
            store.put_new(listed.key, origin.get(listed.key).data)
        plan = _Dies(at, fault)
        with contextlib.suppress(MicError):
            KeptObjects(traced(FaultyStore(store, plan))[0]).caught_up()
        if plan.calls < at:
            break
        stopped += 1
        repository = ServedRepository(KeptObjects(traced(store)[0]))
        assert repository.refs() == expected, at
        clone = Clone(tmp_path / f"{at}.git")
        clone.take(repository)
        assert clone.fsck() == ""
    assert stopped > 20


def test_a_clone_of_everything_reads_no_commits(
    store: ObjectStore, project: Project, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand landings begin to be sent as soon as three."""
    for number in range(3):
        land(project, {b"file": b"%d\n" % number})
    _served(project)

    def read(_: PackIndex) -> None:
        raise AssertionError("the table of commits was read")

    monkeypatch.setattr(PackIndex, "commits", read)
    assert clone.take(ServedRepository(KeptObjects(traced(store)[0])), ofs_delta=True) == 9
    assert clone.fsck() == ""


def test_what_a_dead_push_left_is_not_cloned(store: ObjectStore, project: Project, clone: Clone) -> None:
    """Its objects are kept before its refs move: they are in the packs, and nobody has seen them."""
    land(project, {b"file": b"1\n"})
    kept = _served(project)._kept
    before = kept.snapshot()
    with io.BytesIO() as out:
        writer = PackWriter(out)
        raw = b"tree %b\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nLeft behind\n" % (
            before.graph.lines[before.view.tip].tree.hex().encode()
        )
        oid = object_id(COMMIT, raw)
        writer.add(COMMIT, oid, raw)
        writer.commit(commit_line(oid, raw))
        pack = kept.keep(writer.finish(), out, derived=False)
    assert kept.replace(before, msgspec.structs.replace(before.view, packs=(*before.view.packs, pack)))
    assert clone.take(ServedRepository(kept), ofs_delta=True) == 3
    assert clone.fsck() == ""
