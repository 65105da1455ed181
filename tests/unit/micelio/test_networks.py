"""Lists of networks: what they take, what they refuse, whom they hold."""

from __future__ import annotations

import pytest

from mic.core.errors import InvalidInput, TooLarge
from micelio.networks import Entry, entries_of, holds, parse_entries, parse_lines


def test_a_list_is_kept_in_its_shortest_form() -> None:
    text = parse_entries([Entry("192.0.2.7", " the office "), Entry("2001:0DB8:0000::/32"), Entry("10.0.0.0/8", "in")])
    assert text == "192.0.2.7/32 the office\n2001:db8::/32\n10.0.0.0/8 in"
    assert entries_of(text)[0] == Entry("192.0.2.7/32", "the office")
    assert entries_of("") == ()


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("", "no network"),
        ("office", "no network"),
        ("10.0.0.0/33", "no network"),
        ("10.0.0", "no network"),
        ("010.0.0.1", "no network"),
        ("0x7f.0.0.1", "no network"),
        ("10.0.0.1/8", "an address in a network"),
        ("2001:db8::1/32", "an address in a network"),
        ("0.0.0.0/0", "the whole world"),
        ("::/0", "the whole world"),
        ("::ffff:10.0.0.1", "in the clothes of IPv6"),
        ("::ffff:10.0.0.0/104", "in the clothes of IPv6"),
        ("10.0.0.0/8\n1.1.1.1", "no network"),
        ("10.0.0.0/8\x00", "no network"),
        ("fe80::1%eth0", "names a wire"),
        ("1" * 10_000, "no network"),
    ],
)
def test_what_is_no_network(network: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_entries([Entry(network)])


def test_host_bits_are_answered_with_the_network() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_entries([Entry("10.1.2.3/16")])
    assert "10.1.0.0/16" in caught.value.hint


def test_duplicates_and_odd_notes() -> None:
    """The same network in two ways is one."""
    with pytest.raises(InvalidInput, match=r"10\.0\.0\.1/32 stands in the list twice"):
        parse_entries([Entry("10.0.0.1"), Entry("10.0.0.1/32")])
    for note in ("a" * 101, "a\nb", "a\x00", "a\u202eb"):
        with pytest.raises(InvalidInput, match="note"):
            parse_entries([Entry("10.0.0.1", note)])


def test_ten_thousand_are_too_many() -> None:
    lines = "\n".join(f"10.{n >> 8}.{n & 255}.0/24 n{n}" for n in range(10_000))
    with pytest.raises(TooLarge, match="10,000 networks are more than a list holds: 500"):
        parse_entries(parse_lines(lines))
    assert parse_entries(parse_lines("\n".join(lines.split("\n")[:500]))).count("\n") == 499


def test_whom_a_list_holds() -> None:
    """An address in the clothes of IPv6 is that of IPv4; one that is not known is nowhere."""
    stored = "10.0.0.0/8 in\n2001:db8::/32"
    for inside in ("10.255.0.1", "::ffff:10.0.0.1", "2001:db8:1::1"):
        assert holds(stored, inside)
    for outside in ("11.0.0.1", "::ffff:11.0.0.1", "2001:db9::1", "::1", "", "unknown", "10.0.0.1, 10.0.0.2"):
        assert not holds(stored, outside)
    assert holds("", "")
