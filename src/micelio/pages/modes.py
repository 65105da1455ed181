"""Git's file modes in words."""

from __future__ import annotations

from micelio.languages.spoken import gettext, gettext_noop

SYMLINK = 0o120000
GITLINK = 0o160000
EXECUTABLE = 0o100755
REGULAR = 0o100644
_WORDS = {
    EXECUTABLE: gettext_noop("executable"),
    SYMLINK: gettext_noop("symbolic link"),
    GITLINK: gettext_noop("link to a commit elsewhere"),
}


def mode_words(mode: int) -> str:
    """What is special about a file of this mode; empty for a plain one."""
    if mode == REGULAR:
        return ""
    return gettext(_WORDS[mode]) if mode in _WORDS else gettext("mode {mode}").format(mode=f"{mode:06o}")


def mode_change(old: int, new: int) -> str:
    """A sentence about a change of mode; empty when there is none."""
    if old == new:
        return ""
    if (old, new) == (REGULAR, EXECUTABLE):
        return gettext("The file became executable.")
    if (old, new) == (EXECUTABLE, REGULAR):
        return gettext("The file is no longer executable.")
    return gettext("It was a {old} and became a {new}.").format(old=_noun(old), new=_noun(new))


def _noun(mode: int) -> str:
    if mode in (REGULAR, EXECUTABLE):
        return gettext("plain file") if mode == REGULAR else gettext("executable file")
    return mode_words(mode) if mode in _WORDS else gettext("file of mode {mode}").format(mode=f"{mode:06o}")
