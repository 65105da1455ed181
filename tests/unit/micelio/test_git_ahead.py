"""Long histories get their Git objects before anybody asks, and forks take theirs while the origin is there."""

from __future__ import annotations

import logging

import pytest

import ledgers as made
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.organizations import actions as organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.project_view import ProjectView
from micelio.sessions import git_ahead, git_view, projector
from micelio.sessions.models import Projection

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """A store of this test's own, and nothing remembered of another's."""
    store = MemoryStore()
    monkeypatch.setattr(ledgers, "_ledger", Ledger(store))
    monkeypatch.setattr(git_ahead, "AHEAD", 3)
    return store


@pytest.fixture
def ada() -> Actor:
    actor = actor_of(accounts.create_user(OPERATOR, "ada"), "web")
    organizations.create_organization(actor, "acme")
    return actor


@pytest.fixture
def project(ada: Actor) -> ProjectView:
    return create_project(ada, "acme", "rocket")


def _land(project: ProjectView, first: int, last: int) -> None:
    ledger = ledgers.open_ledger(project.id)
    for number in range(first, last + 1):
        made.land(ledger, number, number - 1, {b"f": b"%d\n" % number})
    projector.catch_up(project.id)


def _made(project: ProjectView) -> int:
    return git_view.kept_objects(project.id).snapshot().view.position


def test_a_project_that_is_far_ahead(project: ProjectView) -> None:
    """Few landings wait for a client; many do not."""
    _land(project, 1, 2)
    assert git_ahead.catch_up_with_git() == 0
    assert _made(project) == 0
    _land(project, 3, 3)
    assert git_ahead.catch_up_with_git() == 1
    assert _made(project) == 3
    assert Projection.objects.get(project_id=project.id).git_position == 3
    assert git_ahead.catch_up_with_git() == 0


def test_a_fork_does_not_wait_for_many(ada: Actor, project: ProjectView) -> None:
    """It begins with what its origin has."""
    _land(project, 1, 2)
    fork = create_project(ada, "acme", "fork", fork_from="acme/rocket")
    projector.begin_fork(fork.id)
    assert git_ahead.catch_up_with_git() == 1
    assert _made(fork) == 2
    fork_tip = git_view.kept_objects(fork.id).snapshot().view.tip
    assert fork_tip == git_view.kept_objects(project.id).caught_up().view.tip


def test_a_damaged_project_does_not_stop_the_others(
    ada: Actor, project: ProjectView, store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    """It is named in the log, and tried again the next time."""
    other = create_project(ada, "acme", "other")
    _land(project, 1, 3)
    _land(other, 1, 3)
    for listed in list(store.list(f"projects/{project.id.hex}/landing-log/")):
        store.put(listed.key, b"damaged")
    ledgers._ledger = Ledger(store)
    git_view._kept.clear()
    with caplog.at_level(logging.ERROR, "micelio.sessions"):
        assert git_ahead.catch_up_with_git() == 1
    assert f"project {project.id}: its Git objects are not made" in caplog.text
    assert _made(other) == 3
    assert git_ahead.catch_up_with_git() == 0
