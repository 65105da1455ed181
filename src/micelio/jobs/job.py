"""`@job`: a function that runs later, again when it fails, and at most so long.

A job may run twice (a killed worker's row is put back), so its function must be idempotent.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django_tasks import task

# Seconds before the next attempt: a minute, five, half an hour, two hours, a day. Then the job stays failed.
BACKOFF = (60, 300, 1800, 7200, 86400)
DEFAULT_LIMIT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one job is run: `limit` after which a RUNNING row counts as left behind, `daily` to run once a day."""

    limit: timedelta
    daily: bool
    task: Any


# By dotted path, as the rows name them. Filled as modules are imported.
RULES: dict[str, Rule] = {}


def job(
    *, backoff: Sequence[int] = BACKOFF, limit: timedelta = DEFAULT_LIMIT, daily: bool = False
) -> Callable[[Callable[..., Any]], Any]:
    """Turn a module-level function into a task of django-tasks; `.enqueue(...)` takes JSON arguments.

    Each attempt is a row of its own: a failed one enqueues the next after `backoff[attempt]` seconds and stays
    FAILED with its traceback. A `daily` job enqueues its next run a day after each start.
    """

    def make(function: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def run(*args: Any, _attempt: int = 0, **kwargs: Any) -> Any:
            rule = RULES[path]
            if daily and _attempt == 0:
                rule.task.using(run_after=timezone.now() + timedelta(days=1)).enqueue(*args, **kwargs)
            try:
                return function(*args, **kwargs)
            except Exception:
                if _attempt < len(backoff):
                    later = timezone.now() + timedelta(seconds=backoff[_attempt])
                    rule.task.using(run_after=later).enqueue(*args, **kwargs, _attempt=_attempt + 1)
                raise

        path = f"{function.__module__}.{function.__qualname__}"
        made = task()(run)
        RULES[path] = Rule(limit, daily, made)
        return made

    return make
