"""The two searches of the chunker give the same boundaries on contents with few and many repeats."""

from __future__ import annotations

import io
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.chunking import chunk_stream, find_plain, numpy_finder


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 250_000), st.sampled_from([1, 2, 16, 256]))
def test_numpy_and_plain_agree(seed: int, size: int, alphabet: int) -> None:
    """Same chunks from both; together they are the content."""
    content = bytes(random.Random(seed).choices(range(alphabet), k=size))
    plain = list(chunk_stream(io.BytesIO(content).read, find_plain))
    assert plain == list(chunk_stream(io.BytesIO(content).read, numpy_finder()))
    assert b"".join(plain) == content


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=2000, max_size=4000), st.integers(64, 500), st.integers(2, 12))
def test_the_searches_agree_position_by_position(data: bytes, first: int, bits: int) -> None:
    """With few bits every window is put to the test."""
    assert find_plain(data, first, len(data), bits) == numpy_finder()(data, first, len(data), bits)
