"""Landings and their outcomes as they travel between front ends: MessagePack, checked whole when it arrives.

    landings   [version, project, receiver, [[session, [[hash, stored bytes], ...], [[pack, bytes], ...]], ...]]
    outcomes   [version, [[position, tree, session, merged, already, code, message, hint, clashes, winner], ...]]

`winner` and `position` of an outcome with the code "overtaken" say which front end was faster.

Nothing of it is kept anywhere. Both sides are of one forge; another version is an error, and the sender lands by
itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from mic.core import errors
from mic.core.blob import decode_blob
from mic.core.epoch import LANDER_BYTES, PackRef
from mic.core.errors import Corrupt, InvalidInput, MicError
from mic.core.pack import FOOTER_BYTES, MAX_PACK
from mic.core.session import Change, decode_session, encode_session
from mic.ledger.batch import MAX_LANDINGS
from mic.ledger.conflict import Clash
from mic.ledger.land import Landed, Outcome, Overtaken
from mic.ledger.request import LandRequest

VERSION = 2
_PROJECT = re.compile(r"[A-Za-z0-9_@=+-][A-Za-z0-9._@=+-]{0,254}")


class _Landing(msgspec.Struct, array_like=True):
    session: bytes
    contents: list[tuple[bytes, bytes]]
    packs: list[tuple[bytes, int]]


class _Landings(msgspec.Struct, array_like=True):
    version: int
    project: str
    receiver: str
    landings: list[_Landing]


class _Outcome(msgspec.Struct, array_like=True):
    position: int = 0
    tree: bytes = b""
    session: bytes = b""
    merged: list[Change] = []
    already: bool = False
    code: str = ""
    message: str = ""
    hint: str = ""
    clashes: list[Clash] = []
    winner: bytes = b""


class _Outcomes(msgspec.Struct, array_like=True):
    version: int
    outcomes: list[_Outcome]


_landings = msgspec.msgpack.Decoder(_Landings)
_outcomes = msgspec.msgpack.Decoder(_Outcomes)


class Forwarded(NamedTuple):
    """Requests of one project, for the front end at `receiver`."""

    project: str
    receiver: str
    requests: list[LandRequest]


def encode_landings(project: str, receiver: str, requests: Sequence[LandRequest]) -> bytes:
    """What is sent."""
    landings = [
        _Landing(
            encode_session(request.session),
            list(request.contents.items()),
            [(pack.hash, pack.size) for pack in request.packs],
        )
        for request in requests
    ]
    return msgspec.msgpack.encode(_Landings(VERSION, project, receiver, landings))


def decode_landings(raw: bytes) -> Forwarded:
    """What came; raises InvalidInput for what is not landings, or contents that are not what they are called."""
    try:
        found = _landings.decode(raw)
        if found.version != VERSION or not _PROJECT.fullmatch(found.project):
            raise InvalidInput("these are no landings of a project that this front end can read")
        if not 0 < len(found.landings) <= MAX_LANDINGS:
            raise InvalidInput(f"{len(found.landings)} landings at once; the most are {MAX_LANDINGS}")
        return Forwarded(found.project, found.receiver, [_request(landing) for landing in found.landings])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Corrupt) as error:
        raise InvalidInput(f"these are no landings: {error}") from error


def _request(landing: _Landing) -> LandRequest:
    session = decode_session(landing.session, "a forwarded session")
    for content, raw in landing.contents:
        decode_blob(raw, content, "a forwarded content")
    for pack, size in landing.packs:
        if len(pack) != 32 or not FOOTER_BYTES <= size <= MAX_PACK:
            raise InvalidInput(f"a forwarded pack is said to have {size} bytes")
    packs = [PackRef(pack, size) for pack, size in landing.packs]
    return LandRequest(session, dict(landing.contents), packs)


def encode_outcomes(outcomes: Sequence[Outcome]) -> bytes:
    """What is answered."""
    return msgspec.msgpack.encode(_Outcomes(VERSION, [_told(outcome) for outcome in outcomes]))


def _told(outcome: Outcome) -> _Outcome:
    if isinstance(outcome, Overtaken):
        return _Outcome(outcome.position, code=outcome.code, winner=outcome.winner)
    if isinstance(outcome, MicError):
        clashes = list(outcome.details.get("clashes", ()))
        return _Outcome(code=outcome.code, message=outcome.message, hint=outcome.hint, clashes=clashes)
    session = b"" if outcome.session is None else encode_session(outcome.session)
    return _Outcome(outcome.position, outcome.tree, session, list(outcome.merged), outcome.already)


def decode_outcomes(raw: bytes) -> list[Outcome]:
    """What was answered; raises Corrupt when it is no answer."""
    try:
        found = _outcomes.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(f"the answer of a front end is damaged: {error}") from error
    if found.version != VERSION:
        raise Corrupt("the answer of a front end is of another version")
    return [_outcome(told) for told in found.outcomes]


def _outcome(told: _Outcome) -> Outcome:
    if told.code == Overtaken.code:
        if len(told.winner) != LANDER_BYTES:
            raise Corrupt("the answer of a front end does not say who was faster")
        return Overtaken(told.winner, told.position)
    if told.code:
        error = _CLASSES.get(told.code, MicError)(told.message, hint=told.hint)
        if told.clashes or told.code == errors.Conflicted.code:
            error.details["clashes"] = told.clashes
        return error
    if told.position < 1 or len(told.tree) != 32:
        raise Corrupt("the answer of a front end names no position")
    session = decode_session(told.session, "the answer of a front end") if told.session else None
    return Landed(told.position, told.tree, session, tuple(told.merged), told.already)


def _classes(base: type[MicError]) -> Iterator[type[MicError]]:
    yield base
    for below in base.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _classes(below)


_CLASSES = {cls.code: cls for cls in _classes(MicError)}
