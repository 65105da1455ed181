"""Two working copies, one forge, and what must be true after each command: nothing that was written is lost.

The model knows of a line of text where it is: on disk, or in a tree that landed. After a landing the newest tree holds
what it held, without what the session took out, with what it brought. What a command takes from the disk and no tree
holds, `mic undo` brings back, byte for byte, and `mic redo` takes away again. A command that refuses changes no file.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledgers import contents
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import DirectoryStore
from sequences.places import EXECUTABLE, LINK, Disk, Place, Wrong, difference, places_of, split, words

PATHS = ("a", "b", "dir/c", "dir/d", "e f", "dir/deep/g")
# What a command may answer with: done, refused, mistyped, clash, not there, not reached.
EXPECTED = frozenset({0, 1, 2, 3, 4, 6})

_SHAPES = {0o100644: b"", 0o100755: EXECUTABLE, 0o120000: LINK}

# Told to the forge, or what takes back itself.
STAYING = frozenset({"undo", "redo", "land", ("session", "push"), ("session", "abandon"), ("pending", "drop")})


class Machine:
    """One story. `step` does something at random; raises Wrong. `story` is what was done, for whoever reads it."""

    paths: tuple[str, ...] = PATHS

    def __init__(self, rng: random.Random, store: Path, project: str, places: tuple[Place, Place]) -> None:
        self._rng, self.places = rng, places
        self._all = Ledger(DirectoryStore(store))
        self._ledger = self._all.open(project)
        self._count, self._out = 0, ""
        self.story: list[str] = []
        self.done = Counter[str]()  # commands that did something, by what they are called
        self.refused = Counter[str]()
        self.trees: dict[int, Disk] = {}
        self.landed: set[bytes] = set()  # every line that any position has
        self.pushed: dict[str, tuple[str, set[bytes]]] = {}  # by whom, and which lines
        self._deed: tuple[Callable[[Place], None], ...] = (
            self.write, self.write, self.write, self.write, self.change, self.change, self.delete, self.rename,
            self.start, self.note, self.decide, self.push, self.land, self.land, self.sync, self.sync, self.resolve,
            self.undo, self.redo, self.goto, self.revert, self.abandon, self.switch, self.resume,
        )  # fmt: skip

    # ------------------------------------------------------------ the line

    def head(self) -> int:
        """The newest position; its tree is remembered, and those before are as they were."""
        position = self._ledger.head().position
        for at in range(1, position + 1):
            if at not in self.trees:
                self.trees[at] = self.tree(at)
                self.landed |= words(self.trees[at])
        return position

    def tree(self, position: int) -> Disk:
        """What a position holds, as the store has it."""
        if not position:
            return {}
        return read(self._ledger, position)

    def check_all(self) -> None:
        """Every position holds what it held when it landed."""
        for position, tree in self.trees.items():
            if self.tree(position) != tree:
                raise Wrong(f"@{position} is not what landed there")

    # ------------------------------------------------------------ one step

    def step(self, number: int) -> None:
        """Do something somewhere; the step has this number."""
        place = self._rng.choice(self.places)
        self._rng.choice(self._deed)(place)

    def run(self, place: Place, *argv: str, loses: bool = True) -> int:
        """A command; what it takes from the disk can be brought back. `loses` not: it may take nothing."""
        before = place.disk()
        code, out, err = self._say(place, *argv)
        self._out = out
        after = place.disk()
        if code not in EXPECTED or "Traceback" in err:
            raise Wrong(f"exit code {code}: {err[-1500:]}")
        # What waited was sent first, and what landed meanwhile came with it.
        sent = self._sends(out + err)
        if code and code != 3 and after != before and not sent:
            raise Wrong(f"it refused ({err.strip()[:300]}), and files changed: {difference(before, after)}")
        self.head()
        lost = words(before) - words(after) - self.landed
        if lost and not loses:
            raise Wrong(f"{sorted(lost)[:5]} are gone from {place.name}")
        if sent:
            return code  # told to the forge, and stays
        may = argv[0] not in STAYING and argv[:2] not in STAYING and self._rng.random() < 0.3
        if (lost and argv[0] not in ("undo", "redo")) or (may and self._moved(place, before, after)):
            self._there_and_back(place, before, after)
        return code

    def _say(self, place: Place, *argv: str) -> tuple[int, str, str]:
        self.story.append(f"{place.name}: mic {' '.join(argv)}")
        code, out, err = place.mic(*argv)
        self.story[-1] += f"  -> {code} {(out or err).strip().splitlines()[:1]}"
        did = code in (0, 3) or (code == 6 and '"error"' not in out and bool(out))
        (self.done if did else self.refused)[called(argv)] += 1
        return code, out, err

    def _sends(self, said: str) -> bool:
        """Whether something that waited was sent by a command that said this."""
        return False

    def _moved(self, place: Place, before: Disk, after: Disk) -> bool:
        """Whether the command before changed anything that `mic undo` brings back."""
        return after != before

    def _there_and_back(self, place: Place, before: Disk, after: Disk) -> None:
        """`mic undo` brings the disk back, `mic redo` what the command made of it."""
        self._again(place, "undo", before)
        self._again(place, "redo", after)

    def _again(self, place: Place, verb: str, wanted: Disk) -> None:
        code, _, err = self._say(place, verb)
        found = place.disk()
        if code or found != wanted:
            raise Wrong(f"{verb} ({code} {err.strip()[:300]}) does not bring back: {difference(wanted, found)}")

    # ------------------------------------------------------------ deeds on files

    def _line(self) -> bytes:
        self._count += 1
        return b"line %d" % self._count

    def write(self, place: Place) -> None:
        """A new file, or lines behind or before those of one."""
        path = self._rng.choice(self.paths)
        shape, old = split(place.disk().get(path, b""))
        if shape == LINK:
            shape, old = b"", b""
        new = b"".join(self._line() + b"\n" for _ in range(self._rng.randint(1, 3)))
        first = self._rng.random() < 0.5
        self.story.append(f"{place.name}: write {path}: {new!r} {'before' if first else 'behind'} the rest")
        place.write(path, shape + (new + old if first else old + new))

    def change(self, place: Place) -> None:
        """A line in place of another."""
        disk = {path: data for path, data in place.disk().items() if not data.startswith(LINK)}
        if not disk:
            return
        path = self._rng.choice(sorted(disk))
        shape, data = split(disk[path])
        lines = data.split(b"\n")
        at = self._rng.randrange(len(lines))
        self.story.append(f"{place.name}: change {path}:{at}: {lines[at]!r}")
        lines[at] = self._line()
        self.story[-1] += f" to {lines[at]!r}"
        place.write(path, shape + b"\n".join(lines))

    def delete(self, place: Place) -> None:
        """A file less."""
        disk = place.disk()
        if disk:
            path = self._rng.choice(sorted(disk))
            self.story.append(f"{place.name}: delete {path}")
            (place.folder / path).unlink()

    def rename(self, place: Place) -> None:
        """A file elsewhere, where nothing is."""
        disk = place.disk()
        free = [path for path in self.paths if path not in disk]
        if disk and free:
            old, new = self._rng.choice(sorted(disk)), self._rng.choice(free)
            if f"{old}/".startswith(f"{new}/") or f"{new}/".startswith(f"{old}/"):
                return
            self.story.append(f"{place.name}: rename {old} {new}")
            place.make_way(new)
            os.rename(place.folder / old, place.folder / new)

    # ------------------------------------------------------------ deeds of mic

    def start(self, place: Place) -> None:
        self._count += 1
        self.run(place, "session", "start", f"Goal {self._count}", loses=False)

    def note(self, place: Place) -> None:
        self.run(place, "session", "note", f"Note {self._count}", loses=False)

    def decide(self, place: Place) -> None:
        self.run(place, "session", "decide", f"Decision {self._count}", "--why", "It is so", loses=False)

    def push(self, place: Place) -> None:
        """What is pushed can be taken up elsewhere."""
        found = place.status()
        base, disk = self.base_of(found), place.disk()
        session = place.session().get("id", "")
        if self.run(place, "session", "push", "--json", loses=False) == 0:
            self.pushed[session] = place.name, words(disk) - words(base)
        else:
            # Where it waits, it is sent sooner or later, and takes the place of what was pushed before.
            self.pushed.pop(session, None)

    def land(self, place: Place) -> None:
        """The newest tree holds what it held, without what the session took out, with what it brought."""
        found = place.status()
        base, disk, head = self.tree(found["position"]), place.disk(), self.head()
        held = places_of(self.trees.get(head, {}))
        self._count += 1
        code = self.run(place, "land", *([] if found.get("session") else [f"Land {self._count}"]), loses=False)
        now = self.head()
        if code:
            if now != head:
                raise Wrong(f"land ended with {code}, and @{now} is there")
            return
        gone, fresh_ones = places_of(base) - places_of(disk), places_of(disk) - places_of(base)
        # Where there is no new landing, all of it had landed already.
        wanted = held if now == head else (held - gone) | fresh_ones
        has = places_of(self.trees.get(now, {}))
        if has != wanted:
            raise Wrong(f"@{now} lacks {sorted(wanted - has)} and has {sorted(has - wanted)}")

    def base_of(self, found: dict[str, Any]) -> Disk:
        """What a working copy stands on, of which `mic status` says this."""
        return self.tree(found["position"])

    def sync(self, place: Place) -> None:
        self.run(place, "sync")

    def resolve(self, place: Place) -> None:
        self.run(place, "resolve", "--strategy", self._rng.choice(("ours", "theirs", "union")))

    def undo(self, place: Place) -> None:
        self.run(place, "undo")

    def redo(self, place: Place) -> None:
        self.run(place, "redo")

    def goto(self, place: Place) -> None:
        head = self.head()
        if head:
            self.run(place, "goto", f"@{self._rng.randint(1, head)}")

    def revert(self, place: Place) -> None:
        head = self.head()
        if head:
            self.run(place, "revert", f"landing:{self._rng.randint(1, head)}")

    def abandon(self, place: Place) -> None:
        self.run(place, "session", "abandon")

    def switch(self, place: Place) -> None:
        code, out, _ = place.mic("session", "list", "--json")
        known = [item["id"] for item in json.loads(out).get("sessions", [])] if not code else []
        if known and self.run(place, "session", "switch", self._rng.choice(known)) == 0:
            # What was put aside was pushed once more, as it stood.
            self.pushed = {session: what for session, what in self.pushed.items() if what[0] != place.name}

    def resume(self, place: Place) -> None:
        """What was pushed elsewhere is here then."""
        if not self.pushed:
            return
        session = self._rng.choice(sorted(self.pushed))
        if self.run(place, "session", "resume", session) == 0:
            missing = self.pushed[session][1] - words(place.disk()) - self.landed
            if missing:
                raise Wrong(f"resume of {session} lacks {sorted(missing)}")


def read(ledger: Project, position: int) -> Disk:
    """What a position of a line holds."""
    held = contents(ledger, position) if position else {}
    return {os.fsdecode(path): _SHAPES[mode] + data for path, (mode, data) in held.items()}


def called(argv: tuple[str, ...]) -> str:
    """What a command is called: its words and options, without what is given to them."""
    group = 2 if argv[0] in ("session", "branch", "sparse", "pending") else 1
    return " ".join([*argv[:group], *(word for word in argv[group:] if word.startswith("--") and word != "--json")])
