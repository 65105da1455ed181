"""Asking a forge for its doors, where it wants one to wait."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import pytest

from mic.core.errors import RateLimited
from mic.rpc import discovery
from mic.rpc.discovery import discover

DOORS = {
    "grpc": "h:1", "grpc_tls": False, "device_authorization_endpoint": "d", "token_endpoint": "t",
    "revocation_endpoint": "r", "client_id": "c", "scope": "s",
}  # fmt: skip


def _answers(monkeypatch: pytest.MonkeyPatch, waits: list[str | None]) -> None:
    """A forge that says each of these in turn, then its doors."""
    left = list(waits)

    def answer(request: urllib.request.Request) -> dict[str, Any]:
        if not left:
            return DOORS
        headers = Message()
        after = left.pop(0)
        if after is not None:
            headers["Retry-After"] = after
        raise urllib.error.HTTPError(request.full_url, 429, "Too Many Requests", headers, io.BytesIO())

    monkeypatch.setattr(discovery, "_answer", answer)


@pytest.mark.parametrize(("waits", "slept"), [([], []), (["1"], [1]), (["2", "5", "0"], [2, 5, 1])])
def test_it_waits_for_a_moment(monkeypatch: pytest.MonkeyPatch, waits: list[str | None], slept: list[float]) -> None:
    waited: list[float] = []
    _answers(monkeypatch, waits)
    assert discover("http://h", waited.append).grpc == "h:1"
    assert waited == slept


@pytest.mark.parametrize(
    ("waits", "slept", "hint"),
    [
        (["6"], [], "Try again in 6 seconds."),
        ([None], [], "Try again in 60 seconds."),
        (["soon"], [], "Try again in 60 seconds."),
        (["-1"], [], "Try again in 60 seconds."),
        (["1"] * 4, [1, 1, 1], "Try again in 1 second."),
    ],
)
def test_it_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, waits: list[str | None], slept: list[float], hint: str
) -> None:
    waited: list[float] = []
    _answers(monkeypatch, waits)
    with pytest.raises(RateLimited) as refused:
        discover("http://h", waited.append)
    assert (waited, refused.value.hint) == (slept, hint)
