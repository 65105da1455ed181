"""How far an import is, written down once a second; and whether it is to go on."""

from __future__ import annotations

import time

from django.utils import timezone

from micelio.databases import let_go
from micelio.imports.models import GitImport, Stage, State
from micelio.imports.worker import thread
from micelio.jobs.run import Canceled, Stopped

_EVERY = 1.0
_COUNTERS = ("objects_done", "objects_total", "landings_done", "landings_total", "received", "size")


class Progress:
    """Saves the counters of a row. `tick` is called for each piece of work, and mostly does nothing."""

    def __init__(self, row: GitImport) -> None:
        self._row = row
        self._next = time.monotonic() + _EVERY
        self._ticks = 0

    def tick(self) -> None:
        """Raises Canceled, Stopped."""
        self._ticks += 1
        if self._ticks & 63 or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        self.save(*_COUNTERS)
        if thread.stopping:
            raise Stopped
        if GitImport.objects.filter(id=self._row.id, state=State.CANCELED).exists():
            raise Canceled
        let_go()

    def stage(self, stage: Stage, *fields: str) -> None:
        """The next stage begins; `fields` are what the one before has found out."""
        self._row.stage = stage
        self.save("stage", *_COUNTERS, *fields)
        self._ticks, self._next = 63, 0.0
        self.tick()

    def save(self, *fields: str, **values: str) -> None:
        """Write fields of the row down, and set some."""
        for name, value in values.items():
            setattr(self._row, name, value)
        self._row.updated_at = timezone.now()
        self._row.save(update_fields=["updated_at", *fields, *values])
        let_go()
