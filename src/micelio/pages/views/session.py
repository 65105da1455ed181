"""The session page: a goal, why, the conversation, and the changes, whether it landed or is still open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string

from mic.core.brought import brought_from
from mic.core.errors import Erased, NotFound
from mic.core.ids import parse_ulid, ulid_text
from mic.core.session import Change, Op, Session, by_model
from mic.core.tree import BLOB, Entry
from mic.ledger.readable import Push
from micelio.accounts.actor import Actor
from micelio.config import current
from micelio.languages.words import took
from micelio.pages.addresses import Ref
from micelio.pages.answering import Answering, lead_here
from micelio.pages.answers import Page, kept, page
from micelio.pages.asked import asked_number
from micelio.pages.cards import landing_card
from micelio.pages.changes import ChangesPage, amount
from micelio.pages.claim_parts import SaidAndDone, claims_part, said_and_done
from micelio.pages.diff_look import USUAL, DiffLook, asked_look
from micelio.pages.diffs import LARGEST_COMPARED
from micelio.pages.landing_items import landing_item
from micelio.pages.leak_report import report_address
from micelio.pages.opened import Opened, open_project
from micelio.pages.path_change import PathChange
from micelio.pages.related import Related, related
from micelio.pages.renames import with_sources
from micelio.pages.session_parts import Focus, asked_focus, conversation_part, decisions_part, goal_rest
from micelio.pages.session_twin import change_data, session_data, session_markdown
from micelio.pages.states import state_words
from micelio.pages.text import count_words, cut, display_path, headline
from micelio.pages.views.cards import card_address
from micelio.pages.weight import Scale
from micelio.projects.models import Visibility
from micelio.sessions.claims import Verdict
from micelio.sessions.push import pushed
from micelio.sessions.pushed_at import pushed_at
from micelio.sessions.queries import LandingView, get_landing, get_session
from micelio.sessions.refusal import refusal_of

# Compressed bytes that related sessions leave to the changes.
_FOR_CHANGES = 5 * 1024
# Models whose tokens the page shows; the twins have all.
_MODELS = 12
# Those that its head names.
_NAMED = 2


@kept
@page
def landing(request: HttpRequest, actor: Actor, owner: str, handle: str, position: int) -> Page:
    """The session that landed at a position."""
    opened = open_project(actor, owner, handle)
    return _session_page(request, _Found(opened, get_landing(actor, opened.project, position)))


@kept
@page
def session(request: HttpRequest, actor: Actor, owner: str, handle: str, name: str) -> Page | HttpResponse:
    """A session by its id; one that landed is found at its position."""
    opened = open_project(actor, owner, handle)
    view = get_session(actor, opened.project, parse_ulid(name))
    if view.row.position:
        return _moved(request, opened.site.landing(view.row.position))
    return _session_page(request, _Found(opened, view))


@page
def landing_change(request: HttpRequest, actor: Actor, owner: str, handle: str, position: int, number: int) -> Page:
    """The difference of one file of a landing, by its number among the changed paths."""
    opened = open_project(actor, owner, handle)
    return _change_page(request, _Found(opened, get_landing(actor, opened.project, position)), number)


@page
def session_change(
    request: HttpRequest, actor: Actor, owner: str, handle: str, name: str, number: int
) -> Page | HttpResponse:
    """The difference of one file of a session that has not landed."""
    opened = open_project(actor, owner, handle)
    view = get_session(actor, opened.project, parse_ulid(name))
    if view.row.position:
        return _moved(request, f"{opened.site.landing(view.row.position)}/changes/{number}")
    return _change_page(request, _Found(opened, view), number)


def _moved(request: HttpRequest, address: str) -> HttpResponse:
    query = request.META.get("QUERY_STRING", "")
    return HttpResponseRedirect(address + (f"?{query}" if query else ""))


@dataclass(frozen=True)
class _Found:
    """A session with its project, and what all of its pages say of it."""

    opened: Opened
    view: LandingView

    @property
    def position(self) -> int:
        return self.view.row.position

    @property
    def state(self) -> str:
        return "landed" if self.position else self.view.state

    @property
    def here(self) -> str:
        site = self.opened.site
        return site.landing(self.position) if self.position else site.session(ulid_text(self.view.session.id))

    def changes(self) -> list[PathChange]:
        """All changes, by path, numbered."""
        if self.position:
            return _landed_changes(self.opened, self.view)
        return _open_changes(self.opened, self.view, self.push)

    @cached_property
    def push(self) -> Push | None:
        """The work of an open session, as far as it was pushed."""
        if self.position or not pushed_at(self.view.session):
            return None
        return pushed(self.opened.actor, self.opened.project, self.view.session.id)

    def page(self, scale: Scale, decisions_here: range = range(0), look: DiffLook = USUAL) -> ChangesPage:
        at = Ref(self.position) if self.position else None
        decisions = self.view.session.decisions
        before = Ref(self.position - 1 if self.position else self.view.session.base_position)
        return ChangesPage(
            self.opened.site,
            self._read,
            decisions,
            at,
            self.here,
            scale,
            decisions_here,
            look,
            lambda path: self.opened.site.raw(before, path),
        )

    def _read(self, entry: Entry) -> bytes:
        try:
            return self.opened.ledger.blob(entry.hash, LARGEST_COMPARED, self.push)
        except Erased as erased:
            return str(erased.details["text"]).encode()

    def context(self) -> dict[str, Any]:
        return {
            **self.opened.context("landings" if self.position else "sessions"),
            "position": self.position,
            "headline": headline(self.view.session.goal)[0],
            "state": self.state,
            "state_words": state_words(self.state, self.position),
            "here": self.here,
        }


def _session_page(request: HttpRequest, found: _Found) -> Page:
    opened, session, row = found.opened, found.view.session, found.view.row
    position = found.position
    refusal = refusal_of(session) if found.state in ("active", "conflicted") else None
    focus, look = asked_focus(request), asked_look(request)
    changes = found.changes()
    scale = amount(look).scale()
    imported = row.git_commit is not None
    said = said_and_done(session, changes, found.here)
    parts = _parts(scale, session, said, focus, imported)
    others = related(opened, session, changes, position) if position and not focus else []
    rows = scale.fill(others, lambda each, _: _related_html(opened, each), _FOR_CHANGES)
    shown = None
    if focus.changes > max(1, len(changes)):
        raise NotFound(f"This session changes {count_words(len(changes), 'file')}.", hint=f"Look at {found.here}.")
    if not focus or focus.changes:
        here = parts["decisions"].numbers if "decisions" in parts else range(0)
        shown = found.page(scale, here, look).show(changes, focus.changes or 1)
    usage = [] if focus else by_model(session.usage)
    context = {
        **found.context(),
        **parts,
        "author": row.author_name or row.owner_handle,
        "author_handle": row.owner_handle,
        "agent": row.agent,
        "models": ", ".join(cut(each.model, 40) for each in usage[:_NAMED] if each.model),
        "fail": sum(each.verdict is Verdict.FAILS for each in said.checked),
        "card": _card(found),
        "at": row.landed_at,
        "took": "" if imported or not position else took(row.authored_at, row.landed_at),
        "authored": row.authored_at if imported else None,
        "git_commit": row.git_commit.hex() if row.git_commit else "",
        "base_position": session.base_position,
        "session": session,
        "usage": usage[:_MODELS],
        "tokens": sum(each.read + each.written for each in usage),
        "hidden": session.turns if not session.conversation and (not focus or focus.conversation) else 0,
        "brought": brought_from(session),
        "refusal": refusal,
        "related": rows,
        "focus": bool(focus),
        "changes": shown,
        "look": look,
        "is_cut": shown is not None and shown.is_cut,
        "total_files": len(changes),
        "report": report_address(opened.site, session_id=session.id),
        "earlier": opened.site.landing(position - 1),
        "later": opened.site.landing(position + 1) if position < opened.position else "",
    }
    data = {**opened.data(), **session_data(found.view, changes), "checks": said.data()}
    data["related"] = [{"position": each.row.position, "goal": each.row.goal, "why": each.words} for each in others]
    words, checks = state_words(found.state, position), said.markdown
    return Page(
        "pages/session.html", context, data, lambda: session_markdown(found.view, words, changes, shown, checks())
    )


def _related_html(opened: Opened, each: Related) -> str:
    item = landing_item(opened.site, each.row)
    return render_to_string("pages/_landing.html", {"row": item, "touch": each.shown})


def _card(found: _Found) -> str:
    """Where the picture is that other sites show of it, "" for what not everybody may read."""
    opened, view = found.opened, found.view
    if not found.position or opened.project.visibility != Visibility.PUBLIC:
        return ""
    made = landing_card(opened.project, view, view.row.author_name or view.row.owner_handle)
    return current().base_url + card_address(opened.site, made, found.position)


def _parts(scale: Scale, session: Session, said: SaidAndDone, focus: Focus, imported: bool) -> dict[str, Any]:
    """The words of the session: all kinds of them, or those that were asked for."""
    parts: dict[str, Any] = {}
    answering = Answering(session)
    if not focus:
        parts["more"], parts["more_left"] = goal_rest(scale, headline(session.goal)[1], imported)
    if not focus or focus.decisions:
        parts["decisions"] = decisions_part(scale, session, focus.decisions or 1, bool(focus), answering)
    if not focus:
        parts["claims"] = claims_part(scale, said)
    if not focus or focus.conversation:
        here = parts["decisions"].numbers if "decisions" in parts else range(0)
        said_first = focus.conversation or 1
        parts["conversation"] = conversation_part(scale, session, said_first, bool(focus), answering, here)
    if not focus:
        here = parts["conversation"].numbers
        parts["decisions"] = replace(parts["decisions"], html=lead_here(parts["decisions"].html, here))
    return parts


@dataclass(frozen=True)
class _Neighbour:
    name: str
    address: str


def _change_page(request: HttpRequest, found: _Found, number: int) -> Page:
    changes = found.changes()
    if not 1 <= number <= len(changes):
        raise NotFound(
            f"This session changes {count_words(len(changes), 'file')}, and none of number {number}.",
            hint=f"Look at {found.here}.",
        )
    first, look = max(1, asked_number(request, "from") or 1), asked_look(request)
    file = found.page(amount(look).scale(), look=look).show_one(changes, number, first)
    if first > max(1, file.rows):
        raise NotFound(f"This difference has {count_words(file.rows, 'line')}.", hint=f"Look at {file.whole}.")

    def neighbour(at: int) -> _Neighbour | None:
        if not 1 <= at <= len(changes):
            return None
        return _Neighbour(cut(display_path(changes[at - 1].path), 120), f"{found.here}/changes/{at}{look.behind}")

    context = {
        **found.context(),
        "file": file,
        "look": look,
        "is_cut": file.is_part,
        "number": number,
        "total": len(changes),
        "earlier": max(1, first - (file.last - first + 1)) if first > 1 else 0,
        "later": file.last + 1 if file.is_cut else 0,
        "before": neighbour(number - 1),
        "behind": neighbour(number + 1),
    }
    data = {
        **found.opened.data(),
        "session": ulid_text(found.view.session.id),
        "position": found.position or None,
        "number": number,
        **change_data(changes[number - 1]),
        "added": file.added,
        "deleted": file.deleted,
    }
    return Page("pages/change.html", context, data)


def _landed_changes(opened: Opened, view: LandingView) -> list[PathChange]:
    """What the landing really did, from its record; the files before it from the tree before it."""
    position = view.row.position
    record = opened.ledger.records(position, position)[0]
    # Inside an imported stretch only the last tree is stored; `tree_at` makes the others again.
    copied = _copied(view.session)
    paths = [change.path for change in record.changes]
    before = opened.ledger.entries(opened.ledger.tree_at(position - 1), [*paths, *set(copied.values())])
    changes = [
        PathChange(change.path, before.get(change.path), change.entry, number)
        for number, change in enumerate(record.changes, 1)
    ]
    return with_sources(changes, copied, before)


def _open_changes(opened: Opened, view: LandingView, push: Push | None) -> list[PathChange]:
    """What an open session has told the forge so far, as far as its contents have arrived."""
    copied = _copied(view.session)
    paths = [change.path for change in view.session.changes]
    known = opened.ledger.entries(view.base_tree, [*paths, *set(copied.values())])
    places = push.places if push is not None else {}
    here = [
        change
        for change in sorted(view.session.changes, key=lambda change: change.path)
        if change.op == Op.DELETED or change.hash in places or opened.ledger.has_blob(change.hash)
    ]
    changes = [
        PathChange(change.path, known.get(change.path), _new_entry(change), number)
        for number, change in enumerate(here, 1)
    ]
    return with_sources(changes, copied, known)


def _copied(session: Session) -> dict[bytes, bytes]:
    """What new files were made from, as the session says."""
    return {change.path: change.copied_from for change in session.changes if change.copied_from}


def _new_entry(change: Change) -> Entry | None:
    if change.op == Op.DELETED:
        return None
    return Entry(change.path, change.mode, change.kind or BLOB, change.size, change.hash)
