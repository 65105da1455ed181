"""What a page cost: its time, its SQL queries, the objects it read. Shown in its footer and in `Server-Timing`."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

Answer = Callable[[HttpRequest], HttpResponse]


class Cost:
    """Counts for one request, from the moment it is made. Seconds are monotonic."""

    __slots__ = ("_start", "objects", "objects_seconds", "queries", "queries_seconds")

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self.queries = 0
        self.queries_seconds = 0.0
        self.objects = 0
        self.objects_seconds = 0.0

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._start

    def query(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """A wrapper for `connection.execute_wrapper`."""
        self.queries += 1
        start = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.queries_seconds += time.perf_counter() - start

    def server_timing(self) -> str:
        """The header: whole, database, object store; milliseconds."""
        parts = [f"total;dur={self.seconds * 1000:.1f}", f'db;dur={self.queries_seconds * 1000:.1f};desc="{self.queries}"']
        if self.objects:
            parts.append(f'store;dur={self.objects_seconds * 1000:.1f};desc="{self.objects}"')
        return ", ".join(parts)


_current: ContextVar[Cost | None] = ContextVar("micelio_page_cost", default=None)


def current_cost() -> Cost | None:
    """The cost of the request that is being answered in this thread, if one is."""
    return _current.get()


class CostMiddleware:
    """Counts what each request costs; the first middleware, so that it sees all the others."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        cost = Cost()
        token = _current.set(cost)
        try:
            with connection.execute_wrapper(cost.query):
                response = self._get_response(request)
        finally:
            _current.reset(token)
        response.headers["Server-Timing"] = cost.server_timing()
        return response
