"""Work that is done ahead in the background, dropped when there is too much of it, and never missed."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from mic.core.errors import MicError

T = TypeVar("T")

# Wishes that may wait; a newer one beyond that is dropped, for the older ones would come too late anyway.
_WAITING = 32


class Prefetcher(Generic[T]):
    """Calls `bring` with what `ask` is given, in at most `threads` threads that do not keep the process alive."""

    def __init__(self, bring: Callable[[Sequence[T]], None], threads: int) -> None:
        self._bring = bring
        self._threads = threads
        self._wishes: queue.Queue[Sequence[T] | None] = queue.Queue(_WAITING)
        self._running: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def ask(self, wish: Sequence[T]) -> None:
        """Do this some time soon, perhaps; returns at once."""
        if self._closed or not wish:
            return
        with self._lock:
            if len(self._running) < self._threads:
                thread = threading.Thread(target=self._work, name="prefetch", daemon=True)
                self._running.append(thread)
                thread.start()
        try:
            self._wishes.put_nowait(wish)
        except queue.Full:
            return

    def wait(self) -> None:
        """Until everything that was asked for so far is done or dropped."""
        self._wishes.join()

    def close(self) -> None:
        """Drop what waits; threads end after what they are at."""
        self._closed = True
        for _ in self._running:
            try:
                self._wishes.put_nowait(None)
            except queue.Full:
                break  # they look at `_closed` between two wishes

    def _work(self) -> None:
        while True:
            wish = self._wishes.get()
            try:
                if wish is None or self._closed:
                    return
                self._bring(wish)
            except MicError:
                pass  # whoever asks for it will be told
            finally:
                self._wishes.task_done()
