"""`/-/design`: every component of the pages in each of its states, drawn by the same partials as everywhere."""

from __future__ import annotations

from datetime import date, timedelta

from django.http import HttpRequest

from mic.core.session import Alternative, Decision, Message, Session
from mic.core.tree import BLOB, Entry
from micelio.accounts.actor import Actor
from micelio.accounts.links import shown_link
from micelio.accounts.profiles import ProfileView
from micelio.pages.activity import activity
from micelio.pages.answering import Answering, lead_here
from micelio.pages.answers import Page, page
from micelio.pages.claim_parts import claims_part, said_and_done
from micelio.pages.components import sections
from micelio.pages.diff_html import diff_rows, join_taken
from micelio.pages.diffs import diff_contents
from micelio.pages.path_change import PathChange
from micelio.pages.session_parts import conversation_part, decisions_part
from micelio.pages.states import state_words
from micelio.pages.weight import Scale
from micelio.sessions.doings import WEEKS, Week

COLOURS = (
    "paper", "raised", "faint", "ink", "soft", "line", "edge", "accent", "accent-faint", "add", "add-mark", "del",
    "del-mark", "ok", "bad", "warn",
)  # fmt: skip
STATES = ("active", "queued", "pending_review", "conflicted", "landed", "rejected", "abandoned")
_OLD = b"def issue(self, user):\n    return hs256(self.secret, user.id)\n\n"
_NEW = (
    b"def issue(self, user: User) -> Token:\n"
    b"    claims = Claims(user.id, exp=now + FIFTEEN_MINUTES)\n"
    b"    return sign(claims)\n\n"
)
_DECISION = Decision(
    what="Sign with EdDSA, verify from a published key set",
    why="Front ends must verify **without asking anyone**.",
    alternatives=(Alternative("HS256 with a shared secret", "every front end could then mint"),),
    by="maintainer",
    evidence="src/auth/tokens.py:20",
    message=1,
)
_CHANGED = tuple(
    PathChange(path, None, Entry(path, 0o100644, BLOB, 1, bytes(32)))
    for path in (b"src/auth/tokens.py", b"tests/auth/test_tokens.py", b"uv.lock")
)
_CLAIMING = Session(
    id=bytes(16),
    goal="Only touch `src/auth/` and tests",
    decisions=(Decision("Adds tests for expiry", evidence="docs/keys.md"),),
    conversation=(Message("agent", "claude-code", "All tests pass. No new dependency.", 0),),
)
_SAID = (
    Message("human", "maintainer", "We need sign-in by e-mail. Keep it stateless.", 0),
    Message("agent", "claude-code", "Should revocation work before a token expires?", 0),
    Message("system", "", "ran `make test`: 214 passed", 0),
)
_SESSION = Session(bytes(16), "Keep sign-in stateless", decisions=(_DECISION,), conversation=_SAID)


@page
def design(request: HttpRequest, actor: Actor) -> Page:
    """The same for everybody: nothing of this forge is on it."""
    scale, answering = Scale(), Answering(_SESSION)
    monday = date(2026, 11, 2)
    weeks = [Week(monday - timedelta(weeks=WEEKS - 1 - n), n * 7 % 11, n * 5 % 7) for n in range(WEEKS)]
    context = {
        "colours": COLOURS,
        "states": [(state, state_words(state, 42)) for state in STATES],
        "sections": list(sections()),
        "decisions": lead_here(decisions_part(scale, _SESSION, 1, False, answering).html, range(1, 9)),
        "claims": claims_part(scale, said_and_done(_CLAIMING, _CHANGED, "")).html,
        "conversation": conversation_part(scale, _SESSION, 1, False, answering, range(1, 9)).html,
        "diff": join_taken(diff_rows(diff_contents(_OLD, _NEW), "example", {2: [("D1", "#d1")]})),
        "year": activity(weeks),
        "profile": ProfileView(
            website=shown_link("https://ada.example.org"),
            links=tuple(map(shown_link, (
                "https://codeberg.org/ada", "https://fosstodon.org/@ada", "https://youtube.com/@ada",
                "https://matrix.to/#/@ada", "https://linkedin.com/in/ada",
            ))),
        ),
        "names": ("ada", "grace", "edsger", "barbara", "donald", "margaret"),
    }  # fmt: skip
    return Page("pages/design.html", context, {"colours": list(COLOURS), "states": list(STATES)})
