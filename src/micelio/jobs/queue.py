"""The queue as those see it who look after the forge: what waits, runs and failed, and trying once more.

Who may is judged above: jobs know no actors.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from mic.core.errors import NotFound
from micelio.jobs.job import RULES

STATES = {"waiting": TaskResultStatus.READY, "running": TaskResultStatus.RUNNING, "failed": TaskResultStatus.FAILED}


@dataclass(frozen=True, slots=True)
class JobRow:
    """One attempt at a job. `problem` is the last line of what went wrong, without what the job was given."""

    id: UUID
    name: str
    attempt: int
    enqueued_at: datetime
    run_after: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    problem: str


def counts() -> dict[str, int]:
    """How many rows there are in each state, `done` too."""
    found = dict(DBTaskResult.objects.values_list("status").annotate(count=Count("id")).order_by("status"))
    states = {**STATES, "done": TaskResultStatus.SUCCESSFUL}
    return {name: found.get(state.value, 0) for name, state in states.items()}


def rows(state: str, limit: int = 50) -> list[JobRow]:
    """Jobs that wait, run or failed, the newest first."""
    found = DBTaskResult.objects.filter(status=STATES[state]).order_by("-enqueued_at")[:limit]
    return [_row(row) for row in found]


@transaction.atomic
def retry(job_id: UUID) -> str:
    """Run a failed job again from its first attempt, now; its row goes. Returns its name. Raises NotFound.

    Of two who ask for it at once, one does.
    """
    failed = DBTaskResult.objects.filter(id=job_id, status=TaskResultStatus.FAILED)
    row = failed.first()
    if row is None or row.task_path not in RULES or not failed.delete()[0]:
        raise NotFound("There is no such failed job.", hint="Look at the list again.")
    kwargs = {key: value for key, value in row.args_kwargs["kwargs"].items() if key != "_attempt"}
    RULES[row.task_path].task.enqueue(*row.args_kwargs["args"], **kwargs)
    return _name(row.task_path)


def _row(row: DBTaskResult) -> JobRow:
    attempt = row.args_kwargs["kwargs"].get("_attempt", 0) + 1
    lines = (row.traceback or "").strip().splitlines()
    problem = lines[-1][:300] if lines else ""
    # A job that may run at once has a time in the distant future.
    after = row.run_after if row.run_after is not None and row.run_after.year < 9000 else None
    return JobRow(
        row.id, _name(row.task_path), attempt, row.enqueued_at, after, row.started_at, row.finished_at, problem
    )


def _name(path: str) -> str:
    """`accounts: purge` of `micelio.accounts.jobs.purge`."""
    parts = path.split(".")
    return f"{parts[1]}: {parts[-1].replace('_', ' ')}" if len(parts) > 2 else path
