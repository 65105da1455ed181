from datetime import UTC, datetime, timedelta

import pytest

from micelio.pages import text

NOW = datetime(2026, 11, 20, 21, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain\ttext\nand more", "plain\ttext\nand more"),
        ("access\u202e level", "access[U+202E] level"),
        ("a\u2066b\u2069", "a[U+2066]b[U+2069]"),
        ("\x1b[31mred", "␛[31mred"),
        ("nul\x00", "nul␀"),
        ("\x7f\x9b", "␡[U+009B]"),
        ("emoji 👩‍🚀 and العربية stay", "emoji 👩‍🚀 and العربية stay"),
    ],
)
def test_what_cannot_be_seen_is_shown(given: str, shown: str) -> None:
    """Controls and bidi characters become marks; letters of every script stay."""
    assert text.visible(given) == shown


def test_paths_stay_on_their_line() -> None:
    """A path that is not UTF-8 or holds a line end is readable and one line."""
    assert text.display_path(b"data/caf\xe9\n.txt") == "data/caf\ufffd␊.txt"


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=13), "1 week ago"),
        (timedelta(days=55), "7 weeks ago"),
        (timedelta(days=56), "25 Sep 2026"),
        (timedelta(days=-2), "22 Nov 2026"),
    ],
)
def test_since(ago: timedelta, words: str) -> None:
    """Near times are relative, far ones and those ahead are dates."""
    assert text.since(NOW - ago, NOW) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (10 * 1024, "10 KiB"),
        (1024 * 1024 - 1, "1.0 MiB"),
        (5 * 1024**4, "5.0 TiB"),
        (5000 * 1024**4, "5,000 TiB"),
    ],
)
def test_sizes(size: int, words: str) -> None:
    """Sizes carry one decimal under ten and change unit before they reach 1,024."""
    assert text.size_words(size) == words


def test_headline_is_the_first_line() -> None:
    """A Git message is its first line and the rest; a goal of one line has no rest."""
    assert text.headline("\nSay how\n\nBecause.\nTwice.\n") == ("Say how", "Because.\nTwice.")
    assert text.headline("One line") == ("One line", "")
    assert text.headline("") == ("", "")


def test_messages_are_wrapped_again() -> None:
    """Paragraphs join; lists, indented lines, blank lines and trailers keep their own lines."""
    message = "The keys change\nevery month.\n\n- one\n- two\n  more\nafter\n\nFixes: 12\nSigned-off-by: Ada\n"
    assert text.reflow(message) == (
        "The keys change every month.\n\n- one\n- two\n  more\nafter\n\nFixes: 12\nSigned-off-by: Ada\n"
    )


def test_took() -> None:
    """A session's length in the largest unit that says something."""
    lengths = {"": 30, "38 min": 38 * 60, "2 h": 7200, "2 h 5 min": 7500, "3 days": 3 * 86400}
    assert {text.took(NOW, NOW + timedelta(seconds=seconds)) for seconds in lengths.values()} == set(lengths)


@pytest.mark.parametrize(
    ("name", "letters"), [("Ada Lovelace", "AL"), ("maintainer", "MA"), ("", "?"), ("é", "É"), ("a-b c", "AC")]
)
def test_initials(name: str, letters: str) -> None:
    """At most two letters stand for a person."""
    assert text.initials(name) == letters
