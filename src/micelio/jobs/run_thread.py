"""The thread that carries out the long runs of one kind, one after the other. What waits is in the database."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, connection

from micelio.databases import let_go

_log = logging.getLogger("micelio.jobs")
# Seconds after something went wrong that is not the run's own.
_PAUSE = 30.0


class RunThread:
    """`work_on_one` carries one run on and says whether there was one; where there was none, `rest` says how many
    seconds may pass until the database is looked at again, though nobody has called `wake`.
    """

    def __init__(self, name: str, work_on_one: Callable[[], bool], rest: Callable[[], float]) -> None:
        self._name, self._work_on_one, self._rest = name, work_on_one, rest
        self._due = threading.Event()
        self._stopping = threading.Event()

    def wake(self) -> None:
        """There is something to look for."""
        self._due.set()

    @property
    def stopping(self) -> bool:
        """Whether this process is ending: whoever works on a run leaves it as it is then."""
        return self._stopping.is_set()

    def start(self) -> Callable[[], None]:
        """Start the thread; returns the function that stops it, and waits up to five seconds for its run."""
        self._stopping.clear()
        thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
        thread.start()

        def stop() -> None:
            self._stopping.set()
            self._due.set()
            thread.join(timeout=5)

        return stop

    def _loop(self) -> None:
        while not self._stopping.is_set():
            let_go()
            self._due.clear()
            seconds = _PAUSE
            try:
                if self._work_on_one():
                    continue
                seconds = self._rest()
            except DatabaseError:
                _log.exception("runs of %s could not be read; trying again", self._name)
            except Exception:
                _log.exception("a run of %s failed in a way that nobody expected", self._name)
            let_go()
            if not self._stopping.is_set():
                self._due.wait(seconds)
        connection.close()
