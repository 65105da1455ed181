"""Open directories of a working copy, reached from its root one name at a time and never through a symlink."""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from collections.abc import Container
from contextlib import suppress
from types import TracebackType

from mic.core.errors import InvalidPath
from mic.core.paths import display

# Open descriptors kept; well under the 256 that macOS gives a process.
_KEEP = 64
_NO_NAMES = (b"", b".", b"..")
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Folders:
    """`handle(folder)` gives a descriptor for `dir_fd`; it stays valid until the next call. Close after use."""

    def __init__(self, root: bytes) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._open: OrderedDict[bytes, int] = OrderedDict()

    def __enter__(self) -> Folders:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes everything."""
        self.forget()
        os.close(self._root)

    def forget(self) -> None:
        """Closes all but the root: directories were removed, or made where there were none."""
        for handle in self._open.values():
            os.close(handle)
        self._open.clear()

    def handle(self, folder: bytes, make: bool = False) -> int:
        """A descriptor of a directory under the root, made with its parents when `make`.

        Raises FileNotFoundError when it is not there, and InvalidPath when a part of it is no directory (a file or a
        symlink stands in its place) or no name (`..` leads out of the root).
        """
        if not folder:
            return self._root
        known = self._open.get(folder)
        if known is not None:
            self._open.move_to_end(folder)
            return known
        parent, slash, name = folder.rpartition(b"/")
        if name in _NO_NAMES or (slash and not parent):
            raise InvalidPath(f"{display(folder)} leads out of the working copy", path=folder)
        above = self.handle(parent, make)
        try:
            handle = os.open(name, _FLAGS, dir_fd=above)
        except FileNotFoundError:
            if not make:
                raise
            with suppress(FileExistsError):  # by another process of the same checkout
                os.mkdir(name, 0o777, dir_fd=above)
            handle = os.open(name, _FLAGS, dir_fd=above)
        except OSError as error:
            # ENOTDIR for a file and, with O_DIRECTORY, for a symlink on Linux; ELOOP for a symlink elsewhere.
            if isinstance(error, NotADirectoryError) or error.errno == errno.ELOOP:
                raise InvalidPath(
                    f"{display(folder)} is not a folder here: something else stands in its place",
                    hint="move it away, then try again",
                    path=folder,
                ) from None
            raise
        self._open[folder] = handle
        if len(self._open) > _KEEP:
            _, oldest = self._open.popitem(last=False)
            os.close(oldest)
        return handle


def holds_others(root: bytes, folder: bytes, going: Container[bytes]) -> bool:
    """Whether a file or a link is somewhere in `folder` that is not `going`; both are paths below `root`."""
    for above, folders, names in os.walk(root + b"/" + folder):
        inside = above[len(root) + 1 :]
        links = [name for name in folders if os.path.islink(os.path.join(above, name))]
        if any(inside + b"/" + name not in going for name in [*names, *links]):
            return True
    return False


def remove_empty(name: bytes, handle: int) -> None:
    """Takes a folder away in which there are but folders; raises OSError, and leaves it, where anything else is."""
    # A link to a folder counts as a folder here, and is one that no `rmdir` takes.
    if any(names for _, _, names, _ in os.fwalk(name, dir_fd=handle)):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), os.fsdecode(name))
    for _, folders, _, here in os.fwalk(name, topdown=False, dir_fd=handle):
        for folder in folders:
            os.rmdir(folder, dir_fd=here)
    os.rmdir(name, dir_fd=handle)
