"""A push that moves main, a branch and tags, killed before and behind every write: what is left, and pushing again."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from git_server import GitClient
from mic.core.errors import Unavailable
from mic.git.served import ServedRepository
from mic.git.serving import ABSENT, FetchRequest, RefResult, RefUpdate
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.organizations import actions as organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.sessions import git_view
from micelio.sessions.git_push import open_for_push
from micelio.sessions.intake import HistoryIntake

pytestmark = pytest.mark.django_db
MAIN = "refs/heads/main"


class Killed(BaseException):
    """The process is gone."""


class Mortal(MemoryStore):
    """Dies at its n-th write, done or not; 0 for never."""

    def __init__(self) -> None:
        super().__init__()
        self.writes, self.fatal, self.done = 0, 0, False

    def _write(self, write: Callable[[], object]) -> object:
        self.writes += 1
        if self.fatal and (self.writes > self.fatal or (self.writes == self.fatal and not self.done)):
            raise Killed
        found = write()
        if self.writes == self.fatal:
            raise Killed
        return found

    def put(self, key: str, data: bytes) -> None:
        self._write(lambda: super(Mortal, self).put(key, data))

    def put_new(self, key: str, data: bytes) -> None:
        self._write(lambda: super(Mortal, self).put_new(key, data))

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        return str(self._write(lambda: super(Mortal, self).put_if(key, data, tag)))

    def delete(self, key: str) -> None:
        self._write(lambda: super(Mortal, self).delete(key))


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Mortal:
    """A store of this test's own."""
    made = Mortal()
    monkeypatch.setattr(ledgers, "_ledger", Ledger(made))
    return made


@pytest.fixture
def ada() -> Actor:
    actor = actor_of(accounts.create_user(OPERATOR, "ada"), "web")
    organizations.create_organization(actor, "acme")
    return actor


@pytest.fixture
def source(tmp_path: Path) -> GitClient:
    git = GitClient(tmp_path / "source")
    git("init", "-q", "-b", "main")
    for number in range(3):
        (git.folder / f"f{number}").write_text(f"{number}\n")
        git("add", "-A")
        git("commit", "-q", "-m", f"c{number}")
    git("branch", "side", "HEAD~1")
    git("tag", "-a", "-m", "one", "v1")
    git("tag", "light", "HEAD~2")
    return git


def _refs(git: GitClient) -> dict[str, str]:
    lines = git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(line.split() for line in lines)


