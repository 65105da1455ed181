"""What landed under older rules is searched by newer ones: found once, shown no more, bounded and resumed."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from ledgers import request
from mic.core.scanning import scan
from mic.core.session import Message
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.findings import actions as findings
from micelio.findings.models import Searched
from micelio.findings.queries import list_findings
from micelio.organizations import actions as organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.project_view import ProjectView
from micelio.sessions import projector, redaction, search_again
from micelio.sessions.models import Landing
from micelio.sessions.queries import get_session, list_landings
from secret_corpus import TRUE

pytestmark = pytest.mark.django_db

KEY = TRUE["aws-access-key"][0](random.Random(71)).encode()
TOKEN = TRUE["github-token"][0](random.Random(73))


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """A store of this test's own."""
    made = MemoryStore()
    monkeypatch.setattr(ledgers, "_ledger", Ledger(made))
    return made


def _land(ledger: Project, number: int, base: int, files: dict[bytes, bytes], **words: Any) -> None:
    """As the ledger takes it: nobody searches it."""
    made = request(ledger, number, base, files)
    ledger.land(made._replace(session=msgspec.structs.replace(made.session, **words)))


@pytest.fixture
def ada() -> Actor:
    actor = actor_of(accounts.create_user(OPERATOR, "ada"), "web")
    organizations.create_organization(actor, "acme")
    return actor


@pytest.fixture
def project(ada: Actor) -> ProjectView:
    """A project that took in a key, a large file with one, and words with a token before there were rules."""
    made = create_project(ada, "acme", "api")
    ledger = ledgers.open_ledger(made.id)
    _land(ledger, 1, 0, {b"a": b"plain\n"})
    _land(ledger, 2, 1, {b"key.env": b"x\nAWS=" + KEY + b"\n"})
    _land(ledger, 3, 2, {b"b": b"b\n"}, goal=f"Use {TOKEN}", conversation=(Message("human", "ada", f"{TOKEN}!", 0),))
    return made


def _rows(actor: Actor, project: ProjectView) -> list[tuple[bytes, str, int, str]]:
    return [(row.path, row.rule, row.position, row.state) for row in list_findings(actor, project)]


def test_newer_rules_find_what_older_ones_let_through(ada: Actor, project: ProjectView) -> None:
    """Once, with its place; a second run finds nothing new and does not look again."""
    projector.catch_up(project.id)
    assert search_again.search_again(60) == 2
    assert sorted(_rows(ada, project)) == [
        (b"", "github-token", 3, "open"),
        (b"key.env", "aws-access-key", 2, "open"),
    ]
    assert Searched.objects.get(project_id=project.id).done
    assert search_again.search_again(60) == 0
    assert AuditEvent.objects.filter(action="secret.found").count() == 2
    assert not [
        row for row in AuditEvent.objects.all() if TOKEN in str(row.details) or KEY.decode() in str(row.details)
    ]


def test_words_are_not_shown_from_then_on(ada: Actor, project: ProjectView, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the session, not in lists that were derived before; what is stored stays as its hash says."""
    with monkeypatch.context() as earlier:
        earlier.setattr(projector, "as_shown", lambda session: session)
        projector.catch_up(project.id)
    assert TOKEN in Landing.objects.get(project_id=project.id, position=3).goal
    ledger = ledgers.open_ledger(project.id)
    stored = ledger.landing(3).session
    assert TOKEN in stored.goal
    shown = get_session(ada, project, stored.id).session
    assert TOKEN not in str(shown)
    assert shown.conversation[0].text == "[redacted: github-token]!"
    search_again.search_again(60)
    assert list_landings(ada, project)[0].goal == "Use [redacted: github-token]"


def test_a_run_ends_in_time_and_the_next_goes_on(
    ada: Actor, project: ProjectView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run with no time left does one landing less than the next; none is read twice."""
    clock = iter(range(1000))
    monkeypatch.setattr(search_again.time, "monotonic", lambda: next(clock))
    read: list[int] = []
    session_of = Project.session_of

    def counted(ledger: Project, record: Any) -> Any:
        read.append(record.position)
        return session_of(ledger, record)

    monkeypatch.setattr(Project, "session_of", counted)
    search_again.search_again(3)
    assert read == [1]
    assert Searched.objects.get(project_id=project.id).position == 1
    search_again.search_again(1000)
    assert read == [1, 2, 3]
    assert len(_rows(ada, project)) == 2


def test_newer_rules_look_at_everything_again(
    ada: Actor, project: ProjectView, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an admin said stays; only what today's rules have landed themselves is passed over."""
    assert search_again.search_again(60) == 2
    findings.decide_open(ada, project, "revoked", "Taken back")
    for module in (search_again, redaction, findings):
        monkeypatch.setattr(module, "RULES_VERSION", 99)
    monkeypatch.setattr("micelio.findings.queries.RULES_VERSION", 99)
    read: list[int] = []
    look = search_again._contents
    monkeypatch.setattr(
        search_again, "_contents", lambda ledger, record: read.append(record.position) or look(ledger, record)
    )
    assert search_again.search_again(60) == 0
    assert read == [1, 2, 3]
    assert {state for *_, state in _rows(ada, project)} == {"revoked"}
    assert Searched.objects.get(project_id=project.id).rules == 99


def test_a_list_of_allowed_findings_counts(ada: Actor, project: ProjectView) -> None:
    """What `.micelio/secrets.toml` allows is not brought up again."""
    ledger = ledgers.open_ledger(project.id)
    name = scan(b"x\nAWS=" + KEY + b"\n")[0].fingerprint
    entry = f'[[allow]]\nfingerprint = "{name}"\npath = "key.env"\nreason = "r"\nby = "ada"\n'
    _land(ledger, 4, 3, {b".micelio/secrets.toml": entry.encode()})
    search_again.search_again(60)
    assert [row[0] for row in _rows(ada, project)] == [b""]


def test_a_damaged_project_stops_no_other(
    ada: Actor, project: ProjectView, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits until it is mended, and the others are searched."""
    broken = create_project(ada, "acme", "broken")
    _land(ledgers.open_ledger(broken.id), 5, 0, {b"k": b"k\n"})
    for listed in list(store.list(f"projects/{broken.id.hex}/")):
        if not listed.key.endswith("head"):
            store.delete(listed.key)
    monkeypatch.setattr(ledgers, "_ledger", Ledger(store))  # which has seen nothing yet
    assert search_again.search_again(60) == 2
    assert not Searched.objects.filter(project_id=broken.id, done=True).exists()
