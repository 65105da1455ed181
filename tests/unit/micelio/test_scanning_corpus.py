"""Each kind of secret is found by its rule, and nothing that only looks like one."""

from __future__ import annotations

import random
import re

import pytest

from mic.core.errors import InvalidInput
from mic.core.scanning import redact, scan
from mic.core.scanning.borrowed import _NAMES
from mic.core.scanning.context import CONTEXTS
from mic.core.scanning.plausible import base62_crc32
from mic.core.scanning.rules import RULES
from secret_corpus import ALNUM, HARMLESS, TRUE, draw

EACH = [(rule, at) for rule, makers in TRUE.items() for at in range(len(makers))]


@pytest.mark.parametrize(("rule", "at"), EACH)
def test_a_true_token_is_found(rule: str, at: int) -> None:
    """Ten of each kind, in a file with lines before it: one finding each, by its rule, that shows none of it."""
    for seed in range(10):
        token = TRUE[rule][at](random.Random(f"{rule} {at} {seed}"))
        data = f"first\nsecond {token}\nthird\n".encode()
        found = scan(data)
        assert [item.rule for item in found] == [rule], token
        secret = data[found[0].start : found[0].stop].decode()
        assert secret in token
        assert found[0].line in (2, 3)
        shown = found[0].excerpt.split("…")[0]
        assert len(shown) <= 15
        assert not re.search(r"[A-Za-z0-9]{16}", found[0].excerpt)


@pytest.mark.parametrize("name", list(HARMLESS))
def test_a_look_alike_is_not_found(name: str) -> None:
    """What every repository has trips nothing."""
    assert scan(HARMLESS[name].encode()) == []


def test_an_example_hides_nothing() -> None:
    """A documented key in the same file, on the same line even, leaves a true one found."""
    token = TRUE["aws-access-key"][0](random.Random(3))
    data = f"AKIAIOSFODNN7EXAMPLE {token} test/ example AKIAIOSFODNN7EXAMPLE".encode()
    assert [data[item.start : item.stop].decode() for item in scan(data)] == [token]


def test_a_token_that_was_published_has_the_checksum() -> None:
    """The example of GitHub's announcement: its last six characters are the checksum of the 30 before."""
    assert base62_crc32(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ") == b"0mLq17"


def test_a_quoted_token_has_its_own_rule() -> None:
    """A value that has a form of its own is named by it, though a name such as `token` stands before."""
    token = TRUE["github-token"][0](random.Random(5))
    assert [item.rule for item in scan(f'github_token = "{token}"'.encode())] == ["github-token"]


def test_binary_contents_are_searched() -> None:
    """In a compiled file a key stands between bytes of any kind."""
    token = TRUE["aws-access-key"][0](random.Random(9)).encode()
    assert [item.rule for item in scan(b"\x00\xffcafe\x00" + token + b"\x00\x01" + bytes(range(256)))] == [
        "aws-access-key"
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_texts_are_searched(encoding: str) -> None:
    """Windows writes settings in UTF-16."""
    token = TRUE["github-token"][0](random.Random(11))
    found = scan(f"one\ntwo {token}\n".encode(encoding))
    assert [(item.rule, item.line) for item in found] == [("github-token", 2)]


def test_words_are_redacted_by_name() -> None:
    """The mark says what stood there; a whole PEM goes; other texts are not touched."""
    rng = random.Random(13)
    token, key = TRUE["npm-token"][0](rng), TRUE["private-key"][0](rng)
    texts = ["nothing here", f"use {token} and {token}!", f"the key:\n{key}\nand more", ""]
    assert redact(texts) == {
        1: ("use [redacted: npm-token] and [redacted: npm-token]!", 2),
        2: ("the key:\n[redacted: private-key]\nand more", 1),
    }


def test_a_thousand_secrets_are_all_redacted() -> None:
    """A text is not left with what a list of findings has no room for."""
    rng = random.Random(17)
    tokens = [TRUE["github-token"][0](rng) for _ in range(1000)]
    text, count = redact([" ".join(tokens)])[0]
    assert count == 1000
    assert text == " ".join(["[redacted: github-token]"] * 1000)


def test_surrogates_pass_through() -> None:
    """A lone surrogate, which UTF-8 cannot say, is no reason to fail."""
    token = TRUE["npm-token"][0](random.Random(19))
    assert redact([f"\ud800 {token}"]) == {0: ("\ud800 [redacted: npm-token]", 1)}


def test_every_rule_has_a_true_token() -> None:
    """A rule without an example would be a guess."""
    names = {rule.name for rule in RULES} | {item.name for item in CONTEXTS} | set(_NAMES.values())
    assert names - set(TRUE) == set()


def test_a_finding_is_known_again_and_tells_nothing() -> None:
    """The fingerprint hangs on rule and secret only: not on the place."""
    token = "ghp_" + draw(random.Random(23), ALNUM, 30)
    token += base62_crc32(token[4:].encode()).decode()
    first, second = scan(token.encode())[0], scan(f"\n\n  x {token} y".encode())[0]
    assert first.fingerprint == second.fingerprint
    assert re.fullmatch(r"[0-9a-f]{32}", first.fingerprint)


def test_a_content_made_to_be_slow_is_a_finding() -> None:
    """More look-alikes than any file has: the search stops there and says so, instead of taking minutes."""
    found = scan(b"xoxb-" * 500_000)
    assert [item.rule for item in found] == ["too-many-look-alikes"]
    assert found[0].start < 100_000


def test_words_made_to_be_slow_are_refused() -> None:
    """What was not searched to its end is not passed on."""
    with pytest.raises(InvalidInput, match="look-alikes"):
        redact(["xoxb-" * 500_000])
