"""A script of ours as browsers get it: under an address with its hash, to be kept for ever."""

from __future__ import annotations

import hashlib
from functools import cached_property
from importlib.resources import files

from django.http import Http404, HttpRequest, HttpResponse


class ServedScript:
    """`file` of a package, served at `/-/{name}-{first 12 hex digits of its SHA-256}.js`."""

    def __init__(self, package: str, file: str, name: str) -> None:
        self._package, self._file, self._name = package, file, name

    @cached_property
    def _content(self) -> tuple[str, bytes]:
        data = (files(self._package) / self._file).read_bytes()
        return hashlib.sha256(data).hexdigest()[:12], data

    def address(self) -> str:
        """Where the current script lives."""
        return f"/-/{self._name}-{self._content[0]}.js"

    def serve(self, request: HttpRequest, digest: str) -> HttpResponse:
        """The script; 404 under an address of another version."""
        current, data = self._content
        if digest != current:
            raise Http404("another version of the script")
        return HttpResponse(
            data,
            content_type="text/javascript; charset=utf-8",
            headers={"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"},
        )
