"""Cards: what other sites show of a page as a picture. Only what everybody may read has one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from django.utils import timezone

from micelio import __version__
from micelio.pages.card_drawing import DESIGN, draw
from micelio.pages.card_shelf import kept_card
from micelio.pages.text import count_words, cut, one_line
from micelio.projects.ledgers import bucket

if TYPE_CHECKING:
    from micelio.accounts.profiles import Person, ProfileView
    from micelio.organizations.queries import OrganizationView
    from micelio.projects.project_view import ProjectView
    from micelio.sessions.queries import LandingView

WIDTH, HEIGHT = 1200, 630
# Cards that a process keeps: 30 KB each.
_KEPT = 128


@dataclass(frozen=True, slots=True)
class Card:
    """What stands on a card. `figure` is the handle whose picture is drawn, `points` have short names such as D1."""

    place: str
    headline: str
    instead: str
    about: str = ""
    points: tuple[tuple[str, str], ...] = ()
    facts: tuple[str, ...] = ()
    figure: str = ""
    accent: str = ""

    @property
    def name(self) -> str:
        """64 hex digits that change with anything that is drawn, and with how it is drawn."""
        said = msgspec.json.encode([DESIGN, __version__.partition(".")[0], self])
        return hashlib.sha256(said).hexdigest()

    @property
    def digest(self) -> str:
        """As much of the name as stands in an address."""
        return self.name[:16]


@lru_cache(maxsize=_KEPT)
def png_of(card: Card) -> bytes:
    """The picture, the same bytes for the same card: from memory, from the store, or drawn and put there."""
    return kept_card(bucket(), card.name, timezone.now(), lambda: draw(card))


def project_card(project: ProjectView, landings: int, decisions: int, stars: int) -> Card:
    """A project: its name, what it is about, and how much there is of it."""
    facts = [count_words(landings, "landing")]
    if decisions:
        facts.append(count_words(decisions, "decision"))
    if stars:
        facts.append(count_words(stars, "star"))
    return Card(
        place=project.owner,
        headline=one_line(cut(project.handle, 80)),
        instead=project.handle,
        about=one_line(cut(project.description, 200)),
        facts=tuple(facts),
        figure=project.owner,
    )


def landing_card(project: ProjectView, view: LandingView, author: str) -> Card:
    """A landing and its session: the goal, the first decisions, who did it with which agent."""
    session, row = view.session, view.row
    goal = session.goal.strip().partition("\n")[0]
    facts = [one_line(cut(author, 40)), *([f"with {one_line(cut(row.agent, 30))}"] if row.agent else [])]
    facts.append(count_words(len(session.changes), "file"))
    if session.turns:
        facts.append(count_words(session.turns, "message"))
    points = tuple(
        (f"D{number}", one_line(cut(decision.what.partition("\n")[0], 90)))
        for number, decision in enumerate(session.decisions[:3], 1)
    )
    return Card(
        place=f"{project.owner}/{project.handle}",
        headline=one_line(cut(goal, 160)) or f"Landing @{row.position}",
        instead=f"Landing @{row.position}",
        points=points,
        facts=tuple(fact for fact in facts if fact),
        figure=row.owner_handle or project.owner,
        accent=f"Landed as @{row.position}",
    )


def person_card(person: Person, profile: ProfileView) -> Card:
    """A person: name, handle, what they say of themselves."""
    return Card(
        place=f"@{person.handle}",
        headline=one_line(cut(person.name, 60)),
        instead=person.handle,
        about=one_line(profile.bio),
        facts=(profile.website.label,) if profile.website else (),
        figure=person.handle,
    )


def organization_card(organization: OrganizationView, profile: ProfileView) -> Card:
    """An organization: name, handle, what it says of itself. It counts nothing, for that is another for each reader."""
    return Card(
        place=organization.handle,
        headline=one_line(cut(organization.name or organization.handle, 80)),
        instead=organization.handle,
        about=one_line(cut(organization.description, 200)),
        facts=(profile.website.label,) if profile.website else (),
        figure=organization.handle,
    )
