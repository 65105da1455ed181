"""The roles of a forge, as the command line judges by them before it begins something long."""

from __future__ import annotations

ROLES = ("reader", "member", "admin", "owner")
ADMINISTERING = ("admin", "owner")
WRITING = ("member", *ADMINISTERING)


def with_article(role: str) -> str:
    """A role in a sentence: a reader, an owner."""
    return f"{'an' if role in ADMINISTERING else 'a'} {role}"
