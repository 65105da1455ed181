"""What becomes of branches when they, or their project, are deleted, moved, measured, or made again from the store."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from ledgers import land
from mic.core.errors import LimitReached, NotFound
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.edge.verify import repair as repair_line
from micelio.organizations import actions as organizations
from micelio.projects import branches, ledgers, limits
from micelio.projects.actions import create_project, update_project
from micelio.projects.branches import create_branch, delete_branch, list_branches
from micelio.projects.deletion import delete_project, restore_project
from micelio.projects.erasure import erase
from micelio.projects.forks import count_forks
from micelio.projects.jobs import measure_storage
from micelio.projects.models import Project
from micelio.projects.moves import rename_project, transfer_project
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import (
    all_project_ids,
    get_project,
    is_standing,
    list_projects,
    project_name,
    project_of,
)
from micelio.projects.restore import restore
from micelio.sessions import projector
from micelio.sessions.models import Landing
from micelio.sessions.queries import last_changes, list_landings

pytestmark = pytest.mark.django_db
_LONG = timedelta(days=8)


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's store is shared, and names repeat."""
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))


@pytest.fixture
def olga() -> Actor:
    actor = actor_of(accounts.create_user(OPERATOR, "olga"), "web")
    organizations.create_organization(actor, "acme")
    organizations.create_organization(actor, "others")
    return actor


@pytest.fixture
def api(olga: Actor) -> ProjectView:
    """Two landings on main."""
    made = create_project(olga, "acme", "api", visibility="public")
    _land(made, 1)
    _land(made, 2)
    return made


def _land(project: ProjectView, number: int) -> None:
    land(ledgers.open_ledger(project.line), number, number - 1, {b"a/%d-%s" % (number, project.branch.encode()): b"x"})
    projector.catch_up(project.line)


def _branch(olga: Actor, project: ProjectView, name: str, position: int | None = None) -> ProjectView:
    made = create_branch(olga, project, name, position)
    projector.begin_fork(made.view.line)
    return made.view


def _keys() -> list[str]:
    return [listed.key for listed in ledgers.ledger().driver.store.list("")]


def test_no_list_shows_a_branch(olga: Actor, api: ProjectView) -> None:
    """It is no project: in no list, under no address, no fork, and it counts for no limit."""
    line = _branch(olga, api, "next")
    assert [f"{row.owner}/{row.handle}" for row in list_projects(olga)] == ["acme/api"]
    assert all_project_ids() == [api.id]
    assert count_forks(olga, get_project(olga, "acme", "api")) == 0
    assert limits.usage(olga, "acme").public_projects == 1
    for handle in (f"@{line.line.hex}", line.line.hex, "next"):
        with pytest.raises(NotFound):
            get_project(olga, "acme", handle)
    assert project_name(line.line) == "acme/api@next"
    assert project_of(olga, line.line).branch == "next"


def test_lists_of_a_branch_are_its_own(olga: Actor, api: ProjectView) -> None:
    """Landings and what touched a path last, from where it began on; main's stay main's."""
    line = _branch(olga, api, "next", 1)
    _land(line, 2)
    assert [row.position for row in list_landings(olga, line)] == [2, 1]
    assert sorted(last_changes(olga, line, b"a", [b"1-main", b"2-main", b"2-next"])) == [b"1-main", b"2-next"]
    assert sorted(last_changes(olga, api, b"a", [b"1-main", b"2-main", b"2-next"])) == [b"1-main", b"2-main"]


def test_a_deleted_branch_goes_after_its_days_and_takes_nothing_along(olga: Actor, api: ProjectView) -> None:
    """Its name is free at once; a branch of it is whole; its origin keeps nothing for it; nothing of it stays."""
    line = _branch(olga, api, "next")
    _land(line, 3)
    below = _branch(olga, line, "below")
    _land(below, 4)
    delete_branch(olga, api, "next")
    assert [item.name for item in list_branches(olga, api)] == ["below"]
    with pytest.raises(NotFound, match="was deleted by olga"):
        get_project(olga, "acme", "api", "next")
    assert not is_standing(line.line)
    assert erase(line.line) == 0
    again = _branch(olga, api, "next")
    Project.lines.filter(id=line.line).update(deleted_at=timezone.now() - _LONG)
    assert erase(line.line) is None
    assert erase(line.line)
    assert [key for key in _keys() if line.line.hex in key] == []
    assert not Landing.objects.filter(project_id=line.line).exists()
    ledger = ledgers.open_ledger(below.line)
    assert [record.position for record in ledger.records(1, 9)] == [1, 2, 3, 4]
    assert sorted(entry.path for entry in ledger.files(ledger.tree_at(4))) == [
        b"a/1-main", b"a/2-main", b"a/3-next", b"a/4-below"
    ]  # fmt: skip
    assert {item.name: item.origin for item in list_branches(olga, api)} == {"below": "", "next": "main"}
    assert again.line != line.line


def test_a_project_goes_with_its_branches(olga: Actor, api: ProjectView) -> None:
    """Restored it has them all; erased, nothing of any of them is in the store, and no branch was copied for."""
    line = _branch(olga, api, "next")
    below = _branch(olga, line, "below")
    _land(below, 3)
    delete_project(olga, "acme", "api")
    assert not is_standing(line.line)
    restore_project(olga, "acme", "api")
    assert [item.name for item in list_branches(olga, api)] == ["below", "next"]
    delete_project(olga, "acme", "api")
    Project.everything.filter(id=api.id).update(deleted_at=timezone.now() - _LONG)
    assert erase(api.id)
    assert _keys() == []
    assert not Project.lines.exists()


