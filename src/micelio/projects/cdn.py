"""Objects of public projects, read through an edge network (CDN) that keeps copies of them.

The address of an object is `{base}/{key}/{rest}`: a random key of the project, then the store's key behind
`projects/{id}/`. The edge gets what it does not have from this forge, at `/-/cdn/{key}/{rest}`. A project that turns
private loses its key; who turns public again gets another.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from mic.core.errors import MicError, TooLarge, Unavailable
from mic.store.tiers import kind_of
from micelio.config import current
from micelio.outgoing.client import Answer, outgoing
from micelio.projects.models import Project, Visibility

# The address where the forge serves as the origin of the edge.
ORIGIN = "/-/cdn"
# For so long a project's key is believed without asking the database.
_FRESH_SECONDS = 30.0
# After a failure the edge is left alone: whoever reads must not wait for it again and again.
_REST_SECONDS = 30.0
_TIMEOUT = 5.0
_MOST_KEYS = 10_000
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")

_keys: dict[str, tuple[str | None, float]] = {}


def new_cdn_key(visibility: str) -> str | None:
    """A key nobody can guess for a public project, None for every other."""
    return secrets.token_hex(16) if visibility == Visibility.PUBLIC else None


def learn(project_id: UUID) -> None:
    """Make sure that this process knows a project's key, with at most one query in half a minute."""
    now = time.monotonic()
    known = _keys.get(project_id.hex)
    if known is not None and now - known[1] < _FRESH_SECONDS:
        return
    found = Project.objects.filter(id=project_id, visibility=Visibility.PUBLIC).values_list("cdn_key", flat=True)
    if len(_keys) >= _MOST_KEYS:
        _keys.clear()
    _keys[project_id.hex] = (found.first(), now)


def forget(project_id: UUID) -> None:
    """Do not use what this process knows of a project's key."""
    _keys.pop(project_id.hex, None)


def project_of(cdn_key: str) -> UUID | None:
    """The public project with this key; None when there is none."""
    found = Project.objects.filter(cdn_key=cdn_key, visibility=Visibility.PUBLIC).values_list("id", flat=True)
    return found.first()


def store_key(project_id: UUID, rest: str) -> str | None:
    """The key of an object that an edge may have: one that never changes."""
    key = f"projects/{project_id.hex}/{rest}"
    return key if kind_of(key) is not None else None


def addresses(keys: Iterable[str]) -> list[str]:
    """Where an edge network may have copies of these objects of the store, of projects that have a key there now."""
    base = current().cdn_base_url.rstrip("/")
    if not base:
        return []
    projects: dict[str, str | None] = {}
    found = []
    for key in keys:
        _, project, rest = key.split("/", 2)
        if project not in projects:
            projects[project] = Project.objects.filter(id=UUID(hex=project)).values_list("cdn_key", flat=True).first()
        if (cdn_key := projects[project]) and kind_of(key) is not None:
            found.append(f"{base}/{cdn_key}/{rest}")
    return found


def tell_gone(urls: Sequence[str]) -> None:
    """Tell the edge network that its copies at these addresses are gone. Raises Unavailable unless it has heard."""
    address = current().cdn_purge_url
    body = msgspec.json.encode({"urls": list(urls)})
    with contextlib.closing(outgoing(_TIMEOUT)) as client:
        answer = client.post(address, {"Content-Type": "application/json"}, body, limit=64 << 10)
    if not 200 <= answer.status < 300:
        raise Unavailable(f"the edge network was told what is gone, and answered {answer.status}")


class Cdn:
    """Reads ranges of objects through the edge at `base_url`."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")
        self._outgoing = outgoing(_TIMEOUT)
        self._rests_until = 0.0

    def read(self, key: str, start: int, length: int) -> bytes | None:
        """What the store has at `start`, at most `length` bytes and less only at the object's end; None: ask the store.

        Only a key that `learn` has heard of lately leads to a request; no query is made here.
        """
        _, project, rest = key.split("/", 2)
        now = time.monotonic()
        cdn_key, learned = _keys.get(project, (None, 0.0))
        if cdn_key is None or now - learned >= _FRESH_SECONDS or now < self._rests_until:
            return None
        asked = {"Range": f"bytes={start}-{start + length - 1}"}
        try:
            answer = self._outgoing.get(f"{self._base}/{cdn_key}/{rest}", asked, limit=length)
        except TooLarge:
            return None
        except MicError:
            self._rests_until = now + _REST_SECONDS
            return None
        return believed(answer, start, length)


def believed(answer: Answer, start: int, length: int) -> bytes | None:
    """The bytes of an answer when its length proves that it is the range that was asked for, else None."""
    if "content-encoding" in answer.headers:
        return None
    body = answer.body
    if answer.status == 200:
        # The edge knows no ranges. Good when it is the whole object and was asked for from its beginning.
        return body if start == 0 and answer.headers.get("content-length") == str(len(body)) else None
    found = _RANGE.fullmatch(answer.headers.get("content-range", "")) if answer.status == 206 else None
    if found is None:
        return None
    first, last = int(found[1]), int(found[2])
    end = start + length if found[3] == "*" else min(start + length, int(found[3]))
    return body if (first, last + 1) == (start, end) and len(body) == end - start else None
