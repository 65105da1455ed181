"""Which language somebody is answered in: what they chose, else what their browser asks for, else English."""

from __future__ import annotations

import re
from functools import lru_cache

from micelio.languages.known import BY_CODE, ENGLISH, Language

COOKIE = "language"
# Of a header as long as one likes; browsers send a few.
_LONGEST, _MOST = 1000, 30
_QUALITY = r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?"
_RANGE = re.compile(rf"\s*([A-Za-z]{{1,8}}(?:-[A-Za-z0-9]{{1,8}})*)\s*(?:;\s*[qQ]\s*=\s*({_QUALITY})\s*)?\Z")
_TRADITIONAL = {"hant", "tw", "hk", "mo"}


def language_called(code: str) -> Language | None:
    """The language with this code, in whatever case; None when we have none."""
    return BY_CODE.get(code.lower())


def language_for(chosen: str, header: str) -> Language:
    """`chosen` is what the visitor said earlier, "" when nothing; `header` is Accept-Language (RFC 9110, 12.5.4)."""
    return language_called(chosen) or _preferred(header[:_LONGEST])


@lru_cache(maxsize=1024)
def _preferred(header: str) -> Language:
    """The one we have that is asked for most. What cannot be read is passed over."""
    best, weight = ENGLISH, 0.0
    for part in header.split(",")[:_MOST]:
        match = _RANGE.match(part)
        if match is None:
            continue
        quality = float(match[2]) if match[2] else 1.0
        language = _nearest(match[1].lower().split("-"))
        if language is not None and quality > weight:
            best, weight = language, quality
    return best


def _nearest(parts: list[str]) -> Language | None:
    """`de-AT` is answered in German, `zh-TW` in traditional characters and any other `zh` in simplified ones."""
    if parts[0] != "zh":
        return BY_CODE.get(parts[0])
    # A script that is named says more than a region: zh-Hans-HK.
    traditional = "hans" not in parts and not _TRADITIONAL.isdisjoint(parts)
    return BY_CODE["zh-hant" if traditional else "zh-hans"]
