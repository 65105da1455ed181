"""Which language a visitor is answered in."""

from __future__ import annotations

import pytest

from micelio.languages.choice import language_for


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT", "de"),
        ("DE-at", "de"),
        ("fr, es;q=0.5", "es"),
        ("fr", "en"),
        ("en-GB,de;q=0.9", "en"),
        ("de;q=0.3, ja;q=0.8", "ja"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("de;q=0, es;q=0.1", "es"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG,zh;q=0.9", "zh-Hans"),
        ("zh-TW,zh;q=0.9", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hant-CN", "zh-Hant"),
        ("zh-Hans-HK", "zh-Hans"),
        ("*", "en"),
        ("de;q=2", "en"),
        ("de;q=0.12345", "en"),
        (";;;=,,,", "en"),
        ("\x00, de;q=0.5", "de"),
        ("x" * 5000 + ",de", "en"),
        ("fr," * 200 + "de", "en"),
    ],
)
def test_what_a_browser_asks_for(header: str, tag: str) -> None:
    """The first that we have by weight, by its script before its region; what cannot be read is passed over."""
    assert language_for("", header).tag == tag


@pytest.mark.parametrize(
    ("chosen", "tag"), [("de", "de"), ("zh-hant", "zh-Hant"), ("zh-Hant", "zh-Hant"), ("tlh", "es"), ("\x00", "es")]
)
def test_what_was_chosen_wins(chosen: str, tag: str) -> None:
    """A language that we do not have was never chosen."""
    assert language_for(chosen, "es").tag == tag
