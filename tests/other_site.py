"""A site that people sign in with: OAuth 2.0 with PKCE (RFC 6749, 7636), at the addresses of GitHub or of GitLab."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from web_server import WebServer

CLIENT, SECRET = "forge-client", "forge-secret"


class OtherSite:
    """`who` is signed in there: the profile that it answers with. `broken` makes its answers strange: see `_answer`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.who: Any = {"id": 7, "login": "octo", "username": "octo", "name": "Octo Cat", "email": None}
        self.broken = ""
        self.tokens: set[str] = set()
        self.asked: list[str] = []
        self._codes: dict[str, tuple[str, str, Any]] = {}
        self._server = WebServer(self._answer)
        self.url = self._server.url

    @property
    def settings(self) -> dict[str, str]:
        """Those of a forge that signs people in with it."""
        name = self.kind.upper()
        return {f"{name}_CLIENT_ID": CLIENT, f"{name}_CLIENT_SECRET": SECRET, f"{name}_BASE_URL": self.url}

    def close(self) -> None:
        self._server.close()

    def approve(self, address: str) -> str:
        """What the person's browser does there: look at `address`, say yes, and be sent back to the answer."""
        parts = urlsplit(address)
        assert parts.path == ("/login/oauth/authorize" if self.kind == "github" else "/oauth/authorize"), address
        asked = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert asked["code_challenge_method"] == "S256"
        assert asked.get("scope", "") == ("" if self.kind == "github" else "read_user")
        code = secrets.token_urlsafe(16)
        self._codes[code] = (asked["redirect_uri"], asked["code_challenge"], self.who)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        path = urlsplit(request.path).path
        self.asked.append(request.path)
        if path in ("/login/oauth/authorize", "/oauth/authorize"):
            request.send_response(302)
            request.send_header("Location", self.approve(self.url + request.path))
            request.send_header("Content-Length", "0")
            request.end_headers()
        elif path in ("/login/oauth/access_token", "/oauth/token") and request.command == "POST":
            body = request.rfile.read(int(request.headers["Content-Length"])).decode()
            self._send(request, *self._exchange({name: values[0] for name, values in parse_qs(body).items()}))
        elif path in ("/api/v3/user", "/api/v4/user"):
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            good = scheme == "Bearer" and token in self.tokens
            self._send(request, 200 if good else 401, self._who if good else {"message": "Bad credentials"})
        else:
            self._send(request, 404, {"message": "Not Found"})

    def _exchange(self, sent: dict[str, str]) -> tuple[int, Any]:
        redirect_uri, challenge, self._who = self._codes.pop(sent["code"], ("", "", None))
        verifier = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest()).rstrip(b"=")
        known = (sent["client_id"], sent["client_secret"], sent["grant_type"]) == (CLIENT, SECRET, "authorization_code")
        if not known or sent["redirect_uri"] != redirect_uri or verifier.decode() != challenge:
            return 400, {"error": "invalid_grant"}
        token = secrets.token_urlsafe(20)
        self.tokens.add(token)
        return 200, {"access_token": token, "token_type": "bearer", "scope": "", "refresh_token": "r-" + token}

    def _send(self, request: BaseHTTPRequestHandler, status: int, told: Any) -> None:
        body = json.dumps(told).encode()
        if self.broken == "text":
            body = b"<html>\x00not json"
        elif self.broken == "list":
            body = b"[1, 2]"
        elif self.broken == "long":
            body = b'{"id": 7, "x": "' + b"x" * (1 << 20) + b'"}'
        elif self.broken == "error":
            status = 500
        request.send_response(302 if self.broken == "redirect" else status)
        if self.broken == "redirect":
            request.send_header("Location", f"{self.url}/elsewhere")
        if self.broken != "text":
            request.send_header("Content-Type", "application/json; charset=utf-8")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
