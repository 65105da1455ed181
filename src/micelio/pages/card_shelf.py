"""Cards in the store, so that of several front ends one draws each, and a start does not draw them all again.

cards/{ISO year}-W{week}/{SHA-256 of what is drawn, hex}.png

A card lies below the week it was put there in, is looked for there and in the week before, and goes with its week.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO

from PIL import Image

from mic.core.errors import MicError, NotFound
from mic.store import ObjectStore

PREFIX = "cards/"
# A drawn card is 10 to 25 KB; what is larger under such a name is none.
LARGEST = 256 * 1024

_log = logging.getLogger("micelio.cards")


def kept_card(store: ObjectStore, name: str, now: datetime, draw: Callable[[], bytes]) -> bytes:
    """The PNG of this name (64 hex digits), drawn and kept when it is not there.

    A store that does not answer, or is full, costs the drawing and nothing else.
    """
    week, before = _week(now), _week(now - timedelta(weeks=1))
    try:
        for place in (week, before):
            found = _read(store, f"{PREFIX}{place}/{name}.png")
            if found is not None:
                return found
    except MicError as error:
        _log.warning("A card could not be looked for in the store: %s", error.code)
        return draw()
    made = draw()
    try:
        store.put(f"{PREFIX}{week}/{name}.png", made)
    except MicError as error:
        _log.warning("A card could not be kept in the store: %s", error.code)
    return made


def forget_cards(store: ObjectStore, now: datetime) -> int:
    """Remove the cards of weeks before the last one; how many."""
    stay = {_week(now), _week(now - timedelta(weeks=1)), _week(now + timedelta(weeks=1))}
    gone = 0
    for item in list(store.list(PREFIX)):
        if item.key.removeprefix(PREFIX).partition("/")[0] not in stay:
            store.delete(item.key)
            gone += 1
    return gone


def _read(store: ObjectStore, key: str) -> bytes | None:
    try:
        data = store.get_range(key, 0, LARGEST + 1)
    except NotFound:
        return None
    return data if len(data) <= LARGEST and _is_whole(data) else None


def _is_whole(data: bytes) -> bool:
    """Whether these are all the bytes of a PNG, as its own checksums say."""
    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as picture:
            picture.verify()
    except Exception:  # Pillow raises SyntaxError, OSError, struct.error and others for bytes that are none.
        return False
    return True


def _week(day: datetime) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"
