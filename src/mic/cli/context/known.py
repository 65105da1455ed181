"""What the forge said before, for when it is not reached: `log`, `show`, `ls`, `cat` and the like still show it.

Kept in the cache of this user, as contents are. Whoever changes anything asks the forge: this is for looking alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from mic.cli.forge.connection import connect
from mic.cli.terminal.output import Output
from mic.cli.transfer.content_cache import content_cache
from mic.rpc.client import CALL_SECONDS, Client
from mic.rpc.unreached import Unreached
from mic.rpc.v1 import mic_pb2 as pb

T = TypeVar("T")

# Answers above this are asked for again: a cache of listings of 100,000 files is the cache's own.
_LARGEST = 4 << 20
# Where a channel leads that nobody calls.
_NOWHERE = "127.0.0.1:1"


@contextmanager
def looking(instance: str, out: Output) -> Iterator[Client]:
    """A client for a command that only looks: what the forge said before is what it says while it is not reached."""
    away: Unreached | None = None
    try:
        client = connect(instance, only_looks=True)
    except Unreached as error:
        client, away = Client(_NOWHERE, insecure=True), error
    with client:
        _remember(client, instance, out, away)
        yield client


def _remember(client: Client, instance: str, out: Output, away: Unreached | None) -> None:
    """Let this client keep what it is told, and say it again while the forge is not reached."""
    ask, said = client.call, False

    def call(method: Callable[..., T], request: Any, *, seconds: float = CALL_SECONDS) -> T:
        nonlocal away, said
        name = _name(instance, method, request)
        if name is None:
            return ask(method, request, seconds=seconds)
        if away is None:
            try:
                answer = ask(method, request, seconds=seconds)
            except Unreached as error:
                away = error
            else:
                _keep(name, method, answer)
                return answer
        kept = content_cache().answer(name)
        if kept is None:
            raise away
        if not said:
            out.note(f"{away.message} This is what it said before.")
            said = True
        found = method._response_deserializer(kept)  # type: ignore[attr-defined]
        if _ends_early(found, request):
            out.note("What is older was not asked for before.")
        return _shortened(found, request)  # type: ignore[no-any-return]

    client.call = call  # type: ignore[method-assign]


def keep_answers(client: Client, instance: str) -> None:
    """Let this client keep what it is told, for commands that will not reach the forge."""
    ask = client.call

    def call(method: Callable[..., T], request: Any, *, seconds: float = CALL_SECONDS) -> T:
        answer = ask(method, request, seconds=seconds)
        name = _name(instance, method, request)
        if name is not None:
            _keep(name, method, answer)
        return answer

    client.call = call  # type: ignore[method-assign]


def _keep(name: bytes, method: Any, answer: Any) -> None:
    """Keep an answer. Of landings that were asked for in part, what was known behind that part stays known."""
    if isinstance(answer, pb.ListLandingsResponse) and answer.next_page_token:
        kept = content_cache().answer(name)
        if kept is not None:
            answer = _with_older(answer, method._response_deserializer(kept))
    raw = answer.SerializeToString()
    if len(raw) <= _LARGEST:
        content_cache().keep_answer(name, raw)


def _with_older(answer: pb.ListLandingsResponse, kept: pb.ListLandingsResponse) -> pb.ListLandingsResponse:
    positions = [each.landed_position for each in kept.landings]
    last = answer.landings[-1].landed_position if answer.landings else 0
    if last not in positions:
        return answer
    whole = pb.ListLandingsResponse(next_page_token=kept.next_page_token)
    whole.landings.extend(answer.landings)
    whole.landings.extend(kept.landings[positions.index(last) + 1 :])
    return whole


def _ends_early(answer: Any, request: Any) -> bool:
    """Whether a kept list has fewer than are asked for now, and the forge had said that it goes on."""
    if isinstance(answer, pb.ListLandingsResponse):
        count = len(answer.landings)
    elif isinstance(answer, pb.ListSessionsResponse):
        count = len(answer.sessions)
    else:
        return False
    return bool(answer.next_page_token) and count < request.page_size


def _name(instance: str, method: Any, request: Any) -> bytes | None:
    """Under which an answer is kept: the same question has the same name, however much of a list it asks for."""
    if not isinstance(getattr(request, "DESCRIPTOR", None), type(pb.ProjectRef.DESCRIPTOR)):
        return None
    asked = type(request)()
    asked.CopyFrom(request)
    if isinstance(asked, pb.ListLandingsRequest | pb.ListSessionsRequest):
        asked.page_size = 0
    raw: bytes = asked.SerializeToString(deterministic=True)
    return hashlib.sha256(b"%b\0%b\0%b" % (instance.encode(), method._method, raw)).digest()


def _shortened(answer: Any, request: Any) -> Any:
    """A kept list has what was asked for then: no more than now, and nothing is known behind it."""
    if isinstance(request, pb.ListLandingsRequest):
        del answer.landings[request.page_size :]
        answer.next_page_token = ""
    elif isinstance(request, pb.ListSessionsRequest):
        del answer.sessions[request.page_size :]
        answer.next_page_token = ""
    return answer
