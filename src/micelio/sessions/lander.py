"""The threads that land what was accepted to be landed later.

Several, so that what queues together lands together in one epoch. They are told of each acceptance, and look through
all projects at the start and from time to time: for what a process that died left behind.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from uuid import UUID

from django.db import DatabaseError, connection

from mic.core.errors import MicError
from mic.ledger.intents import Waiting, waiting
from micelio.databases import let_go
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import standing_lines
from micelio.sessions.carry_out import carry_out

_log = logging.getLogger("micelio.later")

THREADS = 8
# Between two looks through all projects, in seconds: only what another process left is found by it.
SWEEP = 120.0
# Before something is tried again that failed for a reason which may pass: at first, and at most.
RETRY = 5.0
MAX_RETRY = 300.0

Item = tuple[UUID, Waiting]

_changed = threading.Condition()
_due: deque[Item] = deque()
_resting: dict[Item, float] = {}  # failed, and when to try again
_known: set[Item] = set()  # due, resting or at work
_failures: dict[Item, int] = {}
_concluded = threading.Condition()


def add(project_id: UUID, item: Waiting) -> None:
    """Have an intent carried out; nothing happens when it is known already."""
    with _changed:
        if (project_id, item) not in _known:
            _known.add((project_id, item))
            _due.append((project_id, item))
            _changed.notify()


def wait_for_any(seconds: float) -> None:
    """Wait until some intent has been carried out here, at most so long."""
    with _concluded:
        _concluded.wait(seconds)


def sweep() -> int:
    """Find the intents of all projects that there are; how many."""
    found = 0
    for project_id in standing_lines():
        try:
            ledger = open_ledger(project_id)
            items = ledger.run(waiting(ledger.line))
        except (MicError, OSError) as error:
            _log.error("project %s: what waits to be landed cannot be listed: %s", project_id, error)
            continue
        found += len(items)
        for item in items:
            add(project_id, item)
    return found


def start() -> Callable[[], None]:
    """Start the threads; returns the function that stops them."""
    stopping = threading.Event()
    threads = [threading.Thread(target=_look, args=(stopping,), name="lander-sweep", daemon=True)]
    threads += [
        threading.Thread(target=_work, args=(stopping,), name=f"lander-{number}", daemon=True)
        for number in range(THREADS)
    ]
    for thread in threads:
        thread.start()

    def stop() -> None:
        stopping.set()
        with _changed:
            _changed.notify_all()
        for thread in threads:
            thread.join(timeout=5)
        with _changed:
            # What waits is in the store; the next start finds it there.
            _due.clear()
            _resting.clear()
            _known.clear()
            _failures.clear()

    return stop


def _look(stopping: threading.Event) -> None:
    while not stopping.is_set():
        let_go()
        try:
            sweep()
        except DatabaseError:
            _log.exception("the list of projects could not be read; trying again")
        let_go()
        stopping.wait(SWEEP)
    connection.close()


def _work(stopping: threading.Event) -> None:
    while (item := _next(stopping)) is not None:
        let_go()
        work_on(item)
        let_go()
    connection.close()


def _next(stopping: threading.Event) -> Item | None:
    with _changed:
        while not stopping.is_set():
            now = time.monotonic()
            ready = [item for item, at in _resting.items() if at <= now]
            for item in ready:
                del _resting[item]
                _due.append(item)
            if _due:
                return _due.popleft()
            _changed.wait(min((at - now for at in _resting.values()), default=None))
    return None


def work_on(item: Item) -> None:
    """Carry one intent out; what fails for a reason that may pass rests and is tried again."""
    project_id, intent = item
    try:
        carry_out(project_id, intent)
    except Exception as error:
        if isinstance(error, MicError | OSError | DatabaseError):
            _log.error("project %s: %s waits to be landed: %s", project_id, intent.key, error)
        else:
            _log.exception("project %s: %s waits to be landed", project_id, intent.key)
        with _changed:
            _failures[item] = _failures.get(item, 0) + 1
            _resting[item] = time.monotonic() + min(RETRY * 2 ** (_failures[item] - 1), MAX_RETRY)
            _changed.notify()
        return
    with _changed:
        _known.discard(item)
        _failures.pop(item, None)
    with _concluded:
        _concluded.notify_all()
