"""Authorship logs and Agent Trace records, whatever is in them: what is written is read again."""

from __future__ import annotations

import contextlib
import itertools
import json

from hypothesis import given
from hypothesis import strategies as st

from mic.core.errors import InvalidInput, TooLarge
from mic.git.added import added_lines
from mic.git.agent_trace import encode_trace, read_traces
from mic.git.authorship import Agent, Attested, Authorship, decode_authorship, encode_authorship, sayable

_words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_paths = st.binary(min_size=1, max_size=12).map(sayable).filter(bool) | st.text("ab /\t\u00a0-", min_size=1).filter(
    lambda text: sayable(text.encode()) is not None
)
_keys = st.sampled_from(["s_00000000000001::t_00000000000001", "h_00000000000001", "c9883b05a2487d6d"])


@st.composite
def _ranges(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    at, found = 0, []
    for gap, length in draw(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=5)):
        found.append((at + gap, at + gap + length))
        at += gap + length + 1
    return tuple(found)


_logs = st.builds(
    Authorship,
    _words,
    st.dictionaries(_paths, st.lists(st.builds(Attested, _keys, _ranges()), min_size=1, max_size=3), max_size=4),
    st.dictionaries(st.just("s_00000000000001"), st.builds(Agent, _words, _words, _words, _words)),
    st.dictionaries(st.just("h_00000000000001"), _words),
    st.just({}),
)


@given(_logs)
def test_a_log_is_read_as_it_was_written(log: Authorship) -> None:
    """Byte for byte the same again, too."""
    raw = encode_authorship(log)
    again = decode_authorship(raw)
    assert again == log
    assert encode_authorship(again) == raw


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode(errors="replace") + b"\n---\n{}"))
def test_any_bytes(raw: bytes) -> None:
    """They are a log, or refused."""
    with contextlib.suppress(InvalidInput, TooLarge):
        decode_authorship(raw)
    list(read_traces(raw))


@given(_logs, st.integers(-(1 << 63), 1 << 63))
def test_a_trace_of_any_log(log: Authorship, seconds: int) -> None:
    """One line of JSON that is read again, with the same lines of the same files."""
    text = encode_trace(log, "ab" * 20, seconds, "https://forge.example/o/p")
    (trace,) = read_traces(text.encode() + b"\n")
    assert trace.commit == json.loads(text)["vcs"]["revision"] == "ab" * 20
    for file in trace.files:
        lines = sorted((item.first, item.last) for item in file.ranges)
        assert lines == sorted(pair for item in log.files[file.path] for pair in item.ranges)
    assert len(trace.files) == len(log.files)


def _lines(*lines: bytes) -> st.SearchStrategy[list[bytes]]:
    return st.lists(st.sampled_from(lines), max_size=12)


@given(_lines(b"a\n", b"b\n", b"c\n"), _lines(b"a\n", b"b\n", b"d\n"))
def test_added_lines(old: list[bytes], new: list[bytes]) -> None:
    """What is left without the added lines stands in the old text, in this order; runs are apart and sorted."""
    runs = added_lines(b"".join(old), b"".join(new))
    assert all(first <= last for first, last in runs)
    assert all(last + 1 < first for (_, last), (first, _) in itertools.pairwise(runs))
    kept = [line for number, line in enumerate(new, 1) if not any(first <= number <= last for first, last in runs)]
    rest = iter(old)
    assert all(line in rest for line in kept)
