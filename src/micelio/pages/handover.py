"""Large contents leave the page threads: a view answers with headers and the name of the content, the edge sends it.

A slow reader of a large file would otherwise hold one of the few threads that make pages.
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse

from micelio.pages.ranges import Part

# Only between a view and the edge of the same process; the edge takes it off.
CONTENT_HEADER = "X-Micelio-Content"


def hand_over(project_id: UUID, content: bytes, part: Part, media_type: str) -> HttpResponse:
    """An answer whose body, this part of the content with this hash, the edge will send."""
    response = HttpResponse(content_type=media_type)
    response.headers[CONTENT_HEADER] = f"{project_id.hex}/{content.hex()}/{part.start}/{part.stop}"
    response.headers["Content-Length"] = str(part.stop - part.start)
    return response
