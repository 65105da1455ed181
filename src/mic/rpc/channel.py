"""The connection to a forge, with what this client asks of every one."""

from __future__ import annotations

import os
from typing import Any

import grpc

from mic.core.errors import InvalidInput
from mic.rpc.discovery import is_local

MAX_MESSAGE = 64 << 20


def open_channel(address: str, *, insecure: bool) -> grpc.Channel:
    """A channel to `host:port`, which connects with its first call; raises InvalidInput for SSL_CERT_FILE."""
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE),
        ("grpc.max_send_message_length", MAX_MESSAGE),
        # A dead connection is noticed in mid-stream within 30 + 20 s.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]
    if is_local(address):
        options.append(("grpc.enable_http_proxy", 0))
    if insecure:
        return grpc.insecure_channel(address, options)
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(_roots()), options)


def _roots() -> bytes | None:
    """The authorities in SSL_CERT_FILE, which Python's own HTTPS reads too; None for those that gRPC brings along."""
    name = os.environ.get("SSL_CERT_FILE", "")
    if not name:
        return None
    try:
        with open(name, "rb") as file:
            return file.read()
    except OSError as error:
        raise InvalidInput(f"SSL_CERT_FILE names {name}, which cannot be read.", hint="Correct or unset it.") from error
