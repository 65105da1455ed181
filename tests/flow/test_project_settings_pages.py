"""The pages of a project's settings, its owners, its stars and what was deleted: without a script, form by form."""

from __future__ import annotations

import pytest
from django.test import Client

from html_check import malformed
from joining import let_in
from ledgers import land
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.organizations import actions as organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.protection import protect_project
from micelio.projects.queries import get_project
from micelio.sessions import projector
from signed_in import sign_in

pytestmark = pytest.mark.django_db
SETTINGS = "/acme/web/-/settings"


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))


def _client(handle: str) -> Client:
    client = Client(headers={"host": "localhost"})
    sign_in(client, User.objects.get(handle=handle))
    return client


@pytest.fixture
def olga() -> Actor:
    olga = actor_of(accounts.create_user(OPERATOR, "olga"), "web")
    organizations.create_organization(olga, "acme")
    made = create_project(olga, "acme", "web", visibility="public")
    land(ledgers.open_ledger(made.id), 1, 0, {b"docs/a b.md": b"x\n", b".micelio/OWNERS": b"\n/docs/ @mia\n"})
    projector.catch_up(made.id)
    accounts.create_user(OPERATOR, "mia")
    let_in(olga, "acme", "mia")
    return olga


@pytest.fixture
def owner(olga: Actor) -> Client:
    """olga's browser."""
    return _client("olga")


def _error(client: Client, **values: str) -> str:
    answer = client.post(SETTINGS, values)
    assert answer.status_code == 400, answer
    text = answer.content.decode()
    assert malformed(text) == []
    return text


def test_each_form_does_what_it_says(olga: Actor, owner: Client) -> None:
    """And leads back to the page, where the project is then."""
    assert malformed(owner.get(SETTINGS).content.decode()) == []
    done = owner.post(SETTINGS, {"act": "details", "name": "The web", "description": "d", "visibility": "private"})
    assert (done.status_code, done["Location"]) == (302, SETTINGS)
    made = get_project(olga, "acme", "web")
    assert (made.name, made.description, made.visibility) == ("The web", "d", "private")
    owner.post(SETTINGS, {"act": "protect", "lines": "main @mia  role:admin\n\n", "paths": "/docs/\r\n*.tf"})
    twin = owner.get(f"{SETTINGS}?format=json").json()
    assert twin["protected"] == {
        "lines": [{"lines": "main", "who": ["@mia", "role:admin"]}],
        "paths": ["/docs/", "*.tf"],
    }
    assert owner.post(SETTINGS, {"act": "archive"}).status_code == 302
    page = owner.get("/acme/web").content.decode()
    assert "everything can be read, and nothing lands" in page
    owner.post(SETTINGS, {"act": "unarchive"})
    assert get_project(olga, "acme", "web").archived_at is None
    done = owner.post(SETTINGS, {"act": "rename", "handle": "Site"})
    assert done["Location"] == "/acme/site/-/settings"
    assert "Of before: acme/web." in owner.get("/acme/site/-/settings").content.decode()
    organizations.create_organization(olga, "others")
    done = owner.post("/acme/site/-/settings", {"act": "transfer", "organization": "others", "confirm": "acme/site"})
    assert done["Location"] == "/others/site"


def test_an_old_address_sends_to_the_new_one(olga: Actor, owner: Client) -> None:
    """Whatever stands behind it, byte for byte; a form at an old address does what it says to the project."""
    owner.post(SETTINGS, {"act": "rename", "handle": "site"})
    for old, new in (
        ("/acme/web", "/acme/site"),
        ("/acme/web?after=", "/acme/site?after="),
        ("/acme/web/-/landings?format=json", "/acme/site/-/landings?format=json"),
        ("/acme/web/-/file/head/docs/a%20b.md", "/acme/site/-/file/head/docs/a%20b.md"),
    ):
        answer = owner.get(old)
        assert (answer.status_code, answer["Location"], answer["Cache-Control"]) == (301, new, "no-cache")
    assert owner.get("/acme/Site").status_code == 200
    owner.post(SETTINGS, {"act": "archive"})
    assert get_project(olga, "acme", "site").archived_at is not None


