"""Contents stored over a base: what comes back, how much is read, and what is refused."""

from __future__ import annotations

import hashlib
import random
import tracemalloc

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.delta import (
    GROUP_HEADER,
    MAX_DEPTH,
    MAX_GROUP,
    decode_delta,
    decode_group,
    encode_delta,
    encode_group,
    member_size,
    open_delta,
    open_group,
    table_bytes,
)
from mic.core.errors import Corrupt

NAME = "projects/p/object"


def _hash(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


NOISE = random.Random(3).randbytes(4 << 20)
PAIRS = {
    "equal": (b"same" * 99, b"same" * 99),
    "empty base": (b"", b"new\n" * 9),
    "empty content": (b"old", b""),
    "nothing in common": (b"old" * 50, NOISE[:5000]),
    "as large as can be": (NOISE, NOISE[1000:] + NOISE[:1000]),
    "a base that looks like a dictionary": (b"\x37\xa4\x30\xec" + NOISE[:999], NOISE[:999]),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
@pytest.mark.parametrize("level", [1, 3, 12])
def test_a_delta_comes_back(pair: tuple[bytes, bytes], level: int) -> None:
    base, data = pair
    delta = decode_delta(encode_delta(_hash(base), base, 2, data, level), NAME)
    assert (delta.size, delta.depth, delta.base) == (len(data), 2, _hash(base))
    assert open_delta(delta, base, _hash(data), NAME) == data


def test_all_of_the_largest_base_stays_in_reach() -> None:
    """4 MiB of noise over the same 4 MiB in another order cost next to nothing."""
    assert len(encode_delta(_hash(NOISE), NOISE, 1, NOISE[2 << 20 :] + NOISE[: 2 << 20], 12)) < 1000


def test_any_zstd_opens_the_frame_with_the_base_as_raw_dictionary() -> None:
    """The frame is nothing of ours: the library alone reads it."""
    base, data = b"line one\nline two\n" * 40, b"line one\nline 2\n" * 40
    frame = encode_delta(_hash(base), base, 1, data)[41:]
    dictionary = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    assert zstandard.ZstdDecompressor(dict_data=dictionary).decompress(frame) == data


# Forty versions of 100 lines of noise; each has one line of its own and shares the others with its neighbours.
_LINES = [NOISE[at * 16 : at * 16 + 16].hex().encode() + b"\n" for at in range(140)]
VERSIONS = [b"".join(_LINES[at : 100 + at]) for at in range(40)]


def _group(level: int = 12) -> bytes:
    return encode_group(_hash(b"base"), b"base", 1, [(_hash(data), data) for data in VERSIONS], level)


def test_members_of_a_group_come_back_alone_or_together() -> None:
    group = decode_group(_group(), NAME)
    assert [member.size for member in group.members] == [len(data) for data in VERSIONS]
    for wanted in ([VERSIONS[0]], [VERSIONS[-1]], VERSIONS[3:9], VERSIONS, []):
        assert open_group(group, b"base", [_hash(data) for data in wanted], NAME) == {_hash(d): d for d in wanted}


def test_the_first_member_needs_nothing_of_what_stands_behind_it() -> None:
    """Later bytes of the frame may be noise: they are not looked at."""
    versions = [random.Random(at).randbytes(300_000) for at in range(5)]
    raw = encode_group(_hash(b"base"), b"base", 1, [(_hash(data), data) for data in versions])
    group = decode_group(raw[:-600_000] + bytes(600_000), NAME)
    assert open_group(group, b"base", [_hash(versions[0])], NAME) == {_hash(versions[0]): versions[0]}
    with pytest.raises(Corrupt):
        open_group(group, b"base", [_hash(versions[4])], NAME)


def test_a_size_is_in_the_table() -> None:
    raw = _group()
    length = table_bytes(raw[:GROUP_HEADER], NAME)
    group = decode_group(raw[:length], NAME)
    assert member_size(group, _hash(VERSIONS[7]), NAME) == len(VERSIONS[7])
    with pytest.raises(Corrupt, match="is no member of the group"):
        member_size(group, bytes(32), NAME)


def test_versions_of_a_file_cost_their_edits() -> None:
    """Forty versions of 3,300 bytes: the lines that exist, 16 bytes of noise each, and a few bytes a version."""
    assert len(_group()) - GROUP_HEADER - 36 * 40 < 140 * 20 + 40 * 16
    assert sum(len(zstandard.compress(data, 12)) for data in VERSIONS) > 40 * 1600


@pytest.mark.parametrize("base", [b"", b"Base", b"base" * 2, NOISE])
def test_another_base_is_damage_and_never_other_bytes(base: bytes) -> None:
    true = VERSIONS[0]
    group = decode_group(encode_group(_hash(true), true, 1, [(_hash(VERSIONS[1]), VERSIONS[1])]), NAME)
    with pytest.raises(Corrupt):
        open_group(group, base, [_hash(VERSIONS[1])], NAME)
    with pytest.raises(Corrupt):
        open_delta(decode_delta(encode_delta(_hash(true), true, 1, VERSIONS[1]), NAME), base, _hash(VERSIONS[1]), NAME)


def _with(raw: bytes, at: int, put: bytes) -> bytes:
    return raw[:at] + put + raw[at + len(put) :]


DELTA = encode_delta(_hash(b"base"), b"base", 1, b"data" * 100)
GROUP = encode_group(_hash(b"base"), b"base", 1, [(_hash(b"one"), b"one"), (_hash(b"two"), b"two")])
LIES = {
    "delta of 4 GiB": (_with(DELTA, 4, b"\xff\xff\xff\xff"), "the limit is 4194304"),
    "delta a byte longer": (_with(DELTA, 4, (401).to_bytes(4, "big")), "it says 401 bytes and its frame says 400"),
    "delta of depth 0": (_with(DELTA, 8, b"\x00"), "a chain of 0 forms"),
    "delta of depth 9": (_with(DELTA, 8, b"\x09"), "a chain of 9 forms; the limit is 8"),
    "delta without frame": (DELTA[:41], "damaged"),
    "group of 4 GiB": (_with(GROUP, 4, b"\xff\xff\xff\xff"), "the limit is 4194304"),
    "group of depth 9": (_with(GROUP, 8, b"\x09"), "a chain of 9 forms"),
    "group of 65,535 members": (_with(GROUP, 41, b"\xff\xff"), "65535 items cannot fit"),
    "group of no member": (_with(GROUP, 41, b"\x00\x00"), "its members do not make the 6 bytes"),
    "group with a member of 4 GiB": (_with(GROUP, 43 + 32, b"\xff\xff\xff\xff"), "do not make the 6 bytes"),
    "group with another member": (_with(GROUP, 43, bytes(32)), "is no member of the group"),
    "group with members of other sizes": (_with(GROUP, 43 + 35, b"\x02" + _hash(b"two") + b"\0\0\0\4"), "has SHA-256"),
}


def _open(raw: bytes) -> None:
    if raw.startswith(b"MICD"):
        open_delta(decode_delta(raw, NAME), b"base", _hash(b"data" * 100), NAME)
    else:
        open_group(decode_group(raw, NAME), b"base", [_hash(b"one"), _hash(b"two")], NAME)


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lie_is_damage_that_names_the_object(lie: tuple[bytes, str]) -> None:
    raw, words = lie
    with pytest.raises(Corrupt, match=words) as caught:
        _open(raw)
    assert caught.value.details["object"] == NAME


def test_a_frame_that_inflates_to_more_is_stopped_at_the_claim() -> None:
    """A gigabyte of zeros behind a claim of a few bytes, stated in the frame or not, takes no memory."""
    for known in (True, False):
        squeeze = zstandard.ZstdCompressor(write_content_size=known).compressobj(size=1 << 28 if known else -1)
        bomb = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(256)) + squeeze.flush()
        tracemalloc.start()
        with pytest.raises(Corrupt):
            open_delta(decode_delta(DELTA[:41] + bomb, NAME), b"base", _hash(b"data" * 100), NAME)
        with pytest.raises(Corrupt):
            open_group(decode_group(GROUP[: 43 + 72] + bomb, NAME), b"base", [_hash(b"one")], NAME)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20


def test_the_limits_are_those_of_the_document() -> None:
    assert (MAX_DEPTH, MAX_GROUP) == (8, 4 << 20)


@given(base=st.binary(max_size=400), contents=st.lists(st.binary(max_size=300), min_size=1, max_size=6, unique=True))
@settings(max_examples=150, deadline=None)
def test_whatever_goes_in_comes_out(base: bytes, contents: list[bytes]) -> None:
    raw = encode_group(_hash(base), base, 1, [(_hash(data), data) for data in contents])
    found = open_group(decode_group(raw, NAME), base, [_hash(contents[-1])], NAME)
    assert found == {_hash(contents[-1]): contents[-1]}
    assert (
        open_delta(decode_delta(encode_delta(_hash(base), base, 8, contents[0]), NAME), base, _hash(contents[0]), NAME)
        == contents[0]
    )
