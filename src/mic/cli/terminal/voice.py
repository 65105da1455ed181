"""One voice for all errors: what the rooms below say in fragments is shown as sentences."""

from __future__ import annotations

import re

# How our own messages begin. Anything else may be the name of a file, which keeps its spelling, even a file that is
# called `a` or `project`: in front of a verb these words are taken for one.
_OURS = re.compile(
    r"(?:(?:a|an|the|no|somebody|what|parts of)\s(?!(?:is|has|was|cannot|does|changed|went)\b)"
    r"|this (?:workspace|folder|session|project|is not a )"
    r"|there (?:is|are|was) (?:no|nothing|a|an) "
    r"|it (?:is|was|has) (?:not|no|a|an) "
    r"|(?:session|position|landing|content|project) (?:@|\d|[0-9a-f]{8})"
    r"|no space left )"
)
_COMMAND = re.compile(r"(?:mic|git|micelio)\b")


def message(text: str) -> str:
    """A message with a capital letter, unless a name comes first, and with a stop."""
    return _stopped(_capital(text) if _OURS.match(text) else text)


def hint(text: str) -> str:
    """A hint with a capital letter, unless a command comes first, and with a stop."""
    return _stopped(text if _COMMAND.match(text) else _capital(text))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _stopped(text: str) -> str:
    # The lines of a list are no sentences.
    return text if not text or text[-1] in ".!?" or "\n" in text else f"{text}."
