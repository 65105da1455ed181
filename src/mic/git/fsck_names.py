"""Names that some file system takes for `.git` or for a file that Git itself reads, however they are spelt.

HFS+ leaves some signs out and knows no capitals. NTFS knows no capitals, drops blanks and dots at the end, reads a
colon as the beginning of a stream, and gives long names short ones (`GIT~1`). The rules are those of git's own checks.
"""

from __future__ import annotations

import re

# Code points that HFS+ ignores in a name, in UTF-8.
_IGNORED = re.compile(
    b"\xe2\x80[\x8c-\x8f\xaa-\xae]|\xe2\x81[\xaa-\xaf]|\xef\xbb\xbf"
)  # U+200C to U+200F, U+202A to U+202E, U+206A to U+206F, U+FEFF
_NO_SIGN = re.compile(b"\xef\xbf[\xbe\xbf]")  # U+FFFE and U+FFFF, which git does not take for UTF-8 either
# Where a backslash divides folders, what is behind one is a name as well.
_NTFS_DOT_GIT = re.compile(rb"(?:\A|\\)(?:\.git|git~1)[. ]*(?:[\\/:]|\Z)", re.I)
# What NTFS calls it by the hash of its name when the first four short names are taken.
_HASHED = {"gitmodules": b"gi7eba", "gitattributes": b"gi7d29", "gitignore": b"gi250a", "mailmap": b"maba30"}


def _pattern(name: str) -> re.Pattern[bytes]:
    word, hashed = name.encode(), _HASHED[name]
    # Eight signs: so many of the hash, a tilde, and a number that fills them up.
    short = b"|".join(hashed[:keep] + rb"~[1-9][0-9]{%d}" % (6 - keep) for keep in range(7))
    begins = rb"(?:\A|\\)" if name == "gitmodules" else rb"\A"
    spelt = rb"(?:\." + word + rb"|" + word[:6] + rb"~[1-4]|" + short + rb")"
    return re.compile(begins + spelt + rb"[. ]*(?::.*)?\Z", re.I | re.S)


_FILES = {name: _pattern(name) for name in _HASHED}


def is_dot_git(name: bytes) -> bool:
    """Whether a checkout somewhere would write into its own repository."""
    return _NTFS_DOT_GIT.search(name) is not None or _plain(name) == b".git"


def is_git_file(name: bytes, file: str) -> bool:
    """Whether a name is `.gitmodules`, `.gitattributes`, `.gitignore` or `.mailmap` somewhere; `file` has no dot."""
    return _FILES[file].search(name) is not None or _plain(name) == b"." + file.encode()


def _plain(name: bytes) -> bytes:
    """As HFS+ compares it, up to a slash, or to what is no UTF-8: there git takes the name to end."""
    try:
        name.decode()
    except UnicodeDecodeError as error:
        name = name[: error.start]
    name = _NO_SIGN.split(name, maxsplit=1)[0]
    return _IGNORED.sub(b"", name).lower().partition(b"/")[0]
