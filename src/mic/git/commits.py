"""Git commits and annotated tags, parsed without ever failing on a sloppy identity, date or encoding.

Only the lines that history itself rests on (`tree`, `parent`) must be well formed; a commit whose
structure is broken raises Corrupt. Layout: gitformat-commit, `git help commit-tree`, `git help i18n`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mic.core.errors import Corrupt

_TREE = re.compile(rb"tree ([0-9a-f]{40})\n")
_PARENT = re.compile(rb"parent ([0-9a-f]{40})\n")
# The charsets that commits name in practice. Python knows more "encodings" (zlib, unicode_escape, punycode), and
# text from strangers must not reach those.
_CHARSET = re.compile(
    r"(?:us-?ascii|ascii|utf-?8|latin-?\d+|iso-?8859-?\d+|windows-?\d+|cp-?\d+|koi8-?[rtu]|gb2312|gbk|gb18030|hz"
    r"|big5(?:-?hkscs)?|euc-?(?:jp|kr|cn)|shift-?jis|sjis|iso-?2022-?(?:jp|kr)|mac-?(?:roman|cyrillic)|tis-?620)"
)

# Years 1 to 9999, the range that calendars can print; dates outside are pulled to its ends.
MIN_SECONDS = -62_135_596_800
MAX_SECONDS = 253_402_300_799


class CommitLinks(NamedTuple):
    """The object ids (20 bytes) that a commit names."""

    tree: bytes
    parents: tuple[bytes, ...]


class CommitText(NamedTuple):
    """What a commit says. Strings are valid Unicode without NUL; the time is Unix milliseconds."""

    author_name: str
    author_email: str
    authored_at_ms: int
    message: str


def parse_links(raw: bytes, oid: bytes) -> CommitLinks:
    """Tree and parents of a raw commit. Raises Corrupt, naming `oid`, when those lines are malformed."""
    match = _TREE.match(raw)
    if match is None:
        raise Corrupt(f"Git commit {oid.hex()} does not begin with a tree line.", hint="`git fsck` names the damage.")
    parents = []
    end = match.end()
    while (parent := _PARENT.match(raw, end)) is not None:
        parents.append(bytes.fromhex(parent[1].decode()))
        end = parent.end()
    if raw.startswith(b"parent ", end):
        raise Corrupt(f"Git commit {oid.hex()} has a malformed parent line.", hint="`git fsck` names the damage.")
    return CommitLinks(bytes.fromhex(match[1].decode()), tuple(parents))


def parse_text(raw: bytes) -> CommitText:
    """Author, author date and message of a raw commit.

    Text is decoded by the `encoding` header, then as UTF-8, then as UTF-8 with replacement characters. A missing or
    unreadable author date falls back to the committer's, then to 0. A NUL becomes U+FFFD, since databases refuse it.
    """
    head, _, message = raw.partition(b"\n\n")
    author = committer = encoding = b""
    for line in head.split(b"\n"):
        if line.startswith(b"author ") and not author:
            author = line[7:]
        elif line.startswith(b"committer ") and not committer:
            committer = line[10:]
        elif line.startswith(b"encoding ") and not encoding:
            encoding = line[9:]
    charset = encoding.decode("ascii", "replace").strip().lower().replace("_", "-")
    name, email, seconds = _identity(author)
    if seconds is None:
        seconds = _identity(committer)[2] or 0
    clamped = max(MIN_SECONDS, min(MAX_SECONDS, seconds))
    return CommitText(decode(name, charset), decode(email, charset), clamped * 1000, decode(message, charset))


class TagText(NamedTuple):
    """What an annotated tag says, without its signature; the time is Unix milliseconds, None when it has none."""

    tagger: str
    tagged_at_ms: int | None
    message: str


_SIGNATURE = re.compile(rb"^-----BEGIN (?:PGP|SSH|SIGNED)", re.M)


def parse_tag_text(raw: bytes) -> TagText:
    """Tagger, date and message of a raw annotated tag; tags of old have neither of the first two. Never fails."""
    head, _, message = raw.partition(b"\n\n")
    lines = head.split(b"\n")
    tagger = next((line[7:] for line in lines if line.startswith(b"tagger ")), b"")
    name, _, seconds = _identity(tagger)
    signed = _SIGNATURE.search(message)
    clamped = None if seconds is None else max(MIN_SECONDS, min(MAX_SECONDS, seconds)) * 1000
    return TagText(decode(name), clamped, decode(message[: signed.start()] if signed else message))


def _identity(line: bytes) -> tuple[bytes, bytes, int | None]:
    """Name, e-mail and seconds of an identity line, as far as each can be read; linear in its length."""
    name, bracket, rest = line.partition(b"<")
    email, _, tail = rest.partition(b">" if b">" in rest else b" ")
    if not bracket:  # no e-mail at all: `Name 1700000000 +0000`
        words = name.split()
        if len(words) >= 2 and _seconds(words[-2]) is not None:
            return b" ".join(words[:-2]), b"", _seconds(words[-2])
        return name.strip(), b"", None
    dates = tail.rpartition(b">")[2].split(None, 1)
    return name.strip(), email.strip(), _seconds(dates[0]) if dates else None


def _seconds(word: bytes) -> int | None:
    return int(word) if len(word) <= 20 and word.removeprefix(b"-").isdigit() else None


def decode(data: bytes, charset: str = "") -> str:
    """Text of `data`: by `charset` when it is known and fits, else as UTF-8 with replacement characters."""
    if charset and charset != "utf-8" and _CHARSET.fullmatch(charset):
        try:
            text = data.decode(charset)
            text.encode()  # some multi-byte tables yield lone surrogates, which no UTF-8 field can carry
            return text.replace("\0", "\ufffd")
        except (LookupError, UnicodeError):
            pass
    return data.decode("utf-8", "replace").replace("\0", "\ufffd")