def test_what_is_wrong_is_said_and_nothing_is_lost(olga: Actor, owner: Client) -> None:
    """The form is shown again with what was written."""
    assert "cannot be the handle of a project" in _error(owner, act="rename", handle="a/b")
    text = _error(owner, act="protect", lines="main ada", paths="/keep/this/")
    assert "&#x27;ada&#x27; is nobody who could land." in text
    assert "/keep/this/" in text
    assert "is longer than 2,000 characters" in _error(owner, act="details", name="x", description="d" * 2001)
    assert "is not acme/web; nothing was done" in _error(owner, act="delete", confirm="web")
    assert "no organization" in _error(owner, act="transfer", organization="nowhere", confirm="acme/web")
    for act in ("", "else", "\x00"):
        assert "This form has no such button." in _error(owner, act=act)
    assert get_project(olga, "acme", "web").protection == ""


def test_deleting_and_restoring(olga: Actor, owner: Client) -> None:
    """The name is typed; the list says until when, and a button takes it back."""
    done = owner.post(SETTINGS, {"act": "delete", "confirm": " ACME/web "})
    assert done["Location"] == "/acme/-/deleted"
    for client in (owner, _client("mia"), Client(headers={"host": "localhost"})):
        assert client.get("/acme/web").status_code == 404
    page = owner.get("/acme/-/deleted").content.decode()
    assert malformed(page) == []
    assert "by olga" in page
    assert owner.get("/acme/-/deleted?format=json").json()["deleted"][0]["project"] == "acme/web"
    assert _client("mia").get("/acme/-/deleted").status_code == 403
    assert _client("mia").post("/acme/-/deleted", {"project": "web"}).status_code == 404
    assert owner.post("/acme/-/deleted", {"project": "web"})["Location"] == "/acme/web"
    again = owner.post("/acme/-/deleted", {"project": "web"})
    assert (again.status_code, "acme/web is not deleted." in again.content.decode()) == (400, True)
    assert owner.get("/acme/web").status_code == 200


def test_a_star_is_a_button(olga: Actor) -> None:
    """Given, listed, and taken back; who is not signed in sees how many there are."""
    mia = _client("mia")
    assert "Take your star back" not in mia.get("/acme/web").content.decode()
    assert mia.post("/acme/web/-/star", {})["Location"] == "/acme/web"
    page = mia.get("/acme/web").content.decode()
    assert "Take your star back" in page
    assert malformed(page) == []
    listed = mia.get("/-/account/stars")
    assert "/acme/web" in listed.content.decode()
    assert malformed(listed.content.decode()) == []
    visitor = Client(headers={"host": "localhost"})
    assert visitor.get("/acme/web?format=json").json()["stars"] == 1
    assert "Take your star back" not in visitor.get("/acme/web").content.decode()
    mia.post("/acme/web/-/star", {"starred": "no"})
    assert mia.get("/-/account/stars?format=json").json()["projects"] == []


def test_whose_a_path_is(olga: Actor, owner: Client) -> None:
    """Rule, line and owners, of a path that is there and of one that is not."""
    protect_project(olga, "acme", "web", paths=["/docs/"])
    answer = Client(headers={"host": "localhost"}).get("/acme/web/-/owners/head/docs/a%20b.md")
    text = answer.content.decode()
    assert malformed(text) == []
    assert "It is protected: its owners and the admins of acme/web land it." in text
    assert "<code>/docs/</code>" in text
    assert "<b>@mia</b>" in text
    german = Client(headers={"host": "localhost", "accept-language": "de"}).get("/acme/web/-/owners/head/docs/a%20b.md")
    assert "Geschützt: Die Zuständigen und die Admins von acme/web übernehmen" in german.content.decode()
    assert malformed(german.content.decode()) == []
    assert 'href="/acme/web/-/file/@1/.micelio/OWNERS?view=source#L2"' in text
    twin = owner.get("/acme/web/-/owners/@1/none/there?format=json").json()
    assert (twin["path"], twin["protected_by"], twin["rule"]) == ("none/there", None, None)
    assert owner.get("/acme/web/-/owners/@0/docs/x").status_code == 200
    assert owner.get("/acme/web/-/owners/@2/docs/x").status_code == 404
    assert owner.get("/acme/web/-/owners/head/a/../b").status_code in (400, 404)
