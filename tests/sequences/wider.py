"""Wider stories: files that are more than text, odd names, commands that are killed, and two at once."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from killed import KILLED
from sequences.habits import Habits
from sequences.machine import EXPECTED
from sequences.places import EXECUTABLE, LINK, Disk, Place, Wrong, split, words
from sequences.wide import Status, Wide

# Before so many changes of names, and calls of the forge, at most.
_LATEST = (4, 12, 40)
# What may be on top of what a command that was killed had recorded.
_UNDOS = 6
# What a person who gave the command again may have said already; of what leaves by order, nothing is owed.
_ORDERED = (("branch", "delete"), ("pending", "drop"), ("session", "undecide"), ("undo",), ("redo",))


class Wider(Wide):
    """`habits` say which of it a story has."""

    def __init__(
        self,
        rng: random.Random,
        store: Path,
        project: str,
        places: tuple[Place, Place],
        line_of: Callable[[str], str],
        habits: Habits,
    ) -> None:
        self.habits, self._kills = habits, habits.killed > 0
        super().__init__(rng, store, project, places, line_of)
        self.paths = habits.paths
        self.leaves = 0.12 if habits.apart else self.leaves
        self.comes = 0.08 if habits.apart else self.comes
        self._cut_short = False  # the command before, or the one that runs

    def _table(self) -> tuple[tuple[Callable[[Place], None], int, Callable[[Status], Any]], ...]:
        more: list[tuple[Callable[[Place], None], int, Callable[[Status], Any]]] = []
        if self.habits.shapes:
            more += ((deed, 3, lambda found: True) for deed in (self.executable, self.link, self.across))
        if self.habits.together:
            more.append((self.together, 4, lambda found: True))
        return (*super()._table(), *more)

    def come_to_rest_begins(self) -> None:
        self.habits = self.habits._replace(killed=0.0)

    # ------------------------------------------------------------ files

    def executable(self, place: Place) -> None:
        """A file may be run, or no longer."""
        disk = {path: data for path, data in place.disk().items() if not data.startswith(LINK)}
        if disk:
            path = self._rng.choice(sorted(disk))
            shape, data = split(disk[path])
            self.story.append(f"{place.name}: chmod {'-x' if shape else '+x'} {path!r}")
            place.write(path, data if shape else EXECUTABLE + data)

    def link(self, place: Place) -> None:
        """A link that leads where no other does, in place of what is there."""
        self._count += 1
        path, target = self._rng.choice(self.paths), f"nowhere-{self._count}".encode()
        self.story.append(f"{place.name}: link {path!r} to {target!r}")
        place.write(path, LINK + target)

    def across(self, place: Place) -> None:
        """A file where a folder was, or the other way round."""
        disk = place.disk()
        path = self._rng.choice(("dir", "dir/deep")) if self._rng.random() < 0.5 else "a/b"
        self.story.append(f"{place.name}: file {path!r}, in place of what is in the way")
        place.write(path, self._line() + b"\n" if path not in disk else b"")

    # ------------------------------------------------------------ killed

    def run(self, place: Place, *argv: str, loses: bool = True) -> int:
        """As before; sometimes it is killed at first, and then said again."""
        killed = argv[0] != "daemon" and self._rng.random() < self.habits.killed
        if not killed and not (self._kills and _stopped(place.status())):
            return super().run(place, *argv, loses=loses)
        before = place.disk()
        if killed:
            self._kill(place, argv)
        with self._after_a_kill():
            code = super().run(place, *argv, loses=loses)
        self._nothing_lost(place, before)
        return code

    def _kill(self, place: Place, argv: tuple[str, ...]) -> None:
        limit = self._rng.randrange(self._rng.choice(_LATEST))
        code, out, err = place.cut_short(argv, limit)
        ended = "killed" if code == KILLED else f"{code} {(out or err).strip().splitlines()[:1]}"
        self.story.append(f"{place.name}: mic {' '.join(argv)}  killed before its change {limit}: {ended}")
        self._forget(argv)
        if code not in {KILLED, *EXPECTED} or "Traceback" in err:
            raise Wrong(f"exit code {code}: {err[-1500:]}")
        place.status()
        self.head()

    def _forget(self, argv: tuple[str, ...]) -> None:
        """What the model knew of what such a command may have changed already."""
        if argv[0] == "branch":
            self._lines.clear()
        if any(argv[: len(each)] == each for each in _ORDERED):
            self.owed.clear()

    @contextmanager
    def _after_a_kill(self) -> Iterator[None]:
        self._cut_short = True
        try:
            yield
        finally:
            self._cut_short = False

    def _there_and_back(self, place: Place, before: Disk, after: Disk) -> None:
        # What stood here before was neither the one nor the other: see `_nothing_lost`.
        if not self._cut_short:
            super()._there_and_back(place, before, after)

    def _nothing_lost(self, place: Place, before: Disk) -> None:
        """What is gone from the disk landed, or comes back with `mic undo`, or with `mic redo` where it was undone."""
        self.head()
        with self._after_a_kill():
            if place.status()["sync_stopped"] and Wide.run(self, place, "sync") == 6:
                return  # it goes on once there is a network again
            for verb in ("undo", "redo"):
                for _ in range(_UNDOS):
                    lost = words(before) - words(place.disk()) - self.landed
                    if not lost:
                        return
                    if Wide.run(self, place, verb):
                        break
        raise Wrong(f"{sorted(lost)[:5]} are gone from {place.name}, and do not come back")

    # ------------------------------------------------------------ two at once

    def together(self, place: Place) -> None:
        """Two commands in one working copy: one waits for the other, and nothing of either is lost."""
        self._count += 1
        found = place.status()
        goal = () if found["session"] else (f"Together {self._count}",)
        some = (
            ("land", *goal), ("sync",), ("session", "note", f"Note {self._count}"), ("session", "push"),
            ("session", "start", f"Beside {self._count}"), ("undo",), ("resolve", "--strategy", "union"),
            ("sync", "--auto-merge"), ("sparse", "set", "dir"), ("sparse", "all"), ("redo",),
        )  # fmt: skip
        first, second = self._rng.sample(some, 2)
        session, before = place.session().get("id", ""), place.disk()
        self.story.append(f"{place.name}: mic {' '.join(first)} & mic {' '.join(second)}")
        with ThreadPoolExecutor(2) as pool:
            ends = list(pool.map(place.beside, (first, second)))
        self.story[-1] += f"  -> {[(code, (out or err).strip().splitlines()[:1]) for code, out, err in ends]}"
        for code, _, err in ends:
            if code not in EXPECTED or "Traceback" in err:
                raise Wrong(f"exit code {code}: {err[-1500:]}")
        self._forget(first)
        self._forget(second)
        self.pushed.pop(session, None)
        place.status()
        self._listen(place)
        # What an undo took away is gone once something else was done.
        if not {"undo", "redo"} & {first[0], second[0]}:
            self._nothing_lost(place, before)


def _stopped(found: Status) -> bool:
    """Whether a command was stopped half way here: what is undone then is how it stood before that one."""
    return bool(found["sync_stopped"] or found["undo_stopped"] or found["incomplete"])
