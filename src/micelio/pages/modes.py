"""Git's file modes in words."""

from __future__ import annotations

SYMLINK = 0o120000
GITLINK = 0o160000
EXECUTABLE = 0o100755
REGULAR = 0o100644


def mode_words(mode: int) -> str:
    """What is special about a file of this mode; empty for a plain one."""
    words = {REGULAR: "", EXECUTABLE: "executable", SYMLINK: "symbolic link", GITLINK: "link to a commit elsewhere"}
    return words.get(mode, f"mode {mode:06o}")


def mode_change(old: int, new: int) -> str:
    """A sentence about a change of mode; empty when there is none."""
    if old == new:
        return ""
    if (old, new) == (REGULAR, EXECUTABLE):
        return "The file became executable."
    if (old, new) == (EXECUTABLE, REGULAR):
        return "The file is no longer executable."
    return f"It was a {_noun(old)} and became a {_noun(new)}."


def _noun(mode: int) -> str:
    words = {
        REGULAR: "plain file",
        EXECUTABLE: "executable file",
        SYMLINK: "symbolic link",
        GITLINK: "link to a commit elsewhere",
    }
    return words.get(mode, f"file of mode {mode:06o}")
