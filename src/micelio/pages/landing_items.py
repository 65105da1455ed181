"""Landings and open sessions as lists show them, and as their machine twins say them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.utils.safestring import SafeString

from mic.core.ids import ulid_text
from micelio.pages.addresses import Site
from micelio.pages.text import headline
from micelio.sessions.queries import LandingRow


@dataclass(frozen=True)
class LandingItem:
    """One landing in a list. `at` is when it was written, which for imported history is not when it landed."""

    position: int
    address: str
    headline: str
    author: str
    agent: str
    at: datetime
    files: int
    decisions: int
    messages: int
    git_commit: str
    handle: str = ""


def landing_item(site: Site, row: LandingRow) -> LandingItem:
    """The list's view of a landing."""
    first, _ = headline(row.goal)
    return LandingItem(
        position=row.position,
        address=site.landing(row.position),
        headline=first,
        author=row.author_name or row.owner_handle,
        agent=row.agent,
        at=written_at(row),
        files=row.files,
        decisions=row.decisions,
        messages=row.messages,
        git_commit=row.git_commit.hex() if row.git_commit else "",
        handle=row.owner_handle,
    )


def written_at(row: LandingRow) -> datetime:
    """When the work was done: a commit's author date, else the moment of landing."""
    return row.authored_at if row.git_commit else row.landed_at


def by_day(items: Iterable[tuple[LandingItem, SafeString]]) -> list[tuple[datetime, list[SafeString]]]:
    """Neighbours of one UTC day together, in the order given."""
    days: list[tuple[datetime, list[SafeString]]] = []
    last: date | None = None
    for item, html in items:
        day = item.at.astimezone(UTC).date()
        if day != last:
            days.append((item.at, []))
            last = day
        days[-1][1].append(html)
    return days


def landing_data(row: LandingRow) -> dict[str, Any]:
    """A landing for machines. E-mail addresses stay out: a public page must not be a list of them."""
    return {
        "position": row.position,
        "session": ulid_text(row.session_id),
        "goal": row.goal,
        "author": row.author_name,
        "owner": row.owner_handle,
        "agent": row.agent,
        "landed_at": row.landed_at,
        "authored_at": row.authored_at,
        "files": row.files,
        "decisions": row.decisions,
        "messages": row.messages,
        "git_commit": row.git_commit.hex() if row.git_commit else None,
    }
