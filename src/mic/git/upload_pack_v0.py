"""Fetching by protocols v0 and v1, for older clients and whoever asks for them; over HTTP, so without a state.

Form: gitprotocol-pack and gitprotocol-capabilities. v1 is v0 behind a line that says so.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import BinaryIO

from mic.core.errors import InvalidInput
from mic.git import sideband
from mic.git.fetch_arguments import FetchArguments, oid
from mic.git.pktline import FLUSH_LINE, Mark, PktReader, line
from mic.git.serving import ABSENT, GitRepositoryView, PackStream
from mic.git.sideband import Form, Reply
from mic.git.upload_pack import AGENT, LARGEST_REQUEST, pack_section, shallow_lines

# A want that is reachable may be asked for without being advertised: hidden refs by id, lazy blobs of a partial clone.
_OFFERED = (
    b"multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative "
    b"no-progress include-tag multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done "
)
_FLAGS = frozenset(_OFFERED.split()) | {b"filter"}


def advertisement(view: GitRepositoryView, version: int) -> Iterator[bytes]:
    """What `info/refs` answers: HEAD, all refs, what annotated tags name, and what the server can do."""
    head, refs, _ = view.refs()
    at = bisect_left(refs, head, key=lambda ref: ref.name)
    born = at < len(refs) and refs[at].name == head
    symref = b"symref=HEAD:" + head + b" " if born else b""
    offered = b"\0" + _OFFERED + symref + b"filter object-format=sha1 " + AGENT
    if version == 1:
        yield line(b"version 1\n")
    if born:
        yield line(b"%b HEAD%b\n" % (refs[at].oid.hex().encode(), offered))
        offered = b""
    elif not refs:
        yield line(b"%b capabilities^{}%b\n" % (ABSENT.hex().encode(), offered))

    def lines(offered: bytes) -> Iterator[bytes]:
        for ref in refs:
            yield line(b"%b %b%b\n" % (ref.oid.hex().encode(), ref.name, offered))
            offered = b""
            if ref.peeled is not None:
                yield line(b"%b %b^{}\n" % (ref.peeled.hex().encode(), ref.name))

    yield from sideband.in_pieces(lines(offered))
    yield FLUSH_LINE


def serve(view: GitRepositoryView, body: BinaryIO) -> Reply:
    """The reply to one request of protocol v0 or v1; nothing for a probe. Raises as `upload_pack.serve`."""
    return Reply(lambda reply: answer(view, body, reply))


def answer(view: GitRepositoryView, body: BinaryIO, reply: Reply) -> Iterator[bytes]:
    """The pieces of `serve`, for a reply that somebody else makes."""
    return _Exchange(view, PktReader(body, LARGEST_REQUEST), reply).run()


class _Exchange:
    """One request: what is wanted, what the client has, and either what both have or the pack."""

    def __init__(self, view: GitRepositoryView, reader: PktReader, reply: Reply) -> None:
        self._view = view
        self._reader = reader
        self._reply = reply
        self._asked = FetchArguments()

    def run(self) -> Iterator[bytes]:
        """The answer, as `git upload-pack --stateless-rpc` would give it."""
        asked = self._asked
        self._read_wants()
        if not asked.wants:
            return
        said = list(self._read_haves())
        asked.haves = [word for word in said if isinstance(word, bytes)]
        common = self._view.common(asked.haves) if asked.haves else []
        stream = None
        if asked.deepens:
            stream = self._view.fetch(asked.request(self._view, common))
            yield b"".join(map(line, shallow_lines(stream))) + FLUSH_LINE
        if not said:
            return  # a client that deepens asks for the ends of its history first
        answer, ends = self._negotiate(said, common)
        if answer:
            yield answer
        if ends:
            yield from self._pack(stream, common)

    def _read_wants(self) -> None:
        first = True
        for text in self._reader.lines(Mark.FLUSH, Mark.EOF):
            if text.startswith(b"want ") and first:
                text, _, flags = text[:45], b"", text[45:]
                self._take_flags(flags)
                first = False
            if text.startswith(b"have ") or not self._asked.read(text, frozenset()):
                raise InvalidInput(f"The line {text[:80]!r} has no place among what is wanted.")

    def _take_flags(self, flags: bytes) -> None:
        for flag in flags.split():
            if flag == b"object-format=sha1" or flag.startswith((b"agent=", b"session-id=")):
                continue
            if flag not in _FLAGS:
                raise InvalidInput(f"The capability {flag[:80]!r} was not offered.")
            self._asked.flags.add(flag)

    def _read_haves(self) -> Iterator[bytes | Mark]:
        """Ids that the client has, FLUSH at the end of each batch, and END where it says that it is done."""
        while (text := self._reader.read()) is not Mark.EOF:
            if text is Mark.FLUSH:
                yield Mark.FLUSH
            elif text == b"done":
                yield Mark.END
                return
            elif isinstance(text, bytes) and text.startswith(b"have "):
                yield oid(text.removeprefix(b"have "))
            else:
                raise InvalidInput(f"The line {text!r:.100} has no place among what the client has.")

    def _negotiate(self, said: list[bytes | Mark], common: list[bytes]) -> tuple[bytes, bool]:
        """The lines that answer what the client has, and whether a pack follows."""
        flags = self._asked.flags
        detailed, multi = b"multi_ack_detailed" in flags, b"multi_ack" in flags
        here = set(common)
        ready = detailed and bool(common) and self._view.ready(self._asked.wants, common)
        last = b""
        lines: list[bytes] = []
        for word in said:
            if word is Mark.FLUSH:
                if ready and last:
                    lines.append(b"ACK %b ready\n" % last)
                if detailed or multi or not last:
                    lines.append(b"NAK\n")
                if ready and last and b"no-done" in flags:
                    lines.append(b"ACK %b\n" % last)
                    return b"".join(map(line, lines)), True
            elif word is Mark.END:
                if not last:
                    lines.append(b"NAK\n")
                elif detailed or multi:
                    lines.append(b"ACK %b\n" % last)
                return b"".join(map(line, lines)), True
            elif word in here:
                assert isinstance(word, bytes), "marks are in no set of ids"
                first, last = not last, word.hex().encode()
                if detailed:
                    lines.append(b"ACK %b common\n" % last)
                elif multi:
                    lines.append(b"ACK %b continue\n" % last)
                elif first:
                    lines.append(b"ACK %b\n" % last)
        return b"".join(map(line, lines)), False

    def _pack(self, stream: PackStream | None, common: list[bytes]) -> Iterator[bytes]:
        flags = self._asked.flags
        large = b"side-band-64k" in flags
        banded = large or b"side-band" in flags
        self._reply.form = Form.BANDS if banded else self._reply.form
        stream = stream or self._view.fetch(self._asked.request(self._view, common))
        if banded:
            size = sideband.LARGE if large else sideband.SMALL
            yield from pack_section(stream, quiet=b"no-progress" in flags, size=size)
            yield FLUSH_LINE
            return
        self._reply.form = Form.RAW
        yield from sideband.in_pieces(stream.data)
