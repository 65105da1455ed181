"""A bar for what takes longer than a moment: on a terminal only, on standard error."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from mic.cli.terminal.output import Output


class Progress:
    """`with Progress(out, "Cloning", total) as bar: bar.at(n)`. Silent with --json and where nobody watches."""

    def __init__(self, out: Output, what: str, total: int) -> None:
        self._bar: Any = None
        self._task: Any = None
        self._what, self._total = what, total
        self._wanted = not out.as_json and sys.stderr.isatty()

    def __enter__(self) -> Progress:
        if self._wanted:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total)
        return self

    def at(self, done: int) -> None:
        """So many are done."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
