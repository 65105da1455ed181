"""What a page cost: its time, its SQL queries, the objects it read. Shown in its footer and in `Server-Timing`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from micelio.spent import REST, Spent, counted, part

Answer = Callable[[HttpRequest], HttpResponse]


class Cost:
    """Counts for one request, from the moment it is made. Seconds are monotonic."""

    __slots__ = ("_counters", "_spent", "_start", "queries")

    def __init__(self, spent: Spent) -> None:
        self._spent = spent
        self._start = time.perf_counter()
        self._counters: list[tuple[Callable[[], int], int]] = []
        self.queries = 0

    def watch(self, reads: Callable[[], int]) -> None:
        """Count objects from now on by `reads`, which says how many a ledger has read so far.

        A ledger is shared by all requests of the process, so under load the number includes the neighbours'.
        """
        self._counters.append((reads, reads()))

    @property
    def objects(self) -> int:
        return sum(reads() - start for reads, start in self._counters)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    def query(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """A wrapper for `connection.execute_wrapper`."""
        self.queries += 1
        with part("db"):
            return execute(sql, params, many, context)

    def server_timing(self) -> str:
        """The header, in milliseconds: the whole, then its parts (what the store took, templates, the database with the
        number of its queries, and what is left)."""
        self._spent.enter(REST)
        told = {name: seconds * 1000 for name, seconds in self._spent.parts.items()}
        parts = ", ".join(f"{name};dur={told.get(name, 0.0):.2f}" for name in (REST, "store", "render"))
        whole = f"total;dur={self._spent.seconds * 1000:.2f}, {parts}"
        return f'{whole}, db;dur={told.get("db", 0.0):.2f};desc="{self.queries}"'


_current: ContextVar[Cost | None] = ContextVar("micelio_page_cost", default=None)


def current_cost() -> Cost | None:
    """The cost of the request that is being answered in this thread, if one is."""
    return _current.get()


class CostMiddleware:
    """Counts what each request costs; the first middleware, so that it sees all the others."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with counted() as spent:
            cost = Cost(spent)
            token = _current.set(cost)
            try:
                with connection.execute_wrapper(cost.query):
                    response = self._get_response(request)
            finally:
                _current.reset(token)
            response.headers["Server-Timing"] = cost.server_timing()
        return response
