"""Which landings changed a path, beside the documents: rows that follow the log by themselves, from its records alone.

They have a count of their own in `Indexed`, so that a forge which begins to keep them goes on searching meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from mic.core.paths import display
from mic.core.record import Record
from mic.ledger.project import Project
from micelio.databases import let_go
from micelio.search.models import Indexed, Touched

# Landings that are read at once, and characters of one transaction and of one row.
LANDINGS = 200
CHARACTERS = 1 << 20
PART = 1 << 16


def touching(path: str) -> Exists:
    """A part of a query of documents: those of landings that changed a path with `path` in it, in any case."""
    found = Touched.objects.filter(project_id=OuterRef("project_id"), position=OuterRef("position"))
    return Exists(found.filter(names__icontains=path))


def follow_paths(ledger: Project, project_id: UUID, head: int) -> None:
    """Write the rows of every landing up to `head` that has none. Raises as reading the store does."""
    while True:
        at = Indexed.objects.values_list("paths_position", flat=True).get(project_id=project_id)
        if at >= head:
            return
        let_go()
        ledger.head()
        rows: list[Touched] = []
        size, last = 0, at
        for record in ledger.records(at + 1, min(head, at + LANDINGS)):
            made = touched_rows(project_id, record)
            rows += made
            size += sum(len(row.names) for row in made)
            last = record.position
            if size >= CHARACTERS:
                break
        assert last > at
        with transaction.atomic():
            now = Indexed.objects.select_for_update().get(project_id=project_id)
            if now.paths_position != at:
                continue  # another process was at it too
            Touched.objects.filter(project_id=project_id, position__gt=at, position__lte=last).delete()
            Touched.objects.bulk_create(rows, batch_size=100)
            Indexed.objects.filter(project_id=project_id).update(paths_position=last)


def touched_rows(project_id: UUID, record: Record) -> list[Touched]:
    """The rows of one landing, not written yet."""
    names = (display(change.path).replace("\x00", "\ufffd") for change in record.changes)
    return [
        Touched(project_id=project_id, position=record.position, part=number, names=part)
        for number, part in enumerate(_parts(names))
    ]


def _parts(names: Iterable[str]) -> Iterator[str]:
    held: list[str] = []
    size = 0
    for name in names:
        if held and size + len(name) >= PART:
            yield "\n".join(held)
            held, size = [], 0
        held.append(name)
        size += len(name) + 1
    if held:
        yield "\n".join(held)
