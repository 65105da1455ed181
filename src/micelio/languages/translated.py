"""Which pages are translated, by the names of their addresses. All others are English from first word to last."""

from __future__ import annotations

TRANSLATED = frozenset(
    {
        "home", "explore", "search", "person", "organization", "stars", "language",
        "project", "tree-root", "tree", "file", "blame", "history", "branches", "contributors", "badges",
        "landings", "landing", "landing-change", "sessions", "session", "session-change",
        "compare-form", "compare", "compare-change",
    }
)  # fmt: skip
