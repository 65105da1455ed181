"""The loop that runs jobs, in a thread of the serving process, and the reaper of rows that a killed worker left."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules
from django_tasks import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult
from django_tasks_db.utils import exclusive_transaction

from micelio.cluster.presence import PROCESS, is_alive
from micelio.databases import let_go
from micelio.jobs.job import DEFAULT_LIMIT, RULES, enqueue_once

_log = logging.getLogger("micelio.jobs")
# Seconds between looks at an empty queue. One look is one indexed read.
POLL = 1.0
# Between two visits of the reaper.
REAP_EVERY = timedelta(minutes=5)
KEEP_FINISHED = timedelta(days=14)


def start() -> Callable[[], None]:
    """Start the worker thread. Returns the function that stops it and waits up to three seconds for its job."""
    autodiscover_modules("jobs")
    stopping = threading.Event()
    thread = threading.Thread(target=_loop, args=(stopping,), name="jobs", daemon=True)
    thread.start()

    def stop() -> None:
        stopping.set()
        thread.join(timeout=3)

    return stop


def run_one() -> bool:
    """Run the next ready job, if there is one. Returns whether there was."""
    ready = DBTaskResult.objects.ready()
    if not ready.exists():
        return False
    with exclusive_transaction(ready.db):
        row = ready.get_locked()
        if row is None:
            return False
        row.claim(PROCESS)
    _runner(PROCESS).run_task(row)
    return True


def reap() -> int:
    """Put RUNNING rows back to READY that are older than their job's limit, or whose worker is dead."""
    count = 0
    now = timezone.now()
    for row in DBTaskResult.objects.running():
        limit = RULES[row.task_path].limit if row.task_path in RULES else DEFAULT_LIMIT
        alive = bool(row.worker_ids) and is_alive(row.worker_ids[-1])
        if not alive or row.started_at is None or now - row.started_at > limit:
            same = DBTaskResult.objects.running().filter(id=row.id, started_at=row.started_at)
            count += same.update(status=TaskResultStatus.READY, started_at=None)
    DBTaskResult.objects.finished().filter(finished_at__lt=now - KEEP_FINISHED).delete()
    return count


def schedule_regular() -> None:
    """Enqueue every regular job that no row waits for or runs."""
    for path, rule in RULES.items():
        if rule.every is not None:
            enqueue_once(path, [TaskResultStatus.READY, TaskResultStatus.RUNNING])


def _loop(stopping: threading.Event) -> None:
    reaped_at = None
    while not stopping.is_set():
        try:
            let_go()
            now = timezone.now()
            if reaped_at is None or now - reaped_at > REAP_EVERY:
                reap()
                schedule_regular()
                reaped_at = now
            if run_one():
                continue
        except DatabaseError:
            _log.exception("The queue of jobs could not be read; trying again")
        let_go()
        stopping.wait(POLL)
    connection.close()


def _runner(worker_id: str) -> Worker:
    return Worker(
        queue_names=["*"],
        interval=POLL,
        batch=False,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=worker_id,
        excluded_queue_names=[],
    )
