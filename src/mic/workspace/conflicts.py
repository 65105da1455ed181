"""What clashed when the working copy took in what landed: `.mic/conflicts`, there only while there is something in it.

One line a path: kind, base position, their position, path, with backslashes and line ends of the path escaped.
`marked` is a file with marker lines, and settled when these are gone; `yours` is a path where yours was left standing
over what landed; `held` one where yours was left as well, and nothing lands until somebody has settled it.
`mic status` asks on every prompt, so the file is looked for and not read when it is absent.
"""

from __future__ import annotations

import posix

from mic.workspace.place import FOLDER, exists, read_file, write_file

MARKED, YOURS, HELD = "marked", "yours", "held"
_NAME = b"conflicts"


class Conflict:
    """One path. `kind` is MARKED, YOURS or HELD; `base` and `theirs` are the positions that the markers name."""

    __slots__ = ("base", "kind", "path", "theirs")

    def __init__(self, kind: str, base: int, theirs: int, path: bytes) -> None:
        self.kind, self.base, self.theirs, self.path = kind, base, theirs, path


def labels(base: int, theirs: int) -> tuple[bytes, bytes, bytes]:
    """What stands behind the markers of yours, the base and theirs."""
    return b"yours", b"base @%d" % base, b"theirs @%d" % theirs


def read_conflicts(root: bytes) -> list[Conflict]:
    """All that is written down, settled or not; raises Corrupt."""
    raw = read_file(root + b"/" + FOLDER + b"/" + _NAME)
    found: list[Conflict] = []
    if raw is None:
        return found
    # Without a conflict there is no file, and each line has its end: half a list is not to be taken for a short one.
    for line in raw.removesuffix(b"\n").split(b"\n") if raw.endswith(b"\n") else [b""]:
        kind, _, rest = line.partition(b" ")
        numbers = rest.split(b" ", 2)
        if kind not in (b"marked", b"yours", b"held") or len(numbers) != 3 or not (numbers[0] + numbers[1]).isdigit():
            from mic.core.errors import Corrupt

            raise Corrupt(
                "the list of conflicts of this workspace is damaged",
                hint="look for lines that begin with <<<<<<< in what `mic status` lists, then remove .mic/conflicts",
            )
        parts = numbers[2].split(b"\\\\")
        path = b"\\".join(part.replace(b"\\n", b"\n") for part in parts)
        found.append(Conflict(kind.decode(), int(numbers[0]), int(numbers[1]), path))
    return found


def write_conflicts(root: bytes, conflicts: list[Conflict]) -> None:
    """Writes them down, at once or not at all; without any, the file goes away."""
    folder = root + b"/" + FOLDER
    if not conflicts:
        if exists(folder + b"/" + _NAME):
            posix.unlink(folder + b"/" + _NAME)
        return
    lines = []
    for item in sorted(conflicts, key=lambda conflict: conflict.path):
        path = item.path.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
        lines.append(b"%b %d %d %b\n" % (item.kind.encode(), item.base, item.theirs, path))
    write_file(folder, _NAME, b"".join(lines))


def open_conflicts(root: bytes) -> list[Conflict]:
    """Those that are not settled: files with marker lines in them, and paths where yours stands."""
    return [item for item in read_conflicts(root) if item.kind != MARKED or _has_markers(root, item)]


def _has_markers(root: bytes, item: Conflict) -> bool:
    try:
        handle = posix.open(root + b"/" + item.path, posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK)
    except OSError:
        # Deleted, or no file any more: whoever did that has decided.
        return False
    try:
        data = b""
        while piece := posix.read(handle, 1 << 20):
            data += piece
    except IsADirectoryError:
        return False
    finally:
        posix.close(handle)
    yours, base, theirs = labels(item.base, item.theirs)
    marks = (b"<<<<<<< " + yours, b"||||||| " + base, b">>>>>>> " + theirs)
    if not any(mark in data for mark in marks):
        return False
    return any(line.removesuffix(b"\r") in marks for line in data.split(b"\n"))
