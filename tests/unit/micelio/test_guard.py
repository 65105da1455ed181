"""What every gRPC call goes through before its method."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from micelio.accounts.actor import ANONYMOUS
from micelio.edge.rpc import guard


class _Context:
    """A call whose caller is there or gone."""

    def __init__(self, active: bool) -> None:
        self._active = active
        self.aborted: list[grpc.StatusCode] = []

    def is_active(self) -> bool:
        return self._active

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()

    def peer(self) -> str:
        return "ipv4:127.0.0.1:5000"

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.aborted.append(code)
        raise RuntimeError(details)


class _Servicer:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    @guard.call
    def Look(self, actor: Any, request: Any) -> str:
        self.asked.append((actor, request))
        return "seen"


@pytest.mark.django_db
def test_what_nobody_waits_for_any_more_is_not_carried_out() -> None:
    """A call may have waited for a thread for longer than its caller did; its answer would reach nobody."""
    servicer, gone, there = _Servicer(), _Context(active=False), _Context(active=True)
    with pytest.raises(RuntimeError):
        servicer.Look("one", gone)
    assert gone.aborted == [grpc.StatusCode.CANCELLED]
    assert servicer.Look("two", there) == "seen"
    assert servicer.asked == [(ANONYMOUS, "two")]
    assert there.aborted == []
