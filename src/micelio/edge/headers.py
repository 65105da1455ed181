"""Security headers and a request id on every answer, whoever made it: pages, native routes, and failures of either."""

from __future__ import annotations

import re
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from micelio.config import current
from micelio.edge.csp import csp
from micelio.pages.images import SVG_POLICY

# Everything that a page could ask a visitor's browser for; passkeys are what a forge may want.
_FEATURES = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "clipboard-write",
    "display-capture", "encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection",
    "local-fonts", "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "serial",
    "storage-access", "usb", "xr-spatial-tracking",
)  # fmt: skip
_PERMISSIONS = ", ".join(
    [f"{name}=()" for name in _FEATURES] + [f"publickey-credentials-{act}=(self)" for act in ("create", "get")]
)
# Where those inside find what the request is called; `micelio.api.door` reads it.
REQUEST_ID = "micelio.request_id"
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", _PERMISSIONS.encode()),
)
# Pictures that are made for pages of other sites. A private project has them for nobody but its members, here.
_FOR_OTHERS = re.compile(
    r"/[^/]+/[^/]+/-/(badge/[a-z]+\.(svg|json)|card/[0-9a-f-]+\.png)\Z|/-/people/[^/]+/card/[0-9a-f]+\.png\Z"
)
_SHARED = tuple(
    (name, b"cross-origin" if name == b"cross-origin-resource-policy" else value) for name, value in _ALWAYS
)
_OF_PICTURES = SVG_POLICY.encode()
# A year, as lists of such sites ask for. Without subdomains: what else lives there is not the forge's to say.
_ONLY_HTTPS = (b"strict-transport-security", b"max-age=31536000")


class SecurityHeaders:
    """Wraps the whole application, outside of its own error handling, so that a 500 carries them too.

    A policy that an answer brings itself (raw files are sandboxed) stands beside ours: browsers enforce both. That of
    an SVG stands alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        policy = csp(scope["path"]).encode()
        shared = _FOR_OTHERS.search(scope["path"]) is not None
        # Our own, whatever the visitor calls it: it stands in our log.
        request_id = secrets.token_hex(16)
        scope = {**scope, REQUEST_ID: request_id}
        always = (
            *(_SHARED if shared else _ALWAYS),
            *([_ONLY_HTTPS] if current().secure else []),
            (b"x-request-id", request_id.encode()),
        )

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in always}
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in names]
                if (b"content-security-policy", _OF_PICTURES) not in ((name.lower(), value) for name, value in kept):
                    kept.append((b"content-security-policy", policy))
                message["headers"] = [*kept, *always]
            await send(message)

        await self._app(scope, receive, send_with_headers)
