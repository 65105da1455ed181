"""Pages that take long wait for each other, others do not wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from micelio.edge import costly_turns
from micelio.edge.costly_turns import takes_long

LONG = [
    "/acme/web/-/blame/head/a",
    "/acme/web/-/history/head/a",
    "/acme/web/-/compare/1..2",
    "/acme/web/-/compare/1..2/changes/3",
    "/acme/web/-/landings/4/changes/1",
    "/acme/web/-/sessions/01abc/changes/1",
    "/-/search",
    "/-/search.atom",
    "/api/v1/search",
    "/api/v1/projects/acme/web/blame/a",
    "/api/v1/projects/acme/web/history/a",
    "/api/v1/projects/acme/web/landings/4/changes",
]
SHORT = [
    "/",
    "/acme",
    "/acme/web",
    "/acme/web/-/file/head/blame/a",
    "/acme/web/-/landings",
    "/acme/web/-/landings/4",
    "/acme/web/-/compare",
    "/acme/web/-/raw/head/a",
    "/api/v1/projects/acme/web/landings",
    "/api/v1/projects/acme/web/files/blame/a",
]


@pytest.mark.parametrize("path", LONG)
def test_these_take_long(path: str) -> None:
    assert takes_long(path)


@pytest.mark.parametrize("path", SHORT)
def test_these_do_not(path: str) -> None:
    assert not takes_long(path)


class _Slow:
    """An application that answers for what takes long when it is let, and at once for all else."""

    def __init__(self) -> None:
        self.inside, self.most, self.made = 0, 0, 0
        self.three, self.go_on = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if takes_long(scope["path"]) or b"lines=all" in scope["query_string"]:
            self.inside, self.made = self.inside + 1, self.made + 1
            self.most = max(self.most, self.inside)
            if self.inside == 3:
                self.three.set()
            await self.go_on.wait()
            self.inside -= 1
        await PlainTextResponse("done")(scope, receive, send)


def _told(story: Callable[[_Slow, httpx.AsyncClient], Awaitable[None]]) -> None:
    async def run() -> None:
        slow = _Slow()
        transport = httpx.ASGITransport(costly_turns.CostlyTurns(slow))
        async with httpx.AsyncClient(transport=transport, base_url="http://forge") as client:
            await story(slow, client)

    asyncio.run(run())


def test_three_at_a_time_and_others_beside() -> None:
    """A crowd is let in by threes, whatever each looks at; files and lists are answered meanwhile."""

    async def story(slow: _Slow, client: httpx.AsyncClient) -> None:
        crowd = [asyncio.create_task(client.get(path)) for path in (*LONG, "/acme/web/-/landings/4?lines=all")]
        await slow.three.wait()
        assert {(await client.get(path)).status_code for path in SHORT} == {200}
        assert slow.made == 3
        slow.go_on.set()
        assert {(await answer).status_code for answer in crowd} == {200}
        assert (slow.made, slow.most) == (13, 3)

    _told(story)


def test_who_waited_too_long_is_told_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a page, as the data of a page, and as a problem of the API; a turn that was not taken is not lost."""
    monkeypatch.setattr(costly_turns, "WAIT_SECONDS", 0.01)

    async def story(slow: _Slow, client: httpx.AsyncClient) -> None:
        crowd = [asyncio.create_task(client.get("/acme/web/-/blame/head/a")) for _ in range(3)]
        await slow.three.wait()
        page = await client.get("/-/search?q=a", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["retry-after"]) == (503, "5")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "busy with others" in page.text
        assert "Try again in some seconds" in page.text
        for data in (
            await client.get("/-/search?q=a&format=json"),
            await client.get("/-/search?q=a", headers={"Accept": "application/json"}),
        ):
            assert (data.status_code, data.headers["retry-after"]) == (503, "5")
            assert data.json()["error"]["code"] == "unavailable"
        problem = await client.get("/api/v1/search?q=a")
        assert (problem.status_code, problem.headers["retry-after"]) == (503, "5")
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.json()["code"] == "unavailable"
        slow.go_on.set()
        assert {(await answer).status_code for answer in crowd} == {200}
        again = await asyncio.gather(*(client.get("/-/search?q=a") for _ in range(3)))
        assert {answer.status_code for answer in again} == {200}

    _told(story)
