"""What the daemon knows of a forge, and asks it: for each command no question for its doors, and no connection."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from mic.daemon import door
from mic.daemon.door import LIKE_MINE
from mic.rpc.discovery import Forge
from mic.rpc.passed_on import PassOn

# What decides whom an address leads to, by which way, and who is believed; gRPC and Python have names of their own.
_WAYS = (
    *LIKE_MINE, b"http_proxy", b"HTTP_PROXY", b"HTTPS_PROXY", b"all_proxy", b"ALL_PROXY", b"NO_PROXY",
    b"grpc_proxy", b"no_grpc_proxy", b"SSL_CERT_DIR",
)  # fmt: skip

# Bytes of a request that is worth a way through another process, and seconds for that way.
_LONGEST_PASSED = 1 << 19
_ON_TOP = 2.0


def surroundings(environment: Mapping[bytes, bytes]) -> list[bytes]:
    """What has to be the same for whoever asks and whoever answers."""
    of_grpc = sorted(b"%b=%b" % item for item in environment.items() if item[0].startswith(b"GRPC_"))
    return [*(environment.get(name, b"") for name in _WAYS), b"\n".join(of_grpc)]


def told_by_daemon(instance: str) -> Forge | None:
    """A forge as it described itself to the daemon some seconds ago; None: ask it."""
    answer = door.ask(b"forge", instance.encode(), *surroundings(os.environb))
    return Forge(*json.loads(answer[1])) if answer is not None and answer[0] == door.FINISHED else None


def passed_on_by_daemon(forge: Forge) -> PassOn:
    """Lets the daemon ask a forge that it has just described: it holds a connection. Any error is nobody's answer."""

    def pass_on(method: str, request: bytes, seconds: float, metadata: tuple[tuple[str, str], ...]) -> bytes | None:
        if len(request) > _LONGEST_PASSED:
            return None
        token = dict(metadata).get("authorization", "")
        head = (forge.grpc.encode(), b"tls" if forge.tls else b"", method.encode(), b"%.3f" % seconds, token.encode())
        # It has answered before, so it lives, and this answer takes what the forge takes.
        answer = door.ask(b"call", *head, *surroundings(os.environb), request, patience=seconds + _ON_TOP)
        return answer[1] if answer is not None and answer[0] == door.FINISHED else None

    return pass_on
