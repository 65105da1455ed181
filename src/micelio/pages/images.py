"""Pictures that a page may show: four raster formats, known by their first bytes and never by their name, and SVG."""

from __future__ import annotations

import struct
from dataclasses import dataclass

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
# Of a JPEG before its frame: some 20 in a photograph with a profile and previews.
_SEGMENTS = 1000


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


@dataclass(frozen=True)
class Picture:
    """A picture beside another one: `word` says which it is. Width and height are pixels, 0 unknown, `size` is bytes.

    `address` is where its bytes are, "" where no page serves them.
    """

    word: str
    name: bytes
    width: int
    height: int
    size: int
    address: str = ""


def pictured(path: bytes, data: bytes, word: str) -> Picture | None:
    """What a page says of a picture; None for what is none."""
    if image_type(data) is None and not is_svg(path, data):
        return None
    width, height = pixels(data)
    return Picture(word, path, width, height, len(data))


def pixels(data: bytes) -> tuple[int, int]:
    """Width and height that a raster picture says it has, (0, 0) where it does not: headers are read, nothing is drawn.

    Sources: PNG (ISO 15948) IHDR, GIF89a logical screen, JPEG (ITU T.81) frame headers, WebP (RFC 9649).
    """
    try:
        kind = image_type(data)
        if kind == "image/png" and data[12:16] == b"IHDR":
            return struct.unpack(">II", data[16:24])
        if kind == "image/gif":
            return struct.unpack("<HH", data[6:10])
        if kind == "image/jpeg":
            return _jpeg(data)
        if kind == "image/webp":
            return _webp(data)
    except struct.error:  # it ends within its header
        pass
    return 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    for _ in range(_SEGMENTS):
        if data[at : at + 1] != b"\xff":
            break
        marker = data[at + 1 : at + 2]
        if marker == b"\xff":  # it may be filled up
            at += 1
            continue
        # A frame begins: C0 to CF but for tables (C4, CC) and what is reserved (C8).
        if b"\xc0" <= marker <= b"\xcf" and marker not in (b"\xc4", b"\xc8", b"\xcc"):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    return 0, 0


def _webp(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        wide, high = struct.unpack("<I", data[24:27] + b"\0")[0], struct.unpack("<I", data[27:30] + b"\0")[0]
        return wide + 1, high + 1
    if kind == b"VP8L":
        bits = struct.unpack("<I", data[21:25])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        wide, high = struct.unpack("<HH", data[26:30])
        return wide & 0x3FFF, high & 0x3FFF
    return 0, 0
