"""How much of a project is written in which language: counted beside the documents, in their transactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Sum

from micelio.search.models import Document, Kind, Language

# What is configured, kept or told rather than programmed: it would bury the rest.
NOT_COUNTED = frozenset(
    ("asciidoc", "csv", "ini", "json", "markdown", "restructuredtext", "text", "toml", "xml", "yaml", "")
)


def shift(project_id: UUID, gone: Iterable[tuple[str, int]], came: Iterable[tuple[str, int]]) -> None:
    """Files of these (language, characters) went, and these came."""
    difference: Counter[str] = Counter()
    for sign, files in ((-1, gone), (1, came)):
        for language, characters in files:
            if language not in NOT_COUNTED:
                difference[language] += sign * characters
    if any(difference.values()):
        known = Counter(dict(Language.objects.filter(project_id=project_id).values_list("name", "characters")))
        known.update(difference)
        _write(project_id, known)


def count_anew(project_id: UUID) -> None:
    """From the documents as they are, after many went at once."""
    files = Document.objects.filter(project_id=project_id, kind=Kind.CODE).exclude(language__in=NOT_COUNTED)
    sums = files.values_list("language").order_by("language").annotate(sum=Sum("size"))
    _write(project_id, Counter(dict(sums)))


def _write(project_id: UUID, characters: Counter[str]) -> None:
    total = sum(number for number in characters.values() if number > 0)
    rows = [
        Language(project_id=project_id, name=name, characters=number, share=number * 1000 // total)
        for name, number in characters.items()
        if number > 0
    ]
    Language.objects.filter(project_id=project_id).exclude(name__in=[row.name for row in rows]).delete()
    Language.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["project", "name"], update_fields=["characters", "share"]
    )
