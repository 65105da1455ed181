"""Stored forms of content. Identity is always the SHA-256 of the uncompressed bytes.

    MICB  'MICB' u32 size | zstd frame        up to 4 MiB; what is larger is a chunk list (mic.core.chunklist)

A reader checks the claimed size before it inflates and the hash afterwards.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence

import zstandard

from mic.core.codec import Reader
from mic.core.errors import Corrupt

MAX_WHOLE = 4 << 20  # larger contents are chunked
LEVEL = 3  # zstd: 234 MB/s, ratio 4.3 on source; level 9 wins 20 % at a quarter of the speed

_local = threading.local()


def _compressor() -> zstandard.ZstdCompressor:
    if not hasattr(_local, "compressor"):
        _local.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False)
    return _local.compressor  # type: ignore[no-any-return]


def _decompressor() -> zstandard.ZstdDecompressor:
    if not hasattr(_local, "decompressor"):
        _local.decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    return _local.decompressor  # type: ignore[no-any-return]


def compress(data: bytes) -> bytes:
    """One zstd frame that states its content size."""
    return _compressor().compress(data)


def inflate(frame: bytes, size: int, name: str) -> bytes:
    """The content of one zstd frame that must be exactly `size` bytes. Never allocates more than that."""
    try:
        claimed = zstandard.frame_content_size(frame)
        if claimed != size and claimed != -1:
            raise Corrupt(f"{name} is damaged: it says {size} bytes and holds {claimed}", object=name)
        data = _decompressor().decompress(frame, max_output_size=max(size, 1), allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Corrupt(f"{name} is damaged: {error}", object=name) from error
    if len(data) != size:
        raise Corrupt(f"{name} is damaged: it says {size} bytes and holds {len(data)}", object=name)
    return data


def inflate_each(
    data: bytes, lengths: Sequence[int], sizes: Sequence[int], hashes: Sequence[bytes], name: Callable[[bytes], str]
) -> list[bytes]:
    """The contents of the zstd frames of these lengths that `data` is made of, each of exactly its size, as `inflate`.

    In half the time. What the sizes come to is the caller's to bound. `name` names the one with a hash in errors.
    """
    contents: list[bytes] = []
    claimed, decompress = zstandard.frame_content_size, _decompressor().decompress
    end = 0
    for length, size, content_hash in zip(lengths, sizes, hashes, strict=True):
        start, end = end, end + length
        frame = data[start:end]
        try:
            # As a frame says its size, nothing larger is allocated, and what is behind its end is refused.
            content = decompress(frame, size, allow_extra_data=False) if claimed(frame) == size else None
        except zstandard.ZstdError:
            content = None
        if content is None or len(content) != size:
            content = inflate(frame, size, name(content_hash))
        contents.append(content)
    return contents


def frame_size(frame: bytes, name: str) -> int:
    """The content size that a zstd frame states; raises Corrupt when it is no frame or states none."""
    try:
        size = zstandard.frame_content_size(frame)
    except zstandard.ZstdError as error:
        raise Corrupt(f"{name} is damaged: {error}", object=name) from error
    if size < 0:
        raise Corrupt(f"{name} is damaged: it does not state its size", object=name)
    return size


def frame_blob(size: int, frame: bytes) -> bytes:
    """The stored form of a content whose zstd frame is at hand already."""
    return b"MICB" + size.to_bytes(4, "big") + frame


def encode_blob(data: bytes) -> bytes:
    """The stored form of a content of at most 4 MiB."""
    assert len(data) <= MAX_WHOLE
    return frame_blob(len(data), compress(data))


def blob_size(raw: bytes, name: str) -> int:
    """The size that a stored blob claims."""
    reader = Reader(raw, name)
    reader.expect(b"MICB")
    return read_size(reader)


def read_size(reader: Reader) -> int:
    """The next u32 as the size of a content in one piece; raises Corrupt beyond 4 MiB."""
    size = reader.u32()
    if size > MAX_WHOLE:
        raise reader.fail(f"{size} bytes in one piece; the limit is {MAX_WHOLE}")
    return size


def decode_blob(raw: bytes, expected: bytes, name: str) -> bytes:
    """The content of a stored blob; raises Corrupt when its SHA-256 is not `expected`."""
    data = inflate(raw[8:], blob_size(raw, name), name)
    verify_content(data, expected, name)
    return data


def verify_content(data: bytes, expected: bytes, name: str) -> None:
    """Raises Corrupt when the SHA-256 of a content that was opened is not `expected`."""
    found = hashlib.sha256(data)
    if found.digest() != expected:
        raise Corrupt(
            f"{name} is damaged: its content has SHA-256 {found.hexdigest()}",
            hint="restore the object from a backup",
            object=name,
        )


def encode_node(raw: bytes) -> bytes:
    """The stored form of a tree node: zstd level 1 (the hashes, 95 % of it, do not compress anyway)."""
    if not hasattr(_local, "fast"):
        _local.fast = zstandard.ZstdCompressor(level=1, write_checksum=False)
    return _local.fast.compress(raw)  # type: ignore[no-any-return]


# 700 entries with the longest keys and sizes; nothing larger is ever inflated for a node.
MAX_NODE_BYTES = 700 * (16_384 + 64) + 64


def inflate_node(frame: bytes, expected: bytes, name: str) -> bytes:
    """The raw bytes of a stored node; raises Corrupt when they are not the node that was asked for."""
    size = frame_size(frame, name)
    if size > MAX_NODE_BYTES:
        raise Corrupt(f"{name} is damaged: it claims {size} bytes", object=name)
    raw = inflate(frame, size, name)
    if hashlib.sha256(raw).digest() != expected:
        raise Corrupt(f"{name} is damaged: its bytes have another hash", object=name)
    return raw
