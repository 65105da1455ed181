"""Fetching by protocol v2: what the server can do, which refs there are, and the pack for what a client lacks.

Form: gitprotocol-v2. Stateless: each request brings all that an answer needs.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO, NamedTuple

from mic.core.errors import InvalidInput
from mic.git import sideband
from mic.git.fetch_arguments import FetchArguments, oid
from mic.git.pktline import DELIM_LINE, FLUSH_LINE, Mark, PktReader, line
from mic.git.serving import GitRepositoryView, PackStream, Ref
from mic.git.sideband import DATA, PROGRESS, Form, Reply, banded, pack_in_bands

AGENT = b"agent=micelio"
# A clone of a million refs wants a million objects, 50 bytes each.
LARGEST_REQUEST = 64 << 20
# A piece that is smaller waits for the next one.
_SMALL = 1 << 12
# Answers to ls-refs that are remembered with the refs of a project: so many, of so many bytes together (35,000 tags),
# for so few prefixes each.
_SAID, _SAID_BYTES, _SAID_PREFIXES = 8, 4 << 20, 16
# As many prefixes as Git looks at; whoever sends more is shown all refs, and chooses.
_MOST_PREFIXES = 65_536

_FLAGS = frozenset(
    {b"done", b"thin-pack", b"no-progress", b"include-tag", b"ofs-delta", b"deepen-relative", b"sideband-all",
     b"wait-for-done"}
)  # fmt: skip


def capabilities() -> bytes:
    """What `info/refs` answers a client of protocol v2."""
    offered = [
        b"version 2",
        AGENT,
        b"ls-refs=unborn",
        b"fetch=shallow wait-for-done filter sideband-all",
        b"object-format=sha1",
        b"object-info",
    ]
    return b"".join(line(text + b"\n") for text in offered) + FLUSH_LINE


def serve(view: GitRepositoryView, body: BinaryIO) -> Reply:
    """The reply to one request of protocol v2; nothing for a probe, which is a flush alone.

    Iterating it raises InvalidInput, TooLarge, NotFound, and what the view raises.
    """
    return Reply(lambda reply: answer(view, body, reply))


def answer(view: GitRepositoryView, body: BinaryIO, reply: Reply) -> Iterator[bytes]:
    """The pieces of `serve`, for a reply that somebody else makes."""
    return _serve(view, PktReader(body, LARGEST_REQUEST, ahead=True), reply)


class _Command(NamedTuple):
    name: bytes
    arguments: bool


def _serve(view: GitRepositoryView, reader: PktReader, reply: Reply) -> Iterator[bytes]:
    command = _command(reader)
    if command is None:
        return
    arguments = list(reader.lines(Mark.FLUSH, Mark.EOF)) if command.arguments else []
    if command.name == b"ls-refs":
        yield from _ls_refs(view, arguments, reply)
    elif command.name == b"fetch":
        yield from _Fetch(view, reply, arguments).run()
    elif command.name == b"object-info":
        yield from _object_info(view, arguments)
    else:
        raise InvalidInput(f"The command {command.name[:80]!r} is not one that this forge knows.")


def _command(reader: PktReader) -> _Command | None:
    name = b""
    while True:
        text = reader.read()
        if isinstance(text, Mark):
            break
        key, _, value = text.partition(b"=")
        if key == b"command" and not name:
            name = value
        elif key == b"object-format" and value != b"sha1":
            raise InvalidInput(f"The object format {value[:40]!r} is not that of this repository, which is sha1.")
        elif key not in (b"agent", b"object-format", b"session-id"):
            raise InvalidInput(f"The capability {text[:80]!r} was not offered.")
    if not name:
        if text in (Mark.FLUSH, Mark.EOF):
            return None
        raise InvalidInput("The request names no command.")
    return _Command(name, text is Mark.DELIM)


def _ls_refs(view: GitRepositoryView, arguments: list[bytes], reply: Reply) -> Iterator[bytes]:
    prefixes = [text.removeprefix(b"ref-prefix ") for text in arguments if text.startswith(b"ref-prefix ")]
    others = {text for text in arguments if not text.startswith(b"ref-prefix ")}
    unknown = others - {b"peel", b"symrefs", b"unborn"}
    if unknown:
        raise InvalidInput(f"The argument {min(unknown)[:80]!r} of ls-refs is not one that this forge knows.")
    if len(prefixes) > _MOST_PREFIXES:
        prefixes = []
    peel, symrefs, unborn = b"peel" in others, b"symrefs" in others, b"unborn" in others
    head, refs, said = view.refs()
    hidden = sorted(view.hidden(sorted(set(prefixes))))
    key = (*sorted(others), b"", *prefixes)
    if said is not None and not hidden and (answer := said.get(key)) is not None:
        reply.last = True
        yield answer
        return
    target = b" symref-target:" + head if symrefs else b""
    lines: list[bytes] = []
    if not prefixes or any(b"HEAD".startswith(prefix) for prefix in prefixes):
        at = bisect_left(refs, head, key=_name)
        if at < len(refs) and refs[at].name == head:
            lines.append(line(b"%b HEAD%b\n" % (refs[at].oid.hex().encode(), target)))
        elif unborn and symrefs:
            lines.append(line(b"unborn HEAD%b\n" % target))
    listed = (_ref_line(ref, peel) for ref in chain(_chosen(refs, prefixes), hidden))
    pieces = sideband.in_pieces(chain(lines, listed, (FLUSH_LINE,)))
    if said is None or hidden or len(prefixes) > _SAID_PREFIXES:
        yield from pieces
        return
    begun: list[bytes] = []
    for piece in pieces:
        begun.append(piece)
        if sum(map(len, begun)) > _SAID_BYTES:
            yield from begun
            yield from pieces
            return
    whole = b"".join(begun)
    if len(said) >= _SAID or len(whole) + sum(map(len, said.values())) > _SAID_BYTES:
        said.clear()
    said[key] = whole
    reply.last = True
    yield whole


def _ref_line(ref: Ref, peel: bool) -> bytes:
    peeled = b" peeled:" + ref.peeled.hex().encode() if peel and ref.peeled is not None else b""
    return line(b"%b %b%b\n" % (ref.oid.hex().encode(), ref.name, peeled))


def _name(ref: Ref) -> bytes:
    return ref.name


def _chosen(refs: Sequence[Ref], prefixes: list[bytes]) -> Iterator[Ref]:
    """The refs that begin with one of the prefixes, each once; all when there is none."""
    if not prefixes:
        yield from refs
        return
    done = 0
    for prefix in sorted(set(prefixes)):
        at = max(done, bisect_left(refs, prefix, key=_name))
        while at < len(refs) and refs[at].name.startswith(prefix):
            yield refs[at]
            at += 1
        done = max(done, at)


def _object_info(view: GitRepositoryView, arguments: list[bytes]) -> Iterator[bytes]:
    oids = [oid(text.removeprefix(b"oid ")) for text in arguments if text.startswith(b"oid ")]
    unknown = [text for text in arguments if text != b"size" and not text.startswith(b"oid ")]
    if unknown:
        raise InvalidInput(f"The argument {unknown[0][:80]!r} of object-info is not one that this forge knows.")
    if b"size" not in arguments:
        yield FLUSH_LINE
        return
    yield line(b"size")
    sizes = zip(oids, view.sizes(oids), strict=True)
    yield from sideband.in_pieces(
        line(b"%b %b" % (name.hex().encode(), b"" if size is None else b"%d" % size)) for name, size in sizes
    )
    yield FLUSH_LINE


class _Fetch:
    """One fetch: what both sides have, where the history ends, and the pack."""

    def __init__(self, view: GitRepositoryView, reply: Reply, arguments: list[bytes]) -> None:
        self._view = view
        self._reply = reply
        self._asked = asked = FetchArguments()
        for text in arguments:
            if not asked.read(text, _FLAGS):
                raise InvalidInput(f"The argument {text[:80]!r} of fetch is not one that this forge knows.")
        self._banded = b"sideband-all" in asked.flags
        if self._banded:
            reply.form = Form.BANDS

    def run(self) -> Iterator[bytes]:
        """The sections of the answer, in the order that gitprotocol-v2 gives."""
        asked = self._asked
        waits = b"wait-for-done" in asked.flags
        if not asked.wants and not (waits and asked.haves):
            return
        common = self._view.common(asked.haves) if asked.haves else []
        if asked.haves and b"done" not in asked.flags:
            ready = bool(common) and not waits and self._view.ready(asked.wants, common)
            yield self._acknowledgments(common, ready)
            if not ready:
                yield FLUSH_LINE
                return
            yield DELIM_LINE
        request = asked.request(self._view, common)
        if asked.deepens or asked.shallow:
            # Where the history ends comes first, and is known only once the fetch has begun.
            stream = self._view.fetch(request)
            yield self._shallow_info(stream)
            yield self._line(b"packfile\n")
            self._reply.form = Form.BANDS
        else:
            yield self._line(b"packfile\n")
            self._reply.form = Form.BANDS
            stream = self._view.fetch(request)
        yield from _last_with(pack_section(stream, quiet=b"no-progress" in asked.flags), FLUSH_LINE, self._reply)

    def _acknowledgments(self, common: Iterable[bytes], ready: bool) -> bytes:
        acks = [self._line(b"ACK %b\n" % name.hex().encode()) for name in common] or [self._line(b"NAK\n")]
        return b"".join([self._line(b"acknowledgments\n"), *acks, *([self._line(b"ready\n")] if ready else [])])

    def _shallow_info(self, stream: PackStream) -> bytes:
        lines = [self._line(b"shallow-info\n")]
        lines += [self._line(text) for text in shallow_lines(stream)]
        return b"".join([*lines, DELIM_LINE])

    def _line(self, text: bytes) -> bytes:
        return banded(DATA, text) if self._banded else line(text)


def _last_with(pieces: Iterator[bytes], end: bytes, reply: Reply) -> Iterator[bytes]:
    """The pieces, one later than they come, and `end` with the last of them: each piece costs a change of threads."""
    held = b""
    for piece in pieces:
        if len(held) >= _SMALL:
            yield held
            held = b""
        held += piece
    reply.last = True
    yield held + end


def shallow_lines(stream: PackStream) -> list[bytes]:
    """Where the client's history ends now, and where no longer."""
    ends = [b"shallow %b" % name.hex().encode() for name in stream.shallow]
    return ends + [b"unshallow %b" % name.hex().encode() for name in stream.unshallow]


def pack_section(stream: PackStream, *, quiet: bool, size: int = sideband.LARGE) -> Iterator[bytes]:
    """A pack in bands, with a line for people before it unless the client wants none."""
    if not quiet:
        words = f"Sending {stream.objects:,} object{'' if stream.objects == 1 else 's'}.\n"
        yield banded(PROGRESS, words.encode(), size)
    yield from pack_in_bands(stream.data, size)
