"""Long runs: work of minutes or hours, kept as a row that says how far it is and which process has it.

A process that dies leaves its name in the row; whoever looks next finds it dead, and goes on where the row says.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from django.db import models
from django.utils import timezone

from mic.core.errors import MicError
from micelio.cluster.presence import PROCESS, is_alive
from micelio.sentences import for_people

# Of one text that a row keeps for people, in characters.
MESSAGE = 1000


class Canceled(Exception):
    """Somebody has canceled the run."""


class Stopped(Exception):
    """The process is ending; somebody goes on with the run later."""


class Run(models.Model):
    """What the rows of all long runs have; each kind adds its `state`, `stage` and counters.

    `worker` names the process that works on it, or alone may; "" when any may.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    started_by = models.UUIDField()
    worker = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=MESSAGE, blank=True)
    hint = models.CharField(max_length=MESSAGE, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    state: models.CharField[str, str]

    class Meta:
        abstract = True


R = TypeVar("R", bound=Run)


def claim(rows: models.QuerySet[R], state_of: Callable[[R], str], **also: None) -> R | None:
    """The first of the rows that no other living process has, as this process's own and in the state `state_of` it.

    None when there is none, or others were quicker. `updated_at` becomes now, and `also` says what else it becomes.
    """
    for row in rows:
        if row.worker not in ("", PROCESS) and is_alive(row.worker):
            continue
        same = rows.model._default_manager.filter(
            id=row.id, state=row.state, worker=row.worker, updated_at=row.updated_at
        )
        if same.update(state=state_of(row), worker=PROCESS, updated_at=timezone.now(), **also):
            return rows.model._default_manager.get(id=row.id)
    return None


def words(error: MicError, name_of: Callable[[UUID], str]) -> dict[str, str]:
    """`error_code`, `error` and `hint` of a row that ends with this error; `name_of` a project for who reads it."""
    said = for_people(error, name_of)
    return {"error_code": said.code, "error": said.message[:MESSAGE], "hint": (said.hint or "")[:MESSAGE]}
