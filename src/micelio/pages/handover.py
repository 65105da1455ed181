"""Large contents leave the page threads: a view answers with headers and the name of the content, the edge sends it.

A slow reader of a large file would otherwise hold one of the few threads that make pages.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from micelio.exports.queries import ExportView
from micelio.pages.ranges import NONE_OF_IT, Part, asked_part

# Only between a view and the edge of the same process; the edge takes it off.
CONTENT_HEADER = "X-Micelio-Content"


# As the one before, for the file of an export.
EXPORT_HEADER = "X-Micelio-Export"


def hand_over_export(run: UUID, name: str, part: Part) -> HttpResponse:
    """An answer whose body, this part of the file of an export, the edge will send."""
    response = HttpResponse(content_type="application/zstd" if name.endswith(".zst") else "application/jsonl")
    response.headers[EXPORT_HEADER] = f"{run.hex}/{part.start}/{part.stop}"
    response.headers["Content-Length"] = str(part.stop - part.start)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Accept-Ranges"] = "bytes"
    return response


def export_answer(request: HttpRequest, view: ExportView) -> HttpResponse:
    """The file of an export, or the range of it that is asked for; its ETag is its hash."""
    tag = f'"{view.sha256}"'
    part = asked_part(request, view.size, tag)
    if part == NONE_OF_IT:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{view.size}", "ETag": tag})
    response = hand_over_export(view.id, view.name, part or Part(0, view.size))
    if part is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{view.size}"
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, no-store"
    return response


def hand_over(project_id: UUID, content: bytes, part: Part, media_type: str) -> HttpResponse:
    """An answer whose body, this part of the content with this hash, the edge will send."""
    response = HttpResponse(content_type=media_type)
    response.headers[CONTENT_HEADER] = f"{project_id.hex}/{content.hex()}/{part.start}/{part.stop}"
    response.headers["Content-Length"] = str(part.stop - part.start)
    return response
