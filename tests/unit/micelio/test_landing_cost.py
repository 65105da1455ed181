"""What one landing asks of the database, and that asking less changes no answer."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from joining import let_in
from mic.core.blob import encode_blob
from mic.core.errors import NotFound, PermissionDenied
from mic.core.ids import content_hash
from mic.core.session import Change, Op, Session
from mic.ledger.ledger import Ledger
from mic.ledger.project import LandRequest
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.organizations import actions as organizations
from micelio.organizations.policy import asked_once
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.policy import require_manage, require_read, require_write
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project
from micelio.sessions import actions, projector, queries
from micelio.sessions.models import Landing, LastChange

pytestmark = pytest.mark.django_db
FILE = b"some bytes\n"


@pytest.fixture
def olga(monkeypatch: pytest.MonkeyPatch) -> Actor:
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))
    olga = actor_of(accounts.create_user(OPERATOR, "olga"), "token")
    organizations.create_organization(olga, "acme")
    create_project(olga, "acme", "api")
    return olga


def _session(number: int, goal: str = "Add a file") -> Session:
    change = Change(b"src/f%d.txt" % number, int(Op.ADDED), 0o100644, content_hash(FILE), len(FILE), b"", 0)
    return Session(id=number.to_bytes(16, "big"), goal=goal, base_position=0, hlc_created=1, changes=(change,))


def _land(actor: Actor, number: int, goal: str = "Add a file") -> queries.LandingRow:
    """One request as the door makes it: project, rule, landing, answer."""
    with asked_once():
        project = get_project(actor, "acme", "api")
        require_write(actor, project)
        landed = actions.land(actor, project, _session(number, goal), {content_hash(FILE): encode_blob(FILE)})
        return queries.landed_row(actor, project, landed)


def test_a_landing_costs_eight_statements(olga: Actor) -> None:
    """Project, role; event, existence, position, row, last changes, open session: and the transaction around them."""
    _land(olga, 1)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        _land(olga, 2)
    statements = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
    # That today's read is recorded is remembered when it commits, and nothing of a test commits.
    statements = [statement for statement in statements if "audit_once" not in statement]
    # PostgreSQL lets writers in side by side, so one more keeps a seal of the audit log from passing this event.
    assert len(statements) == 8 + (connection.vendor == "postgresql"), "\n".join(statements)


def test_the_answer_is_what_a_list_shows(olga: Actor) -> None:
    """Made from what landed, it says the same as the row that was derived; so does asking again."""
    said = _land(olga, 1, "Nul \x00 in a goal")
    listed = queries.list_landings(olga, get_project(olga, "acme", "api"))
    assert listed == [said]
    assert (said.position, said.goal, said.owner_handle, said.files) == (1, "Nul � in a goal", "olga", 1)
    assert _land(olga, 1, "Nul \x00 in a goal") == said
    assert AuditEvent.objects.filter(action="session.land").count() == 1


def test_a_role_is_asked_once_a_request_and_anew_in_the_next(olga: Actor) -> None:
    """Whoever was removed in between has no rights left, and no view brings them back."""
    mia = actor_of(accounts.create_user(OPERATOR, "mia"), "token")
    let_in(olga, "acme", "mia")
    create_project(olga, "acme", "own", visibility="private")
    with asked_once(), CaptureQueriesContext(connection) as asked:
        project = get_project(mia, "acme", "own")
        for _ in range(3):
            require_write(mia, project)
            require_read(mia, project)
    assert sum("organizations_membership" in query["sql"] for query in asked) == 1
    organizations.remove_member(olga, "acme", "mia")
    for scope in (asked_once(), asked_once()):
        with scope, pytest.raises(NotFound):
            require_write(mia, project)
    with pytest.raises(NotFound):
        require_read(mia, project)


def test_who_gives_a_role_up_has_lost_it_in_the_same_request(olga: Actor) -> None:
    """And who is made an admin is one."""
    mia = actor_of(accounts.create_user(OPERATOR, "mia"), "token")
    let_in(olga, "acme", "mia")
    project = get_project(mia, "acme", "api")
    with asked_once():
        with pytest.raises(PermissionDenied):
            require_manage(mia, project)
        let_in(olga, "acme", "mia", "admin")
        require_manage(mia, project)
        organizations.remove_member(mia, "acme", "mia")
        with pytest.raises(NotFound):
            require_write(mia, project)


def test_rows_that_fail_take_no_event_with_them(
    olga: Actor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The landing stands, so its event does; the rows come later."""
    _land(olga, 1)
    project = get_project(olga, "acme", "api")

    def fail(*_: object) -> bool:
        raise IntegrityError("no such project")

    with monkeypatch.context() as broken:
        broken.setattr(projector, "_derive", fail)
        _land(olga, 2)
    assert "rows do not follow its log" in caplog.text
    assert AuditEvent.objects.filter(action="session.land").count() == 2
    assert Landing.objects.count() == 1
    assert projector.catch_up(project.id) == 2
    assert [row.position for row in queries.list_landings(olga, project)] == [2, 1]


def test_rows_behind_another_process_are_read_from_the_log(olga: Actor) -> None:
    """What this process did not land is not at hand: the log has it, in order, and nothing is counted twice."""
    project = get_project(olga, "acme", "api")
    _land(olga, 1)
    elsewhere = Ledger(ledgers.ledger().driver.store).open(project.id.hex)
    elsewhere.land(LandRequest(_session(2), {content_hash(FILE): encode_blob(FILE)}))
    _land(olga, 3)
    assert [row.position for row in queries.list_landings(olga, project)] == [3, 2, 1]
    assert queries.counts(olga, project).landings == 3
    assert LastChange.objects.get(project_id=project.id, directory=b"", name=b"src").position == 3


@pytest.mark.django_db(transaction=True)
def test_many_at_once_each_get_their_row_and_their_event(olga: Actor) -> None:
    """Sixteen threads: rows and events are written in groups, none twice, none missing."""
    rows: list[queries.LandingRow] = []
    # The day's read is recorded: readers in threads and SQLite in memory would lock each other out.
    get_project(olga, "acme", "api")

    def some(start: int) -> None:
        try:
            rows.extend(_land(olga, start + number) for number in range(5))
        finally:
            connection.close()

    threads = [threading.Thread(target=some, args=(10 * number + 1,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    project: ProjectView = get_project(olga, "acme", "api")
    listed = queries.list_landings(olga, project, limit=200)
    assert [row.position for row in listed] == list(range(80, 0, -1))
    assert sorted(rows, key=lambda row: -row.position) == listed
    names = AuditEvent.objects.filter(action="session.land").values_list("object_name", flat=True)
    assert sorted(names) == sorted(f"acme/api@{number}" for number in range(1, 81))
    assert queries.counts(olga, project).landings == 80
