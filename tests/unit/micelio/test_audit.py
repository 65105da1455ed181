"""The audit log: what it keeps, who reads what, and that nothing sealed can be changed unseen."""

from __future__ import annotations

import ast
import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from joining import let_in
from mic.core.errors import NotFound, PermissionDenied, Unauthenticated
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.accounts.queries import all_events, own_events
from micelio.audit import seals
from micelio.audit.actions import record
from micelio.audit.chain import line
from micelio.audit.models import AuditEvent, AuditSeal, Once
from micelio.audit.once import once
from micelio.audit.origin import come_from, current_address, peer_address
from micelio.audit.queries import Wanted, lines
from micelio.organizations import actions as organizations
from micelio.organizations.queries import organization_events
from micelio.pages.audit_words import ACTS
from micelio.projects.actions import create_project, update_project
from micelio.projects.queries import get_project, project_events
from micelio.tokens.queries import network_of

pytestmark = pytest.mark.django_db

SOURCES = Path(__file__).parents[3] / "src" / "micelio"


def _person(handle: str, **more: bool) -> Actor:
    return actor_of(accounts.create_user(OPERATOR, handle, **more), "web")


def _add(count: int) -> None:
    with transaction.atomic():
        for number in range(count):
            record(OPERATOR, "test.act", "thing", str(number), f"thing {number}", number=number)


def _sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount == 1


def test_a_line_is_what_the_documentation_says() -> None:
    """Keys in order, no spaces, UTF-8, time in microseconds of UTC; the chain is plain SHA-256 over it."""
    event = AuditEvent(
        id=7,
        at=datetime(2026, 11, 1, 12, 30, 0, 5, UTC),
        actor_handle="zoë",
        via="web",
        action="project.update",
        object_type="project",
        object_id="x",
        object_name="acme/tool",
        details={"b": 1, "a": {"d": None, "c": "é"}},
        address="::1",
    )
    expected = (
        '{"action":"project.update","actor":"zoë","actor_id":null,"address":"::1","at":"2026-11-01T12:30:00.000005Z",'
        '"details":{"a":{"c":"é","d":null},"b":1},"id":7,"object":"acme/tool","object_id":"x","object_type":"project",'
        '"organization_id":null,"project_id":null,"token":"","via":"web"}'
    )
    assert line(event).decode() == expected


