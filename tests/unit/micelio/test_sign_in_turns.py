"""Sign-ins wait for each other, pages do not wait for them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from micelio.edge import sign_in_turns


class _Slow:
    """An application that answers when it is let."""

    def __init__(self) -> None:
        self.inside, self.most = 0, 0
        self.three, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside == 3:
                self.three.set()
            await self.go_on.wait()
            self.inside -= 1
        await PlainTextResponse("done")(scope, receive, send)


def test_three_at_a_time_and_pages_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crowd at the sign-in is let in by threes; who is one too many is told when to come back."""
    monkeypatch.setattr(sign_in_turns, "MOST_WAITING", 20)

    async def story() -> None:
        slow = _Slow()
        transport = httpx.ASGITransport(sign_in_turns.SignInTurns(slow))
        async with httpx.AsyncClient(transport=transport, base_url="http://forge") as client:
            crowd = [asyncio.create_task(client.post("/-/sign-in")) for _ in range(20)]
            await slow.three.wait()
            assert (await client.get("/-/sign-in")).status_code == 200
            refused = await client.post("/-/sign-up")
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")
            slow.go_on.set()
            assert (await client.post("/other")).status_code == 200
            assert {(await answer).status_code for answer in crowd} == {200}
            assert slow.most <= 4  # three that sign in, and the other one
            assert (await client.post("/-/sign-up")).status_code == 200

    asyncio.run(story())


def test_a_crowd_that_opens_the_form_leaves_threads_for_pages() -> None:
    """Forms are made one at a time; whoever asks for another page is not behind them."""
    inside: list[str] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        inside.append(scope["path"])
        if scope["path"] == "/-/sign-in":
            begun.set()
            await go_on.wait()
        await PlainTextResponse("done")(scope, receive, send)

    async def story() -> None:
        transport = httpx.ASGITransport(sign_in_turns.SignInTurns(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://forge") as client:
            crowd = [asyncio.create_task(client.get("/-/sign-in")) for _ in range(9)]
            await begun.wait()
            assert (await client.get("/")).status_code == 200
            assert (await client.post("/-/sign-up")).status_code == 200
            assert inside.count("/-/sign-in") == 1
            go_on.set()
            assert {(await answer).status_code for answer in crowd} == {200}

    asyncio.run(story())
