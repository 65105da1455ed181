"""Other sites that people may sign in with, as settings name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_HOMES = {"github": "https://github.com", "gitlab": "https://gitlab.com"}
_SUFFIXES = ("CLIENT_ID", "CLIENT_SECRET", "BASE_URL")
NAMES = frozenset(f"{provider.upper()}_{suffix}" for provider in _HOMES for suffix in _SUFFIXES)


@dataclass(frozen=True, slots=True)
class OAuthPlace:
    """One provider, `github` or `gitlab`, and how this forge is known there. `base_url` has no slash at its end."""

    provider: str
    client_id: str
    secret: str = field(repr=False)
    base_url: str

    @property
    def api_url(self) -> str:
        """Where its API is: GitHub's own site has a host for it, an enterprise's and GitLab have a path."""
        if self.provider == "gitlab":
            return f"{self.base_url}/api/v4"
        return "https://api.github.com" if self.base_url == _HOMES["github"] else f"{self.base_url}/api/v3"


def parse(values: Mapping[str, str], allowed: frozenset[str]) -> tuple[OAuthPlace, ...]:
    """The providers that are set. Raises ValueError with a sentence, never with a secret."""
    found = []
    for provider, home in _HOMES.items():
        names = [f"{provider.upper()}_{suffix}" for suffix in _SUFFIXES]
        given = [name for name in names if name in values]
        if not given:
            continue
        for name in names[:2]:
            if name not in values:
                raise ValueError(f"{given[0]} is set, but {name} is not; set both, or none of {provider}'s.")
            if not values[name].isascii() or not values[name].isprintable() or " " in values[name]:
                raise ValueError(f"{name} holds a blank or a sign that cannot be meant; correct it.")
        base_url = values.get(names[2], home).rstrip("/")
        parts = urlsplit(base_url)
        good = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in allowed)
        if not good or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
            raise ValueError(
                f"{names[2]} is {base_url!r}; use https://host, or http for a host that MICELIO_OUTGOING_ALLOW names."
            )
        found.append(OAuthPlace(provider, values[names[0]], values[names[1]], base_url))
    return tuple(found)
