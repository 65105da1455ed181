"""`@job`: a function that runs later, again when it fails, and at most so long.

A job may run twice (a killed worker's row is put back), so its function must be idempotent.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from micelio.cluster.locks import alone

# Seconds before the next attempt: a minute, five, half an hour, two hours, a day. Then the job stays failed.
BACKOFF = (60, 300, 1800, 7200, 86400)
DEFAULT_LIMIT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one job is run: `limit` after which a RUNNING row counts as left behind, `every` to run again and again."""

    limit: timedelta
    every: timedelta | None
    task: Any


# By dotted path, as the rows name them. Filled as modules are imported.
RULES: dict[str, Rule] = {}


def job(
    *,
    backoff: Sequence[int] = BACKOFF,
    limit: timedelta = DEFAULT_LIMIT,
    daily: bool = False,
    every: timedelta | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Turn a module-level function into a task of django-tasks; `.enqueue(...)` takes JSON arguments.

    Each attempt is a row of its own: a failed one enqueues the next after `backoff[attempt]` seconds and stays
    FAILED with its traceback. A job that runs `every` so often (`daily`: each
    day) enqueues the next run when it starts.
    """
    again = timedelta(days=1) if daily else every

    def make(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def run(*args: Any, _attempt: int = 0, **kwargs: Any) -> Any:
            rule = RULES[path]
            if again is not None and _attempt == 0:
                # A run that was put back has done this already.
                enqueue_once(path, [TaskResultStatus.READY], timezone.now() + again)
            try:
                return function(*args, **kwargs)
            except Exception:
                if _attempt < len(backoff):
                    later = timezone.now() + timedelta(seconds=backoff[_attempt])
                    rule.task.using(run_after=later).enqueue(*args, **kwargs, _attempt=_attempt + 1)
                raise

        path = f"{function.__module__}.{function.__qualname__}"
        made = task()(run)
        RULES[path] = Rule(limit, again, made)
        return made

    return make


def enqueue_once(path: str, states: Sequence[str], run_after: datetime | None = None) -> None:
    """Enqueue a job without arguments unless a row of it is in one of the states. Of several forges, one does."""
    with transaction.atomic():
        alone(f"job {path}")
        # A failed run that waits for its next attempt is not the next run.
        first = DBTaskResult.objects.exclude(args_kwargs__kwargs__has_key="_attempt")
        if not first.filter(task_path=path, status__in=states).exists():
            RULES[path].task.using(run_after=run_after).enqueue()
