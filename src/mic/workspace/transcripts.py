"""Transcripts that were attached to sessions, as they came, in `.mic/transcripts`: they stay on this machine.

`{session}/{form}-{id}.jsonl.zst` is a file as it was read last, every line of it; `taken` says how far each session
went in each transcript, so that two sessions of one long talk do not both have all of it.
"""

from __future__ import annotations

import hashlib
import os
import re

import msgspec

from mic.core.blob import compress
from mic.core.errors import Corrupt
from mic.core.ids import ulid_text
from mic.core.transcript import Transcript
from mic.workspace.place import read_file, write_file
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
# Older ones are forgotten: no transcript goes on for so many sessions.
_KEEP = 1_000


class _Taken(msgspec.Struct):
    session: bytes
    transcript: str
    last_ms: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[_Taken])


def name_of(found: Transcript, data: bytes) -> str:
    """A transcript's name as part of a path: by its id, or by its beginning where that cannot be one."""
    own = found.id if _NAME.fullmatch(found.id) else hashlib.sha256(data[:4096]).hexdigest()[:16]
    return f"{found.form}-{own}"


def keep_raw(ws: Workspace, session: LocalSession, name: str, data: bytes) -> str:
    """Keep a transcript as it is, in place of an earlier reading of it; where, from the root."""
    folder = ws.folder + b"/transcripts/" + ulid_text(session.id).encode()
    os.makedirs(folder, exist_ok=True)
    write_file(folder, f"{name}.jsonl.zst".encode(), compress(data))
    return f".mic/transcripts/{ulid_text(session.id)}/{name}.jsonl.zst"


def taken_by_others(ws: Workspace, session: LocalSession, name: str) -> int:
    """Until when (Unix ms) sessions before this one have what was said in a transcript; 0 for none. Raises Corrupt."""
    others = [each.last_ms for each in _taken(ws) if each.transcript == name and each.session != session.id]
    return max(others, default=0)


def take(ws: Workspace, session: LocalSession, name: str, last_ms: int) -> None:
    """Write down how far a session went in a transcript."""
    kept = [each for each in _taken(ws) if (each.session, each.transcript) != (session.id, name)]
    write_file(
        ws.folder + b"/transcripts", b"taken", _encoder.encode([*kept, _Taken(session.id, name, last_ms)][-_KEEP:])
    )


def _taken(ws: Workspace) -> list[_Taken]:
    raw = read_file(ws.folder + b"/transcripts/taken")
    if raw is None:
        return []
    try:
        return _decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise Corrupt(
            f"{ws.root}/.mic/transcripts/taken is damaged: {error}",
            hint="move that file away; transcripts are attached whole then",
        ) from error
