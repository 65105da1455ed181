"""Frames: a content or a part of one as it travels.

Hash and size of the whole content, offset and length of this part, and the part's bytes, plain or as one
zstd frame. What came from outside is verified here before anybody else sees it.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from mic.core.blob import MAX_WHOLE, encode_blob, frame_blob, frame_size, inflate
from mic.core.errors import Corrupt, InvalidInput, TooLarge

MAX_CONTENT = 64 << 30


class Frame(NamedTuple):
    """A content or a part of one. `zstd` tells how `data` holds the `length` bytes from `offset` on.

    With `listed` the data is the chunk list of the content of that hash and size instead.
    """

    hash: bytes
    size: int
    offset: int
    length: int
    zstd: bool
    data: bytes
    listed: bool = False


def plain(frame: Frame) -> bytes:
    """The bytes of a frame that came from outside; raises InvalidInput when they are not what it says."""
    if frame.length > MAX_WHOLE or frame.offset + frame.length > frame.size or frame.size > MAX_CONTENT:
        raise TooLarge(f"a frame of {frame.length} bytes; the limit is {MAX_WHOLE}")
    name = f"the content {frame.hash.hex()[:12]} that was sent"
    if not frame.zstd:
        if len(frame.data) != frame.length:
            raise InvalidInput(f"{name} has {len(frame.data)} bytes, not {frame.length}")
        return frame.data
    try:
        if frame_size(frame.data, name) != frame.length:
            raise InvalidInput(f"{name} does not inflate to {frame.length} bytes")
        return inflate(frame.data, frame.length, name)
    except Corrupt as error:
        raise InvalidInput(error.message) from error


def whole(frame: Frame) -> bytes:
    """The stored form of a content that came as one verified frame; raises InvalidInput."""
    if frame.listed or frame.offset or frame.length != frame.size:
        raise InvalidInput("a content in several frames, or in chunks, belongs in UploadBlobs")
    data = plain(frame)
    check_hash(hashlib.sha256(data).digest(), frame.hash)
    return frame_blob(frame.size, frame.data) if frame.zstd else encode_blob(data)


def check_hash(found: bytes, expected: bytes) -> None:
    """Raises InvalidInput when the bytes that were sent have another hash than was said."""
    if found != expected:
        raise InvalidInput(
            f"a content was sent as {expected.hex()} and has SHA-256 {found.hex()}",
            hint="it changed while it was sent, or was damaged on the way; send it again",
        )
