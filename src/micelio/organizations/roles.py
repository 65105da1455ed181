"""The four roles that somebody can have, in an organization or in one project."""

from __future__ import annotations

from django.db import models

from mic.core.errors import InvalidInput


class Role(models.TextChoices):
    """What a role allows, each with all that the ones below it allow.

    A reader reads private projects, a member lands sessions, an admin manages members and projects, an owner also
    manages owners, and transfers or deletes what they own.
    """

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    READER = "reader"


# From the weakest on.
_RANK = {Role.READER: 1, Role.MEMBER: 2, Role.ADMIN: 3, Role.OWNER: 4}


def rank(role: str | None) -> int:
    """How strong a role is; 0 for none."""
    return _RANK[Role(role)] if role else 0


def at_least(role: str | None, needed: Role) -> bool:
    """Whether a role allows what `needed` allows."""
    return rank(role) >= rank(needed)


def stronger(one: str | None, other: str | None) -> str | None:
    """The stronger of two roles, either of which may be none."""
    return one if rank(one) >= rank(other) else other


def parse_role(text: str) -> Role:
    """A role as somebody wrote it. Raises InvalidInput."""
    word = text.strip().lower()
    if word not in Role.values:
        raise InvalidInput(f"{text[:40]!r} is not a role.", hint="Use reader, member, admin or owner.")
    return Role(word)
