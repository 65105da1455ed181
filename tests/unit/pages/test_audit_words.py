"""Details of events in words for people."""

from __future__ import annotations

import pytest

from micelio.pages.audit_words import detail


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("public", "public"),
        (7, "7"),
        (True, "yes"),
        (False, "no"),
        (None, "none"),
        ([], "none"),
        ({}, "none"),
        (["10.0.0.0/8", "::1/128"], "10.0.0.0/8, ::1/128"),
        ({"handle": "old", "archived": True, "networks": []}, "handle old, archived yes, networks none"),
        ({"refs/heads/a": ["", "a1" * 20]}, "refs/heads/a nothing \u2192 a1a1a1a"),
        ({"refs/tags/b": ["b2" * 20, ""]}, "refs/tags/b b2b2b2b \u2192 nothing"),
        ("two\nlines", "two\u240alines"),
    ],
)
def test_detail(value: object, words: str) -> None:
    assert detail(value) == words
