"""Background jobs: run later, again after a failure, put back after a kill."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from cluster_world import at_work
from micelio.accounts.jobs import purge_expired
from micelio.cluster.presence import PROCESS
from micelio.jobs.job import job
from micelio.jobs.worker import reap, run_one, schedule_regular

pytestmark = pytest.mark.django_db

RAN: list[str] = []


@job()
def note(text: str) -> None:
    RAN.append(text)


@job(backoff=(60, 300))
def fails(text: str) -> None:
    RAN.append(text)
    raise ValueError("not today")


@job(limit=timedelta(minutes=1))
def short(text: str) -> None:
    RAN.append(text)


@pytest.fixture(autouse=True)
def _forget() -> None:
    RAN.clear()


def _due() -> None:
    DBTaskResult.objects.filter(status=TaskResultStatus.READY).update(run_after=timezone.now())


def test_a_job_runs_once() -> None:
    note.enqueue("hello")
    assert run_one()
    assert not run_one()
    assert RAN == ["hello"]


def test_a_rolled_back_act_enqueues_nothing() -> None:
    with transaction.atomic():
        note.enqueue("never")
        transaction.set_rollback(True)
    assert not run_one()


def test_a_failing_job_is_tried_again_later_and_then_stays_failed() -> None:
    """Each attempt is a row with its traceback; waits are those of `backoff`; after the last one it ends."""
    fails.enqueue("x")
    waits = []
    for _ in range(2):
        before = timezone.now()
        assert run_one()
        assert not run_one(), "the next attempt must wait"
        waits.append(
            round((DBTaskResult.objects.get(status=TaskResultStatus.READY).run_after - before).total_seconds())
        )
        _due()
    assert run_one()
    assert not DBTaskResult.objects.filter(status=TaskResultStatus.READY).exists()
    assert waits == [60, 300]
    assert RAN == ["x", "x", "x"]
    failed = DBTaskResult.objects.filter(status=TaskResultStatus.FAILED)
    assert failed.count() == 3
    assert all("not today" in row.traceback for row in failed)


def test_the_reaper_puts_back_what_ran_too_long() -> None:
    """A row of a worker that lives runs again after its job's own limit; a young one is left alone until it dies."""
    for task in (short, note):
        task.enqueue("x")
    running = {"status": TaskResultStatus.RUNNING, "started_at": timezone.now() - timedelta(minutes=2)}
    with at_work(PROCESS):
        DBTaskResult.objects.update(**running, worker_ids=["serve-long-dead", PROCESS])
        assert reap() == 1
        assert run_one()
        assert not run_one()
        DBTaskResult.objects.running().update(worker_ids=["serve-dead"])
        assert reap() == 1
        assert run_one()


def test_a_daily_job_that_is_put_back_asks_for_one_morrow() -> None:
    """Its first run was killed after it had asked for the next; the second asks for none."""
    purge_expired.enqueue()
    waiting = DBTaskResult.objects.filter(task_path=purge_expired.module_path, status=TaskResultStatus.READY)
    row = waiting.get()
    assert run_one()
    DBTaskResult.objects.filter(id=row.id).update(status=TaskResultStatus.READY)
    assert run_one()
    assert waiting.count() == 1
    schedule_regular()
    assert waiting.count() == 1


def test_old_finished_rows_are_cleared() -> None:
    note.enqueue("x")
    run_one()
    DBTaskResult.objects.update(finished_at=timezone.now() - timedelta(days=15))
    reap()
    assert not DBTaskResult.objects.exists()


def test_daily_jobs_are_enqueued_once_and_follow_each_other() -> None:
    schedule_regular()
    schedule_regular()
    assert DBTaskResult.objects.filter(task_path=purge_expired.module_path).count() == 1
    before = timezone.now()
    while run_one():  # every daily job, of whatever domain
        pass
    following = DBTaskResult.objects.get(task_path=purge_expired.module_path, status=TaskResultStatus.READY)
    assert timedelta(hours=23) < following.run_after - before < timedelta(hours=25)


def _forges() -> int:
    """How many may be at work: SQLite has one."""
    return 6 if connection.vendor == "postgresql" else 1


@pytest.mark.django_db(transaction=True)
def test_no_job_runs_twice_however_many_work() -> None:
    """Several workers at one queue, as those of several forges are: every job runs, none twice."""
    for number in range(40):
        note.enqueue(str(number))

    def work() -> None:
        try:
            while DBTaskResult.objects.ready().exists():
                run_one()
        finally:
            connection.close()

    with ThreadPoolExecutor(_forges()) as threads:
        for done in [threads.submit(work) for _ in range(_forges())]:
            done.result()
    assert sorted(RAN, key=int) == [str(number) for number in range(40)]


@pytest.mark.django_db(transaction=True)
def test_a_regular_job_is_enqueued_once_however_many_start() -> None:
    """Forges that start at once all find nobody waiting, and one of them enqueues it."""
    meeting = threading.Barrier(_forges())

    def begin() -> None:
        try:
            meeting.wait()
            schedule_regular()
        finally:
            connection.close()

    with ThreadPoolExecutor(_forges()) as threads:
        for done in [threads.submit(begin) for _ in range(_forges())]:
            done.result()
    paths = list(DBTaskResult.objects.values_list("task_path", flat=True))
    assert purge_expired.module_path in paths
    assert len(paths) == len(set(paths))