def _forget(store: Mortal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process looks at the same store."""
    store.fatal = 0
    git_view._kept.clear()
    monkeypatch.setattr(ledgers, "_ledger", Ledger(store))


def _shown(repository: ServedRepository) -> dict[str, str]:
    return {ref.name.decode(): ref.oid.hex() for ref in repository.refs().refs}


def _push(ada: Actor, git: GitClient, atomic: bool) -> list[RefResult]:
    """What `git push --mirror` sends: every ref that is another there, with a pack of what is not there."""
    repository = open_for_push(ada, "acme", "p")
    here, there = _refs(git), _shown(repository)
    updates = [
        RefUpdate(name.encode(), bytes.fromhex(there[name]) if name in there else ABSENT,
                  bytes.fromhex(here[name]) if name in here else ABSENT)
        for name in sorted(here.keys() | there.keys()) if here.get(name) != there.get(name)
    ]  # fmt: skip
    asked = [update.new.hex() for update in updates if update.new != ABSENT]
    asked += [f"^{oid}" for oid in there.values() if git.run("cat-file", "-e", oid).returncode == 0]
    pack = git.run("pack-objects", "--revs", "--stdout", "-q", "--thin", data="\n".join([*asked, ""]).encode()).stdout
    return repository.receive(updates, io.BytesIO(pack), atomic=atomic, options=())


def _cloned(ada: Actor, folder: Path) -> dict[str, str]:
    """The refs of a clone, in which git finds nothing wrong."""
    repository = git_view.open_for_fetch(ada, "acme", "p")
    git = GitClient(folder)
    git("init", "-q", "--bare", ".")
    shown = _shown(repository)
    if shown:
        wants = tuple(dict.fromkeys(bytes.fromhex(oid) for oid in shown.values()))
        sent = repository.fetch(FetchRequest(wants=wants, ofs_delta=True))
        git("index-pack", "--stdin", "--strict", data=b"".join(sent.data))
        for name, oid in shown.items():
            git("update-ref", name, oid)
        git("fsck", "--full", "--strict")
    return shown


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("done", [False, True])
def test_killed_at_every_write(
    ada: Actor, store: Mortal, source: GitClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, atomic: bool,
    done: bool,
) -> None:  # fmt: skip
    """Nothing, or main alone, or all: main lands first, the other refs move together. The same push again ends it.

    Of an atomic push there is never main alone.
    """
    create_project(ada, "acme", "p")
    empty = dict(store._objects)
    every = _refs(source)
    found, fatal = [], 0
    while True:
        fatal += 1
        store._objects = dict(empty)
        _forget(store, monkeypatch)
        store.writes, store.fatal, store.done = 0, fatal, done
        try:
            _push(ada, source, atomic)
        except Killed:
            pass
        else:
            break
        _forget(store, monkeypatch)
        shown = _cloned(ada, tmp_path / f"killed-{fatal}")
        found.append(len(shown))
        assert shown in (({}, every) if atomic else ({}, {MAIN: every[MAIN]}, every))
        assert all(result.error == "" for result in _push(ada, source, atomic))
        _forget(store, monkeypatch)
        assert _cloned(ada, tmp_path / f"again-{fatal}") == every
    assert found == sorted(found), "what was there is gone again"
    assert len(found) > 4
    assert found[0] == 0
    assert (1 in found) == (not atomic)


def test_atomic_beside_a_push_that_was_quicker(ada: Actor, store: Mortal, source: GitClient) -> None:
    """The tag moved after this push was begun: main does not land without it."""
    create_project(ada, "acme", "p")
    late = open_for_push(ada, "acme", "p")
    every = _refs(source)
    oids = {name: bytes.fromhex(oid) for name, oid in every.items()}
    pack = source.run("pack-objects", "--revs", "--stdout", "-q", data="\n".join([*every.values(), ""]).encode()).stdout
    branch = [RefUpdate(b"refs/heads/side", ABSENT, oids["refs/heads/side"])]
    assert open_for_push(ada, "acme", "p").receive(branch, io.BytesIO(pack), atomic=True, options=())[0].error == ""
    updates = [RefUpdate(name.encode(), ABSENT, oid) for name, oid in oids.items()]
    results = late.receive(updates, io.BytesIO(pack), atomic=True, options=())
    assert {result.name.decode(): result.error for result in results} == {
        name: "fetch first" if name == "refs/heads/side" else "the atomic push was refused" for name in every
    }
    assert _shown(git_view.open_for_fetch(ada, "acme", "p")) == {"refs/heads/side": every["refs/heads/side"]}


def test_an_atomic_push_that_died_moves_nothing_later(
    ada: Actor, store: Mortal, source: GitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It died before main landed. When somebody lands the same commits, that is not its landing."""
    create_project(ada, "acme", "p")
    with monkeypatch.context() as patched:
        patched.setattr(HistoryIntake, "finish", _dies)
        with pytest.raises(Killed):
            _push(ada, source, True)
    _forget(store, monkeypatch)
    project = open_for_push(ada, "acme", "p")
    assert len(project._snapshot.view.movings) == 1
    main = bytes.fromhex(source("rev-parse", "main"))
    updates = [RefUpdate(MAIN.encode(), ABSENT, main)]
    pack = source.run("pack-objects", "--revs", "--stdout", "-q", data=main.hex().encode() + b"\n").stdout
    assert project.receive(updates, io.BytesIO(pack), atomic=False, options=())[0].error == ""
    repository = git_view.open_for_fetch(ada, "acme", "p")
    assert _shown(repository) == {MAIN: main.hex()}
    assert repository._snapshot.view.movings == ()


def test_two_atomic_pushes_at_once(
    ada: Actor, store: Mortal, source: GitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have said what moves with main when the first lands: its tag moves with it, and the other's does not."""
    create_project(ada, "acme", "p")
    oids = {name: bytes.fromhex(oid) for name, oid in _refs(source).items()}

    def push(tag: str) -> list[RefResult]:
        updates = [RefUpdate(name.encode(), ABSENT, oids[name]) for name in (MAIN, tag)]
        return open_for_push(ada, "acme", "p").receive(updates, io.BytesIO(pack), atomic=True, options=())

    pack = source.run("pack-objects", "--all", "--stdout", "-q").stdout
    finish, first, second = HistoryIntake.finish, [], []

    def finish_in_turn(self: HistoryIntake) -> None:
        if not first:
            first.append(self)
            second.extend(push("refs/tags/light"))
            return
        finish(first[0])
        finish(self)

    monkeypatch.setattr(HistoryIntake, "finish", finish_in_turn)
    assert [result.error for result in push("refs/tags/v1")] == ["", ""]
    assert [result.error for result in second] == ["fetch first", "the atomic push was refused"]
    assert _shown(git_view.open_for_fetch(ada, "acme", "p")) == {
        name: oids[name].hex() for name in (MAIN, "refs/tags/v1")
    }


def test_a_ref_that_moves_with_main_is_not_moved_by_others(
    ada: Actor, store: Mortal, source: GitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody pushes the tag of an atomic push that is landing: that is refused, and main and the tag move."""
    create_project(ada, "acme", "p")
    oids = {name: bytes.fromhex(oid) for name, oid in _refs(source).items()}
    pack = source.run("pack-objects", "--all", "--stdout", "-q").stdout
    updates = [RefUpdate(name.encode(), ABSENT, oids[name]) for name in (MAIN, "refs/tags/v1")]
    finish, beside = HistoryIntake.finish, []

    def finish_late(self: HistoryIntake) -> None:
        other = [RefUpdate(b"refs/tags/v1", ABSENT, oids["refs/tags/light"])]
        push = open_for_push(ada, "acme", "p")
        beside.extend(push.receive(other, io.BytesIO(pack), atomic=False, options=()))
        finish(self)

    monkeypatch.setattr(HistoryIntake, "finish", finish_late)
    results = open_for_push(ada, "acme", "p").receive(updates, io.BytesIO(pack), atomic=True, options=())
    assert [result.error for result in results] == ["", ""]
    assert [result.error for result in beside] == ["an atomic push is moving it; push again in a moment"]
    assert _shown(git_view.open_for_fetch(ada, "acme", "p")) == {
        update.name.decode(): update.new.hex() for update in updates
    }


def test_an_atomic_push_whose_end_is_not_known(
    ada: Actor, store: Mortal, source: GitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store gives no answer to the swap, and performs it later: the tag moves with main all the same."""
    create_project(ada, "acme", "p")
    oids = {name: bytes.fromhex(oid) for name, oid in _refs(source).items()}
    pack = source.run("pack-objects", "--all", "--stdout", "-q").stdout
    updates = [RefUpdate(name.encode(), ABSENT, oids[name]) for name in (MAIN, "refs/tags/v1")]
    finish, late = HistoryIntake.finish, []

    def unanswered(self: HistoryIntake) -> None:
        late.append(self)
        raise Unavailable("The store does not answer.")

    monkeypatch.setattr(HistoryIntake, "finish", unanswered)
    results = open_for_push(ada, "acme", "p").receive(updates, io.BytesIO(pack), atomic=True, options=())
    assert all(result.error for result in results)
    assert _shown(git_view.open_for_fetch(ada, "acme", "p")) == {}
    finish(late[0])
    assert _shown(git_view.open_for_fetch(ada, "acme", "p")) == {
        update.name.decode(): update.new.hex() for update in updates
    }


def _dies(self: HistoryIntake) -> None:
    raise Killed
