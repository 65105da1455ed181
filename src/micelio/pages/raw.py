"""The bytes of a file or a part of them, harmless: text and pictures as themselves, the rest as a download."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from mic.core.linediff import is_binary
from mic.core.tree import CHUNKED, Entry
from mic.ledger.project import Project
from micelio.pages.handover import hand_over
from micelio.pages.images import image_type
from micelio.pages.modes import GITLINK, SYMLINK
from micelio.pages.ranges import NONE_OF_IT, Part, asked_part


def raw_answer(request: HttpRequest, project_id: UUID, ledger: Project, entry: Entry) -> HttpResponse:
    """The content of an entry that the reader may see, sandboxed; its ETag is its hash."""
    if tombstone := ledger.tombstones([entry.hash]).get(entry.hash):
        # Gone for good; but what a tombstone says may be kept by nobody for longer than a moment.
        return HttpResponse(
            tombstone.text, status=410, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
        )
    tag = f'"{entry.hash.hex()}"'
    if tag in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers={"ETag": tag})
    part = asked_part(request, entry.size, tag)
    if part == NONE_OF_IT:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{entry.size}", "ETag": tag})
    start, stop = part or Part(0, entry.size)
    if entry.kind != CHUNKED:
        data = ledger.blob(entry.hash)
        response = HttpResponse(data[start:stop], content_type=_media_type(entry, data))
        response.headers["Content-Length"] = str(stop - start)
    else:
        response = hand_over(project_id, entry.hash, Part(start, stop), "application/octet-stream")
    if part is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{entry.size}"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["ETag"] = tag
    inline = response.headers["Content-Type"] != "application/octet-stream"
    file_name = quote(entry.path.rpartition(b"/")[2], safe="")
    response.headers["Content-Disposition"] = f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{file_name}"
    return response


def _media_type(entry: Entry, data: bytes) -> str:
    if entry.mode not in (SYMLINK, GITLINK):
        picture = image_type(data)
        if picture is not None:
            return picture
    return "application/octet-stream" if is_binary(data) else "text/plain; charset=utf-8"
