"""Where a workspace is and what is in its `.mic` folder: finding it, reading and writing its small files.

`.mic/config` has one `key=value` a line. `format` says what a program must know to work here without harm: 1, or no
such line, for a copy that follows main, 2 for one that follows a branch, where a program that knows no branches would
land on main. One with a higher number is left alone.

Writes go to a temporary file first and are renamed into place, so that a reader sees the old file or the new one.
"""

from __future__ import annotations

import posix

from mic.workspace.columns import Columns, decode, encode

FOLDER = b".mic"
_DIRECTORY = 0o040000


def find_root(start: bytes) -> bytes | None:
    """The nearest folder, from `start` (absolute) upwards, that holds a `.mic` folder."""
    folder = start
    while True:
        try:
            if posix.lstat(folder.rstrip(b"/") + b"/" + FOLDER).st_mode & 0o170000 == _DIRECTORY:
                return folder
        except OSError:
            pass
        if folder in (b"/", b""):
            return None
        folder = folder.rpartition(b"/")[0] or b"/"


def exists(path: bytes) -> bool:
    """Whether anything has this name, be it a symlink to nowhere."""
    try:
        posix.lstat(path)
    except FileNotFoundError:
        return False
    return True


def read_file(path: bytes) -> bytes | None:
    """The bytes of a file of `.mic`; None when there is none."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def take_away(path: bytes) -> None:
    """Takes a file of `.mic` away, when there is one. A directory in its place is none of ours, and stays."""
    try:
        posix.unlink(path)
    except (FileNotFoundError, IsADirectoryError):
        pass
    except PermissionError:  # what some systems say of a directory
        if posix.lstat(path).st_mode & 0o170000 != _DIRECTORY:
            raise


def write_file(folder: bytes, name: bytes, data: bytes, mode: int = 0o666) -> None:
    """Puts `data` at `folder/name`: whole or not at all, and still there after a power cut.

    What fails names that file, not the one beside it that is written first. `mode` is taken less the umask.
    """
    target = folder + b"/" + name
    temporary = target + b"." + str(posix.getpid()).encode() + b".new"
    try:
        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_NOFOLLOW | posix.O_CLOEXEC
        with open(posix.open(temporary, flags, mode), "wb") as stream:
            stream.write(data)
            stream.flush()
            posix.fsync(stream.fileno())
        posix.rename(temporary, target)
    except BaseException as error:
        if exists(temporary):
            posix.unlink(temporary)
        if isinstance(error, OSError) and error.filename == temporary:
            error.filename, error.filename2 = target, None
        name_file(error, target)
        raise


class Naming:
    """While entered, errors of the operating system name this file where they name none (`name_file`)."""

    __slots__ = ("_path",)

    def __init__(self, path: bytes | str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is not None:
            name_file(error, self._path)


def name_file(error: BaseException, path: bytes | str) -> None:
    """Let an error of the operating system say which file it is about, where it does not: write(2) knows only a number.

    On a full disk people want to know which one that is.
    """
    if isinstance(error, OSError) and error.filename is None:
        error.filename = path


def clock_now(root: bytes) -> int:
    """The time of the workspace's own file system, in ns: that of a file made now.

    `time.time_ns` runs ahead of it by up to a kernel tick, and on a network file system by anything.
    """
    path = root + b"/" + FOLDER + b"/clock." + str(posix.getpid()).encode()
    handle = posix.open(path, posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC, 0o600)
    try:
        posix.write(handle, b".")
        return posix.fstat(handle).st_ctime_ns
    finally:
        posix.close(handle)
        posix.unlink(path)


def read_config(root: bytes) -> dict[str, str]:
    """The keys and values of `.mic/config`; raises Corrupt when it is not there or not readable as text."""
    raw = read_file(root + b"/" + FOLDER + b"/config")
    try:
        # Without its end, a part of a name or of a number would be another one.
        lines = raw[: raw.rfind(b"\n") + 1].decode().splitlines() if raw is not None else []
    except UnicodeDecodeError:
        lines = []
    values = {key: value for key, mark, value in (line.partition("=") for line in lines) if mark}
    missing = [key for key in ("instance", "organization", "project", "position", "tree") if key not in values]
    if missing or not values["position"].isdigit():
        from mic.core.errors import Corrupt

        what = f"has no {missing[0]!r}" if missing else "has a position that is not a number"
        raise Corrupt(
            f"{posix_text(root)}/.mic/config {what}",
            hint="move .mic out of this folder, then `mic link ORG/PROJECT` here: it writes none of your files",
        )
    if values.get("format", "1") not in ("1", "2"):
        from mic.core.errors import Corrupt

        raise Corrupt(f"{posix_text(root)} was made by a newer version of mic", hint="use that version")
    return values


def write_config(root: bytes, values: dict[str, str]) -> None:
    """Writes `.mic/config`."""
    text = "".join(f"{key}={value}\n" for key, value in values.items())
    write_file(root + b"/" + FOLDER, b"config", text.encode())


def read_columns(root: bytes) -> Columns:
    """The index of a workspace, an empty one before the first checkout; raises Corrupt when it is garbage."""
    raw = read_file(root + b"/" + FOLDER + b"/index")
    if raw is None:
        return Columns()
    columns = decode(raw)
    if columns is None:
        from mic.core.errors import Corrupt

        raise Corrupt(
            f"the index {posix_text(root)}/.mic/index is damaged",
            hint="`mic link ORG/PROJECT` here makes it anew: it writes none of your files",
        )
    return columns


def write_columns(root: bytes, columns: Columns) -> None:
    """Writes the index of a workspace."""
    write_file(root + b"/" + FOLDER, b"index", encode(columns))


def posix_text(path: bytes) -> str:
    """A path of this machine as text."""
    return path.decode("utf-8", "surrogateescape")
