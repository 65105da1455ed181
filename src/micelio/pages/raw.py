"""The bytes of a file or a part of them, harmless: text and pictures as themselves, the rest as a download."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from mic.core.errors import NotFound
from mic.core.linediff import is_binary
from mic.core.tree import CHUNKED, Entry
from mic.ledger.project import Project
from micelio.pages.handover import hand_over
from micelio.pages.highlight import LARGEST_SHOWN
from micelio.pages.images import SVG, SVG_POLICY, image_type, is_svg
from micelio.pages.modes import GITLINK, SYMLINK
from micelio.pages.notebooks import is_notebook, read_picture
from micelio.pages.ranges import NONE_OF_IT, Part, asked_part
from micelio.pages.text import display_path


def raw_answer(request: HttpRequest, project_id: UUID, ledger: Project, entry: Entry) -> HttpResponse:
    """The content of an entry that the reader may see, sandboxed; its ETag is its hash."""
    if tombstone := ledger.tombstones([entry.hash]).get(entry.hash):
        # Gone for good; but what a tombstone says may be kept by nobody for longer than a moment.
        return HttpResponse(
            tombstone.text, status=410, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
        )
    tag = f'"{entry.hash.hex()}"'
    if tag in request.headers.get("If-None-Match", ""):
        may_be_drawn = entry.path.lower().endswith(b".svg") and entry.kind != CHUNKED
        return _unchanged(tag, may_be_drawn and _media_type(entry, ledger.blob(entry.hash)) == SVG)
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
    _confine(response, response.headers["Content-Type"] == SVG)
    response.headers["ETag"] = tag
    inline = response.headers["Content-Type"] != "application/octet-stream"
    file_name = quote(entry.path.rpartition(b"/")[2], safe="")
    response.headers["Content-Disposition"] = f"{'inline' if inline else 'attachment'}; filename*=UTF-8''{file_name}"
    return response


def output_answer(request: HttpRequest, ledger: Project, entry: Entry, number: int) -> HttpResponse:
    """The picture that an output of a notebook is, a PNG or JPEG by its own bytes. Raises NotFound, Erased."""
    missing = NotFound(f"There is no picture {number} in {display_path(entry.path)}.")
    if not is_notebook(entry.path) or entry.mode in (SYMLINK, GITLINK) or entry.size > LARGEST_SHOWN:
        raise missing
    data = ledger.blob(entry.hash, LARGEST_SHOWN)
    tag = f'"{entry.hash.hex()}-{number}"'
    if tag in request.headers.get("If-None-Match", ""):
        return _unchanged(tag, False)
    picture = read_picture(data, number)
    if picture is None:
        raise missing
    response = HttpResponse(picture[1], content_type=picture[0], headers={"ETag": tag})
    response.headers["Content-Disposition"] = "inline"
    _confine(response, False)
    return response


def _unchanged(tag: str, drawn: bool) -> HttpResponse:
    """What a browser has is what there is. It takes the policy of this answer for that of what it has."""
    response = HttpResponse(status=304, headers={"ETag": tag})
    del response.headers["Content-Type"]
    _confine(response, drawn)
    return response


def _confine(response: HttpResponse, drawn: bool) -> None:
    """Shut an answer off from everything: an origin of its own, where nothing runs and nothing is loaded.

    An SVG is drawn with what stands in its own `style`.
    """
    response.headers["Content-Security-Policy"] = SVG_POLICY if drawn else "default-src 'none'; sandbox"
    response.headers["X-Content-Type-Options"] = "nosniff"


def _media_type(entry: Entry, data: bytes) -> str:
    if entry.mode not in (SYMLINK, GITLINK):
        picture = image_type(data)
        if picture is not None:
            return picture
        if is_svg(entry.path, data):
            return SVG
    return "application/octet-stream" if is_binary(data) else "text/plain; charset=utf-8"
