"""The words that stand in the place of an erased content, and which content they stand for. Imports nothing."""

from __future__ import annotations

_BEGIN = b"This content was erased ("
_HASH = b" and the SHA-256 "
# No text is longer: a name has at most 200 bytes.
LONGEST = 512


def erased_text(words: str, by: str, day: str, size: int, content: str) -> str:
    """What whoever reads, clones or fetches gets instead. `content` in hexadecimal; ends with a line end."""
    return f"{_BEGIN.decode()}{words}) by {by} on {day}.\nIt had {size} bytes{_HASH.decode()}{content}.\n"


def stands_for(data: bytes) -> bytes:
    """The SHA-256 of the content in whose place these bytes stand; b"" when they are nothing like that."""
    if len(data) > LONGEST or not data.startswith(_BEGIN) or not data.endswith(b".\n"):
        return b""
    _, found, rest = data.rpartition(_HASH)
    digits = rest[:-2]
    if not found or len(digits) != 64 or digits.strip(b"0123456789abcdef"):
        return b""
    return bytes.fromhex(digits.decode("ascii"))
