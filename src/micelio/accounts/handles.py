"""The rules of handles: what may stand right after the forge's host in an address."""

from __future__ import annotations

import re

from mic.core.errors import InvalidInput

MAX_LENGTH = 39
_FORM = re.compile(r"[a-z0-9][a-z0-9-]{0,38}\Z")

# First path components that the forge uses or will use itself, and names that would mislead.
RESERVED = frozenset(
    {
        "about", "account", "accounts", "admin", "api", "assets", "auth", "blog", "changelog", "dashboard", "design",
        "docs", "explore", "favicon", "graphql", "health", "help", "home", "identity", "inbox", "issues",
        "login", "logout", "me", "metrics", "mic", "new", "nodeinfo", "oauth", "organizations", "orgs", "projects",
        "raw", "register", "robots", "root", "search", "security", "sessions", "settings", "signin", "signout",
        "signup", "static", "status", "support", "system", "users", "webhooks", "well-known", "www",
    }
)  # fmt: skip


def parse_handle(text: str, *, reserved_too: bool = False) -> str:
    """The handle in its one spelling, lower case. Raises InvalidInput.

    With `reserved_too`, for the operator, a reserved word is no reason to refuse.
    """
    handle = text.strip().lower()
    if not _FORM.match(handle):
        raise InvalidInput(
            f"{text[:60]!r} cannot be a handle.",
            hint="Use 1 to 39 letters a-z, digits and hyphens, beginning with a letter or digit.",
        )
    if handle in RESERVED and not reserved_too:
        raise InvalidInput(f"The handle {handle} is reserved by the forge.", hint="Choose another handle.")
    return handle


def sought(text: str) -> str:
    """The spelling that a handle is looked up by. Nothing has the empty one, which stands for what holds a NUL.

    PostgreSQL refuses to compare with a NUL; SQLite finds nothing.
    """
    return "" if "\x00" in text else text.strip().lower()
