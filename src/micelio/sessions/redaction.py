"""The words of a session as they are stored: what looks like a secret is taken out before anything is written.

The mark stays visible where it stood. `metadata["scanned"]` (docs/formats.md) says by which rules, so that a later
version of them can look again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from mic.core.attribution import with_names, writer_names
from mic.core.errors import InvalidInput, MicError, Unavailable
from mic.core.scanning import RULES_VERSION, redact
from mic.core.session import Alternative, Decision, Message, Session

_log = logging.getLogger("micelio.scanning")


def without_secrets(session: Session) -> Session:
    """The session with its words redacted and nothing else in its metadata than by which rules.

    Raises Unavailable when the search fails: words that were not searched are not stored.
    """
    try:
        return _redacted(session)
    except MicError:
        raise
    except Exception as error:
        _log.exception("the search for secrets failed")
        raise Unavailable(
            "The session's words could not be searched for secrets, so nothing was stored.",
            hint="Repeat later; whoever runs the forge finds the reason in its log.",
        ) from error


def as_shown(session: Session) -> Session:
    """A stored session as it may be shown: one that older rules let through is searched by today's.

    What is stored stays as it is, for its hash is in the log. A text that cannot be searched is not shown.
    """
    scanned: Any = session.metadata.get("scanned")
    if isinstance(scanned, dict) and scanned.get("rules") == RULES_VERSION:
        return session
    said = words(session)
    try:
        changed = redact(said)
    except InvalidInput:
        changed = dict.fromkeys(range(len(said)), ("[redacted: not searchable]", 1))
    return _with_words(session, said, changed) if changed else session


def words(session: Session) -> list[str]:
    """Every text of a session that people read, in a fixed order."""
    found = [session.goal, session.agent]
    for item in session.conversation:
        found += [item.author, item.text]
    for decision in session.decisions:
        found += [decision.what, decision.why, decision.by, decision.evidence]
        for road in decision.alternatives:
            found += [road.what, road.why_not]
    for each in session.usage:
        found += [each.model, each.source]
    return found + writer_names(session.attribution)


def redactions(session: Session) -> int:
    """How many secrets were taken out of the words of a session that was stored by this forge."""
    scanned: Any = session.metadata.get("scanned")
    count = scanned.get("redacted", 0) if isinstance(scanned, dict) else 0
    return count if isinstance(count, int) else 0


def _redacted(session: Session) -> Session:
    said = words(session)
    changed = redact(said)
    total = sum(count for _, count in changed.values())
    scanned = {"scanned": {"rules": RULES_VERSION, "redacted": total}}
    if not changed:
        return msgspec.structs.replace(session, metadata=scanned)
    return msgspec.structs.replace(_with_words(session, said, changed), metadata=scanned)


def _with_words(session: Session, said: list[str], changed: Mapping[int, tuple[str, int]]) -> Session:
    """The session with the texts that were changed; a message also counts what was taken out of it."""
    clean = iter(changed.get(number, (text, 0)) for number, text in enumerate(said))

    def text() -> str:
        return next(clean)[0]

    goal, agent = text(), text()
    conversation = []
    for item in session.conversation:
        (author, in_author), (what, in_text) = next(clean), next(clean)
        conversation.append(Message(item.role, author, what, item.at, in_author + in_text))
    decisions = []
    for decision in session.decisions:
        what, why, by, evidence = text(), text(), text(), text()
        roads = tuple(Alternative(text(), text()) for _ in decision.alternatives)
        decisions.append(Decision(what, why, roads, by, evidence, decision.at, decision.message))
    usage = tuple(msgspec.structs.replace(each, model=text(), source=text()) for each in session.usage)
    return msgspec.structs.replace(
        session,
        goal=goal,
        agent=agent,
        conversation=tuple(conversation),
        decisions=tuple(decisions),
        usage=usage,
        attribution=with_names(session.attribution, iter(text, None)),
    )
