"""Every act that must stand in the audit log does: sign-ins, tokens, passwords, factors, rights, members, data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import micelio
from mic.store.memory import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts import administering
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.organizations import actions as organizations
from micelio.organizations import invitations
from micelio.pages.audit_words import ACTS
from micelio.projects import deletion, ledgers, members, moves
from micelio.projects.actions import create_project, update_project
from micelio.projects.ledgers import Ledger
from micelio.projects.protection import LineRule, protect_project
from micelio.tokens import actions as tokens
from signed_in import sign_in
from totp import totp

pytestmark = pytest.mark.django_db
PASSWORD = "a mill above the river"
FACTOR = "/-/account/second-factor"


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))


@pytest.fixture
def una() -> User:
    """She owns an organization with a private project; wim is to become a member."""
    una = accounts.create_user(OPERATOR, "una")
    una.set_password(PASSWORD)
    una.save()
    accounts.create_user(OPERATOR, "wim")
    organizations.create_organization(actor_of(una, "web"), "weir")
    create_project(actor_of(una, "web"), "weir", "gate", visibility="private")
    return una


@pytest.fixture
def her(una: User) -> Actor:
    return actor_of(una, "web")


@pytest.fixture
def client(una: User) -> Client:
    made = Client(headers={"host": "localhost"})
    sign_in(made, una)
    return made


def _said(action: str) -> list[tuple[str, dict[str, Any]]]:
    """Who did it and what stands beside it, oldest first."""
    return [(row.actor_handle, row.details) for row in AuditEvent.objects.filter(action=action).order_by("pk")]


def test_signing_in_and_failing_to(una: User) -> None:
    """With the account that was meant, and never what was typed for a password."""
    client = Client(headers={"host": "localhost"})
    client.post("/-/sign-in", {"login": "una", "password": "not her password"})
    assert _said("account.sign_in_failed") == [("", {})]
    assert _said("account.sign_in") == []
    client.post("/-/sign-in", {"login": "una", "password": PASSWORD})
    assert [who for who, _ in _said("account.sign_in")] == ["una"]
    client.post("/-/sign-out")
    assert [who for who, _ in _said("account.sign_out")] == ["una"]


def test_tokens(her: Actor) -> None:
    """Made, with what they may do, and revoked; their value stands nowhere."""
    made = tokens.create_token(her, "reader", ["project:read"], days=7)
    tokens.revoke_token(her, made.token.id)
    ((who, about),) = _said("token.create")
    assert (who, about["scopes"], about["projects"], about["mixes"]) == ("una", "project:read", "all", False)
    assert [who for who, _ in _said("token.revoke")] == ["una"]
    assert not any(made.value in str(row.details) for row in AuditEvent.objects.all())


def test_passwords_addresses_and_names(una: User, her: Actor) -> None:
    """What changed, before and after, but for passwords."""
    accounts.change_password(her, una, "another mill, further down", tokens_too=True)
    accounts.reset_password(una, "a third mill, in the woods")
    assert _said("account.password") == [("una", {"tokens_too": True})]
    assert [who for who, _ in _said("account.password_reset")] == ["una"]
    accounts.update_account(her, una, name="Una Miller")
    accounts.change_address(her, una, "una@example.org")
    assert _said("account.update") == [("una", {"before": "", "after": "Una Miller"})]
    assert _said("account.address") == [("una", {"before": "", "after": "una@example.org"})]


def test_second_factors(client: Client, django_capture_on_commit_callbacks: Any) -> None:
    """Added, failed, new recovery codes, removed; by their kinds. The library tells of them behind the commit."""
    assert client.post("/-/sign-in/again", {"password": PASSWORD}).status_code == 302
    page = client.get(f"{FACTOR}/app").content.decode()
    (secret,) = re.findall(r'<code class="cmd"[^>]*>([A-Z2-7]{32})</code>', page)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"{FACTOR}/app", {"code": totp(secret)})["Location"] == f"{FACTOR}/recovery"
        assert client.post(f"{FACTOR}/again", {"code": "000000"}).status_code == 200
        assert client.post(f"{FACTOR}/recovery/new").status_code == 302
        assert client.post(f"{FACTOR}/app/stop").status_code == 302
    assert ("una", {"kind": "app"}) in _said("second_factor.add")
    assert [who for who, _ in _said("second_factor.fail")] == ["una"]
    assert [who for who, _ in _said("second_factor.reset")] == ["una"]
    assert ("una", {"kind": "app"}) in _said("second_factor.remove")


def test_rights_and_members(her: Actor) -> None:
    """Who came in, as what, who was made more or less, and who went; in the organization and in a project."""
    wim = actor_of(User.objects.get(handle="wim"), "web")
    invitations.invite(her, "weir", "wim", "reader")
    invitations.accept_invitation(wim, organization="weir")
    organizations.set_role(her, "weir", "wim", "admin")
    members.set_project_member(her, "weir", "gate", "wim", "owner")
    members.remove_project_member(her, "weir", "gate", "wim")
    organizations.remove_member(wim, "weir", "wim")
    assert [who for who, _ in _said("organization.invite") + _said("organization.join")] == ["una", "wim"]
    ((who, about),) = _said("organization.role")
    assert (who, about["member"], about["before"], about["after"]) == ("una", "wim", "reader", "admin")
    ((who, about),) = _said("project.member")
    assert (who, about["member"], about["before"], about["after"]) == ("una", "wim", None, "owner")
    ((who, about),) = _said("project.member_remove")
    assert (who, about["before"], about["after"]) == ("una", "owner", None)
    assert [who for who, _ in _said("organization.leave")] == ["wim"]
    protect_project(her, "weir", "gate", lines=[LineRule("main", ("@una",))], paths=[])
    assert [who for who, _ in _said("project.protect")] == ["una"]
    administering.set_administrator(OPERATOR, "wim", True)
    assert [who for who, _ in _said("account.admin")] == ["operator"]


def test_projects_and_what_is_in_them(client: Client, her: Actor) -> None:
    """Made, opened to all, read while private, landed in, moved, deleted and taken back."""
    made = create_project(her, "weir", "lock", visibility="private")
    assert made.visibility == "private"
    change = {"goal": "Begin", "changes": [{"path": "a.txt", "text": "a\n"}]}
    landed = client.post("/api/v1/projects/weir/lock/landings", change, content_type="application/json")
    assert landed.status_code == 201, landed.content
    (name,) = AuditEvent.objects.filter(action="session.land").values_list("object_name", flat=True)
    assert name == "weir/lock@1"
    assert client.get("/weir/lock").status_code == 200
    assert [who for who, _ in _said("project.read")] == ["una"]
    update_project(her, "weir", "lock", visibility="public")
    ((who, about),) = _said("project.update")
    assert (who, about["before"]["visibility"], about["after"]["visibility"]) == ("una", "private", "public")
    moves.rename_project(her, "weir", "lock", "sluice")
    moves.archive_project(her, "weir", "sluice")
    deletion.delete_project(her, "weir", "sluice")
    deletion.restore_project(her, "weir", "sluice")
    for action in ("project.rename", "project.archive", "project.delete", "project.undelete"):
        assert [who for who, _ in _said(action)] == ["una"], action
    assert [who for who, _ in _said("project.create")] == ["una", "una"]


def test_every_act_has_words() -> None:
    """What is recorded anywhere in the program is called something on the page."""
    source = "".join(path.read_text("utf-8") for path in Path(micelio.__file__).parent.rglob("*.py"))
    recorded = set(re.findall(r'\b(?:record|make_event)\(\s*[\w.()" ,]+?,\s*"([a-z_]+\.[a-z_]+)"', source))
    assert {"account.sign_in", "token.create", "project.delete"} <= recorded
    assert recorded - set(ACTS) == set()
