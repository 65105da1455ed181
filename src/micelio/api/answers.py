"""From what a view found to what goes over the wire: one thing with its ETag, a page of a list, or nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.http import HttpResponse

from mic.core.errors import PreconditionFailed
from micelio.api import cursors
from micelio.api.request import ApiRequest
from micelio.api.shapes import AskedPage, Page, Told
from micelio.config import current

T = TypeVar("T", bound=Told)
Row = TypeVar("Row")
_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')


def shown(request: ApiRequest, body: Told, *, status: int = 200, location: str = "") -> HttpResponse:
    """One thing, with its ETag; 304 without a body for whoever has it already."""
    tag = etag(body)
    if request.method == "GET" and _has(request.headers.get("If-None-Match", ""), tag):
        return HttpResponse(status=304, headers={"ETag": tag})
    answer = said(body, status=status)
    answer.headers["ETag"] = tag
    if location:
        answer.headers["Location"] = location
    return answer


def said(body: Told, *, status: int = 200) -> HttpResponse:
    """A body that nobody asks for twice."""
    return HttpResponse(body.model_dump_json(), status=status, content_type="application/json")


def nothing() -> HttpResponse:
    """It is done, and there is nothing to say about it."""
    return HttpResponse(status=204)


def page(
    request: ApiRequest,
    asked: AskedPage,
    rows: Sequence[Row],
    shape: Callable[[Row], T],
    key: Callable[[Row], Any],
) -> HttpResponse:
    """A page of a list from one row more than it may have; `key` says where the next page begins behind a row."""
    more = len(rows) > asked.limit
    kept = rows[: asked.limit]
    return page_until(request, asked, [shape(row) for row in kept], key(kept[-1]) if more else None)


def page_until(request: ApiRequest, asked: AskedPage, items: Sequence[T], end: Any) -> HttpResponse:
    """A page of a list that says itself where the next one begins, None on the last one."""
    cursor = cursors.made(_place(request), end) if end is not None else None
    answer = said(Page[Any](items=list(items), next=cursor))
    if cursor is not None:
        query = urlencode([*_filters(request), ("limit", asked.limit), ("cursor", cursor)])
        answer.headers["Link"] = f'<{current().base_url}{request.path}?{query}>; rel="next"'
    return answer


def begin(request: ApiRequest, asked: AskedPage) -> Any:
    """What the cursor of this request holds, None on the first page. Raises InvalidInput."""
    return cursors.read(_place(request), asked.cursor)


def _place(request: ApiRequest) -> str:
    """A list is its address with all that narrows it down; a page may have another length than the one before."""
    return f"{request.path}?{urlencode(sorted(_filters(request)))}"


def _filters(request: ApiRequest) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in request.GET.items() if name not in ("cursor", "limit")]


def etag(body: Told) -> str:
    """`"{what a PATCH may change}-{all of it}"`, each half 16 digits of SHA-256.

    The second half makes it the tag of this representation. If-Match compares the first alone: what somebody lands or
    stars meanwhile does not stand in the way of a new description.
    """
    fields = body.model_dump_json(include=set(body.changeable)) if body.changeable else body.model_dump_json()
    return f'"{_digest(fields)}-{_digest(body.model_dump_json())}"'


def wants_match(request: ApiRequest) -> bool:
    """Whether the request says what it expects to change."""
    return "If-Match" in request.headers


def require_match(request: ApiRequest, body: Told) -> None:
    """Raises PreconditionFailed when If-Match names another state than that of `body`."""
    wanted = request.headers.get("If-Match", "*").strip()
    half = etag(body)[1:].partition("-")[0]
    # Weak ones too: whoever compresses an answer on its way, as the forge itself does, makes its tag a weak one.
    if wanted != "*" and half not in [text.partition("-")[0] for text in _TAG.findall(wanted)]:
        raise PreconditionFailed(
            "This has changed since the state that If-Match names.", hint="Get it again, then decide anew."
        )


def _has(header: str, tag: str) -> bool:
    """If-None-Match, which compares weakly (RFC 9110, section 13.1.2)."""
    return header.strip() == "*" or tag[1:-1] in _TAG.findall(header)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
