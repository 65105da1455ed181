"""Stored contents: bounds before inflating, hashes after."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest
import zstandard

from mic.core.blob import (
    MAX_WHOLE,
    blob_size,
    decode_blob,
    encode_blob,
    frame_blob,
    frame_size,
    inflate,
)
from mic.core.errors import Corrupt


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 999, bytes(MAX_WHOLE)], ids=len)
def test_what_is_stored_comes_back(data: bytes) -> None:
    raw = encode_blob(data)
    assert decode_blob(raw, hashlib.sha256(data).digest(), "blob") == data
    assert blob_size(raw, "blob") == len(data)
    assert zstandard.ZstdDecompressor().decompress(raw[8:]) == data


def test_another_content_is_damage() -> None:
    with pytest.raises(
        Corrupt, match="its content has SHA-256 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
    ):
        decode_blob(encode_blob(b"foo"), bytes(32), "blob")


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "begin with"),
        (b"MICB", "wanted 4 bytes"),
        (b"MICB" + bytes(4), "damaged"),
        (b"MICC" + encode_blob(b"foo")[4:], "begin with"),
        (b"MICB" + (MAX_WHOLE + 1).to_bytes(4, "big"), "the limit is 4194304"),
        (frame_blob(2, encode_blob(b"foo")[8:]), "says 2 bytes and holds 3"),
        (frame_blob(4, encode_blob(b"foo")[8:]), "says 4 bytes and holds 3"),
        (encode_blob(b"foo") + b"x", "damaged"),
        (encode_blob(b"foo" * 99)[:-1], "damaged"),
    ],
)
def test_damage_is_named(raw: bytes, why: str) -> None:
    with pytest.raises(Corrupt, match=why) as caught:
        decode_blob(raw, hashlib.sha256(b"foo").digest(), "blob 1234")
    assert "blob 1234" in caught.value.message


def test_a_frame_that_does_not_state_its_size_is_read_up_to_the_size_it_must_have() -> None:
    """Some writers stream; then the bound is what the reader expects."""
    compressor = zstandard.ZstdCompressor(write_content_size=False)
    frame = compressor.compress(b"x" * 5000)
    assert inflate(frame, 5000, "frame") == b"x" * 5000
    for size in (0, 4999, 5001):
        with pytest.raises(Corrupt):
            inflate(frame, size, "frame")
    with pytest.raises(Corrupt, match="does not state its size"):
        frame_size(frame, "frame")


@pytest.mark.parametrize("claim", [1000, MAX_WHOLE, (1 << 32) - 1])
@pytest.mark.parametrize("stated", [1000, MAX_WHOLE, (1 << 32) - 1])
def test_a_content_that_inflates_to_more_than_it_claims(claim: int, stated: int) -> None:
    """64 MiB of zeros in a frame that states another size: refused, having allocated no more than 4 MiB."""
    frame = bytearray(zstandard.ZstdCompressor(level=1).compress(bytes(64 << 20)))
    at = 5 if frame[4] & 0x20 else 6  # behind magic, descriptor and, without the single-segment flag, the window
    assert frame[4] >> 6 == 2  # a size of four bytes, little-endian
    assert frame[at : at + 4] == (64 << 20).to_bytes(4, "little")
    frame[at : at + 4] = stated.to_bytes(4, "little")
    raw = frame_blob(claim, bytes(frame))
    tracemalloc.start()
    try:
        with pytest.raises(Corrupt, match="blob"):
            decode_blob(raw, bytes(32), "blob")
        assert tracemalloc.get_traced_memory()[1] < MAX_WHOLE + (1 << 20)
    finally:
        tracemalloc.stop()
