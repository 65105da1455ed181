"""The states of a session in words."""

from __future__ import annotations

from micelio.languages.spoken import gettext, gettext_noop

_WORDS = {
    "active": gettext_noop("Open"),
    "queued": gettext_noop("Waits to land"),
    "pending_review": gettext_noop("Waits for review"),
    "landed": gettext_noop("Landed"),
    "rejected": gettext_noop("Rejected"),
    "conflicted": gettext_noop("In conflict"),
    "abandoned": gettext_noop("Abandoned"),
}


def state_words(state: str, position: int = 0) -> str:
    """`Landed as @42`, `Open`, `In conflict`."""
    if state == "landed" and position:
        return gettext("Landed as @{position}").format(position=position)
    return gettext(_WORDS[state]) if state in _WORDS else state
