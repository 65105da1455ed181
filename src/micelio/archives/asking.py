"""Asking another forge's API: with the token of this run, no faster than it allows, and nobody else than it.

What is asked through is narrow, so that a test or another client can stand in for it: `get(url, headers, limit=)`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from mic.core.errors import InvalidInput, NotFound, Unauthenticated, Unavailable
from micelio.archives.source import NAMES, Provider, Source

# A page of a hundred issues with texts of 64 KiB takes 7 MB.
MAX_ANSWER = 32 << 20
_HOPS = 3
# Whoever is told to wait without being told how long waits so many seconds; nobody waits longer than a day.
_SOME_TIME, _A_DAY = 60.0, 86400.0
MAX_TOKEN = 500


class Answered(Protocol):
    """An answer; names of headers are in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...


class Client(Protocol):
    """Who sends requests: as `micelio.outgoing.client.Outgoing` does, guarded and bounded."""

    def get(self, url: str, headers: Mapping[str, str] | None = None, *, limit: int) -> Answered: ...
    def close(self) -> None: ...


class Wait(Exception):
    """The other forge says to come back later: after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"come back in {seconds:.0f} s")
        self.seconds = seconds


class Absent(Exception):
    """There is no such list there, or this token may not read it. `why` ends a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Asking:
    """One run's requests to one forge. The token is in no repr, no log and no error."""

    def __init__(self, client: Client, source: Source, token: str = "", clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._source = source
        self._headers = _headers(source.provider, token)
        self._clock = clock
        self._not_before = 0.0
        self.asked = 0

    def get(self, url: str, etag: str = "") -> Answered:
        """GET of an address of the API; status 200, or 304 for whoever gave the `etag` that still holds.

        Raises Wait, Absent, Unauthenticated, InvalidInput, TooLarge, Unavailable.
        """
        if self._not_before > self._clock():
            raise Wait(self._not_before - self._clock())
        headers = {**self._headers, "If-None-Match": etag} if etag else self._headers
        for _ in range(_HOPS + 1):
            self.require_own(url)
            self.asked += 1
            answer = self._client.get(url, headers, limit=MAX_ANSWER)
            if answer.status not in (301, 302, 307, 308):
                return self._judged(answer)
            url = self.further(url, answer.headers.get("location", ""))
        raise InvalidInput(
            f"{self._host} sends from one address to the next.", hint="Give the repository's address of today."
        )

    def require_own(self, url: str) -> None:
        """Raises InvalidInput for an address of somebody else: the token is for this forge alone."""
        own = urlsplit(self._source.api)
        try:
            other = urlsplit(url)
        except ValueError as error:
            raise self._senseless() from error
        if (own.scheme, own.netloc.lower()) != (other.scheme, other.netloc.lower()):
            raise InvalidInput(
                f"{self._host} sends on to another host, which is not followed.",
                hint="Give the repository's address of today.",
            )

    def further(self, url: str, location: str) -> str:
        """Where an answer from `url` sends on to. Raises InvalidInput for what is no address."""
        try:
            return urljoin(url, location)
        except ValueError as error:
            raise self._senseless() from error

    def _senseless(self) -> InvalidInput:
        return InvalidInput(f"{self._host} sends on to what is no address.", hint="Is this the address of its API?")

    @property
    def _host(self) -> str:
        return urlsplit(self._source.api).netloc

    def _judged(self, answer: Answered) -> Answered:
        status, headers = answer.status, answer.headers
        seconds = self._told_to_wait(status, headers)
        if status in (200, 304):
            if seconds:  # this was the last one for now
                self._not_before = self._clock() + seconds
            return answer
        if seconds:
            raise Wait(seconds)
        if status == 401:
            raise Unauthenticated(f"{self._host} does not accept the token.", hint="Make another one there.")
        if status in (403, 404, 410):
            raise Absent({403: "may not be read with this token", 404: "is not there", 410: "is switched off"}[status])
        if status >= 500:
            raise Unavailable(f"{self._host} answers with {status}.", hint="Try again later.")
        raise InvalidInput(
            f"{self._host} answers with {status}, which is not expected.",
            hint=f"Is it {NAMES[self._source.provider]}?",
        )

    def _told_to_wait(self, status: int, headers: Mapping[str, str]) -> float:
        """Seconds, 0.0 when the next request may come at once."""
        left = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining", ""))
        refused = status == 429 or (status == 403 and (left == "0" or "retry-after" in headers))
        if not refused and not (status in (200, 304) and left == "0"):
            return 0.0
        after = _seconds(headers.get("retry-after", ""), self._clock())
        reset = _count(headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", "")))
        if after is None and reset is not None:
            after = reset - self._clock() if reset > _A_DAY else float(reset)
        if after is None:
            after = _SOME_TIME if refused else 0.0
        return min(max(after, 1.0), _A_DAY) if refused or after > 0 else 0.0


def absent(source: Source, why: str, token: bool) -> NotFound:
    """The error for a repository that is not there, or not to be seen."""
    hint = "Does the token have the right to read it?" if token else "A private one needs a token of that forge."
    return NotFound(f"The repository {source.url} {why}.", hint=hint)


def checked_token(token: str) -> str:
    """A token as it can stand in a header. Raises InvalidInput, and does not repeat it."""
    token = token.strip()
    if len(token) > MAX_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidInput("The token of the other forge holds what no token holds.", hint="Copy it once more.")
    return token


def _headers(provider: Provider, token: str) -> dict[str, str]:
    headers = {"Accept": "application/json", "User-Agent": "micelio"}
    if provider is Provider.GITHUB:
        headers |= {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    if token:
        name, value = {
            Provider.GITHUB: ("Authorization", f"Bearer {token}"),
            Provider.GITLAB: ("PRIVATE-TOKEN", token),
            Provider.GITEA: ("Authorization", f"token {token}"),
        }[provider]
        headers[name] = value
    return headers


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _seconds(text: str, now: float) -> float | None:
    """Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""
    count = _count(text.strip())
    if count is not None:
        return float(count)
    return at - now if (at := http_time(text)) else None


def http_time(text: str) -> float:
    """Unix seconds of a date in a header, 0.0 when it is none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0
