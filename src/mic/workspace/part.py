"""Which part of its project a working copy has: some folders of it, or everything.

`.mic/sparse` has the folders, each ended by a NUL, for the top alone a NUL; there is none where everything is there.
A part holds what lies below its folders, and the files directly in each folder above them: with `src/lib` also
`README.md`, `src/Makefile`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from mic.workspace.place import FOLDER, posix_text, read_columns, read_file, write_file

NAME = b"sparse"
_TOP = b"\0"


class Part(NamedTuple):
    """`folders` are sorted, none lies in another; None is everything, () only the files at the top."""

    folders: tuple[bytes, ...] | None

    @staticmethod
    def of(folders: Iterable[bytes]) -> Part:
        """The part with these folders; b"" among them is everything."""
        found: list[bytes] = []
        # Sorted with a slash behind, a folder comes right before what lies in it.
        for folder in sorted({folder + b"/" if folder else b"" for folder in folders}):
            if not folder:
                return WHOLE
            if not found or not folder.startswith(found[-1]):
                found.append(folder)
        return Part(tuple(sorted(folder[:-1] for folder in found)))

    def holds(self, path: bytes) -> bool:
        """Whether a file of this path belongs to it."""
        if self.folders is None:
            return True
        parent = path.rpartition(b"/")[0]
        if parent in _above(self.folders):
            return True
        while parent:
            if parent in self.folders:
                return True
            parent = parent.rpartition(b"/")[0]
        return False

    def above(self) -> list[bytes]:
        """The folders of which the files alone belong to it, b"" for the top, those further up first."""
        return sorted(_above(self.folders or ()))


@cache
def _above(folders: tuple[bytes, ...]) -> frozenset[bytes]:
    found = {b""}
    for folder in folders:
        while folder := folder.rpartition(b"/")[0]:
            found.add(folder)
    return frozenset(found)


WHOLE = Part(None)


def read_part(root: bytes) -> Part:
    """What the workspace at `root` has of its project; raises Corrupt."""
    raw = read_file(root + b"/" + FOLDER + b"/" + NAME)
    if raw is None:
        return WHOLE
    if raw == _TOP or (not raw and not _has_folders(root)):
        return Part(())
    folders = raw.split(b"\0")
    if not raw or folders.pop() or b"" in folders:
        from mic.core.errors import Corrupt

        raise Corrupt(
            f"{posix_text(root)}/.mic/sparse is damaged",
            hint="`mic sparse set FOLDER...` writes it anew, `mic sparse all` brings everything",
        )
    return Part.of(folders)


def _has_folders(root: bytes) -> bool:
    """Whether any file of a folder is here. Earlier versions wrote the top alone as an empty file, which a file that
    has lost what it said is as well."""
    return any(b"/" in path for path in read_columns(root).paths)


def write_part(root: bytes, part: Part) -> None:
    """Write down what the workspace has, at once or not at all."""
    if part.folders is None:
        import contextlib
        import os

        with contextlib.suppress(FileNotFoundError):
            os.unlink(root + b"/" + FOLDER + b"/" + NAME)
        return
    write_file(root + b"/" + FOLDER, NAME, b"".join(folder + b"\0" for folder in part.folders) or _TOP)
