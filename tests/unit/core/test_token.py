"""Access tokens as text: the form of docs/formats.md, and what is taken for one."""

from __future__ import annotations

import gzip
import re
import string
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mic.core.token import FORM, PERSONAL, SESSION, claims_to_be_token, is_token, make_token

DOCUMENT = Path(__file__).parents[3] / "docs" / "formats.md"
VECTORS = re.findall(r"^```token\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)[0].split()
RANDOM = [(PERSONAL, bytes(range(32))), (SESSION, b"\xff" * 32), (PERSONAL, bytes(32))]
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


@pytest.mark.parametrize(("vector", "made_of"), list(zip(VECTORS, RANDOM, strict=True)))
def test_the_vectors_of_the_document(vector: str, made_of: tuple[str, bytes]) -> None:
    assert make_token(*made_of) == vector
    assert is_token(vector)
    assert len(vector) == 57


@given(st.binary(min_size=32, max_size=32), st.sampled_from([PERSONAL, SESSION]))
def test_the_checksum_is_the_one_of_gzip(random: bytes, prefix: str) -> None:
    """An independent reader: CRC-32 as gzip writes it, and digits counted by hand."""
    made = make_token(prefix, random)
    crc = struct.unpack("<I", gzip.compress(made[:-6].encode())[-8:-4])[0]
    assert sum(ALPHABET.index(char) * 62**at for at, char in enumerate(reversed(made[-6:]))) == crc
    value = sum(ALPHABET.index(char) * 62**at for at, char in enumerate(reversed(made[8:-6])))
    assert value == int.from_bytes(random, "big")
    assert FORM.search(f"TOKEN={made};") is not None


@given(st.integers(0, 56), st.sampled_from(ALPHABET + "_- é\n"))
def test_one_wrong_character_is_noticed(at: int, char: str) -> None:
    good = VECTORS[0]
    changed = good[:at] + char + good[at + 1 :]
    assert is_token(changed) == (changed == good)


@given(st.text(max_size=80))
def test_any_text_has_an_answer(text: str) -> None:
    assert not is_token(text)


@pytest.mark.parametrize(
    "text", ["", "mic_", VECTORS[0][:-1], VECTORS[0] + "0", VECTORS[0] + "\n", VECTORS[0].replace("pat", "agt")]
)
def test_what_is_no_token(text: str) -> None:
    """Cut off, longer, with a line end, or with the other prefix."""
    assert not is_token(text)


def test_a_cut_token_claims_to_be_one() -> None:
    assert claims_to_be_token(VECTORS[0][:20])
    assert not claims_to_be_token("x" * 64)
