"""The client's side of the daemon, and what both sides agree about. Loaded by every `mic status`: next to no imports.

A message is its length (4 bytes, big endian) and that many bytes. A request has fields between NULs: who asks
(`IDENTITY`), what is asked, and more. The first byte of an answer says what the rest is:

    =   the finished answer, for standard output
    !   a sentence for people, once: the asker goes on by itself
    -   nothing: the asker goes on by itself
    v   another version answers; it stops now
"""

from __future__ import annotations

import posix

from mic.version import VERSION

# The number changes with the meaning of a message; the version with everything else that an answer is made of.
NAME = b"mic-daemon "
IDENTITY = NAME + b"1 " + VERSION.encode()
FINISHED, SENTENCE, NOTHING, OTHER = b"=", b"!", b"-", b"v"
# Seconds that a command waits for an answer before it does the work itself.
PATIENCE = 0.5
LONGEST = 256 << 20
# What changes an answer of the forge, or how it is shown: the daemon answers whom all of it is the same for.
LIKE_MINE = (b"HOME", b"XDG_CONFIG_HOME", b"MICELIO_INSTANCE", b"TZ", b"SSL_CERT_FILE", b"https_proxy", b"no_proxy")
# Beside the socket: when a start did not work.
FAILED = b"/failed"
_HEAD = 17
# A socket's address is at most 108 bytes, its end included (unix(7)).
LONGEST_ADDRESS = 107
_SO_PEERCRED = 17
_PLATFORM_HAS_ONE = hasattr(posix, "pidfd_open") or hasattr(posix, "memfd_create")


def folder() -> bytes | None:
    """Where the socket is: `$XDG_RUNTIME_DIR/mic`, else `run` in the cache of mic. None: there is no such place."""
    base = posix.environ.get(b"XDG_RUNTIME_DIR", b"")
    if base.startswith(b"/"):
        return base + b"/mic"
    base = posix.environ.get(b"XDG_CACHE_HOME", b"")
    if not base.startswith(b"/"):
        home = posix.environ.get(b"HOME", b"")
        if not home.startswith(b"/"):
            return None
        base = home + b"/.cache"
    return base + b"/mic/run"


def address() -> bytes | None:
    """The socket's path; None where there can be no daemon, or somebody has said MIC_DAEMON=off."""
    where = folder()
    if where is None or not _PLATFORM_HAS_ONE or posix.environ.get(b"MIC_DAEMON") == b"off":
        return None
    path = where + b"/daemon.sock"
    return path if len(path) <= LONGEST_ADDRESS else None


def private(where: bytes) -> bool:
    """Whether a folder is this user's alone: nobody else can have put a socket there."""
    try:
        stat = posix.lstat(where)
    except OSError:
        return False
    return stat.st_mode & 0o170077 == 0o040000 and stat.st_uid == posix.geteuid()


def there() -> bool:
    """Whether something has the socket's name. Nothing else is needed to know that there is no daemon."""
    path = address()
    if path is None:
        return False
    try:
        posix.lstat(path)
    except OSError:
        return False
    return True


def listening() -> bool:
    """Whether somebody is at the socket, if without an answer: not where a daemon that was killed has left it."""
    path = address()
    if path is None or not there():
        return False
    from _socket import AF_UNIX, SOCK_STREAM, socket

    connection = socket(AF_UNIX, SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE)
        connection.connect(path)
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except OSError:
        pass
    finally:
        connection.close()
    return True


def ask(verb: bytes, *fields: bytes, patience: float = PATIENCE) -> tuple[bytes, bytes] | None:
    """The kind and the rest of the daemon's answer; None when there is none, or none in time."""
    path = address()
    if path is None or not there() or not private(path.rpartition(b"/")[0]):
        return None
    from _socket import AF_UNIX, SOCK_STREAM, socket

    connection = socket(AF_UNIX, SOCK_STREAM)
    try:
        connection.settimeout(patience)
        connection.connect(path)
        if not same_user(connection):
            return None
        request = b"\x00".join((IDENTITY, verb, *fields))
        connection.sendall(len(request).to_bytes(4, "big") + request)
        head = exactly(connection, 5)
        rest = exactly(connection, int.from_bytes(head[:4], "big") - 1)
        return head[4:], rest
    except (OSError, EOFError):
        return None
    finally:
        connection.close()


def changes(root: bytes, check: int) -> list[tuple[bytes, int, int, int]] | None:
    """What differs from the index with this checksum, as a scan would find it; None when the daemon cannot say."""
    answer = ask(b"changes", root)
    if answer is None or answer[0] != FINISHED or int.from_bytes(answer[1][:8], "big") != check:
        return None
    said, found, place = answer[1], [], 8
    while place < len(said):
        op, end = said[place], place + _HEAD + int.from_bytes(said[place + 13 : place + _HEAD], "big")
        mode, number = (int.from_bytes(said[place + at : place + at + 6], "big") for at in (1, 7))
        found.append((said[place + _HEAD : end], op, mode, number - 1))
        place = end
    return found


def encode_changes(found: list[tuple[bytes, int, int, int]], check: int) -> bytes:
    """What `changes` reads: checksum (8 bytes), then of each op (1), mode (6), number + 1 (6), length (4), path."""
    parts = [check.to_bytes(8, "big")]
    for path, op, mode, number in found:
        parts += (bytes([op]), mode.to_bytes(6, "big"), (number + 1).to_bytes(6, "big"))
        parts += (len(path).to_bytes(4, "big"), path)
    return b"".join(parts)


def same_user(connection) -> bool:  # type: ignore[no-untyped-def]  # _socket has no types
    """Whether the process at the other end is this user's, as the kernel knows (SO_PEERCRED, unix(7))."""
    from _socket import SOL_SOCKET

    peer = connection.getsockopt(SOL_SOCKET, _SO_PEERCRED, 12)
    return _number(peer[4:8]) == posix.geteuid()


def exactly(connection, size: int) -> bytes:  # type: ignore[no-untyped-def]  # _socket has no types
    """So many bytes; raises EOFError when they do not come."""
    if not 0 <= size <= LONGEST:
        raise EOFError
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _number(raw: bytes) -> int:
    import sys

    return int.from_bytes(raw, sys.byteorder)
