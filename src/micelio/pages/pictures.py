"""Addresses of people, and of the pictures of people and organizations."""

from __future__ import annotations

from urllib.parse import quote


def person_address(handle: str) -> str:
    """Where the page of a person is."""
    return f"/@{quote(handle, safe='')}"


def picture_address(handle: str, picture: str) -> str:
    """Where the picture of a person or an organization is; an uploaded one has an address of its own for good."""
    return f"/-/pictures/{picture}.webp" if picture else f"/-/pictures/of/{quote(handle, safe='')}.svg"
