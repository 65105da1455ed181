"""Which token the credentials of a Git request hold."""

from __future__ import annotations

import base64

import pytest

from mic.core.errors import Unauthenticated
from micelio.edge.git_visitor import token_in


def _basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("values", "token"),
    [
        ([], None),
        ([_basic("rita:mic_pat_1")], "mic_pat_1"),
        ([_basic("x-token:mic_pat_1")], "mic_pat_1"),
        ([_basic(":mic_pat_1")], "mic_pat_1"),
        ([_basic("mic_pat_1:")], "mic_pat_1"),
        ([_basic("mic_pat_1")], "mic_pat_1"),
        ([_basic("rita:a:b")], "a:b"),
        (["basic  " + _basic("u:t")[6:] + " "], "t"),
        (["Bearer mic_pat_1"], "mic_pat_1"),
    ],
)
def test_where_a_token_stands(values: list[str], token: str | None) -> None:
    """The password whoever the user is, or the user name without one; or as a bearer token."""
    assert token_in(values) == token


@pytest.mark.parametrize(
    "values",
    [
        ["Basic"],
        ["Basic !!!"],
        ["Basic " + base64.b64encode(b"\xff\xfe:").decode()],
        [_basic(":")],
        [_basic("u:\x00\n")],
        [_basic("u:t\u00f6ken")],
        ["Digest username=x"],
        ["Bearer "],
        [_basic("u:t"), _basic("u:t")],
    ],
)
def test_credentials_without_a_token_are_refused(values: list[str]) -> None:
    """They are not nobody's: whoever sent them meant something."""
    with pytest.raises(Unauthenticated, match="no token"):
        token_in(values)
