"""Topics: words by which a project is found, chosen by its admins. Kept in the project's row, and one row for each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from mic.core.errors import InvalidInput
from micelio.projects.models import Topic

MOST = 20
_FORM = re.compile(r"[a-z0-9][a-z0-9-]{0,34}\Z")


def parse_topics(words: Iterable[str]) -> tuple[str, ...]:
    """Topics in their one spelling, lower case, each once, in their order. Raises InvalidInput."""
    found = tuple(dict.fromkeys(word.strip().lower() for word in words if word.strip()))
    for word in found:
        if not _FORM.match(word):
            raise InvalidInput(
                f"{word[:60]!r} cannot be a topic.",
                hint="Use a-z, 0-9 and hyphens, at most 35 of them; begin with a letter or digit.",
            )
    if len(found) > MOST:
        raise InvalidInput(f"There are {len(found)} topics; the most are {MOST}.", hint="Keep those that people seek.")
    return found


def write_topics(project_id: UUID, topics: Iterable[str]) -> None:
    """The rows by which a project is found, within the transaction that changes the project."""
    Topic.objects.filter(project_id=project_id).delete()
    Topic.objects.bulk_create(Topic(project_id=project_id, name=name) for name in topics)
