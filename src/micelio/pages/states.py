"""The states of a session in words."""

from __future__ import annotations

_WORDS = {
    "active": "Open",
    "queued": "Waits to land",
    "pending_review": "Waits for review",
    "landed": "Landed",
    "rejected": "Rejected",
    "conflicted": "In conflict",
    "abandoned": "Abandoned",
}


def state_words(state: str, position: int = 0) -> str:
    """`Landed as @42`, `Open`, `In conflict`."""
    words = _WORDS.get(state, state)
    return f"{words} as @{position}" if state == "landed" and position else words
