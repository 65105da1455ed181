"""How large pictures say they are. What they are drawn by (Pillow) is the oracle; hostile headers say nothing."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from micelio.pages.images import pictured, pixels


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("PNG", {}),
        ("GIF", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"exif": b"Exif\0\0" + b"\xff\xc0" * 40, "comment": b"\xff\xc0\x00\x11\x08\x00\x01\x00\x01"}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (320, 200), (1023, 7)])
def test_sizes(form: str, options: dict[str, object], size: tuple[int, int]) -> None:
    """In each form that is shown."""
    file = io.BytesIO()
    Image.new("RGB", size, "red").save(file, form, **options)
    assert pixels(file.getvalue()) == size
    for cut in range(0, min(len(file.getvalue()), 40)):
        assert pixels(file.getvalue()[:cut]) in (size, (0, 0))


def test_an_animation_with_a_canvas() -> None:
    """WebP's extended form says the canvas."""
    file = io.BytesIO()
    frames = [Image.new("RGBA", (40, 30), color) for color in ("red", "blue")]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    assert file.getvalue()[12:16] == b"VP8X"
    assert pixels(file.getvalue()) == (40, 30)


def test_what_says_nothing() -> None:
    """No picture, a JPEG without a frame, one that leads to nowhere."""
    assert pixels(b"") == pixels(b"text") == (0, 0)
    assert pixels(b"\xff\xd8\xff\xe0\xff\xff") == (0, 0)
    assert pixels(b"\xff\xd8" + b"\xff\xe0\x00\x00" * 100_000) == (0, 0)
    assert pictured(b"a.txt", b"text", "before") is None
    svg = pictured(b"a.svg", b"<svg xmlns='x'/>", "before")
    assert svg is not None
    assert (svg.width, svg.height, svg.size) == (0, 0, 16)
