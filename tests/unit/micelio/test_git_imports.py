"""Imports that are killed at each write go on, those that are ended leave nothing, and old ones are completed."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec
import pytest

import ledgers as made
from fuzz.packs import SHAPES, Story
from git_backend import GitBackend
from git_server import GitClient
from mic.core.errors import Busy, InvalidInput, NotFound
from mic.core.scanning import Finding
from mic.core.session import Author
from mic.git.history import open_history
from mic.git.sent import SentRefs
from mic.ledger.frame import Frame
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.cluster.presence import PROCESS
from micelio.config import current
from micelio.imports import actions, fetch, queries, worker
from micelio.imports.models import GitImport
from micelio.imports.queries import ImportView
from micelio.jobs import run
from micelio.organizations import actions as organizations
from micelio.outgoing.client import Outgoing
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.project_view import ProjectView
from micelio.sessions import import_secrets
from micelio.sessions.git_view import kept_objects
from micelio.sessions.intake import HistoryIntake

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """The process is gone."""


class Mortal(MemoryStore):
    """Dies at its n-th write from now, before or behind it; 0 for never."""

    def __init__(self) -> None:
        super().__init__()
        self.writes, self.fatal, self.behind = 0, 0, False

    def put_new(self, key: str, data: bytes) -> None:
        self.writes += 1
        if self.writes == self.fatal and not self.behind:
            raise Killed
        super().put_new(key, data)
        if self.writes == self.fatal:
            raise Killed

    def every(self) -> set[str]:
        """Everything that is there."""
        return {item.key for item in self.list("")}


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> Mortal:
    """A store of this test's own."""
    store = Mortal()
    current().data_dir.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(ledgers, "_ledger", Ledger(store))
    return store


@pytest.fixture
def ada() -> Actor:
    actor = actor_of(accounts.create_user(OPERATOR, "ada"), "web")
    organizations.create_organization(actor, "acme")
    return actor


@pytest.fixture
def source(tmp_path: Path) -> GitClient:
    """Four first parents, a side branch that is merged, one that is not, and two tags."""
    git = GitClient(tmp_path / "source")
    git("init", "-q", "-b", "main")
    for number in (1, 2):
        _commit(git, f"f{number}")
    git("checkout", "-q", "-b", "side")
    _commit(git, "s1")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    _commit(git, "f3")
    git("checkout", "-q", "-b", "open", "HEAD~1")
    _commit(git, "o1")
    git("tag", "-a", "-m", "One", "v1", "main")
    git("tag", "light", "side")
    git("checkout", "-q", "main")
    return git


def _commit(git: GitClient, name: str) -> None:
    (git.folder / name).write_text(f"content of {name}\n")
    git("add", "-A")
    git("commit", "-q", "-m", f"Add {name}")


def _refs(git: GitClient) -> dict[bytes, bytes]:
    lines = git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return {name.encode(): bytes.fromhex(oid) for name, oid in (line.split() for line in lines)}


def _begin(ada: Actor, project: ProjectView, git: GitClient) -> ImportView:
    refs = _refs(git)
    tips = [oid.hex() for oid in actions.tips_of(ada, project)]
    known = [f"^{oid}" for oid in tips if git.run("cat-file", "-e", oid).returncode == 0]
    asked = "\n".join([*(oid.hex() for oid in refs.values()), *known, ""]).encode()
    pack = git.run("pack-objects", "--revs", "--stdout", "-q", data=asked).stdout
    view = actions.begin_sending(ada, project, "test", SentRefs(refs, b"refs/heads/main"), pack[-20:].hex(), len(pack))
    return actions.send_part(ada, project, view.id, view.received, [pack[view.received :]])


def _carried_out(monkeypatch: pytest.MonkeyPatch, process: str = "serve-1") -> None:
    monkeypatch.setattr(run, "PROCESS", process)
    assert worker.work_on_one()


def _whole(project: ProjectView, git: GitClient) -> None:
    """The project has the refs of the repository, and every landing of its main line."""
    snapshot = kept_objects(project.id).caught_up()
    refs = _refs(git)
    assert snapshot.view.trouble == ""
    assert snapshot.view.tip == refs.pop(b"refs/heads/main")
    assert snapshot.view.refs == refs
    count = int(git("rev-list", "--count", "--first-parent", "main"))
    assert kept_objects(project.id).project.head().position == snapshot.view.position == count
    packs = kept_objects(project.id).reader(snapshot)
    for oid in git("rev-list", "--objects", "--no-object-names", "--all").split():
        assert packs.has(bytes.fromhex(oid)), oid


