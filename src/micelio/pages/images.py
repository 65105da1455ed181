"""Pictures that a page may show: four raster formats, known by their first bytes and never by their name, and SVG."""

from __future__ import annotations

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
SVG = "image/svg+xml"
# Of an answer that is one. The edge adds none to it: that of pages would take an SVG that is looked at alone the styles
# it is drawn with.
SVG_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; "
    "sandbox"
)
# What may stand before the first element of an SVG: its beginning, and its end.
_BEFORE = ((b"<?", b"?>"), (b"<!--", b"-->"), (b"<!", b">"))
_BEGINNING = 8192


def image_type(data: bytes) -> str | None:
    """The media type of a PNG, JPEG, GIF or WebP; None for everything else, SVG above all: it may hold scripts."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def is_svg(path: bytes, data: bytes) -> bool:
    """Whether a file is an SVG by its name and by its first element. It may hold scripts: it is shown as a picture, in
    which none run, and its bytes are served in a sandbox."""
    if not path.lower().endswith(b".svg"):
        return False
    rest = data[:_BEGINNING].removeprefix(b"\xef\xbb\xbf").lstrip()
    while found := next((ends for begins, ends in _BEFORE if rest.startswith(begins)), None):
        before, end, rest = rest.partition(found)
        if found == b">" and b"[" in before:  # a document type with entities of its own, each of which has an end
            rest = (before + end + rest).partition(b"]")[2].partition(b">")[2]
        if not end:
            return False
        rest = rest.lstrip()
    return rest.startswith(b"<svg") and rest[4:5] in (b" ", b"\t", b"\r", b"\n", b">", b"/")
