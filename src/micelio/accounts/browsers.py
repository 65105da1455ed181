"""Where an account is signed in with a browser: listed, named, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from mic.core.errors import InvalidInput, NotFound
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.policy import require_whole
from micelio.audit.actions import record

NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class BrowserView:
    """One browser. `current` is the one that asks; `agent` is what it says of itself."""

    id: int
    name: str
    agent: str
    address: str
    since: datetime
    current: bool


def list_browsers(actor: Actor, session_key: str | None) -> list[BrowserView]:
    """The actor's, newest first; those whose time is over are forgotten. Raises Unauthenticated, PermissionDenied."""
    found = _alive(_own(actor))
    views = [
        BrowserView(
            row.pk, str(row.data.get("name", "")), row.user_agent, str(row.ip), row.created_at,
            row.session_key == session_key,
        )
        for row in found
    ]  # fmt: skip
    return sorted(views, key=lambda view: (not view.current, -view.since.timestamp()))


def _alive(rows: list[UserSession]) -> list[UserSession]:
    """Those whose session is still there; the others are removed. Two queries, however many there are."""
    keys = [row.session_key for row in rows]
    there = set(Session.objects.filter(session_key__in=keys).values_list("session_key", flat=True))
    UserSession.objects.filter(pk__in=[row.pk for row in rows if row.session_key not in there]).delete()
    return [row for row in rows if row.session_key in there]


def remember_browser(request: HttpRequest) -> None:
    """The session of this request has got another key, as after a new password."""
    UserSession.objects.create_from_request(request)


@transaction.atomic
def name_browser(actor: Actor, browser_id: int, name: str) -> None:
    """Give one a name, or "" for none. Raises NotFound, InvalidInput."""
    row = _one(actor, browser_id)
    name = name.strip()
    if len(name) > NAME_LENGTH or (name and not name.isprintable()):
        raise InvalidInput(f"A name has at most {NAME_LENGTH} printable characters.", hint="Shorten it.")
    row.data["name"] = name
    row.save(update_fields=["data"])


@transaction.atomic
def end_browser(actor: Actor, browser_id: int) -> None:
    """Sign one out, wherever it is. Raises NotFound."""
    row = _one(actor, browser_id)
    # The row of the session itself: allauth's own way would need the request that is being answered.
    import_module(settings.SESSION_ENGINE).SessionStore().delete(row.session_key)
    row.delete()
    record(actor, "account.end_browser", "account", _id(actor), actor.handle, address=str(row.ip))


def end_all(user_id: UUID) -> None:
    """Sign an account out everywhere, inside the caller's transaction."""
    rows = UserSession.objects.filter(user_id=user_id)
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    for key in list(rows.values_list("session_key", flat=True)):
        store.delete(key)
    rows.delete()


def _own(actor: Actor) -> list[UserSession]:
    return list(UserSession.objects.filter(user_id=_id(actor)))


def _one(actor: Actor, browser_id: int) -> UserSession:
    row = UserSession.objects.filter(user_id=_id(actor), pk=browser_id).first()
    if row is None:
        raise NotFound("That browser is not signed in any more.", hint="Load the list again.")
    return row


def _id(actor: Actor) -> UUID:
    require_whole(actor)
    return require_signed_in(actor)