def _epochs(store: Mortal) -> int:
    return sum("/landing-log/tail/" in key for key in store.every())


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
def test_killed_at_each_write(
    ada: Actor, source: GitClient, store: Mortal, monkeypatch: pytest.MonkeyPatch, behind: bool
) -> None:
    """Whoever takes it up writes the same again: nothing is doubled, and nothing is left over."""
    project = create_project(ada, "acme", "calm")
    _begin(ada, project, source)
    store.writes = 0
    _carried_out(monkeypatch)
    _whole(project, source)
    writes, epochs = store.writes, _epochs(store)
    assert writes > 5
    for fatal in range(1, writes + 1):
        project = create_project(ada, "acme", f"killed-{fatal}")
        before = _epochs(store)
        _begin(ada, project, source)
        store.writes, store.fatal, store.behind = 0, fatal, behind
        with pytest.raises(Killed):
            _carried_out(monkeypatch, "serve-killed")
        store.fatal = 0
        if queries.get_import(ada, project).state != "done":  # else it was killed while it tidied up
            _carried_out(monkeypatch, "serve-next")
        assert queries.get_import(ada, project).state == "done"
        _whole(project, source)
        assert _epochs(store) - before == epochs
        ours = [key for key in store.every() if project.id.hex in key and "/git/" in key]
        assert sum("/git/packs/" in key for key in ours) == 2
        assert [key.rpartition("/")[2] for key in ours if "/git/imports/" in key] == ["refs"]


