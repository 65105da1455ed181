"""Which part of a file a request asks for: one range of bytes (RFC 9110, sections 13.1.5 and 14)."""

from __future__ import annotations

import re
from typing import NamedTuple

from django.http import HttpRequest

_ONE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


class Part(NamedTuple):
    """Bytes `start` up to `stop` of a file."""

    start: int
    stop: int


NONE_OF_IT = Part(0, 0)


def asked_part(request: HttpRequest, size: int, tag: str) -> Part | None:
    """The part of a file of `size` bytes that is asked for, None for all of it, NONE_OF_IT for one beyond its end.

    A request for several ranges, in other units or in other words is answered with the whole file, as is one whose
    If-Range does not name `tag`, the file's present ETag.
    """
    found = _ONE.fullmatch(request.headers.get("Range", "").strip())
    if request.method != "GET" or found is None or request.headers.get("If-Range", tag) != tag:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        part = Part(max(size - int(last), 0), size)
    elif last and int(last) < int(first):
        return None
    else:
        part = Part(int(first), min(int(last) + 1, size) if last else size)
    return part if part.start < part.stop else NONE_OF_IT
