"""What a client of Git's protocol 2 says to a server that serves fetches, and what it reads of the answers.

Pure: requests are bytes, answers files of bytes. Layout: gitprotocol-v2, gitprotocol-http.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from mic.core.errors import InvalidInput, Unavailable
from mic.git.pktline import DELIM_LINE, FLUSH_LINE, Mark, PktReader, line
from mic.git.sent import SentRefs

_AGENT = b"agent=micelio\n"
# A list of 100,000 refs with long names.
MAX_LINES = 64 << 20
# Longer than any pack that is taken.
_MAX_PACK_LINES = 80 << 30


def require_version_2(body: BinaryIO) -> frozenset[bytes]:
    """The capabilities that a server advertises. Raises InvalidInput for one that cannot be fetched from."""
    reader = PktReader(body, MAX_LINES)
    first = _line(reader)
    if first.startswith(b"# service="):
        if reader.read() is not Mark.FLUSH:
            raise _no_git()
        first = _line(reader)
    if first != b"version 2":
        raise InvalidInput(
            "The host does not speak version 2 of Git's protocol.", hint="`mic import git` fetches with your own git."
        )
    found = frozenset(reader.lines(Mark.FLUSH))
    if any(item.startswith(b"object-format=") and item != b"object-format=sha1" for item in found):
        raise InvalidInput(
            "The repository uses SHA-256 object names.",
            hint="Only SHA-1 repositories can be imported; most hosts and clones are SHA-1.",
        )
    return found


def ask_refs(capabilities: frozenset[bytes]) -> bytes:
    """The request for all refs and what HEAD names."""
    unborn = any(item.startswith(b"ls-refs=") and b"unborn" in item.partition(b"=")[2].split() for item in capabilities)
    words = [b"symrefs\n", *([b"unborn\n"] if unborn else [])]
    return b"".join((line(b"command=ls-refs\n"), line(_AGENT), DELIM_LINE, *map(line, words), FLUSH_LINE))


def read_refs(body: BinaryIO) -> SentRefs:
    """The refs of an answer. Raises InvalidInput for one that is none."""
    refs: dict[bytes, bytes] = {}
    head = detached = b""
    for text in PktReader(body, MAX_LINES).lines(Mark.FLUSH):
        oid, name, *more = text.split(b" ")
        target = next((item[14:] for item in more if item.startswith(b"symref-target:")), b"")
        if name == b"HEAD":
            head, detached = target, b"" if target or oid == b"unborn" else _oid(oid)
        elif name.count(b"/") > 1:
            refs[name] = _oid(oid)
    return SentRefs(refs, head, detached)


def ask_pack(wants: Iterable[bytes], haves: Iterable[bytes]) -> bytes:
    """The request for everything that the wants lead to and the haves do not."""
    lines = [b"ofs-delta\n", b"no-progress\n"]
    lines += [b"want %s\n" % oid.hex().encode() for oid in wants]
    lines += [b"have %s\n" % oid.hex().encode() for oid in haves]
    lines.append(b"done\n")
    return b"".join((line(b"command=fetch\n"), line(_AGENT), DELIM_LINE, *map(line, lines), FLUSH_LINE))


def read_pack(body: BinaryIO) -> Iterator[bytes]:
    """The bytes of the pack of an answer. Raises InvalidInput, and Unavailable with what the server says."""
    reader = PktReader(body, _MAX_PACK_LINES)
    while (section := _line(reader)) != b"packfile":
        if section not in (b"acknowledgments", b"shallow-info", b"wanted-refs", b"packfile-uris"):
            raise _no_git()
        for _ in reader.lines(Mark.DELIM):
            pass
    for band, data in reader.bands():
        if band == 3:
            raise Unavailable(f"The host says: {data[:300].decode('utf-8', 'replace').strip()}.")
        if band == 1:
            yield data


def _line(reader: PktReader) -> bytes:
    found = reader.read()
    if isinstance(found, Mark):
        raise _no_git()
    if found.startswith(b"ERR "):
        raise Unavailable(f"The host says: {found[4:300].decode('utf-8', 'replace').strip()}.")
    return found


def _oid(text: bytes) -> bytes:
    try:
        oid = bytes.fromhex(text.decode("ascii"))
    except (UnicodeDecodeError, ValueError):
        raise _no_git() from None
    if len(oid) != 20:
        raise _no_git()
    return oid


def _no_git() -> InvalidInput:
    return InvalidInput("What answers there is no Git repository.", hint="Does `git ls-remote` of it work?")
