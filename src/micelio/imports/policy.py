"""Who may import into a project, and see how far that is: whoever may write to it."""

from __future__ import annotations

from mic.core.errors import NotFound
from micelio.sessions.policy import require_import as require_import


def no_such_import() -> NotFound:
    """The one answer for an import that is not there."""
    return NotFound("The project has no such import.", hint="`mic import git SOURCE ORG/PROJECT` starts one.")
