"""The mark of an undo or a redo that has begun and not come to its end: files are neither as before nor as after it.

`.mic/undoing` says which of the two it was, so that whoever looks is told what goes on. `mic status` reads it:
nothing is imported here that it has not loaded.
"""

from __future__ import annotations

import posix

from mic.workspace.place import FOLDER, exists, write_file

TYPE_CHECKING = False  # as typing has it, which takes 5 ms to load
if TYPE_CHECKING:
    from mic.workspace.workspace import Workspace

_NAME = b"undoing"
_VERBS = ("undo", "redo")


def begin_undoing(ws: Workspace, verb: str) -> None:
    """Before the first file of `mic undo` or `mic redo`."""
    write_file(ws.folder, _NAME, verb.encode())


def end_undoing(ws: Workspace) -> None:
    """After everything."""
    if exists(ws.folder + b"/" + _NAME):
        posix.unlink(ws.folder + b"/" + _NAME)


def undoing(ws: Workspace) -> bool:
    """Whether an undo was stopped half way."""
    return exists(ws.folder + b"/" + _NAME)


def goes_on(root: bytes) -> tuple[str, ...]:
    """The commands that may go on with what was stopped; both where the mark does not say: earlier ones were empty."""
    try:
        with open(root + b"/" + FOLDER + b"/" + _NAME, "rb") as stream:
            said = stream.read(8)
    except OSError:
        said = b""
    return tuple(f"mic {verb}" for verb in _VERBS if verb.encode() == said) or ("mic undo", "mic redo")


def in_words(commands: tuple[str, ...]) -> str:
    """These, as a sentence names them."""
    return f"`{commands[0]}`" if len(commands) == 1 else "the same " + " or ".join(f"`{each}`" for each in commands)