def test_the_chain_is_what_anybody_can_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the export alone, with nothing but SHA-256."""
    monkeypatch.setattr(seals, "MOST", 4)
    _add(10)
    assert seals.seal() == 10
    digest = bytes(32)
    for text in lines(all_events(OPERATOR)):
        digest = hashlib.sha256(digest + text.rstrip(b"\n")).digest()
    assert list(AuditSeal.objects.order_by("last").values_list("count", flat=True)) == [4, 4, 2]
    found = seals.check()
    assert (found.events, found.seals, found.digest, found.broken) == (10, 3, digest.hex(), "")
    assert seals.seal() == 0
    _add(1)
    assert seals.seal() == 1
    assert seals.check(known=digest.hex()).broken == ""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET actor_handle = 'mallory' WHERE object_id = '3'",
        "UPDATE audit_auditevent SET details = '{\"number\": 4}' WHERE object_id = '3'",
        "DELETE FROM audit_auditevent WHERE object_id = '3'",
        "DELETE FROM audit_auditevent WHERE object_id = '0'",
        "UPDATE audit_auditevent SET id = -5 WHERE object_id = '3'",
        "UPDATE audit_auditseal SET count = 5",
        "UPDATE audit_auditseal SET digest = previous",
    ],
)
def test_what_was_sealed_cannot_be_changed(statement: str) -> None:
    """Whoever writes to the database itself is found out."""
    _add(6)
    seals.seal()
    assert seals.check().broken == ""
    _sql(statement)
    assert "are not the" in seals.check().broken


def test_a_log_made_anew_is_told_from_the_one_that_was() -> None:
    """By a digest that somebody noted elsewhere."""
    _add(3)
    seals.seal()
    noted = seals.check().digest
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")
        cursor.execute("DELETE FROM audit_auditseal")
    _add(2)
    seals.seal()
    assert seals.check().broken == ""
    assert noted in seals.check(known=noted).broken


def test_events_cannot_be_changed_by_the_program() -> None:
    """By no way that Django offers."""
    _add(1)
    event = AuditEvent.objects.get()
    for act in (event.save, event.delete, AuditEvent.objects.all().delete):
        with pytest.raises(TypeError, match="only grows"):
            act()
    with pytest.raises(TypeError, match="only grows"):
        AuditEvent.objects.update(via="x")


def test_who_reads_what() -> None:
    """Admins of a project or an organization theirs, everybody their own, administrators of the forge all."""
    olga, mia, stan, ada = _person("olga"), _person("mia"), _person("stan"), _person("ada", is_admin=True)
    organizations.create_organization(olga, "acme")
    let_in(olga, "acme", "mia")
    create_project(olga, "acme", "secret", visibility="private")
    create_project(olga, "acme", "open", visibility="public")
    update_project(olga, "acme", "open", description="Sharp")
    assert [event.action for event in project_events(olga, get_project(olga, "acme", "open")).order_by("id")] == [
        "project.create",
        "project.update",
    ]
    assert organization_events(olga, "acme").count() == 6
    changed = all_events(ada).get(action="project.update")
    assert changed.details == {"before": {"description": ""}, "after": {"description": "Sharp"}}
    invited = all_events(ada).get(action="organization.invite")
    assert invited.details == {"member": "mia", "email": "", "role": "member"}
    for actor in (mia, stan):
        with pytest.raises(PermissionDenied):
            project_events(actor, get_project(actor, "acme", "open"))
        with pytest.raises(PermissionDenied):
            organization_events(actor, "acme")
        with pytest.raises(PermissionDenied):
            all_events(actor)
    with pytest.raises(NotFound):
        project_events(stan, get_project(olga, "acme", "secret"))
    for query in (all_events, own_events):
        with pytest.raises(Unauthenticated):
            query(ANONYMOUS)
    assert {event.action for event in own_events(stan)} == {"account.create"}


def test_where_an_act_came_from() -> None:
    """The address of the connection, an IPv6 zone left out; what is no address is kept out."""
    for given, kept in (("10.0.0.1", "10.0.0.1"), ("fe80::1%eth0", "fe80::1"), ("<script>", ""), ("", "")):
        come_from(given, forwarded="6.6.6.6")  # without https no proxy stands in front
        assert current_address() == kept
    come_from("10.0.0.1")
    _add(1)
    assert AuditEvent.objects.get().address == "10.0.0.1"
    come_from("")
    peers = {"ipv4:10.0.0.1:5000": "10.0.0.1", "ipv6:%5B::1%5D:5000": "::1", "ipv6:[::1]:5000": "::1", "unix:": ""}
    assert {peer: peer_address(peer) for peer in peers} == peers


def test_every_act_has_words() -> None:
    """A page never shows a bare code for an act of this version."""
    acts = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "record",
                "make_event",
                "_keep",
                "_keep_row",
            ):
                acts |= {
                    part.value
                    for argument in node.args
                    for part in ast.walk(argument)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.count(".") == 1
                }
    assert {"project.create", "session.land", "account.sign_in_failed"} <= acts
    assert acts - set(ACTS) == set()


def test_an_export_is_json_lines() -> None:
    """One event a line, oldest first."""
    _add(3)
    found = [json.loads(text) for text in lines(all_events(OPERATOR))]
    assert [event["object_id"] for event in found] == ["0", "1", "2"]


def test_reading_what_is_private_is_recorded_once_a_day() -> None:
    """By account, project, door and token; what is public leaves nothing."""
    ada, max_ = _person("ada"), _person("max")
    organizations.create_organization(ada, "acme")
    let_in(ada, "acme", "max", "member")
    create_project(ada, "acme", "closed", visibility="private")
    create_project(ada, "acme", "open", visibility="public")
    for actor in (max_, max_, replace(max_, via="token"), ada):
        get_project(actor, "acme", "closed")
        get_project(actor, "acme", "open")
    reads = AuditEvent.objects.filter(action="project.read").order_by("id")
    assert [(row.actor_handle, row.via, row.object_name) for row in reads] == [
        ("max", "web", "acme/closed"),
        ("max", "token", "acme/closed"),
        ("ada", "web", "acme/closed"),
    ]
    with pytest.raises(NotFound):
        get_project(_person("stan"), "acme", "closed")
    assert reads.count() == 3


def test_what_was_rolled_back_is_recorded_again() -> None:
    """Memory follows the database: a mark that did not stay is none. One that ran out is none either."""
    noted: list[str] = []
    with suppress(RuntimeError), transaction.atomic():
        once(("a", "b"), timedelta(days=1), lambda: noted.append("lost"))
        raise RuntimeError
    once(("a", "b"), timedelta(days=1), lambda: noted.append("kept"))
    once(("a", "b"), timedelta(days=1), lambda: noted.append("again"))
    once(("ab",), timedelta(days=-1), lambda: noted.append("other"))
    once(("ab",), timedelta(days=1), lambda: noted.append("after it ran out"))
    assert noted == ["lost", "kept", "other", "after it ran out"]
    assert Once.objects.count() == 2


def test_a_part_of_the_log() -> None:
    """By actor, act or kind of act, and whole days."""
    ada = _person("ada")
    organizations.create_organization(ada, "acme")
    create_project(ada, "acme", "api")
    update_project(ada, "acme", "api", name="API")
    today = datetime.now(UTC).date()

    def acts(**wanted: Any) -> list[str]:
        return [row.action for row in Wanted(**wanted).of(AuditEvent.objects.order_by("id"))]

    assert acts(actor="ada") == ["organization.create", "project.create", "project.read", "project.update"]
    assert acts(act="project") == ["project.create", "project.read", "project.update"]
    assert acts(act="project.update") == ["project.update"]
    assert acts(act="proj") == []
    assert acts(actor="ada", since=today, until=today, act="project.create") == ["project.create"]
    assert acts(since=today + timedelta(days=1)) == []
    assert acts(until=today - timedelta(days=1)) == []
    assert acts(actor="nobody") == []


def test_ipv6_counts_by_network() -> None:
    """A home has one /64; IPv4 counts by address."""
    assert network_of("2001:db8:1:2:3:4:5:6") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("") == ""
