"""The scanner on any bytes: the same findings however a content is cut, and never an error."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.scanning import Scan, redact, scan, scan_many
from mic.core.scanning.finding import Finding
from secret_corpus import TRUE

MAKERS = [(rule, maker) for rule, makers in sorted(TRUE.items()) for maker in makers]
JUNK = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([
        b"-----BEGIN PRIVATE KEY-----", b"eyJ", b"AKIA", b"ghp_", b"://a:", b"password = '", b"\n", b"\r\n", b"\x00",
        b"secret_access_key=", b"cloudant", b"AccountKey=", b"sk-ant-api03-", b"xoxb-" * 9, b"=" * 70, b"A" * 300,
    ]),
)  # fmt: skip


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Junk with true tokens in between."""
    parts = draw(st.lists(st.one_of(JUNK, st.sampled_from(MAKERS)), max_size=12))
    seed = draw(st.integers(0, 1000))
    return b"".join(
        part if isinstance(part, bytes) else b" " + part[1](random.Random(seed)).encode() + b" " for part in parts
    )


def _far(found: list[Finding]) -> list[tuple[str, int, int, str]]:
    return [(item.rule, item.line, item.column, item.fingerprint) for item in found]


@settings(max_examples=150, deadline=None)
@given(contents(), st.integers(0, 40_000), st.lists(st.integers(1, 700_000), max_size=6))
def test_pieces_find_what_the_whole_finds(data: bytes, gap: int, cuts: list[int]) -> None:
    """Cut anywhere, with more than a piece of other text around: rules, lines, columns and fingerprints are equal."""
    around = b"all work and no play\n" * 53_000
    whole = around[: len(around) - gap] + data + around + data
    stream, at = Scan(), 0
    for cut in cuts:
        stream.feed(whole[at : at + cut])
        at += cut
    assert _far(stream.finish(whole[at:])) == _far(scan(whole))


@settings(max_examples=200, deadline=None)
@given(st.lists(contents(), max_size=8))
def test_together_finds_what_each_finds(items: list[bytes]) -> None:
    """Searching many small contents at once finds nothing across two of them, and misses nothing in one."""
    assert dict(scan_many(enumerate(items))) == {at: found for at, item in enumerate(items) if (found := scan(item))}


@settings(max_examples=200, deadline=None)
@given(contents())
def test_lines_and_columns_are_those_of_the_offset(data: bytes) -> None:
    """Counted the plain way."""
    for item in scan(data):
        if data.count(0) * 4 < len(data):
            before = data[: item.start].split(b"\n")
            assert (item.line, item.column) == (len(before), len(before[-1]) + 1)


@settings(max_examples=200, deadline=None)
@given(contents())
def test_what_is_redacted_has_no_secret(data: bytes) -> None:
    """Nothing is found in a text after its secrets were taken out, and what is left stood there before."""
    text = data.decode("utf-8", "replace")
    done, count = redact([text]).get(0, (text, 0))
    assert redact([done]) == {}
    assert done.count("[redacted: ") == count + text.count("[redacted: ")


@given(st.text(alphabet=st.characters(), max_size=300))
def test_any_text_can_be_redacted(text: str) -> None:
    """Any text, surrogates too, comes back as it was when it holds no secret."""
    assert redact([text]).get(0, (text, 0))[0] == text
