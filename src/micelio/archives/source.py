"""Which repository is meant, at which forge, and where that forge's API is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlsplit

from mic.core.errors import InvalidInput

MAX_URL = 500
_PART = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class Provider(StrEnum):
    """Kinds of forges that can be read. Forgejo and Gitea have one API."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"


NAMES = {Provider.GITHUB: "GitHub", Provider.GITLAB: "GitLab", Provider.GITEA: "Gitea or Forgejo"}
# Hosts whose kind is known by their name.
_KNOWN = {
    "github.com": Provider.GITHUB,
    "gitlab.com": Provider.GITLAB,
    "codeberg.org": Provider.GITEA,
    "gitea.com": Provider.GITEA,
    "code.forgejo.org": Provider.GITEA,
}
_GIT = re.compile(r"(?:\.git)+\Z")
_SPELLINGS = {**{item.value: item for item in Provider}, "forgejo": Provider.GITEA, "codeberg": Provider.GITEA}


@dataclass(frozen=True, slots=True)
class Source:
    """`url` is the page of the repository, without `.git`; `api` begins every address of its API; `path` names it."""

    provider: Provider
    url: str
    api: str
    path: str

    @property
    def git(self) -> str:
        """Where Git fetches it from."""
        return f"{self.url}.git"


def parse_source(url: str, provider: str = "") -> Source:
    """The repository at an address of the web or of Git, `https://github.com/owner/name`.

    `provider` is needed where the host does not tell it. Raises InvalidInput.
    """
    said = url.strip()
    parts = urlsplit("")
    try:
        parts = urlsplit(said) if len(said) <= MAX_URL else parts
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    # More than once: the address that is kept is read again.
    names = [name for name in _GIT.sub("", parts.path.rstrip("/")).split("/") if name]
    if parts.scheme not in ("https", "http") or not host or parts.query or parts.fragment or len(names) < 2:
        raise InvalidInput(
            f"{_short(said)} is not the address of a repository.", hint="Use one as https://github.com/OWNER/NAME."
        )
    if parts.username is not None:
        raise InvalidInput(
            "The address holds a name or a password, which the forge would keep.", hint="Give a token apart from it."
        )
    if not all(_PART.fullmatch(name) and name.strip(".") for name in names):
        raise InvalidInput(f"{_short(said)} names no repository.", hint="Use letters, digits, `.`, `_` and `-`.")
    kind = _kind(host, provider)
    if kind is not Provider.GITLAB and len(names) != 2:
        raise InvalidInput(
            f"{_short(said)} names no repository of {NAMES[kind]}.", hint="There a repository is OWNER/NAME."
        )
    place = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    path = "/".join(names)
    return Source(kind, f"{place}/{path}", _api(kind, place, host, path), path)


def _kind(host: str, provider: str) -> Provider:
    if not provider:
        found = _KNOWN.get(host.lower())
        if found is None:
            raise InvalidInput(
                f"It is not known what kind of forge {_short(host)} is.", hint="Say it: github, gitlab or gitea."
            )
        return found
    if provider.lower() not in _SPELLINGS:
        raise InvalidInput(f"{_short(provider)} is no kind of forge that can be read.", hint="github, gitlab, gitea.")
    return _SPELLINGS[provider.lower()]


def _api(kind: Provider, place: str, host: str, path: str) -> str:
    if kind is Provider.GITHUB:
        root = "https://api.github.com" if host.lower() == "github.com" else f"{place}/api/v3"
        return f"{root}/repos/{path}"
    if kind is Provider.GITLAB:
        return f"{place}/api/v4/projects/{quote(path, safe='')}"
    return f"{place}/api/v1/repos/{path}"


def _short(text: str) -> str:
    return repr(text[:80])
