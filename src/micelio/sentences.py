"""Expected errors in words for people: full sentences, without the names that things have inside the store.

The rooms below speak in fragments that name store keys, which is right for a log and a riddle for a visitor. Every
door passes an error through `for_people` before it leaves.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from uuid import UUID

from mic.core.errors import Corrupt, MicError, NotFound, StorageFull, Unavailable
from mic.core.paths import display

_log = logging.getLogger("micelio.store")

# A key of the store; the id of a project as keys and messages of the ledger write it.
_KEY = re.compile(r"\b(?:projects|registry)/[0-9a-f]{32}\S*")
_PROJECT = re.compile(r"\b[0-9a-f]{32}\b")
# A first word that is one of ours. What is followed by these verbs may be the path of a file, which keeps its spelling.
_OPENING = re.compile(r"there |[a-z]+ (?!(?:is|has|was|cannot) )")


def for_people(error: MicError, name_of: Callable[[UUID], str]) -> MicError:
    """The error as it leaves the forge; `name_of` gives a project's name, "" when it is not known.

    A missing object that the store was asked for by key is damage, never absence: rows know the project. Damage and a
    store that fails are logged with the key, and told without it. Other errors keep their class and details.
    """
    found = _PROJECT.search(error.message)
    if found is None or not isinstance(error, NotFound | Corrupt | Unavailable):
        message = _stopped(error.message) if _names_a_path(error) else sentence(error.message)
        return _again(error, message, sentence(error.hint, opening=True))
    _log.error("%s", error.message)
    if isinstance(error, StorageFull):
        return StorageFull(
            "There is no space left in the forge's store.", hint="Free disk space there; nothing was changed."
        )
    if isinstance(error, Unavailable):
        reason = _KEY.sub("", error.message).strip(": ")
        return Unavailable(f"The forge's store cannot be used: {reason}.", hint=sentence(error.hint, opening=True))
    key = _KEY.search(error.message)
    whole = key is not None and key.group().endswith("/head")
    # A fork may have been reading below its origin's key, and whoever reads the fork need not know the origin.
    name = name_of(UUID(str(error.details.get("project", found.group())))) or "a project"
    state = "missing from" if isinstance(error, NotFound) or "missing" in error.message else "damaged in"
    return Corrupt(
        f"{'The' if whole else 'A part of the'} history of {name} is {state} the store.",
        hint="Whoever runs the forge can run `micelio verify`: it names what to restore.",
    )


def sentence(text: str, *, opening: bool = False) -> str:
    """With a capital letter, unless a name comes first, and a stop. `opening` says that no name comes first."""
    if not text:
        return ""
    if _OPENING.match(text) or (opening and text[0].islower()):
        text = text[0].upper() + text[1:]
    return _stopped(text)


def _stopped(text: str) -> str:
    return text if text[-1] in ".!?" else f"{text}."


def _names_a_path(error: MicError) -> bool:
    """Whether the message begins with the path that it is about, which may look like words."""
    path = error.details.get("path")
    return isinstance(path, bytes) and error.message.startswith(display(path))


def one_line(error: MicError) -> str:
    """Message and hint as sentences on one line."""
    return f"{sentence(error.message)} {sentence(error.hint, opening=True)}".rstrip()


def _again(error: MicError, message: str, hint: str) -> MicError:
    return type(error)(message, hint=hint, **error.details)
