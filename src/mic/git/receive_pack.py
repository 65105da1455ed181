"""Taking a push: which refs there are, what the client wants to become of them, and what became of it.

Form: gitprotocol-pack ("Pushing Data To a Server") and gitprotocol-capabilities. The pack follows the last pkt-line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple

from mic.core.errors import InvalidInput, MicError, TooLarge
from mic.git import sideband
from mic.git.fetch_arguments import oid
from mic.git.pktline import FLUSH_LINE, Mark, PktReader, line, one_line
from mic.git.serving import ABSENT, GitRepositoryView, RefResult, RefUpdate
from mic.git.sideband import DATA, PROGRESS, Form, Reply, banded
from mic.git.upload_pack import AGENT

# Commands of one push: a mirror of a million refs has 100 bytes for each, and is sent in parts.
_LARGEST_COMMANDS = 32 << 20
MOST_UPDATES = 100_000
# Push options are for the server to read; each may be as long as a line, and few are ever given.
MOST_OPTIONS = 64
LONGEST_OPTION = 4_096
# A ref's name is told back with a reason, in one line. Where refs are files none is longer.
LONGEST_NAME = 4_096
_OFFERED = b"report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options "
_FLAGS = frozenset(_OFFERED.split())


class Push(NamedTuple):
    """What a client asks for before its pack."""

    updates: tuple[RefUpdate, ...]
    flags: frozenset[bytes]
    options: tuple[bytes, ...]


def advertisement(view: GitRepositoryView, version: int) -> Iterator[bytes]:
    """What `info/refs` answers: all refs, and what the server can do. There is no v2 of pushing."""
    offered = b"\0" + _OFFERED + b"object-format=sha1 " + AGENT
    refs = view.refs().refs
    if version == 1:
        yield line(b"version 1\n")
    if not refs:
        yield line(b"%b capabilities^{}%b\n" % (ABSENT.hex().encode(), offered))

    def lines(offered: bytes) -> Iterator[bytes]:
        for ref in refs:
            yield line(b"%b %b%b\n" % (ref.oid.hex().encode(), ref.name, offered))
            offered = b""

    yield from sideband.in_pieces(lines(offered))
    yield FLUSH_LINE


def serve(view: GitRepositoryView, body: BinaryIO, words: Callable[[MicError], str]) -> Reply:
    """The reply to a push; nothing for a probe. `words` makes one line for people of why a pack was refused.

    Iterating it raises InvalidInput or TooLarge for what is no push. Refusals are part of the reply.
    """
    return Reply(lambda reply: answer(view, body, words, reply))


def read_push(body: BinaryIO) -> Push:
    """The commands and options at the beginning of a push; what is left of `body` is the pack.

    Raises InvalidInput, TooLarge. A probe has no updates.
    """
    reader = PktReader(body, _LARGEST_COMMANDS)
    updates: list[RefUpdate] = []
    flags: frozenset[bytes] = frozenset()
    for text in reader.lines(Mark.FLUSH, Mark.EOF):
        if text.startswith(b"shallow ") and not updates:
            oid(text.removeprefix(b"shallow "))  # where the client's history ends: what it sends must connect here
            continue
        if not updates:
            text, _, said = text.partition(b"\0")
            flags = _flags(said)
        if text == b"push-cert":
            raise InvalidInput("Signed pushes are not taken here.", hint="Push without --signed.")
        updates.append(_update(text))
        if len(updates) > MOST_UPDATES:
            raise TooLarge(f"One push may change {MOST_UPDATES:,} refs.", hint="Push them in parts.")
    if len({update.name for update in updates}) != len(updates):
        raise InvalidInput("The push names one ref twice.")
    options = tuple(reader.lines(Mark.FLUSH)) if updates and b"push-options" in flags else ()
    if len(options) > MOST_OPTIONS or any(len(option) > LONGEST_OPTION for option in options):
        raise TooLarge(f"A push may bring {MOST_OPTIONS} options of {LONGEST_OPTION:,} bytes each.")
    return Push(tuple(updates), flags, options)


def _flags(said: bytes) -> frozenset[bytes]:
    flags = set()
    for flag in said.split():
        if flag in _FLAGS:
            flags.add(flag)
        elif flag.startswith(b"object-format=") and flag != b"object-format=sha1":
            raise InvalidInput(f"The object format {flag[14:54]!r} is not that of this repository, which is sha1.")
        elif not flag.startswith((b"object-format=", b"agent=", b"session-id=")):
            raise InvalidInput(f"The capability {flag[:80]!r} was not offered.")
    return frozenset(flags)


def _update(text: bytes) -> RefUpdate:
    old, _, rest = text.partition(b" ")
    new, _, name = rest.partition(b" ")
    if not name:
        raise InvalidInput(f"The line {text[:80]!r} is no command of a push.")
    if len(name) > LONGEST_NAME:
        raise TooLarge(f"The ref {name[:80]!r}... has a name of more than {LONGEST_NAME:,} bytes.")
    return RefUpdate(name, oid(old), oid(new))


def answer(view: GitRepositoryView, body: BinaryIO, words: Callable[[MicError], str], reply: Reply) -> Iterator[bytes]:
    """The pieces of `serve`, for a reply that somebody else makes."""
    push = read_push(body)
    if not push.updates:
        return
    if b"side-band-64k" in push.flags:
        reply.form = Form.BANDS
        yield sideband.KEEPALIVE  # the answer begins: whoever waits may be told so from here on
    unpacked, results = _taken(view, push, body, words)
    if reply.form is Form.BANDS:
        for text in (text for result in results for text in result.said):
            yield banded(PROGRESS, one_line(text) + b"\n")
    report = _report(push, unpacked, results)
    if reply.form is Form.BANDS:
        yield (banded(DATA, report) if report else b"") + FLUSH_LINE
    elif report:
        yield report


def _taken(
    view: GitRepositoryView, push: Push, body: BinaryIO, words: Callable[[MicError], str]
) -> tuple[bytes, Sequence[RefResult]]:
    """What is said of the pack, and of each ref."""
    pack = body if any(update.new != ABSENT for update in push.updates) else None
    try:
        results = view.receive(push.updates, pack, atomic=b"atomic" in push.flags, options=push.options)
    except MicError as error:
        return one_line(words(error)), [RefResult(update.name, "unpacker error") for update in push.updates]
    return b"ok", results


def _report(push: Push, unpacked: bytes, results: Sequence[RefResult]) -> bytes:
    """The report of status as pkt-lines, b"" for a client that wants none."""
    if not push.flags & {b"report-status", b"report-status-v2"}:
        return b""
    lines = [line(b"unpack " + unpacked + b"\n")]
    for result in results:
        if result.error:
            lines.append(line(b"ng %b %b\n" % (result.name, one_line(result.error))))
            continue
        lines.append(line(b"ok %b\n" % result.name))
        if b"report-status-v2" not in push.flags:
            continue
        if result.became is not None:
            name, old, new = result.became
            lines.append(line(b"option refname %b\n" % name))
            lines.append(line(b"option old-oid %b\n" % old.hex().encode()))
            lines.append(line(b"option new-oid %b\n" % new.hex().encode()))
        if result.forced:
            lines.append(line(b"option forced-update\n"))
    return b"".join(lines) + FLUSH_LINE
