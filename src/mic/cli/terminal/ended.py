"""Being ended by somebody else: what was begun is cleaned up first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Whoever ends this process by SIGTERM or SIGHUP ends it as Ctrl-C does: by an exception, here SystemExit."""
    import signal

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    before = {}
    with contextlib.suppress(ValueError):  # signals are for the first thread
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
