"""Our mark, a circle in which something grows: as a drawing, and as icons for browsers."""

from __future__ import annotations

import hashlib
from functools import cache
from io import BytesIO

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

# The same lines as in the head of every page, in a square of 24.
PATH = "M12 22v-8m0 0-5-4m5 4 5-4M7 10 5 6m2 4 3-4m7 4-3-4m3 4 2-4"
_LINES = (
    ((12, 22), (12, 14), (7, 10), (5, 6)), ((7, 10), (10, 6)), ((12, 14), (17, 10), (14, 6)), ((17, 10), (19, 6)),
)  # fmt: skip
SIZES = (16, 32, 48)
_LIGHT, _DARK = "#6a45b5", "#bda6f7"
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def svg() -> bytes:
    """The mark by itself, light or dark as the browser is."""
    style = f"svg{{color:{_LIGHT}}}@media(prefers-color-scheme:dark){{svg{{color:{_DARK}}}}}"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor" '
        f'stroke-width="2"><style>{style}</style><circle cx="12" cy="12" r="10"/><path d="{PATH}"/></svg>'
    ).encode()


@cache
def ico() -> bytes:
    """The mark in 16, 32 and 48 pixels, for what knows no SVG."""
    from PIL import Image, ImageDraw

    drawn = []
    for size in SIZES:
        side = size * 8
        scale = side / 24
        image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        pen = ImageDraw.Draw(image)
        width = round(2.4 * scale if size == 16 else 2 * scale)
        pen.ellipse([1.2 * scale, 1.2 * scale, 22.8 * scale, 22.8 * scale], outline=_LIGHT, width=width)
        for line in _LINES:
            pen.line([(x * scale, y * scale) for x, y in line], fill=_LIGHT, width=width, joint="curve")
        drawn.append(image.resize((size, size), Image.Resampling.LANCZOS))
    written = BytesIO()
    drawn[-1].save(written, "ICO", append_images=drawn[:-1], sizes=[(size, size) for size in SIZES])
    return written.getvalue()


@cache
def mark_address() -> str:
    """Where the mark is, as long as it looks like this."""
    return f"/-/mark-{hashlib.sha256(svg()).hexdigest()[:12]}.svg"


@require_safe
def serve_mark(request: HttpRequest, digest: str) -> HttpResponse:
    """The mark; 404 under an address of another version."""
    if not mark_address().endswith(f"-{digest}.svg"):
        raise Http404("another version of the mark")
    return HttpResponse(svg(), content_type="image/svg+xml; charset=utf-8", headers=_FOR_GOOD)


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """`/favicon.ico`, which browsers ask for by themselves."""
    return HttpResponse(ico(), content_type="image/x-icon", headers={"Cache-Control": "public, max-age=86400"})
