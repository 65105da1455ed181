"""Lists of owners out of anything: reading one never fails, and what decides is what asking each rule would tell."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mic.core.patterns import MAX_PATTERN, Patterns, translate
from micelio.owners.rules import MAX_PROBLEMS, parse_owners

_WORDS = st.sampled_from(
    [b"*", b"/a/", b"a", b"**/b", b"a/**", b"[ab]", b"[", b"!a", b"\\ ", b"#", b"@ada", b"@x/y", b"x@y.z",
     b" ", b"\t", b"\n", b"\r\n"]
)  # fmt: skip
_LISTS = st.one_of(st.binary(max_size=300), st.lists(_WORDS, max_size=30).map(b"".join))
_PATHS = st.lists(st.sampled_from([b"a", b"b", b"ab", b"\xff", b"a b"]), min_size=1, max_size=4).map(b"/".join)


@settings(max_examples=300, deadline=None)
@given(data=_LISTS, path=_PATHS)
def test_anything_can_be_read(data: bytes, path: bytes) -> None:
    """Each line is a rule, nothing, or a problem with its number; and the last rule that matches decides."""
    owners = parse_owners(data)
    lines = data.count(b"\n") + 1
    assert all(0 <= problem.line <= lines for problem in owners.problems)
    assert len(owners.problems) <= MAX_PROBLEMS
    assert not (owners.rules and owners.problems)
    alone = [rule for rule in owners.rules if Patterns([rule.pattern.removeprefix(b"!")]).last(path) is not None]
    assert owners.rule_for(path) == (alone[-1] if alone else None)


@settings(max_examples=500, deadline=None)
@given(pattern=st.binary(max_size=MAX_PATTERN + 10), path=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_a_pattern_or_none(pattern: bytes, path: bytes) -> None:
    """What has an expression compiles, and answers about any path."""
    if translate(pattern) is not None:
        assert Patterns([pattern]).last(path) in (0, None)
