"""What is mounted where: a watch tells nothing of what another machine changes, nor of what a mount covers."""

from __future__ import annotations

import re

# Files that others change behind this kernel's back.
_FROM_ELSEWHERE = re.compile(
    rb"nfs|cifs|smb|9p|fuse|virtiofs|ceph|afs|glusterfs|lustre|gfs|ocfs|vboxsf|prl_fs|sshfs|davfs"
)


def mounts() -> bytes:
    """The table of mounts as the kernel writes it (proc(5)); other bytes when anything was mounted or taken down."""
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            return file.read()
    except OSError:
        return b""


def about(root: bytes, table: bytes) -> list[tuple[bytes, bytes]]:
    """(place, kind) of the mounts that a folder is in, and of those in it, in the order of the table."""
    found = []
    inside = root.rstrip(b"/") + b"/"
    for line in table.splitlines():
        words, _, rest = line.partition(b" - ")
        where = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), words.split()[4])
        if inside.startswith(where.rstrip(b"/") + b"/") or where.startswith(inside):
            found.append((where, rest.split()[0]))
    return found


def unwatchable(root: bytes, table: bytes) -> str:
    """Why what is at or below this folder cannot be watched; "" when it can."""
    if not table:
        return "this system does not tell what is mounted"
    nearest, kind = b"", b""
    for where, this in about(root, table):
        if where.startswith(root.rstrip(b"/") + b"/"):
            return "something is mounted inside of it"
        if len(where) >= len(nearest):
            nearest, kind = where, this
    return (
        f"it is on {kind.decode('utf-8', 'replace')}, where changes come unseen" if _FROM_ELSEWHERE.match(kind) else ""
    )
