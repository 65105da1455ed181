"""What a branch can be called: what git takes for the name of one, and what nothing else here is called."""

from __future__ import annotations

import re

from mic.core.errors import InvalidInput
from mic.git.sent import BAD_NAME
from micelio.projects.project_view import MAIN

MAX_BRANCH = 200
# What a ref of mic looks like (ADR 71): as the name of a branch it could never be said.
_MIC = re.compile(r"@.*|HEAD|[0-9]+|(?:landing|branch):.*|ses_.*|.*\.\..*")
# Names stand in commands that people copy, so none holds what a shell reads as something else.
_PLAIN = re.compile(r"[\w./+=-]+")


def parse_branch(text: str) -> str:
    """The name of a branch that could be begun. Raises InvalidInput."""
    name = text.strip()
    if name == MAIN:
        raise InvalidInput("main is there already: every project begins with it.", hint="Choose another name.")
    if not is_branch(name) or _MIC.fullmatch(name) or not _PLAIN.fullmatch(name):
        raise InvalidInput(
            f"{name[:60]!r} cannot be the name of a branch.",
            hint="Use letters, digits, dots, hyphens, underscores and slashes: fix/login, release-2.1.",
        )
    return name


def is_branch(name: str) -> bool:
    """Whether git takes this for the name of a branch (git check-ref-format --branch), and a row holds it."""
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        return False
    return (
        0 < len(name) <= MAX_BRANCH
        and name.isprintable()
        and not BAD_NAME.search(raw)
        and not name.startswith(("-", ".", "/", "refs/"))
        and name not in ("@", "HEAD")
    )
