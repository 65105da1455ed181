"""Identities: hashes and ULIDs, against published values."""

from __future__ import annotations

import pytest

from mic.core.errors import InvalidInput
from mic.core.ids import content_hash, new_ulid, parse_ulid, ulid_text


def test_the_hash_is_sha_256() -> None:
    """The values of FIPS 180-4 for no input and `abc`."""
    assert content_hash(b"").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert content_hash(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_ulid_is_written_as_its_specification_says() -> None:
    """The example of the specification has this time; the largest and the least are its bounds."""
    assert ulid_text(bytes(16)) == "0" * 26
    assert ulid_text(b"\xff" * 16) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
    assert ulid_text(new_ulid(1_469_918_176_385, bytes(10))) == "01ARYZ6S410000000000000000"
    assert new_ulid(1_469_918_176_385, bytes(range(10))) == bytes.fromhex("01563df3648100010203040506070809")


def test_a_ulid_is_read_in_any_case_and_with_letters_mistaken_for_digits() -> None:
    assert parse_ulid("01aryz6s410000000000000000") == bytes.fromhex("01563df3648100000000000000000000")
    assert parse_ulid("OIaryz6s41OOOOOOOOOOOOOOOO") == parse_ulid("01ARYZ6S410000000000000000")


@pytest.mark.parametrize(
    "text", ["", "0", "0" * 25, "0" * 27, "8" + "0" * 25, "U" * 26, "0" * 25 + "é", "0" * 25 + "\n"]
)
def test_what_is_no_ulid_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a session id"):
        parse_ulid(text)
