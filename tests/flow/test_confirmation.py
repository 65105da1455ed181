"""What asks again who one is, when that is a while ago, and how those confirm who have no password."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from joining import let_in
from mic.store.memory import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.mail import outbox
from micelio.organizations import actions as organizations
from micelio.organizations.models import Membership, Organization
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.ledgers import Ledger
from micelio.projects.models import Project
from signed_in import sign_in

pytestmark = pytest.mark.django_db
PASSWORD = "a mill above the river"
FORM = "application/x-www-form-urlencoded"
SIX_MINUTES = 360.0
FORTY_MINUTES = 2400.0


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))


@pytest.fixture
def nora() -> User:
    """An account with a password that owns an organization, with a project and a member."""
    nora = accounts.create_user(OPERATOR, "nora", email="nora@example.org")
    accounts.ensure_client()
    nora.set_password(PASSWORD)
    nora.save()
    _furnish(actor_of(nora, "web"), "mill")
    return nora


@pytest.fixture
def lee() -> User:
    """One without: it comes by links."""
    lee = accounts.create_user(OPERATOR, "lee", email="lee@example.org")
    _furnish(actor_of(lee, "web"), "lock")
    return lee


def _furnish(owner: Actor, handle: str) -> None:
    organizations.create_organization(owner, handle)
    create_project(owner, handle, "web", visibility="public")
    accounts.create_user(OPERATOR, f"{handle}-mate")
    let_in(owner, handle, f"{handle}-mate")


def _client(user: User, ago: float) -> Client:
    client = Client(headers={"host": "localhost"})
    sign_in(client, user, ago)
    return client


def _asked(answer: HttpResponse) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith("/-/sign-in/again")


MEMBERS = "/mill/-/members"
ACTS = [
    ("/mill/web/-/settings", {"act": "delete", "confirm": "mill/web"}),
    ("/mill/web/-/settings", {"act": "transfer", "confirm": "mill/web", "organization": "mill"}),
    ("/mill/-/settings", {"act": "delete", "confirm": "mill"}),
    ("/mill/-/settings", {"act": "transfer", "member": "mill-mate"}),
    (MEMBERS, {"act": "role", "member": "mill-mate", "role": "owner"}),
    (MEMBERS, {"act": "remove", "member": "mill-mate"}),
    (MEMBERS, {"act": "invite", "whom": "lock-mate", "role": "owner"}),
    ("/mill/web/-/members", {"act": "add", "whom": "mill-mate", "role": "owner"}),
    ("/mill/web/-/members", {"act": "role", "member": "mill-mate", "role": "reader"}),
    ("/mill/web/-/members", {"act": "remove", "member": "mill-mate"}),
    ("/-/account/tokens", {"act": "create", "name": "x", "scopes": "project:read", "days": "7"}),
]


@pytest.mark.parametrize(("page", "form"), ACTS)
def test_what_cannot_be_taken_back_asks(nora: User, page: str, form: dict[str, str]) -> None:
    """After six minutes it asks for the password, and nothing was done."""
    before = (Project.objects.count(), Organization.objects.count(), sorted(Membership.objects.values_list("role")))
    assert _asked(_client(nora, SIX_MINUTES).post(page, form))
    now = (Project.objects.count(), Organization.objects.count(), sorted(Membership.objects.values_list("role")))
    assert now == before


def test_harmless_acts_do_not_ask(nora: User) -> None:
    """A description, an invitation of a member, and leaving are as they were."""
    client = _client(nora, SIX_MINUTES)
    for page, form in (
        ("/mill/-/settings", {"act": "update", "name": "Mill", "description": "by the river"}),
        (MEMBERS, {"act": "invite", "whom": "lee@example.org", "role": "member"}),
        (MEMBERS, {"act": "leave"}),
    ):
        assert not _asked(client.post(page, form)), page


def test_what_was_posted_is_done_after_the_password(nora: User) -> None:
    """The confirmation leads on to it."""
    client = _client(nora, SIX_MINUTES)
    asked = client.post("/mill/web/-/settings", {"act": "delete", "confirm": "mill/web"})
    done = client.post(asked["Location"], {"password": PASSWORD, "next": "/mill/web/-/settings"})
    assert (done.status_code, done["Location"]) == (302, "/mill/-/deleted")
    assert not Project.objects.filter(handle="web", owner__handle="mill").exists()


def test_what_is_resumed_is_in_one_language(nora: User) -> None:
    """The confirmation is German; the page of tokens, which it goes on to within one request, is English throughout."""
    client = _client(nora, SIX_MINUTES)
    german = {"Accept-Language": "de", "Accept": "text/html"}
    form = {"act": "create", "name": "x", "scopes": "project:read", "days": "7"}
    asked = client.post("/-/account/tokens", form, headers=german)
    assert "Bestätige, dass du es bist" in client.get(asked["Location"], headers=german).content.decode()
    typed = {"password": "not it", "next": "/-/account/tokens"}
    assert "Das Passwort stimmt nicht." in client.post(asked["Location"], typed, headers=german).content.decode()
    made = client.post(asked["Location"], typed | {"password": PASSWORD}, headers=german)
    assert made["Content-Language"] == "en"
    assert '<html lang="en">' in made.content.decode()
    assert "Zum Inhalt" not in made.content.decode()


def test_approving_a_program_asks(nora: User) -> None:
    """`mic auth login` is let in by whoever confirms; refusing it needs nothing."""
    client = _client(nora, SIX_MINUTES)
    for action in ("deny", "confirm"):
        asking = client.post("/-/oauth/device/code", "client_id=mic-cli&scope=mic", content_type=FORM)
        page = f"/-/device?code={asking.json()['user_code']}"
        answer = client.post(page, {"action": action})
        assert _asked(answer) == (action == "confirm")
    assert client.post(answer["Location"], {"password": PASSWORD, "next": page})["Location"] == page
    assert client.post(page, {"action": "confirm"}).status_code == 200
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    poll = {"client_id": "mic-cli", "grant_type": grant, "device_code": asking.json()["device_code"]}
    assert client.post("/-/oauth/token", urlencode(poll), content_type=FORM).status_code == 200


def test_rest_asks_a_browser_and_no_token(nora: User) -> None:
    """The cookie of the same browser does not get past it at another door."""
    client = _client(nora, SIX_MINUTES)
    for method, path, body in (
        ("delete", "/api/v1/projects/mill/web", ""),
        ("delete", "/api/v1/orgs/mill?confirm=mill", ""),
        ("post", "/api/v1/orgs/mill/transfer", '{"handle": "mill-mate"}'),
        ("put", "/api/v1/orgs/mill/members/mill-mate", '{"role": "owner"}'),
        ("post", "/api/v1/me/tokens", '{"name": "x", "scopes": ["project:read"]}'),
        ("put", "/api/v1/orgs/mill/second-factor", '{"asks": true}'),
    ):
        refused = getattr(client, method)(path, body or None, content_type="application/json")
        assert (refused.status_code, refused.json()["code"]) == (403, "confirmation_needed"), path
    token = accounts.issue_token(OPERATOR, nora, accounts.LINK_LIFETIME)
    done = Client(headers={"host": "localhost"}).delete(
        "/api/v1/projects/mill/web", headers={"Authorization": f"Bearer {token}"}
    )
    assert done.status_code == 200


def test_a_link_counts_as_signing_in(nora: User) -> None:
    """An account with a password that came by a link a moment ago is not asked for it."""
    client = Client(headers={"host": "localhost"})
    link = reverse("once", args=[accounts.make_sign_in_link(OPERATOR, nora)])
    assert client.post(link)["Location"] == "/-/account"
    assert (
        client.post("/mill/web/-/settings", {"act": "delete", "confirm": "mill/web"})["Location"] == "/mill/-/deleted"
    )


def test_who_has_no_password_signs_in_anew(lee: User) -> None:
    """For half an hour a sign-in counts; then a link does, which leads back, in the same browser."""
    page, form = "/lock/web/-/settings", {"act": "delete", "confirm": "lock/web"}
    assert _client(lee, FORTY_MINUTES).get("/-/sign-in/again").status_code == 302
    client = _client(lee, FORTY_MINUTES)
    asked = client.post(page, form)
    assert asked["Location"] == "/-/sign-in/again/anew?next=%2Flock%2Fweb%2F-%2Fsettings"
    shown = client.get(asked["Location"]).content.decode()
    assert "an administrator can give you the link" in shown
    assert client.post(asked["Location"])["Location"] == "/-/sign-in/link/asked"
    letters = [outbox.read(letter.id)[1] for letter in outbox.undelivered() if letter.to == "lee@example.org"]
    (found,) = re.findall(r"/-/sign-in/once/[\w-]+", " ".join(letter.link for letter in letters))
    assert client.post(found)["Location"] == page
    assert client.post(page, form)["Location"] == "/lock/-/deleted"


def test_half_an_hour_counts_for_who_has_no_password(lee: User) -> None:
    """Six minutes later nothing is asked, nor for what the library guards; after forty minutes both are."""
    page, form = "/lock/web/-/settings", {"act": "archive"}
    assert not _asked(_client(lee, SIX_MINUTES).post(page, form))
    assert _client(lee, SIX_MINUTES).get("/-/account/second-factor/app").status_code == 200
    for guarded in ("/-/account/second-factor/app", "/-/account/second-factor/keys/add", "/-/account/password"):
        late = _client(lee, FORTY_MINUTES).get(guarded)
        assert urlsplit(late["Location"]).path in ("/-/sign-in/again", "/-/sign-in/again/anew"), guarded
    assert _asked(_client(lee, FORTY_MINUTES).post("/lock/-/settings", {"act": "delete", "confirm": "lock"}))


def test_the_page_for_signing_in_anew_leads_nowhere_else(nora: User, lee: User) -> None:
    """Not to another host; and whoever has a password is led to that."""
    assert _client(nora, 0).get("/-/sign-in/again/anew?next=/x")["Location"] == "/-/sign-in/again?next=%2Fx"
    client = _client(lee, FORTY_MINUTES)
    client.post("/-/sign-in/again/anew?next=//evil.example")
    link = reverse("once", args=[accounts.make_sign_in_link(OPERATOR, lee)])
    assert client.post(link)["Location"] == "/-/account"
    assert Client(headers={"host": "localhost"}).get("/-/sign-in/again/anew").status_code == 302
