"""A thread that follows something until the forge ends."""

from __future__ import annotations

import threading
from collections.abc import Callable


def follow_in_thread(name: str, loop: Callable[[threading.Event], None], wake: threading.Event) -> Callable[[], None]:
    """Run `loop` in a thread until the event that it is given is set; `wake` ends its pauses.

    Returns the function that stops it, and waits up to five seconds for what it is at.
    """
    stopping = threading.Event()
    thread = threading.Thread(target=loop, args=(stopping,), name=name, daemon=True)
    thread.start()

    def stop() -> None:
        stopping.set()
        wake.set()
        thread.join(timeout=5)

    return stop
