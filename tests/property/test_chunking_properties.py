"""The cutters give the same boundaries on contents with few and many repeats."""

from __future__ import annotations

import io
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.chunking import MIN_CHUNK, chunk_stream, compiled_cutter, cutter_with, find_plain, numpy_finder


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 250_000), st.sampled_from([1, 2, 16, 256]))
def test_the_cutters_agree(seed: int, size: int, alphabet: int) -> None:
    """Same chunks from plain Python, numpy and the compiled package; together they are the content."""
    content = bytes(random.Random(seed).choices(range(alphabet), k=size))
    plain = list(chunk_stream(io.BytesIO(content).read, cutter_with(find_plain)))
    assert plain == list(chunk_stream(io.BytesIO(content).read, cutter_with(numpy_finder())))
    assert plain == list(chunk_stream(io.BytesIO(content).read, compiled_cutter()))
    assert b"".join(plain) == content


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=2000, max_size=4000), st.integers(0, 500), st.integers(1, 2**64 - 1), st.integers(1, 6))
def test_the_searches_agree_position_by_position(data: bytes, first: int, seed: int, bits: int) -> None:
    """With few bits in the mask every window is put to the test."""
    content, start = bytes(MIN_CHUNK) + data, MIN_CHUNK + first
    mask = sum(1 << bit for bit in random.Random(seed).sample(range(64), bits))
    assert find_plain(content, start, len(content), mask) == numpy_finder()(content, start, len(content), mask)
