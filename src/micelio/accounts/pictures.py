"""Pictures that people upload of themselves, made anew: what is shown holds nothing but pixels that we wrote."""

from __future__ import annotations

import hashlib
import threading
import warnings
from dataclasses import dataclass
from io import BytesIO

from mic.core.errors import InvalidInput, TooLarge

# A photo of a telephone, made a little smaller, has less; the body of a form may be twice as long.
MOST_BYTES = 1024 * 1024
# 16 million pixels take 64 MB while they are read; a page of text that unpacks to more is refused unread.
MOST_PIXELS = 16_000_000
SIDE = 256
# Nothing that is animated, nothing that is drawn from commands.
FORMATS = ("PNG", "JPEG", "WEBP")
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class MadePicture:
    """A square WebP of `SIDE` pixels, and what it is called: 32 hex digits of its SHA-256."""

    data: bytes
    digest: str


def make_picture(data: bytes) -> MadePicture:
    """The middle of a PNG, JPEG or WebP, as a square of our own making. Raises InvalidInput, TooLarge.

    Its size is looked at before its pixels are, and one is read at a time in a process.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(data) > MOST_BYTES:
        raise TooLarge("A picture has at most 1 MiB.", hint="Make it smaller first.")
    try:
        # What Pillow warns of, a picture that may be a bomb, is judged below by its size.
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            opened = Image.open(BytesIO(data), formats=FORMATS)
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise TooLarge(
                    f"The picture has {width:,} times {height:,} pixels.", hint="Make it smaller than 4,000 each way."
                )
            opened.draft("RGB", (SIDE * 2, SIDE * 2))
            turned = ImageOps.exif_transpose(opened)
            pixels = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
            square = ImageOps.fit(pixels, (SIDE, SIDE), Image.Resampling.LANCZOS)
            written = BytesIO()
            square.save(written, "WEBP", quality=82, method=4)
    except TooLarge:
        raise
    except UnidentifiedImageError as error:
        raise InvalidInput("This is no PNG, JPEG or WebP picture.", hint="Upload one of these.") from error
    except Image.DecompressionBombError as error:
        raise TooLarge("The picture has too many pixels.", hint="Make it smaller than 4,000 each way.") from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, OverflowError, MemoryError) as error:
        # What the decoders raise for a picture that breaks off or contradicts itself.
        raise InvalidInput("The picture is damaged.", hint="Save it anew and upload that.") from error
    found = written.getvalue()
    return MadePicture(found, hashlib.sha256(found).hexdigest()[:32])
