"""`/-/cdn/{key}/{path}`: the forge as the origin of an edge network, for objects that never change.

Absent, private, mutable and unknown are one answer: whoever asks learns nothing.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import re
from collections.abc import AsyncIterator
from uuid import UUID

from django.db import connection
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from mic.core.errors import NotFound
from mic.store import ObjectStore
from micelio.projects import cdn
from micelio.projects.ledgers import bucket

_PIECE = 1 << 20
_KEY = re.compile(r"[0-9a-f]{32}")
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_FOR_EVER = "public, max-age=31536000, immutable"


async def read(request: Request) -> Response:
    """One object or a range of it."""
    path = request.path_params["path"]
    cdn_key = request.path_params["key"]
    project = await asyncio.to_thread(_project, cdn_key) if _KEY.fullmatch(cdn_key) else None
    key = cdn.store_key(project, path) if project is not None else None
    size = await asyncio.to_thread(_size, key) if key is not None else None
    if key is None or size is None:
        return PlainTextResponse("There is nothing here.\n", 404, {"Cache-Control": "no-store"})
    # The object under an address is one for ever, so its address says which one it is.
    tag = f'"{hashlib.sha256(f"{cdn_key}/{path}".encode()).hexdigest()[:32]}"'
    headers = {"Cache-Control": _FOR_EVER, "ETag": tag, "Accept-Ranges": "bytes"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    wanted = request.headers.get("range", "") if request.headers.get("if-range", tag) == tag else ""
    span = span_of(wanted, size)
    if span is None:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    first, end = span
    status = 200
    if wanted and _RANGE.fullmatch(wanted):
        status = 206
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - first)
    media_type = "application/octet-stream"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    return StreamingResponse(_pieces(bucket(), key, first, end), status, headers, media_type)


def span_of(wanted: str, size: int) -> tuple[int, int] | None:
    """First byte and the one behind the last that a Range header means; the whole for none or one of other form.

    None when it can mean no byte of `size`.
    """
    found = _RANGE.fullmatch(wanted)
    if found is None or found.groups() == ("", ""):
        return 0, size
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else None
    if last and int(last) < int(first):
        return 0, size
    end = min(int(last) + 1, size) if last else size
    return (int(first), end) if int(first) < end else None


def _project(cdn_key: str) -> UUID | None:
    try:
        return cdn.project_of(cdn_key)
    finally:
        connection.close()  # this thread is not one that pages are made in


def _size(key: str) -> int | None:
    """The length of an object in bytes, None when there is none."""
    try:
        return _known_size(key)
    except NotFound:
        return None


@functools.lru_cache(maxsize=10_000)
def _known_size(key: str) -> int:
    # The listing begins behind everything that sorts before this key.
    before = f"{key[:-1]}{chr(ord(key[-1]) - 1)}~"
    found = next(iter(bucket().list(key.rpartition("/")[0] + "/", before)), None)
    if found is None or found.key != key:
        raise NotFound(f"{key} does not exist")
    return found.size


async def _pieces(store: ObjectStore, key: str, first: int, end: int) -> AsyncIterator[bytes]:
    while first < end:
        piece = await asyncio.to_thread(store.get_range, key, first, min(_PIECE, end - first))
        if not piece:
            return  # the answer ends short, and whoever reads it sees that
        first += len(piece)
        yield piece


ROUTES = [Route(f"{cdn.ORIGIN}/{{key}}/{{path:path}}", read, methods=["GET"])]