def test_an_empty_database_has_the_branches_again(olga: Actor, api: ProjectView) -> None:
    """Names, where they began, who began them, and what was deleted; and their rows."""
    line = _branch(olga, api, "next", 1)
    _land(line, 2)
    _branch(olga, line, "below")
    gone = _branch(olga, api, "gone")
    delete_branch(olga, api, "gone")
    before = list_branches(olga, api)
    Landing.objects.all().delete()
    Project.lines.all().delete()
    assert restore(olga) == 1
    assert list_branches(olga, get_project(olga, "acme", "api")) == [
        branches.Branch(
            item.name,
            get_project(olga, "acme", "api", item.name),
            item.origin,
            item.position,
            item.begun_by,
            item.begun_at,
        )
        for item in before
    ]
    assert [(item.name, item.origin, item.position) for item in before] == [("below", "next", 2), ("next", "main", 1)]
    assert Project.lines.get(id=gone.line).deleted_by == "olga"
    assert projector.rebuild() == (8, [])
    assert [row.position for row in list_landings(olga, get_project(olga, "acme", "api", "below"))] == [2, 1]


def test_branches_move_with_their_project_and_count_as_its_bytes(olga: Actor, api: ProjectView) -> None:
    """A transfer takes them along; what they store is the project's."""
    line = _branch(olga, api, "next")
    measure_storage.func()
    before = Project.objects.get(id=api.id).stored_objects
    _land(line, 3)
    transfer_project(olga, "acme", "api", "others")
    assert get_project(olga, "others", "api", "next").line == line.line
    Project.everything.update(measured_at=None)
    measure_storage.func()
    assert Project.objects.get(id=api.id).stored_objects > before
    assert Project.lines.get(id=line.line).stored_objects == 0


def test_a_branch_is_found_and_read_as_its_project_is(olga: Actor, api: ProjectView) -> None:
    """By the project's new name and by the old one, and by whom the project is shown to."""
    line = _branch(olga, api, "next")
    assert get_project(ANONYMOUS, "acme", "api", "next").line == line.line
    rename_project(olga, "acme", "api", "web")
    assert project_name(line.line) == "acme/web@next"
    for handle in ("web", "api"):
        found = get_project(ANONYMOUS, "acme", handle, "next")
        assert (found.line, found.handle) == (line.line, "web")
    update_project(olga, "acme", "web", visibility="private")
    for branch in ("next", "main", "none"):
        with pytest.raises(NotFound, match="There is no project acme/web, or you may not see it"):
            get_project(ANONYMOUS, "acme", "web", branch)
    with pytest.raises(NotFound):
        project_of(ANONYMOUS, line.line)
    assert get_project(olga, "acme", "web", "next").visibility == "private"
    update_project(olga, "acme", "web", visibility="public")
    assert [row.position for row in list_landings(ANONYMOUS, project_of(ANONYMOUS, line.line))] == [2, 1]


def test_a_fork_takes_main_alone_and_has_branches_of_its_own(olga: Actor, api: ProjectView) -> None:
    """Of one name with its origin's, each is where its own project put it, also when the origin goes."""
    line = _branch(olga, api, "next")
    _land(line, 3)
    copy = create_project(olga, "others", "api", visibility="public", fork_from="acme/api")
    projector.begin_fork(copy.id)
    assert list_branches(olga, copy) == []
    with pytest.raises(NotFound):
        get_project(olga, "others", "api", "next")
    own = _branch(olga, copy, "next", 1)
    _land(own, 2)
    assert [row.position for row in list_landings(olga, own)] == [2, 1]
    assert [row.position for row in list_landings(olga, line)] == [3, 2, 1]
    delete_project(olga, "acme", "api")
    Project.everything.filter(id=api.id).update(deleted_at=timezone.now() - _LONG)
    while erase(api.id) is None:
        pass
    ledger = ledgers.open_ledger(own.line)
    assert sorted(entry.path for entry in ledger.files(ledger.tree_at(2))) == [b"a/1-main", b"a/2-next"]
    assert [item.name for item in list_branches(olga, copy)] == ["next"]


def test_a_line_that_lost_its_head_is_repaired_by_its_name(
    olga: Actor, api: ProjectView, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its landings are there again, and main is not touched."""
    line = _branch(olga, api, "next", 1)
    _land(line, 2)
    _land(line, 3)
    store = ledgers.ledger().driver.store
    main = store.get(f"projects/{api.line.hex}/head").data
    store.delete(f"projects/{line.line.hex}/head")
    assert repair_line("acme/api@next", accept_loss=False) == 0
    assert "acme/api@next: sound" in capsys.readouterr().out
    assert store.get(f"projects/{api.line.hex}/head").data == main
    again = Ledger(store).open(line.line.hex)
    assert again.head().position == 3
    assert sorted(entry.path for entry in again.files(again.tree_at(3))) == [b"a/1-main", b"a/2-next", b"a/3-next"]
    assert [row.position for row in list_landings(olga, line)] == [3, 2, 1]


def test_there_are_so_many_branches_and_no_more(olga: Actor, api: ProjectView, monkeypatch: pytest.MonkeyPatch) -> None:
    """The most are 10,000; lists are paged by name."""
    assert branches.MAX_BRANCHES == 10_000
    monkeypatch.setattr(branches, "MAX_BRANCHES", 3)
    for name in ("a", "b", "c"):
        _branch(olga, api, name)
    with pytest.raises(LimitReached):
        create_branch(olga, api, "d")
    assert [item.name for item in list_branches(olga, api, limit=2)] == ["a", "b"]
    assert [item.name for item in list_branches(olga, api, after="b", limit=2)] == ["c"]
