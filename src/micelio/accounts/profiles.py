"""What people and organizations say of themselves, and their pictures. Everything here is public by the act itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from mic.core.errors import InvalidInput, NotFound
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.handles import sought
from micelio.accounts.links import Link, parse_link, parse_links, shown_link
from micelio.accounts.models import HandleClaim, Picture, Profile, User
from micelio.accounts.pictures import make_picture
from micelio.accounts.policy import require_self
from micelio.audit.actions import record

BIO_LENGTH = 160


@dataclass(frozen=True, slots=True)
class ProfileView:
    """A profile. `picture` is the name of an uploaded one, "" for the one that is drawn from the handle."""

    bio: str = ""
    website: Link | None = None
    links: tuple[Link, ...] = ()
    picture: str = ""

    def __bool__(self) -> bool:
        return bool(self.bio or self.website or self.links or self.picture)


@dataclass(frozen=True, slots=True)
class Person:
    """An account as its page needs it. `closed` is one that nobody signs in to any more."""

    id: UUID
    handle: str
    name: str
    closed: bool


def find_person(actor: Actor, handle: str) -> Person | None:
    """The account with this handle, now or before it got another. Whether it is to be shown is for who asks."""
    name = sought(handle)
    claims = HandleClaim.objects.filter(handle=name, kind="user", holder__isnull=False)
    # Both at once, so that nobody learns by the time it takes which of them there is.
    found = User.objects.filter(Q(handle=name) | Q(id__in=claims.values("holder")), waiting=False)
    user = max(found, key=lambda each: each.handle == name, default=None)
    return Person(user.id, user.handle, user.get_full_name(), not user.is_active) if user is not None else None


def profile_of(holder: UUID) -> ProfileView:
    """The profile of a person or an organization; an empty one when nothing was ever said."""
    return profiles_of([holder]).get(holder, ProfileView())


def profiles_of(holders: Collection[UUID]) -> dict[UUID, ProfileView]:
    """Profiles in one query; whoever has none is left out."""
    return {row.holder: _view(row) for row in Profile.objects.filter(holder__in=list(holders))}


def picture_of(digest: str) -> bytes:
    """An uploaded picture by its name. Raises NotFound."""
    found = Picture.objects.filter(digest=digest).values_list("data", flat=True).first()
    if found is None:
        raise NotFound("There is no such picture.", hint="Its owner may have another one by now.")
    return bytes(found)


@transaction.atomic
def update_profile(
    actor: Actor, *, bio: str | None = None, website: str | None = None, links: Sequence[str] | None = None
) -> ProfileView:
    """Change one's own profile; None leaves a thing as it is.

    Raises Unauthenticated, PermissionDenied, InvalidInput.
    """
    holder = require_signed_in(actor)
    require_self(actor, holder)
    before, after = store_profile(holder, bio=bio, website=website, links=links)
    if before != after:
        record(actor, "account.profile", "account", holder, actor.handle, before=before, after=after)
    return profile_of(holder)


@transaction.atomic
def set_picture(actor: Actor, data: bytes) -> ProfileView:
    """Show this picture of oneself; empty bytes: the drawn one again. Raises as `update_profile`, and TooLarge."""
    holder = require_signed_in(actor)
    require_self(actor, holder)
    digest = store_picture(holder, data)
    record(actor, "account.picture", "account", holder, actor.handle, picture=digest)
    return profile_of(holder)


def store_profile(
    holder: UUID, *, bio: str | None, website: str | None, links: Sequence[str] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what changes, as it was; as it is now), inside the caller's transaction, after the caller's policy.

    Raises InvalidInput.
    """
    wanted: dict[str, Any] = {}
    if bio is not None:
        wanted["bio"] = _bio(bio)
    if website is not None:
        wanted["website"] = parse_link(website).url if website.strip() else ""
    if links is not None:
        wanted["links"] = [link.url for link in parse_links(links)]
    row, _ = Profile.objects.select_for_update().get_or_create(holder=holder)
    before = {field: getattr(row, field) for field in wanted if getattr(row, field) != wanted[field]}
    after = {field: wanted[field] for field in before}
    if after:
        Profile.objects.filter(holder=holder).update(**after)
    return before, after


def store_picture(holder: UUID, data: bytes) -> str:
    """Keep a picture made anew from these bytes, or none; its name. As `store_profile`. Raises TooLarge too."""
    made = make_picture(data) if data else None
    row, _ = Profile.objects.select_for_update().get_or_create(holder=holder)
    Picture.objects.filter(holder=holder).delete()
    if made is not None:
        Picture.objects.create(holder=holder, digest=made.digest, data=made.data)
    row.picture = made.digest if made is not None else ""
    row.save(update_fields=["picture"])
    return row.picture


def forget_profile(holder: UUID) -> None:
    """The holder is gone, and what they said of themselves too. Inside the caller's transaction."""
    Profile.objects.filter(holder=holder).delete()
    Picture.objects.filter(holder=holder).delete()


def _bio(text: str) -> str:
    text = " ".join(text.split())
    if len(text) > BIO_LENGTH or "\x00" in text:
        raise InvalidInput(f"A few words about you are at most {BIO_LENGTH} characters.", hint="Shorten them.")
    return text


def _view(row: Profile) -> ProfileView:
    website = shown_link(row.website) if row.website else None
    return ProfileView(row.bio, website, tuple(map(shown_link, row.links)), row.picture)
