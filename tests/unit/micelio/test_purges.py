"""Erasures as acts of administrators: typed, confirmed by a second one, recorded, heard of by other processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from django_tasks_db.models import DBTaskResult

from ledgers import land
from mic.core.errors import Erased, InvalidInput, NotFound, PermissionDenied, Unavailable
from mic.core.ids import content_hash
from micelio import config
from micelio.accounts.actor import Actor
from micelio.audit.models import AuditEvent
from micelio.operators import purges
from micelio.operators.models import Purge
from micelio.organizations.actions import create_organization
from micelio.projects import cdn
from micelio.projects.actions import create_project
from micelio.projects.ledgers import open_ledger
from micelio.projects.models import Project
from web_server import WebServer

pytestmark = pytest.mark.django_db
TEXT = b"somebody's business\n"
HASH = content_hash(TEXT)
TYPED = HASH.hex()[:12]


def _admin(handle: str) -> Actor:
    from micelio.accounts.models import User

    user = User.objects.create(handle=handle, is_admin=True)
    return Actor(user_id=user.id, handle=handle, name="", email="", is_admin=True, via="web")


@pytest.fixture
def amy() -> Actor:
    return _admin(f"amy{uuid4().hex[:6]}")


@pytest.fixture
def name(amy: Actor) -> str:
    """A project with the text in two files."""
    owner = f"o{uuid4().hex[:8]}"
    create_organization(amy, owner, "", "")
    project = create_project(amy, owner, "box", "", "", "public")
    land(open_ledger(project.id), 1, 0, {b"letter": TEXT, b"copy": TEXT, b"other": b"stays\n"})
    return f"{owner}/box"


@pytest.fixture
def two() -> Iterator[None]:
    before = config.current()
    config.install(replace(before, purge_needs_two=True))
    yield
    config.install(before)


def _ledger(name: str):  # type: ignore[no-untyped-def]
    owner, handle = name.split("/")
    return open_ledger(Project.objects.get(owner__handle=owner, handle=handle).id)


def test_what_is_meant(amy: Actor, name: str) -> None:
    assert purges.content_of(amy, name, content=HASH.hex().upper()) == HASH
    assert purges.content_of(amy, name, path="letter@1") == HASH
    for wrong in (
        {},
        {"content": "abc"},
        {"path": "letter"},
        {"path": "letter@x"},
        {"content": HASH.hex(), "path": "a@1"},
    ):
        with pytest.raises(InvalidInput):
            purges.content_of(amy, name, **wrong)
    with pytest.raises(NotFound):
        purges.content_of(amy, name, path="none@1")
    with pytest.raises(NotFound):
        purges.content_of(amy, name, finding=7)


def test_who_may(amy: Actor, name: str) -> None:
    nobody = replace(amy, is_admin=False)
    for act in (
        lambda: purges.look(nobody, name, HASH),
        lambda: purges.ask(nobody, name, HASH, "secret", "why", typed=TYPED),
        lambda: purges.confirm(nobody, uuid4(), TYPED),
        lambda: purges.withdraw(nobody, uuid4()),
        lambda: purges.list_purges(nobody),
        lambda: purges.content_of(nobody, name, content=HASH.hex()),
    ):
        with pytest.raises(PermissionDenied):
            act()


def test_asked_and_done(amy: Actor, name: str) -> None:
    """Typed wrongly, without a reason or for a class that there is not, nothing is asked for."""
    found = purges.look(amy, name, HASH)
    assert (found.named, found.size, found.forks) == ((f"{name} @1 copy", f"{name} @1 letter"), 20, ())
    for wrong in (("secret", "why", "0" * 12), ("secret", " ", TYPED), ("person", "why", TYPED), ("?", "why", TYPED)):
        with pytest.raises(InvalidInput):
            purges.ask(amy, name, HASH, wrong[0], wrong[1], typed=wrong[2])
    assert not Purge.objects.exists()
    asked = purges.ask(amy, name, HASH, "takedown", "letter of 3 May", typed=TYPED)
    assert asked.state == "running"
    assert purges.carry_out(asked.id)
    assert not purges.carry_out(asked.id)
    (row,) = purges.list_purges(amy)
    assert (row.state, row.reason, row.note, row.asked_by) == ("done", "takedown", "letter of 3 May", amy.handle)
    with pytest.raises(Erased, match="a takedown"):
        _ledger(name).blob(HASH)
    acts = [(event.action, event.details.get("content")) for event in AuditEvent.objects.order_by("id")]
    assert [act for act in acts if act[0].startswith("purge")] == [
        ("purge.ask", HASH.hex()),
        ("purge.done", HASH.hex()),
    ]
    with pytest.raises(Erased):
        purges.look(amy, name, HASH)
    with pytest.raises(Erased):
        purges.ask(amy, name, HASH, "takedown", "again", typed=TYPED)


def test_a_second_one_confirms(amy: Actor, name: str, two: None) -> None:
    asked = purges.ask(amy, name, HASH, "secret", "why", typed=TYPED)
    assert asked.state == "waiting"
    assert not purges.carry_out(asked.id)
    assert _ledger(name).blob(HASH) == TEXT
    with pytest.raises(PermissionDenied, match="cannot confirm"):
        purges.confirm(amy, asked.id, TYPED)
    ben = _admin("ben")
    with pytest.raises(InvalidInput):
        purges.confirm(ben, asked.id, "0" * 12)
    assert purges.confirm(ben, asked.id, TYPED).state == "running"
    with pytest.raises(NotFound):
        purges.confirm(ben, asked.id, TYPED)
    assert purges.carry_out(asked.id)
    assert purges.list_purges(amy)[0].confirmed_by == "ben"
    with pytest.raises(Erased):
        _ledger(name).blob(HASH)


def test_what_waits_is_withdrawn(amy: Actor, name: str, two: None) -> None:
    asked = purges.ask(amy, name, HASH, "secret", "why", typed=TYPED)
    assert purges.withdraw(amy, asked.id).state == "withdrawn"
    for act in (lambda: purges.confirm(_admin("ben"), asked.id, TYPED), lambda: purges.withdraw(amy, asked.id)):
        with pytest.raises(NotFound):
            act()
    assert not purges.carry_out(asked.id)
    assert _ledger(name).blob(HASH) == TEXT


def test_another_process_lets_go_of_what_was_written_over(
    amy: Actor, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mic.store.disk_cache import DiskCache
    from mic.store.ram import RamCache
    from mic.store.tiers import KINDS, TieredStore

    bucket = _ledger(name).driver.store
    disk = DiskCache(tmp_path / "cache", 8 << 20, dict.fromkeys(KINDS))
    other = TieredStore(bucket, ram=RamCache(1 << 20), disk=disk)
    (key,) = [item.key for item in bucket.list(f"projects/{_ledger(name).line.project}/landing-log/tail/")]
    kept = other.get(key).data
    asked = purges.ask(amy, name, HASH, "secret", "why", typed=TYPED)
    purges.carry_out(asked.id)
    assert other.get(key).data == kept
    monkeypatch.setattr(purges.ledger().driver, "store", other)
    purges._forgotten.clear()
    purges.WRITTEN_OVER.refresh()
    assert other.get(key).data == bucket.get(key).data != kept


def test_the_edge_network_is_told(amy: Actor, name: str) -> None:
    """The old addresses of what was written over, once it has answered; the project's address there is another."""
    heard: list[tuple[str, bytes]] = []
    status = [503, 204]

    def answer(request: BaseHTTPRequestHandler) -> None:
        heard.append((request.path, request.rfile.read(int(request.headers["Content-Length"]))))
        request.send_response(status.pop(0))
        request.send_header("Content-Length", "0")
        request.end_headers()

    edge = WebServer(answer)
    before = config.current()
    config.install(
        replace(
            before,
            cdn_base_url="https://cdn.example.org/m",
            cdn_purge_url=f"{edge.url}/gone",
            outgoing_allowed=frozenset({"127.0.0.1"}),
        )
    )
    try:
        project = Project.objects.get(owner__handle=name.split("/")[0])
        asked = purges.ask(amy, name, HASH, "secret", "why", typed=TYPED)
        assert purges.carry_out(asked.id)
        (job,) = DBTaskResult.objects.filter(task_path="micelio.operators.jobs.tell_edge")
        (urls,) = job.args_kwargs["args"]
        keys = [key.split("/", 2)[2] for key in Purge.objects.get().keys]
        assert urls == [f"https://cdn.example.org/m/{project.cdn_key}/{key}" for key in keys]
        assert Project.objects.get(id=project.id).cdn_key not in (None, project.cdn_key)
        with pytest.raises(Unavailable, match="503"):
            cdn.tell_gone(urls)
        cdn.tell_gone(urls)
        assert heard == [("/gone", msgspec.json.encode({"urls": urls}))] * 2
    finally:
        config.install(before)
        edge.close()


def test_lists_that_were_erased_allow_nothing_and_stop_nobody(amy: Actor, name: str) -> None:
    """Of allowed secrets nothing is left, and another list lands; owners have no rule; newer rules pass by it."""
    from micelio.projects.ownership import owners_at
    from micelio.projects.queries import get_project
    from micelio.sessions.search_again import _contents
    from micelio.sessions.secrets import landed_list

    opened = _ledger(name)
    allowed = b'[[allow]]\nfingerprint = "%s"\npath = "a"\nreason = "a test"\nby = "amy"\n' % (b"ab" * 16)
    owners = b"* @amy\n"
    land(opened, 2, 1, {b".micelio/secrets.toml": allowed, b".micelio/OWNERS": owners})
    assert len(landed_list(opened)) == 1
    for text in (allowed, owners):
        content = content_hash(text)
        purges.carry_out(purges.ask(amy, name, content, "secret", "why", typed=content.hex()[:12]).id)
    assert landed_list(opened) == []
    found = owners_at(opened, opened.head().position)
    assert found is not None
    assert found.rule_for(b"a") is None
    assert list(_contents(opened, opened.landing(2).record)) == []
    assert get_project(amy, *name.split("/")).role == "owner"