def test_ended_after_it_was_killed(
    ada: Actor, source: GitClient, store: Mortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refs, log and store are as before, wherever it was killed before it counted."""
    fatal = 0
    while True:
        fatal += 1
        project = create_project(ada, "acme", f"ended-{fatal}")
        before = store.every()
        view = _begin(ada, project, source)
        store.writes, store.fatal = 0, fatal
        with pytest.raises(Killed):
            _carried_out(monkeypatch, "serve-killed")
        store.fatal = 0
        landed = kept_objects(project.id).project.head().position
        actions.cancel_import(ada, project, view.id)
        _carried_out(monkeypatch, "serve-next")
        assert queries.get_import(ada, project).state == "canceled"
        if landed:
            break
        assert {key for key in store.every() if "/git/views/" not in key} == before
        snapshot = kept_objects(project.id).caught_up()
        assert (snapshot.view.packs, snapshot.view.refs, snapshot.view.tip) == ((), {}, b"")
    assert fatal > 4


def test_what_is_refused_leaves_nothing(
    ada: Actor, source: GitClient, store: Mortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret in a side branch keeps all of it out."""
    project = create_project(ada, "acme", "secret")
    before = store.every()
    source("checkout", "-q", "open")
    (source.folder / "key").write_text("aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzT8q2Lm0pX\n")
    (source.folder / "token").write_text("ghp_" + "x7Kq2mVbN4tRw9ZpLs3HcYd8FgJ6uE1aQo5B" + "\n")
    source("add", "-A")
    source("commit", "-q", "-m", "Keys")
    source("checkout", "-q", "main")
    _begin(ada, project, source)
    _carried_out(monkeypatch)
    view = queries.get_import(ada, project)
    assert (view.state, view.error_code) == ("failed", "secret_found")
    assert store.every() == before


def test_what_was_searched_object_by_object_is_not_searched_again(
    ada: Actor, source: GitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only in an empty project: what lands later may have come before, let in by somebody."""
    searched: list[int] = []
    scan_many = import_secrets.scan_many

    def noted(contents: Collection[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, list[Finding]]]:
        searched.append(len(contents))
        return scan_many(contents)

    monkeypatch.setattr(import_secrets, "scan_many", noted)
    project = create_project(ada, "acme", "searched")
    _begin(ada, project, source)
    _carried_out(monkeypatch)
    assert sum(searched) == 0
    source("merge", "-q", "--no-ff", "-m", "Merge", "open")
    _begin(ada, project, source)
    _carried_out(monkeypatch)
    assert sum(searched) == 1
    _whole(project, source)


def test_again_brings_what_is_new(ada: Actor, source: GitClient, monkeypatch: pytest.MonkeyPatch) -> None:
    project = create_project(ada, "acme", "again")
    _begin(ada, project, source)
    _carried_out(monkeypatch)
    _commit(source, "f4")
    source("branch", "-f", "open", "side")
    view = _begin(ada, project, source)
    assert view.size < 2000
    _carried_out(monkeypatch)
    found = queries.get_import(ada, project)
    assert (found.state, found.landings_total, found.objects_total) == ("done", 1, 3)
    _whole(project, source)


def _first_parents_only(ada: Actor, project: ProjectView, git: GitClient) -> None:
    """What an import of an earlier version brought."""
    history = open_history(git.folder)
    with HistoryIntake(ada, project, "old") as intake:
        for commit in history:
            listed = []
            for change in commit.changes:
                data = history.content(change)
                name = hashlib.sha256(data).digest()
                intake.add_frame(Frame(name, len(data), 0, len(data), False, data))
                listed.append((change.path, change.op, change.mode, name, len(data)))
            author = Author(commit.author_name, commit.author_email)
            intake.add_commit(
                HistoryCommit(commit.oid, commit.raw, author, commit.authored_at_ms, commit.message, listed)
            )
        intake.finish()


def test_completes_what_came_without_side_branches(
    ada: Actor, source: GitClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its landings stay, and what was landed on top of them with mic has its commit behind them."""
    project = create_project(ada, "acme", "old")
    _first_parents_only(ada, project, source)
    kept = kept_objects(project.id)
    assert "merges a side branch" in kept.caught_up().view.trouble
    made.land(kept.project, 5, 4, {b"mic": b"landed with mic\n"})
    _begin(ada, project, source)
    _carried_out(monkeypatch)
    found = queries.get_import(ada, project)
    assert (found.state, found.landings_total, found.position) == ("done", 0, 5)
    snapshot = kept.caught_up()
    refs = _refs(source)
    assert snapshot.view.trouble == ""
    assert snapshot.view.position == 5
    assert snapshot.graph.lines[snapshot.view.tip].parents == (refs.pop(b"refs/heads/main"),)
    assert snapshot.view.refs == refs


def test_another_repository_completes_nothing(
    ada: Actor, source: GitClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = create_project(ada, "acme", "old")
    _first_parents_only(ada, project, source)
    other = GitClient(tmp_path / "other")
    other("init", "-q", "-b", "main")
    _commit(other, "elsewhere")
    _begin(ada, project, other)
    _carried_out(monkeypatch)
    found = queries.get_import(ada, project)
    assert (found.state, found.error_code) == ("failed", "precondition_failed")
    assert "merges a side branch" in kept_objects(project.id).caught_up().view.trouble


@pytest.fixture
def backend(source: GitClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitBackend]:
    """git's own server over the source, which the forge may ask although it is on this machine."""
    served = GitBackend(source.folder.parent)
    monkeypatch.setattr(fetch, "outgoing", lambda seconds: Outgoing(frozenset({"127.0.0.1"}), seconds))
    yield served
    served.stop()


def test_the_forge_fetches(ada: Actor, source: GitClient, backend: GitBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """From git http-backend, behind a redirect; the second time what is new comes, and no more."""
    project = create_project(ada, "acme", "fetched")
    actions.start_import(ada, project, f"{backend.url}/elsewhere/source")
    _carried_out(monkeypatch)
    found = queries.get_import(ada, project)
    assert (found.state, found.error) == ("done", "")
    assert found.source == f"{backend.url}/elsewhere/source"
    _whole(project, source)
    _commit(source, "f4")
    actions.start_import(ada, project, f"{backend.url}/source/")
    _carried_out(monkeypatch)
    found = queries.get_import(ada, project)
    assert (found.state, found.landings_total, found.objects_total) == ("done", 1, 3)
    _whole(project, source)


def test_nothing_is_there_to_fetch(
    ada: Actor, backend: GitBackend, store: Mortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = create_project(ada, "acme", "absent")
    before = store.every()
    actions.start_import(ada, project, f"{backend.url}/absent")
    _carried_out(monkeypatch)
    found = queries.get_import(ada, project)
    assert (found.state, found.error_code) == ("failed", "not_found")
    assert store.every() == before


def test_a_repository_with_sha_256_names(
    ada: Actor, tmp_path: Path, backend: GitBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    GitClient(tmp_path)("init", "-q", "--object-format=sha256", "long")
    project = create_project(ada, "acme", "long")
    actions.start_import(ada, project, f"{backend.url}/long")
    _carried_out(monkeypatch)
    found = queries.get_import(ada, project)
    assert (found.state, found.error) == ("failed", "The repository uses SHA-256 object names.")


def test_a_run_that_nobody_works_on_is_taken_up(ada: Actor, source: GitClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database failed under a run, which stayed this process's; one of another that lives is left alone."""
    project = create_project(ada, "acme", "left")
    view = _begin(ada, project, source)
    monkeypatch.setattr(run, "is_alive", lambda process: process == "serve-2")
    row = GitImport.objects.filter(id=view.id)
    row.update(state="running", worker="serve-2")
    assert not worker.work_on_one()
    row.update(worker=PROCESS)
    assert worker.work_on_one()
    _whole(project, source)


def _move(project: ProjectView, **refs: str) -> None:
    """Move refs as a push to the forge does; `heads__open` is refs/heads/open."""
    moved = {b"refs/" + name.replace("__", "/").encode(): bytes.fromhex(oid) for name, oid in refs.items()}
    kept_objects(project.id).change(lambda view: msgspec.structs.replace(view, refs={**view.refs, **moved}))


def _import(ada: Actor, project: ProjectView, git: GitClient, monkeypatch: pytest.MonkeyPatch) -> ImportView:
    _begin(ada, project, git)
    _carried_out(monkeypatch)
    return queries.get_import(ada, project)


def test_what_moved_here_is_not_overwritten(ada: Actor, source: GitClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ref that somebody pushed to since stays where it is, and what the repository has goes beside it."""
    project = create_project(ada, "acme", "both")
    source("branch", "forced", "open")
    _import(ada, project, source, monkeypatch)
    merge, newest = source("rev-parse", "main~1"), source("rev-parse", "main")
    _move(project, heads__open=newest, heads__side=newest, tags__light=newest)
    source("checkout", "-q", "open")
    _commit(source, "o2")
    source("branch", "-f", "forced", merge)
    source("tag", "-f", "light", merge)
    _delete(project, b"refs/tags/v1")
    found = _import(ada, project, source, monkeypatch)
    assert found.state == "done"
    aside = {"refs/heads/open": "refs/imported/heads/open", "refs/tags/light": "refs/imported/tags/light"}
    assert found.aside == aside
    refs = kept_objects(project.id).snapshot().view.refs
    assert {name.decode(): oid.hex() for name, oid in refs.items()} == {
        "refs/heads/open": newest, "refs/imported/heads/open": source("rev-parse", "open"),
        "refs/heads/side": newest,  # nobody had moved it there
        "refs/heads/forced": merge,  # nobody had moved it here
        "refs/tags/light": newest, "refs/imported/tags/light": merge,  # a tag that moved on is another tag
    }  # fmt: skip
    source("reset", "-q", "--hard", "HEAD~1")
    _commit(source, "o3")
    assert _import(ada, project, source, monkeypatch).aside == aside
    refs = kept_objects(project.id).snapshot().view.refs
    assert refs[b"refs/heads/open"].hex() == newest
    assert refs[b"refs/imported/heads/open"].hex() == source("rev-parse", "open")
    assert len(refs) == 6


def test_branches_of_another_repository(ada: Actor, source: GitClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known of what they were before: the one that goes on from the other counts, else both stay."""
    project = create_project(ada, "acme", "second")
    before = source("rev-parse", "open")
    source("checkout", "-q", "open")
    _commit(source, "o2")
    merge, newest = source("rev-parse", "main~1"), source("rev-parse", "main")
    source("branch", "behind", merge)
    source("branch", "ahead", newest)
    _import(ada, project, source, monkeypatch)
    GitImport.objects.update(source="elsewhere")
    _move(project, heads__open=before, heads__behind=newest, heads__ahead=before)
    found = _import(ada, project, source, monkeypatch)
    assert found.aside == {"refs/heads/ahead": "refs/imported/heads/ahead"}
    refs = kept_objects(project.id).snapshot().view.refs
    assert refs[b"refs/heads/open"].hex() == source("rev-parse", "open")
    assert refs[b"refs/heads/behind"].hex() == newest
    assert refs[b"refs/heads/ahead"].hex() == before
    assert refs[b"refs/imported/heads/ahead"].hex() == newest


def _delete(project: ProjectView, name: bytes) -> None:
    """Delete a ref as a push to the forge does."""
    kept_objects(project.id).change(
        lambda view: msgspec.structs.replace(
            view, refs={other: view.refs[other] for other in view.refs if other != name}
        )
    )


def test_a_pack_that_asks_for_too_much(ada: Actor, store: Mortal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kilobyte that would become gigabytes is refused by its own code, at once, and nothing is left of it."""
    project = create_project(ada, "acme", "bomb")
    before = store.every()
    pushed = SHAPES["delta-bomb-below-each-limit"](Story(random.Random(1)))
    refs = SentRefs({b"refs/heads/main": pushed.tip}, b"refs/heads/main")
    view = actions.begin_sending(ada, project, "test", refs, pushed.pack[-20:].hex(), len(pushed.pack))
    actions.send_part(ada, project, view.id, view.received, [pushed.pack])
    started = time.thread_time()
    _carried_out(monkeypatch)
    assert time.thread_time() - started < 0.5
    found = queries.get_import(ada, project)
    assert (found.state, found.error_code) == ("failed", "too_large")
    assert store.every() == before


def test_one_at_a_time(ada: Actor, source: GitClient) -> None:
    """A second one has to wait; what is sent goes behind what is here."""
    project = create_project(ada, "acme", "one")
    view = _begin(ada, project, source)
    with pytest.raises(Busy) as refused:
        actions.start_import(ada, project, "https://example.org/other.git")
    assert refused.value.hint == "`mic import status acme/one` shows it; wait, or cancel it."
    with pytest.raises(NotFound):
        actions.send_part(ada, project, view.id, 0, [b"PACK"])
    with pytest.raises(InvalidInput):
        actions.start_import(ada, project, "https://user:secret@example.org/other.git")


def test_the_same_again_joins_what_is_at_work(ada: Actor, source: GitClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever brings the same refs, packed in whatever way, is told of the run that brings them; others wait."""
    project = create_project(ada, "acme", "again")
    view = _begin(ada, project, source)
    refs = SentRefs(_refs(source), b"refs/heads/main")
    again = actions.begin_sending(ada, project, "elsewhere", refs, "ab" * 20, 1000)
    assert (again.id, again.state, again.source, again.size) == (view.id, "waiting", "test", view.size)
    for other in (
        SentRefs(refs.refs | {b"refs/tags/v2": refs.refs[b"refs/tags/v1"]}, refs.head),
        SentRefs(refs.refs, b"refs/heads/open"),
    ):
        with pytest.raises(Busy):
            actions.begin_sending(ada, project, "test", other, "ab" * 20, 1000)
    with pytest.raises(Busy):  # it was begun without that
        actions.begin_sending(ada, project, "test", refs, "ab" * 20, 1000, accept_secrets="All were revoked.")
    _carried_out(monkeypatch)
    assert queries.get_import(ada, project, again.id).state == "done"
    assert actions.begin_sending(ada, project, "test", refs, "ab" * 20, 1000).id != view.id


def test_the_same_address_again_joins_what_is_at_work(ada: Actor) -> None:
    project = create_project(ada, "acme", "again")
    view = actions.start_import(ada, project, "https://example.org/one.git", accept_secrets="All were revoked.")
    assert actions.start_import(ada, project, "https://example.org/one.git").id == view.id
    for url, reason in (("https://example.org/two.git", ""), ("https://example.org/one.git", "Other words.")):
        with pytest.raises(Busy):
            actions.start_import(ada, project, url, accept_secrets=reason)
    refs = SentRefs({b"refs/heads/main": bytes(20)}, b"refs/heads/main")
    with pytest.raises(Busy):
        actions.begin_sending(ada, project, "https://example.org/one.git", refs, "ab" * 20, 1000)
