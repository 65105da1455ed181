"""Who wrote which lines of the files here, noted while the work goes on, in `.mic/attributed`, until the session lands.

Each file that was noted is kept as it stood then. What differs the next time is by whoever is named then; what differs
when it lands is by nobody who says so.
"""

from __future__ import annotations

import msgspec

from mic.core.attribution import FileLines, Writer, moved_to, wrote
from mic.core.blob import MAX_WHOLE, compress, frame_size, inflate
from mic.core.carried import followed
from mic.core.errors import Corrupt, InvalidInput
from mic.core.ids import content_hash
from mic.core.linediff import is_binary
from mic.workspace.place import read_file, write_file
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace

# Bytes of files that are kept for one session, uncompressed.
MAX_KEPT = 256 << 20
UNTRACKED = -1


class _Noted(msgspec.Struct):
    said: FileLines
    text: bytes  # zstd


class Noted(msgspec.Struct):
    """What was noted in one session."""

    session: bytes
    writers: list[Writer] = []
    files: dict[bytes, _Noted] = {}

    def note(self, path: bytes, text: bytes, who: Writer | None) -> None:
        """What differs in a file since it was noted is by a writer; None: by nobody who says so.

        Of a file that was not noted yet all lines differ: those that the session did not bring do not count when it
        lands.
        """
        before = self.files.get(path)
        old = _text(path, before) if before is not None else b""
        said = before.said if before is not None else FileLines(path, content_hash(b""))
        self.files[path] = _Noted(wrote(said, old, text, content_hash(text), self._number(who)), compress(text))
        if sum(frame_size(each.text, "a noted file") for each in self.files.values()) > MAX_KEPT:
            raise InvalidInput(f"more than {MAX_KEPT >> 20} MiB of files would be noted", hint="land, and go on then")

    def said_of(self, path: bytes, text: bytes) -> FileLines | None:
        """What was noted of a file, said of its content now; None when nothing was noted."""
        noted = self.files.get(path)
        if noted is None:
            return None
        return moved_to(noted.said, content_hash(text), followed(_text(path, noted), text))

    def take_over(self, said: FileLines, text: bytes) -> None:
        """What was noted elsewhere of a file with this text; `said` numbers the writers as they stand here."""
        self.files[said.path] = _Noted(said, compress(text))

    def _number(self, who: Writer | None) -> int:
        if who is None:
            return UNTRACKED
        if who not in self.writers:
            self.writers = [*self.writers, who]
        return self.writers.index(who)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Noted)


def noted(ws: Workspace, session: LocalSession) -> Noted:
    """What was noted in this session so far; raises Corrupt."""
    raw = read_file(ws.folder + b"/attributed")
    if raw is not None:
        try:
            found = _decoder.decode(raw)
        except msgspec.MsgspecError as error:
            raise Corrupt(
                f"{ws.root}/.mic/attributed is damaged: {error}", hint="move that file away to go on without it"
            ) from error
        if found.session == session.id:
            return found
    return Noted(session.id)


def noted_in(raw: bytes) -> Noted | None:
    """What the bytes of such a file say; None when they are damaged."""
    try:
        return _decoder.decode(raw)
    except msgspec.MsgspecError:
        return None


def save(ws: Workspace, found: Noted) -> None:
    """Writes it, at once or not at all."""
    write_file(ws.folder, b"attributed", _encoder.encode(found))


def has_lines(mode: int, text: bytes) -> bool:
    """Whether a content has lines that somebody wrote."""
    return mode & 0o170000 == 0o100000 and len(text) <= MAX_WHOLE and not is_binary(text)


def _text(path: bytes, item: _Noted) -> bytes:
    name = "a file in .mic/attributed"
    return inflate(item.text, frame_size(item.text, name), name)
