"""Words of people and agents without the secrets in them."""

from __future__ import annotations

from collections.abc import Sequence

from mic.core.errors import InvalidInput
from mic.core.scanning.scanner import LOOK_ALIKES, scan_many, scan_whole


def redact(texts: Sequence[str]) -> dict[int, tuple[str, int]]:
    """Those of the texts that hold secrets, by their number: the text with marks in their place, and how many.

    A mark names the kind: `[redacted: aws-access-key]`. Raises InvalidInput for a text that was made to be slow.
    """
    # Text from outside may hold lone surrogates, which UTF-8 has no form for.
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    return {number: _without(encoded[number]) for number, _ in scan_many(enumerate(encoded))}


def _without(data: bytes) -> tuple[str, int]:
    parts, at, found = [], 0, scan_whole(data)
    for item in found:
        if item.rule == LOOK_ALIKES:
            raise InvalidInput(
                "A text holds more look-alikes of secrets than can be searched.", hint="Leave the long lists out of it."
            )
        parts += [data[at : item.start], f"[redacted: {item.rule}]".encode()]
        at = item.stop
    return b"".join([*parts, data[at:]]).decode("utf-8", "surrogatepass"), len(found)
