"""The loop that runs jobs, in a thread of the serving process, and the reaper of rows that a killed worker left."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules
from django_tasks import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult
from django_tasks_db.utils import exclusive_transaction

from micelio.jobs.job import DEFAULT_LIMIT, RULES

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


def run_one(worker_id: str = "once") -> bool:
    """Run the next ready job, if there is one. Returns whether there was."""
    ready = DBTaskResult.objects.ready()
    if not ready.exists():
        return False
    with exclusive_transaction(ready.db):
        row = ready.get_locked()
        if row is None:
            return False
        row.claim(worker_id)
    _runner(worker_id).run_task(row)
    return True


def reap(*, all_running: bool = False) -> int:
    """Put RUNNING rows older than their job's limit back to READY; all of them when no other worker can be alive."""
    count = 0
    now = timezone.now()
    for row in DBTaskResult.objects.running():
        limit = RULES[row.task_path].limit if row.task_path in RULES else DEFAULT_LIMIT
        if all_running or row.started_at is None or now - row.started_at > limit:
            same = DBTaskResult.objects.running().filter(id=row.id, started_at=row.started_at)
            count += same.update(status=TaskResultStatus.READY, started_at=None)
    DBTaskResult.objects.finished().filter(finished_at__lt=now - KEEP_FINISHED).delete()
    return count


def schedule_daily() -> None:
    """Enqueue every daily job that no row waits for."""
    for path, rule in RULES.items():
        waiting = DBTaskResult.objects.filter(task_path=path, status=TaskResultStatus.READY)
        if rule.daily and not waiting.exists():
            rule.task.enqueue()


def _loop(stopping: threading.Event) -> None:
    worker_id = f"serve-{uuid.uuid4().hex[:12]}"
    reaped_at = None
    while not stopping.is_set():
        try:
            close_old_connections()
            now = timezone.now()
            if reaped_at is None or now - reaped_at > REAP_EVERY:
                # The data directory is locked to one server: at its start nobody else can be running a job.
                reap(all_running=reaped_at is None)
                schedule_daily()
                reaped_at = now
            if run_one(worker_id):
                continue
        except DatabaseError:
            _log.exception("The queue of jobs could not be read; trying again")
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
