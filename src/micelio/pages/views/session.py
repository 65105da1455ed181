"""The session page: a goal, why, the conversation, and the changes, whether it landed or is still open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mic.core.ids import parse_ulid
from mic.core.session import Change, Message, Op, State
from mic.core.tree import BLOB, Entry
from micelio.accounts.actor import Actor
from micelio.pages.addresses import Ref
from micelio.pages.answers import Page, page
from micelio.pages.changes import ChangesPage, PathChange
from micelio.pages.diffs import LARGEST_COMPARED
from micelio.pages.opened import Opened, open_project
from micelio.pages.session_twin import session_data, session_markdown
from micelio.pages.states import state_words
from micelio.pages.text import headline, took
from micelio.sessions.queries import LandingView, get_landing, get_session

_ROLES = {"human": "person", "agent": "agent", "system": "system"}


@dataclass(frozen=True)
class Said:
    """One turn of the conversation, for the page."""

    role: str
    role_words: str
    author: str
    text: str
    at: datetime | None
    redactions: int


def _said(message: Message) -> Said:
    role = message.role if message.role in _ROLES else "system"
    at = datetime.fromtimestamp(message.at / 1000, UTC) if message.at else None
    # A turn without a name is named by its role, once.
    words = _ROLES[role] if message.author else ""
    return Said(role, words, message.author or _ROLES[role], message.text, at, message.redactions)


@page
def landing(request: HttpRequest, actor: Actor, owner: str, handle: str, position: int) -> Page:
    """The session that landed at a position."""
    opened = open_project(actor, owner, handle)
    return _session_page(opened, get_landing(actor, opened.project, position))


@page
def session(request: HttpRequest, actor: Actor, owner: str, handle: str, name: str) -> Page | HttpResponse:
    """A session by its id; one that landed is found at its position."""
    opened = open_project(actor, owner, handle)
    view = get_session(actor, opened.project, parse_ulid(name))
    if view.row.position:
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect(opened.site.landing(view.row.position) + (f"?{query}" if query else ""))
    return _session_page(opened, view)


def _session_page(opened: Opened, view: LandingView) -> Page:
    session, row = view.session, view.row
    position = row.position
    state = "landed" if position else State(session.state).name.lower()
    changes = _landed_changes(opened, view) if position else _open_changes(opened, view)
    at = Ref(position) if position else None
    shown = ChangesPage(
        opened.site, lambda entry: opened.ledger.blob(entry.hash, LARGEST_COMPARED), session.decisions, at
    ).show(changes)
    first, more = headline(session.goal)
    imported = row.git_commit is not None
    context = {
        **opened.context("landings" if position else "sessions"),
        "position": position,
        "headline": first,
        "more": more,
        "state": state,
        "state_words": state_words(state, position),
        "author": row.author_name or row.owner_handle,
        "agent": row.agent,
        "at": row.landed_at,
        "took": "" if imported or not position else took(row.authored_at, row.landed_at),
        "authored": row.authored_at if imported else None,
        "git_commit": row.git_commit.hex() if row.git_commit else "",
        "base_position": session.base_position,
        "decisions": session.decisions,
        "conversation": [_said(message) for message in session.conversation],
        "claims": session.claims,
        "changes": shown,
        "earlier": opened.site.landing(position - 1),
        "later": opened.site.landing(position + 1) if position < opened.position else "",
    }
    data = {**opened.data(), **session_data(view, changes)}
    return Page(
        "pages/session.html", context, data, lambda: session_markdown(view, state_words(state, position), shown)
    )


def _landed_changes(opened: Opened, view: LandingView) -> list[PathChange]:
    """What the landing really did, from its record; the files before it from the tree before it."""
    position = view.row.position
    record = opened.ledger.records(position, position)[0]
    # Inside an imported stretch only the last tree is stored; `tree_at` makes the others again.
    before = opened.ledger.entries(opened.ledger.tree_at(position - 1), [change.path for change in record.changes])
    return [PathChange(change.path, before.get(change.path), change.entry) for change in record.changes]


def _open_changes(opened: Opened, view: LandingView) -> list[PathChange]:
    """What an open session has told the forge so far, as far as its contents have arrived."""
    known = opened.ledger.entries(view.base_tree, [change.path for change in view.session.changes])
    return [
        PathChange(change.path, known.get(change.path), _new_entry(change))
        for change in sorted(view.session.changes, key=lambda change: change.path)
        if change.op == Op.DELETED or opened.ledger.has_blob(change.hash)
    ]


def _new_entry(change: Change) -> Entry | None:
    if change.op == Op.DELETED:
        return None
    return Entry(change.path, change.mode, change.kind or BLOB, change.size, change.hash)
