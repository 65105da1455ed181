"""No new file has a name that Git keeps for itself: whoever clones the project with Git could not check it out."""

from __future__ import annotations

from mic.core.errors import InvalidPath
from mic.core.paths import display
from mic.core.session import Op, Session
from mic.git.fsck_names import is_dot_git

# What every spelling of `.git` has one of: the letters, or a sign that HFS+ leaves out.
_SIGNS = (b"git", b"\xe2\x80", b"\xe2\x81", b"\xef\xbb\xbf")


def refuse_gits_own(session: Session) -> None:
    """Raises InvalidPath for a new file in a folder like `.git`. What an older version took in may change and go."""
    for change in session.changes:
        if change.op != Op.ADDED:
            continue
        low = change.path.lower()
        if not any(sign in low for sign in _SIGNS):
            continue
        if any(map(is_dot_git, change.path.split(b"/"))):
            raise InvalidPath(
                f"{display(change.path)[:200]} cannot be landed: Git keeps names like .git for itself, "
                "and refuses to check such a file out.",
                hint="Give the file or its folder another name.",
                path=change.path,
            )
