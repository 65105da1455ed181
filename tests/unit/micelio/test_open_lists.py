"""Lists of sessions that have not landed: in one order over all states, page by page, and counted up to a page."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mic.core.session import Session, State
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.organizations import actions as organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project
from micelio.sessions import projector
from micelio.sessions.queries import MAX_PAGE, count_open_sessions, list_open_sessions

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(monkeypatch: pytest.MonkeyPatch) -> Actor:
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))
    olga = actor_of(accounts.create_user(OPERATOR, "olga"), "token")
    organizations.create_organization(olga, "acme")
    create_project(olga, "acme", "api", visibility="public")
    return olga


def _open(actor: Actor, states: list[State], queued: tuple[int, ...] = ()) -> ProjectView:
    """Sessions 1, 2, ... in these states."""
    project = get_project(actor, "acme", "api")
    assert actor.user_id is not None
    for number, state in enumerate(states, 1):
        session = Session(
            id=number.to_bytes(16, "big"), goal=f"Goal {number}", base_position=0, hlc_created=1, hlc_updated=1,
            owner=actor.user_id.bytes, state=int(state),
        )  # fmt: skip
        projector.keep_row(project.id, session, queued=number in queued)
    return project


def _numbers(actor: Actor, project: ProjectView, state: str = "", after: int = 0, limit: int = 50) -> list[int]:
    behind = after.to_bytes(16, "big") if after else b""
    return [int.from_bytes(row.session_id) for row in list_open_sessions(actor, project, state, behind, limit)]


A, C, P, X = State.ACTIVE, State.CONFLICTED, State.PENDING_REVIEW, State.ABANDONED


def test_all_states_are_one_list_newest_first(olga: Actor) -> None:
    """Page by page, none twice, none left out, and what was abandoned is in a list of its own."""
    project = _open(olga, [A, C, X, A, P, A, X, C, A, C], queued=(4,))
    assert _numbers(olga, project) == [10, 9, 8, 6, 5, 4, 2, 1]
    assert _numbers(olga, project, limit=3) == [10, 9, 8]
    assert _numbers(olga, project, after=8, limit=3) == [6, 5, 4]
    assert _numbers(olga, project, after=4, limit=3) == [2, 1]
    assert _numbers(olga, project, "abandoned") == [7, 3]
    assert _numbers(olga, project, "active") == [9, 6, 1]
    assert _numbers(olga, project, "queued") == [4]
    assert _numbers(olga, project, "conflicted", after=10, limit=1) == [8]
    assert count_open_sessions(olga, project) == 8


def test_outsiders_see_and_count_none(olga: Actor) -> None:
    """Of a public project too."""
    _open(olga, [A, C])
    project = get_project(ANONYMOUS, "acme", "api")
    assert _numbers(ANONYMOUS, project) == []
    assert count_open_sessions(ANONYMOUS, project) == 0


def test_more_than_a_page_are_many(olga: Actor) -> None:
    """Nobody counts what nobody reads."""
    project = _open(olga, [C] * 3 + [A] * (MAX_PAGE - 3))
    assert count_open_sessions(olga, project) == MAX_PAGE
    _open(olga, [C] * 3 + [A] * (MAX_PAGE + 40))
    assert count_open_sessions(olga, project) == MAX_PAGE + 1


@pytest.mark.parametrize("state", ["", "active", "queued", "conflicted", "abandoned"])
def test_every_list_is_read_from_an_index(olga: Actor, state: str) -> None:
    """In the order of its entries: nothing is sorted, nothing is read past."""
    project = _open(olga, [A, C, X])
    with CaptureQueriesContext(connection) as asked:
        _numbers(olga, project, state, after=9)
        count_open_sessions(olga, project)
    lists = [query["sql"] for query in asked if "landings_opensession" in query["sql"]]
    assert len(lists) > 1
    for sql in lists:
        plan = _plan(sql.replace("%", "%%"))
        # PostgreSQL takes any of the project's indexes for so few rows, and tells only that it has not sorted.
        assert ("INDEX open_session_" if connection.vendor == "sqlite" else "Index ") in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        assert "Sort" not in plan, plan


def _plan(sql: str) -> str:
    """How the database would answer. PostgreSQL would read and sort so few rows if it might."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("EXPLAIN QUERY PLAN " + sql)
            return " ".join(str(row[3]) for row in cursor.fetchall())
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute("EXPLAIN (COSTS off) " + sql)
        return " ".join(row[0] for row in cursor.fetchall())
