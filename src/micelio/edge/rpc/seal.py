"""Signed messages between front ends: HMAC-SHA-256 with the secret that all share.

    request   key, "land" | u64 time (Unix ms) | 16B nonce | SHA-256 of the body
    answer    key, "said" | u64 time | 16B nonce of the request | SHA-256 of the body

Whoever listens on the network learns no secret, cannot change a message, and cannot send one again: a request
counts once, within a minute. The body names its receiver, so it counts nowhere else either.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from mic.core.errors import Unauthenticated
from mic.rpc.v1 import front_end_pb2 as pb

WINDOW_MS = 60_000
# Nonces that are remembered; more requests than these in a window are refused.
MOST = 1 << 20


class Seal:
    """Signs and checks. Thread-safe."""

    def __init__(self, secret: str, clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._key = secret.encode()
        self._clock = clock
        self._lock = threading.Lock()
        self._used: OrderedDict[bytes, int] = OrderedDict()

    def _mac(self, kind: bytes, message: pb.Sealed) -> bytes:
        signed = kind + message.at_ms.to_bytes(8, "big") + message.nonce + hashlib.sha256(message.body).digest()
        return hmac.digest(self._key, signed, "sha256")

    def ask(self, body: bytes) -> pb.Sealed:
        """A request."""
        message = pb.Sealed(body=body, at_ms=self._clock(), nonce=secrets.token_bytes(16))
        message.mac = self._mac(b"land", message)
        return message

    def answer(self, asked: pb.Sealed, body: bytes) -> pb.Sealed:
        """The answer to a request."""
        message = pb.Sealed(body=body, at_ms=self._clock(), nonce=asked.nonce)
        message.mac = self._mac(b"said", message)
        return message

    def open_request(self, message: pb.Sealed) -> bytes:
        """The body of a request; Unauthenticated when it is not signed with the secret, too old, or was here before."""
        now = self._clock()
        if len(message.nonce) != 16 or not hmac.compare_digest(message.mac, self._mac(b"land", message)):
            raise Unauthenticated("the request is not signed with the secret of these front ends")
        if abs(now - message.at_ms) > WINDOW_MS:
            raise Unauthenticated("the request was signed too long ago, or the clocks of the front ends differ")
        with self._lock:
            while self._used and next(iter(self._used.values())) < now - 2 * WINDOW_MS:
                self._used.popitem(last=False)
            if message.nonce in self._used or len(self._used) >= MOST:
                raise Unauthenticated("the request was sent before")
            self._used[message.nonce] = now
        return message.body

    def open_answer(self, asked: pb.Sealed, message: pb.Sealed) -> bytes:
        """The body of the answer to a request; Unauthenticated when it is not that."""
        if message.nonce != asked.nonce or not hmac.compare_digest(message.mac, self._mac(b"said", message)):
            raise Unauthenticated("the answer is not signed with the secret of these front ends")
        return message.body
