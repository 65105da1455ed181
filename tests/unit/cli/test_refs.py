"""Refs as they are read: what is one, what could be a path, and what is neither."""

from __future__ import annotations

import pytest

from mic.cli.context.refs import may_be_range, may_be_ref, parse_ref, read_ref
from mic.cli.terminal.exit_codes import WrongCommandLine

ULID = "01J8ZQ4M0V2QMNKEB0EWFMBR7A"


@pytest.mark.parametrize(
    ("text", "position", "session", "latest", "head", "back"),
    [
        ("@12", 12, "", False, False, 0),
        ("12", 12, "", False, False, 0),
        ("landing:12", 12, "", False, False, 0),
        ("@0", 0, "", False, False, 0),
        ("@latest", None, "", True, False, 0),
        ("HEAD", None, "", False, True, 0),
        ("HEAD^", None, "", False, True, 1),
        ("HEAD^^~3^", None, "", False, True, 6),
        ("12~10", 12, "", False, False, 10),
        (f"ses_{ULID}", None, ULID, False, False, 0),
        ("ses_01j8zq", None, "01J8ZQ", False, False, 0),
        (f"{ULID.lower()}~2", None, ULID, False, False, 2),
        ("9223372036854775807", (1 << 63) - 1, "", False, False, 0),
    ],
)
def test_forms(text: str, position: int | None, session: str, latest: bool, head: bool, back: int) -> None:
    assert parse_ref(text) == (text, position, session, latest, head, back, "")


@pytest.mark.parametrize(
    ("text", "branch", "back"),
    [("branch:main", "main", 0), ("branch:fix/login", "fix/login", 0), ("branch:rel-2.1~3", "rel-2.1", 3)],
)
def test_branches(text: str, branch: str, back: int) -> None:
    assert parse_ref(text) == (text, None, "", False, False, back, branch)
    assert may_be_ref(text) == parse_ref(text)


@pytest.mark.parametrize(
    "text",
    ["", "@", "@x", "@-1", "main", "latest", "head", "12^2", "~1", "^", "landing:", "ses_01j8", "ses_81J8ZQ", "garden",
     f"{ULID}0", "@12 ", "@12\n", "@١٢", "a" * 20_000],
)  # fmt: skip
def test_what_is_no_ref(text: str) -> None:
    assert parse_ref(text) is None
    with pytest.raises(WrongCommandLine) as refused:
        read_ref(text)
    assert refused.value.hint.startswith("Use @12, landing:12, @latest, HEAD, branch:NAME, ")


@pytest.mark.parametrize("text", ["9223372036854775808", "@99999999999999999999", "HEAD~9999999999999999999"])
def test_numbers_beyond_all_landings(text: str) -> None:
    """Refused where a path could stand too: nobody means a file by that."""
    for read in (parse_ref, read_ref):
        with pytest.raises(WrongCommandLine, match="names no landing"):
            read(text)
    with pytest.raises(WrongCommandLine):
        may_be_range(f"@1..{text}")


def test_where_a_path_can_stand() -> None:
    """A bare number and a part of an id are paths there; a whole id, and what has a sign of refs, are not."""
    assert may_be_ref("12") is None
    assert may_be_ref("01J8ZQ4M") is None
    for text in ("@12", "12^", "HEAD", ULID, "ses_01J8ZQ", "landing:3"):
        assert may_be_ref(text) == parse_ref(text) is not None


def test_ranges() -> None:
    assert may_be_range("@2..@5") == (parse_ref("@2"), parse_ref("@5"))
    assert may_be_range("2..HEAD^") == (parse_ref("2"), parse_ref("HEAD^"))
    assert may_be_range("@2..") == (parse_ref("@2"), None)
    assert may_be_range("..@latest") == (None, parse_ref("@latest"))
    for text in ("..", "@2", "../src", "a..b", "@2...@5", "src/..", "@2..x"):
        assert may_be_range(text) is None, text
