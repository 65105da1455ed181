"""Pkt-lines: what is read of good bytes, and what is said of bad ones."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mic.core.errors import InvalidInput, TooLarge
from mic.git.pktline import LONGEST_TEXT, Mark, PktReader, error_line, line


def _read_all(data: bytes, limit: int = 1 << 20) -> list[bytes | Mark]:
    reader = PktReader(io.BytesIO(data), limit)
    found: list[bytes | Mark] = []
    while (text := reader.read()) is not Mark.EOF:
        found.append(text)
    return found


def test_lines_and_marks_as_git_documents_them() -> None:
    """The examples of gitprotocol-common, and the three marks."""
    assert line(b"a\n") == b"0006a\n"
    assert line(b"foobar\n") == b"000bfoobar\n"
    assert line(b"") == b"0004"
    assert _read_all(b"0006a\n0005a000bfoobar\n0004000000010002") == [
        b"a", b"a", b"foobar", b"", Mark.FLUSH, Mark.DELIM, Mark.END,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"00", "ends within"),
        (b"0006a", "ends within"),
        (b"zzzz", "where the length"),
        (b"-001", "where the length"),
        (b"0x10", "where the length"),
        (b"0003", "length 3"),
        (b"fff1", "length 65521"),
    ],
)
def test_what_is_no_pkt_line_is_refused(data: bytes, words: str) -> None:
    """In a sentence, never with bytes taken for others."""
    with pytest.raises(InvalidInput, match=words):
        _read_all(data)


def test_more_lines_than_allowed_are_refused() -> None:
    """The limit counts lengths too."""
    assert _read_all(b"0006a\n" * 2, limit=16) == [b"a", b"a"]
    with pytest.raises(TooLarge):
        _read_all(b"0006a\n" * 3, limit=16)


def test_a_pack_behind_the_lines_stays_unread() -> None:
    """Whoever reads lines takes no byte of what follows."""
    file = io.BytesIO(b"0006a\n0000PACK")
    assert list(PktReader(file, 100).lines(Mark.FLUSH)) == [b"a"]
    assert file.read() == b"PACK"


def test_an_error_is_one_line_for_a_terminal() -> None:
    """Control characters and line ends do not reach it, and it fits one pkt-line."""
    assert error_line("no\n such\x1b[31m thing") == b"001aERR no such [31m thing"
    assert len(error_line("\u20ac" * 100_000)) < 1_100


@given(st.lists(st.binary(max_size=200) | st.sampled_from([Mark.FLUSH, Mark.DELIM, Mark.END])))
def test_what_is_written_is_read(parts: list[bytes | Mark]) -> None:
    """Any texts and marks, but for one line end that a reader takes off."""
    marks = {Mark.FLUSH: b"0000", Mark.DELIM: b"0001", Mark.END: b"0002"}
    data = b"".join(marks[part] if isinstance(part, Mark) else line(part) for part in parts)
    assert _read_all(data) == [part if isinstance(part, Mark) else part.removesuffix(b"\n") for part in parts]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Never another error, never more bytes than there are."""
    try:
        found = _read_all(data)
    except InvalidInput:
        return
    assert sum(len(part) for part in found if isinstance(part, bytes)) <= len(data)


def test_the_longest_line() -> None:
    """65,516 bytes of text go into one line."""
    assert _read_all(line(b"x" * LONGEST_TEXT)) == [b"x" * LONGEST_TEXT]


def _said(data: bytes, limit: int, ahead: bool) -> tuple[list[bytes], str]:
    """The lines up to a flush, and how it ended."""
    reader = PktReader(io.BytesIO(data), limit, ahead=ahead)
    found: list[bytes] = []
    try:
        found.extend(reader.lines(Mark.FLUSH))
    except (InvalidInput, TooLarge) as error:
        return found, error.message
    return found, ""


_WANT = line(b"want " + b"0123456789" * 4 + b"\n")
_NEARLY = [_WANT[:-1], _WANT.replace(b"want", b"wish"), _WANT.replace(b"9", b"g"), b"0032want " + b"a" * 41, b"0000"]


@given(
    st.lists(st.sampled_from([_WANT, _WANT.replace(b"want", b"have"), line(b"done\n"), *_NEARLY]), max_size=8),
    st.integers(0, 400),
)
def test_reading_ahead_reads_the_same(parts: list[bytes], limit: int) -> None:
    """Line for line, and with the same end, wherever the limit falls. A limit that is met ends it a line earlier."""
    data = b"".join(parts)
    assert _said(data, 1 << 20, ahead=True) == _said(data, 1 << 20, ahead=False)
    cut, whole = _said(data, limit, ahead=True), _said(data, limit, ahead=False)
    assert cut[1] == whole[1]
    assert cut[0] == whole[0][: len(cut[0])]


def test_a_request_longer_than_a_block_read_ahead() -> None:
    """5,000 wants are 250 KB; each comes out once."""
    wants = [b"want %040x" % number for number in range(5_000)]
    data = b"".join(line(want + b"\n") for want in wants) + b"0000"
    assert _said(data, 1 << 20, ahead=True) == (wants, "")
