"""Addresses that people and organizations give of themselves: a website, and where else they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from mic.core.errors import InvalidInput

LINK_LENGTH = 200
MOST_LINKS = 6
_LABEL_LENGTH = 40
# A name of the Internet with at least one dot; others are spelled in this alphabet by IDNA.
_HOST = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!\d)")
# What a site is for, by its host or the end of it. Icons show that, and no site's own mark.
_KINDS = {
    "code": (
        "github.com",
        "gitlab.com",
        "codeberg.org",
        "sr.ht",
        "bitbucket.org",
        "gitea.com",
        "pypi.org",
        "npmjs.com",
    ),
    "posts": ("bsky.app", "x.com", "twitter.com", "threads.net", "mastodon.social", "fosstodon.org", "hachyderm.io"),
    "video": ("youtube.com", "youtu.be", "twitch.tv", "vimeo.com", "peertube.tv"),
    "chat": ("matrix.to", "t.me", "discord.gg", "discord.com", "zulipchat.com", "signal.me"),
    "work": ("linkedin.com", "xing.com", "orcid.org", "scholar.google.com"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A web address: as it is followed, what kind of site it is, and how it is read."""

    url: str
    kind: str
    label: str


def parse_link(text: str) -> Link:
    """The address somebody typed; `https://` may be left out. Raises InvalidInput."""
    text = text.strip()
    if len(text) > LINK_LENGTH:
        raise InvalidInput(f"An address has at most {LINK_LENGTH} characters.", hint="Give a shorter one.")
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in text) or "\\" in text:
        raise _wrong(text, "has a space or a control character in it")
    if "://" not in text and not _SCHEME.match(text):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").rstrip(".").encode("idna").decode("ascii").lower()
    except ValueError as error:
        raise _wrong(text, "is no web address") from error
    if parts.scheme.lower() not in ("http", "https"):
        raise _wrong(text, "begins neither with https:// nor with http://")
    if "@" in parts.netloc:
        raise _wrong(text, "holds a user name or a password")
    if not _HOST.match(host):
        raise _wrong(text, "names no site, such as example.org")
    place = host if port in (None, 80, 443) else f"{host}:{port}"
    path = quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    rest = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
    return shown_link(urlunsplit((parts.scheme.lower(), place, path, rest, "")))


def parse_links(lines: Iterable[str]) -> list[Link]:
    """Addresses, without empty ones and repeated ones. Raises InvalidInput."""
    found = {link.url: link for link in (parse_link(line) for line in lines if line.strip())}
    if len(found) > MOST_LINKS:
        raise InvalidInput(f"At most {MOST_LINKS} links fit a profile.", hint="Leave some out.")
    return list(found.values())


def shown_link(url: str) -> Link:
    """An address that was judged before, with its kind and its label."""
    parts = urlsplit(url)
    host = parts.netloc.removeprefix("www.")
    name = host.partition(":")[0]
    kind = next((kind for kind, sites in _KINDS.items() if any(_is_of(name, site) for site in sites)), "")
    if not kind:
        # Servers of the Fediverse have names of their own, and people there a path that begins so.
        kind = "posts" if parts.path.startswith("/@") else "web"
    label = host + parts.path.rstrip("/")
    return Link(url, kind, label if len(label) <= _LABEL_LENGTH else f"{label[: _LABEL_LENGTH - 1]}…")


def _is_of(host: str, site: str) -> bool:
    return host == site or host.endswith(f".{site}")


def _wrong(text: str, why: str) -> InvalidInput:
    return InvalidInput(f"{text[:60]!r} {why}.", hint="Give an address such as https://example.org/you.")
