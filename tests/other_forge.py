"""Small servers that speak the documented shapes of three other forges' APIs, for tests of what reads them.

They answer from lists of JSON objects, page by page as each of them does: GitHub by the Link header, GitLab by
X-Next-Page and Link, Gitea by X-Total-Count and Link. What a server was asked is kept in `asked`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from web_server import WebServer


class Asked(NamedTuple):
    """One request: the path below the API's address of the repository, its query, its headers in lower case."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


class OtherForge(WebServer):
    """`lists` maps a path below `root` to the objects of a list, or to one object. `root` is where the API has it."""

    size_name = "per_page"
    most = 100

    def __init__(self, root: str) -> None:
        self.lists: dict[str, Any] = {}
        self.asked: list[Asked] = []
        self.root = root
        # For the next requests, in this order: a status and headers instead of the answer; None: answer it.
        self.script: list[tuple[int, dict[str, str]] | None] = []
        self.largest_page = self.most
        self.date = "Sun, 01 Nov 2026 12:00:00 GMT"
        # Called before each answer, with the path: for what happens meanwhile.
        self.before: Callable[[str], None] = lambda path: None
        self.token = ""
        super().__init__(self._answer)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(self.root)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(path, query, headers))
        self.before(path)
        scripted = self.script.pop(0) if self.script else None
        if scripted is not None:
            self._send(request, scripted[0], scripted[1], {"message": "scripted"})
        elif self.token and not self.knows(headers):
            self._send(request, 401, {}, {"message": "Bad credentials"})
        elif not parts.path.startswith(self.root) or path not in self.lists:
            self._send(request, 404, {}, {"message": "Not Found"})
        else:
            self._found(request, self.lists[path], query, headers)

    def _found(self, request: BaseHTTPRequestHandler, value: Any, query: dict[str, str], asked: dict[str, str]) -> None:
        if isinstance(value, bytes | dict):
            self._send(request, 200, {}, value)
            return
        chosen = self.choose(value, query)
        page = int(query.get("page", "1"))
        size = min(int(query.get(self.size_name, "30")), self.largest_page)
        shown = chosen[(page - 1) * size : page * size]
        headers = self.page_headers(request, query, page, size, len(chosen))
        tag = f'W/"{hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]}"'
        if asked.get("if-none-match") == tag:
            self._send(request, 304, {"ETag": tag, **headers}, b"")
        else:
            self._send(request, 200, {"ETag": tag, **headers}, shown)

    def choose(self, items: list[Any], query: dict[str, str]) -> list[Any]:
        """Those that the query asks for, in its order."""
        since = query.get("since") or query.get("updated_after")
        return [item for item in items if item.get("updated_at", "9") >= since] if since else items

    def page_headers(
        self, request: BaseHTTPRequestHandler, query: dict[str, str], page: int, size: int, total: int
    ) -> dict[str, str]:
        """As this forge says where the next page is."""
        if page * size >= total:
            return {}
        path = urlsplit(request.path).path
        return {"Link": f'<{self.url}{path}?{urlencode({**query, "page": str(page + 1)})}>; rel="next", '
                        f'<{self.url}{path}?page={-(-total // size)}>; rel="last"'}  # fmt: skip

    def knows(self, headers: dict[str, str]) -> bool:
        """Whether the token of a request is the right one."""
        return headers.get("authorization") == f"Bearer {self.token}"

    def _send(self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request.send_response_only(status)
        sent = {"Content-Type": "application/json; charset=utf-8", "Date": self.date, **headers}
        for name, value in {**sent, "Content-Length": str(len(data))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(data)


class GitHubServer(OtherForge):
    """https://docs.github.com/rest as an Enterprise Server has it, below /api/v3."""

    def __init__(self, path: str) -> None:
        super().__init__(f"/api/v3/repos/{path}")
        self.page = f"{self.url}/{path}"

    def choose(self, items: list[Any], query: dict[str, str]) -> list[Any]:
        if query.get("sort") == "updated":
            items = sorted(items, key=lambda item: item["updated_at"], reverse=query.get("direction") == "desc")
        return super().choose(items, query)


class GitLabServer(OtherForge):
    """https://docs.gitlab.com/api/rest, below /api/v4."""

    def __init__(self, path: str) -> None:
        super().__init__(f"/api/v4/projects/{path.replace('/', '%2F')}")
        self.page = f"{self.url}/{path}"

    def page_headers(
        self, request: BaseHTTPRequestHandler, query: dict[str, str], page: int, size: int, total: int
    ) -> dict[str, str]:
        more = page * size < total
        return {"X-Page": str(page), "X-Per-Page": str(size), "X-Next-Page": str(page + 1) if more else "",
                "X-Total": str(total)}  # fmt: skip

    def knows(self, headers: dict[str, str]) -> bool:
        return headers.get("private-token") == self.token


class GiteaServer(OtherForge):
    """https://docs.gitea.com/api and https://forgejo.org/docs/latest/user/api-usage, below /api/v1."""

    size_name = "limit"
    most = 50

    def __init__(self, path: str, *, links: bool = True) -> None:
        super().__init__(f"/api/v1/repos/{path}")
        self.page = f"{self.url}/{path}"
        self._links = links

    def choose(self, items: list[Any], query: dict[str, str]) -> list[Any]:
        if query.get("sort") == "recentupdate":
            items = sorted(items, key=lambda item: item["updated_at"], reverse=True)
        return super().choose(items, query)

    def page_headers(
        self, request: BaseHTTPRequestHandler, query: dict[str, str], page: int, size: int, total: int
    ) -> dict[str, str]:
        linked = super().page_headers(request, query, page, size, total) if self._links else {}
        return {"X-Total-Count": str(total), **linked}

    def knows(self, headers: dict[str, str]) -> bool:
        return headers.get("authorization") == f"token {self.token}"
