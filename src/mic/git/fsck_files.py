"""The contents that Git acts on: `.gitmodules`, which names what to fetch, and `.gitattributes`.

A clone with submodules runs git with names, paths and addresses from `.gitmodules`; those that would be taken for an
option or lead out of the work tree are errors (CVE-2018-11235, CVE-2018-17456, CVE-2020-5260). Ids as in git-fsck.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from mic.git.fsck import Finding, finding

# As git's attr.c bounds them: beyond, git would not read the file either.
_LONGEST_LINE = 2048
_LARGEST_ATTRIBUTES = 100 << 20
# git parses whatever fits in memory up to core.bigFileThreshold; nobody has more submodules than this holds.
LARGEST_MODULES = 8 << 20

_SECTION = re.compile(rb'\[([-.0-9A-Za-z]+)(?:[ \t]+"((?:[^"\\\n\0]|\\[^\n\0])*)")?[ \t]*\]')
_KEY = re.compile(rb"([A-Za-z][-0-9A-Za-z]*)[ \t]*(=?)[ \t]*")
_UP = re.compile(rb"(?:^|[/\\])\.\.(?:[/\\]|$)")
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"b": b"\b", b'"': b'"', b"\\": b"\\"}


class _Unreadable(Exception):
    """No configuration as git knows it."""


def check_gitattributes(data: bytes) -> list[Finding]:
    """What is wrong with a `.gitattributes`."""
    if len(data) > _LARGEST_ATTRIBUTES:
        return [finding("gitattributesLarge")]
    if any(len(line) >= _LONGEST_LINE for line in data.split(b"\n")):
        return [finding("gitattributesLineLength")]
    return []


def check_gitmodules(data: bytes) -> list[Finding]:
    """What is wrong with a `.gitmodules`."""
    if len(data) > LARGEST_MODULES:
        return [finding("gitmodulesLarge")]
    found: dict[str, None] = {}
    try:
        for name, key, value in _settings(data):
            if not name or _UP.search(name):
                found["gitmodulesName"] = None
            if key == b"url" and value is not None and _is_bad_url(value):
                found["gitmodulesUrl"] = None
            if key == b"path" and value is not None and value.startswith(b"-"):
                found["gitmodulesPath"] = None
            if key == b"update" and value is not None and value.startswith(b"!"):
                found["gitmodulesUpdate"] = None
    except _Unreadable:
        found["gitmodulesParse"] = None
    return [finding(msg_id) for msg_id in found]


def submodules(data: bytes) -> list[tuple[bytes, bytes]]:
    """(submodule, path) of a `.gitmodules`, as far as it can be read."""
    found: list[tuple[bytes, bytes]] = []
    with contextlib.suppress(_Unreadable):
        found.extend((name, value or b"") for name, key, value in _settings(data) if key == b"path")
    return found


def _is_bad_url(url: bytes) -> bool:
    """Whether git would take it for an option, or for more than one line when it asks for a password."""
    if url.startswith(b"-"):
        return True
    if url.startswith((b"./", b"../")):
        # Joined to the address of the project, it must stay within a host, and bring no line end along.
        decoded = unquote_to_bytes(url)
        outside, rest = 0, url
        while rest.startswith((b"./", b"../")):
            outside += rest.startswith(b"../")
            rest = rest.partition(b"/")[2]
        return b"\n" in decoded or (outside > 0 and rest.startswith((b":", b"/")))
    bare = url
    for prefix in (b"http::", b"https::", b"ftp::", b"ftps::"):
        bare = bare.removeprefix(prefix)
    if bare.startswith((b"http://", b"https://", b"ftp://", b"ftps://")):
        host = bare.partition(b"://")[2].partition(b"/")[0]
        return b"\n" in unquote_to_bytes(bare) or not host
    return False


def _settings(data: bytes) -> Iterator[tuple[bytes, bytes, bytes | None]]:
    """(submodule, key, value) of the settings below `[submodule "..."]`. Raises _Unreadable."""
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    section: bytes | None = None
    at = 0
    while at < len(data):
        sign = data[at : at + 1]
        if sign in b" \t\n\r":
            at += 1
        elif sign in b"#;":
            end = data.find(b"\n", at)
            at = len(data) if end < 0 else end
        elif sign == b"[":
            header = _SECTION.match(data, at)
            if header is None:
                raise _Unreadable
            at = header.end()
            named = header[1].lower() == b"submodule" and header[2] is not None
            section = re.sub(rb"\\(.)", rb"\1", header[2], flags=re.S) if named else None
        else:
            key = _KEY.match(data, at)
            if key is None:
                raise _Unreadable
            at, value = _value(data, key.end()) if key[2] else (_line_end(data, key.end()), None)
            if section is not None:
                yield section, key[1].lower(), value


def _line_end(data: bytes, at: int) -> int:
    """Where a key without a value ends. Raises _Unreadable when something follows it."""
    if at < len(data) and data[at : at + 1] not in (b"\n", b"#", b";"):
        raise _Unreadable
    return at


def _value(data: bytes, at: int) -> tuple[int, bytes]:
    """Where a value ends, and the value: quotes and escapes resolved, blanks at its end and comments left out."""
    text = bytearray()
    kept = 0  # as far as blanks belong to it
    quoted = False
    while at < len(data):
        sign = data[at : at + 1]
        at += 1
        if sign == b"\n":
            break
        if not quoted and sign in b" \t":
            text += sign
            continue
        if not quoted and sign in b"#;":
            end = data.find(b"\n", at)
            at = len(data) if end < 0 else end + 1
            break
        if sign == b'"':
            quoted = not quoted
        elif sign == b"\\":
            escape = data[at : at + 1]
            at += 1
            if escape != b"\n":
                if escape not in _ESCAPED:
                    raise _Unreadable
                text += _ESCAPED[escape]
        elif sign == b"\0":
            raise _Unreadable
        else:
            text += sign
        kept = len(text)
    if quoted:
        raise _Unreadable
    return at, bytes(text[:kept])
