"""What the records of a Git repository look like that are kept as objects of their own: a magic, a size, a value.

magic of 4 bytes and version | u8[3]=0 | u32 bytes | zstd(msgpack)

Nothing names such an object by its content, so the frame has a checksum. Those written before it did are read as well.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
import zstandard

from mic.core.blob import LEVEL, inflate
from mic.core.codec import Reader

V = TypeVar("V")

# Of one value, unpacked.
MAX_BODY = 64 << 20
_encoder = msgspec.msgpack.Encoder()


def box(magic: bytes, value: msgspec.Struct | dict[str, object]) -> bytes:
    """The bytes of a value."""
    body = _encoder.encode(value)
    frame = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(body)
    return magic + len(body).to_bytes(4, "big") + frame


def unbox(magic: bytes, decoder: msgspec.msgpack.Decoder[V], raw: bytes, name: str) -> V:
    """A value from its bytes. Raises Corrupt naming `name`."""
    reader = Reader(raw, name)
    reader.expect(magic)
    size = reader.u32()
    if size > MAX_BODY:
        raise reader.fail(f"a body of {size} bytes")
    body = inflate(reader.take(reader.end - reader.pos), size, name)
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise reader.fail(f"its body cannot be read ({error})") from error
