"""Two working copies, one forge, and what must be true after each command: nothing that was written is lost.

The model knows of a line of text where it is: on disk, or in a tree that landed. After a landing the newest tree holds
what it held, without what the session took out, with what it brought. What a command takes from the disk and no tree
holds, `mic undo` brings back, byte for byte, and `mic redo` takes away again. A command that refuses changes no file.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import sys
import traceback
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inside import NOBODY
from ledgers import contents
from mic.cli.main import main
from mic.ledger.ledger import Ledger
from mic.store import DirectoryStore

Disk = dict[str, bytes]
PATHS = ("a", "b", "dir/c", "dir/d", "e f", "dir/deep/g")
# What a command may answer with: done, refused, mistyped, clash, not there, not reached.
EXPECTED = frozenset({0, 1, 2, 3, 4, 6})


# Told to the forge, or what takes back itself.
STAYING = frozenset({"undo", "redo", "land", ("session", "push"), ("session", "abandon")})


class Wrong(AssertionError):
    """Something was lost, or is where it should not be."""


class Place:
    """A working copy. `home` has its sign-in."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.name, self.folder, self._environment = name, folder, dict(environment)
        self.on_line = True

    def mic(self, *argv: str) -> tuple[int, str, str]:
        """A command here, in this process: exit code, output, errors."""
        streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
        kept, environment, cwd = (sys.stdin, sys.stdout, sys.stderr), dict(os.environ), os.getcwd()
        sys.stdin, (sys.stdout, sys.stderr) = io.TextIOWrapper(io.BytesIO()), streams  # type: ignore[assignment]
        os.environ.clear()
        os.environ.update(self._environment)
        if not self.on_line:
            os.environ |= {"http_proxy": NOBODY, "no_proxy": ""}
        urllib.request.install_opener(None)  # type: ignore[arg-type]  # it remembers the proxies of the command before
        os.chdir(self.folder)
        try:
            code = main(list(argv))
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            traceback.print_exc()
            code = 1000
        finally:
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(environment)
            sys.stdin, sys.stdout, sys.stderr = kept
        out, err = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in streams)  # type: ignore[attr-defined]
        return code, out, err

    def disk(self) -> Disk:
        """Every file but what mic keeps for itself."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and not name.startswith(".mic/"):
                found[name] = path.read_bytes()
        return found

    def write(self, path: str, data: bytes) -> None:
        """A file, in place of what is in the way."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def status(self) -> dict[str, Any]:
        code, out, err = self.mic("status", "--json")
        if code:
            raise Wrong(f"status in {self.name}: {code} {err}")
        found: dict[str, Any] = json.loads(out)
        return found


def words(disk: Mapping[Any, bytes]) -> set[bytes]:
    """The lines that are somewhere, without the marks of clashes."""
    return {line for data in disk.values() for line in data.split(b"\n") if line.startswith(b"line ")}


def places_of(disk: Mapping[str, bytes]) -> set[tuple[str, bytes]]:
    """The lines with the files that they are in."""
    return {(path, line) for path, data in disk.items() for line in words({path: data})}


class Machine:
    """One story. `step` does something at random; raises Wrong. `story` is what was done, for whoever reads it.

    `line_of` gives the ledger's name of a branch, "" for one that is not there; with it the stories are wide: branches,
    parts of the project, sessions that stand on others, and a network that goes and comes.
    """

    def __init__(
        self,
        rng: random.Random,
        store: Path,
        project: str,
        places: tuple[Place, Place],
        line_of: Callable[[str], str] | None = None,
    ) -> None:
        self._rng, self.places = rng, places
        self._all, self._main, self._line_of = Ledger(DirectoryStore(store)), project, line_of
        self._ledger = self._all.open(project)
        self._count, self._out = 0, ""
        self.story: list[str] = []
        self.trees: dict[int, Disk] = {}
        self._branches: dict[str, str] = {}  # by name, the ledger's name of the line that is or was there
        self.landed: set[bytes] = set()  # every line that any position has
        self.pushed: dict[str, tuple[str, set[bytes]]] = {}  # by whom, and which lines
        self._deed: tuple[Callable[[Place], None], ...] = (
            self.write, self.write, self.write, self.write, self.change, self.change, self.delete, self.rename,
            self.start, self.note, self.decide, self.push, self.land, self.land, self.sync, self.sync, self.resolve,
            self.undo, self.redo, self.goto, self.revert, self.abandon, self.switch, self.resume,
        )  # fmt: skip
        if line_of is not None:
            self._deed += (
                self.sync_gently, self.sync_path, self.resolve_one, self.sparse, self.whole, self.stack,
                self.branch, self.follow, self.follow, self.cut, self.network, self.network, self.drop,
            )  # fmt: skip

    # ------------------------------------------------------------ the line

    def head(self) -> int:
        """The newest position; its tree is remembered, and those before are as they were."""
        position = self._ledger.head().position
        for at in range(1, position + 1):
            if at not in self.trees:
                self.trees[at] = self.tree(at)
                self.landed |= words(self.trees[at])
        for name in [*self._branches]:
            self.branch_tree(name)
        return position

    def branch_tree(self, name: str) -> tuple[int, Disk]:
        """Where a branch stands, and what it holds there; nothing for one that is not there."""
        line = self._line_of(name) if self._line_of is not None else ""
        if not line:
            return 0, {}
        ledger = self._all.open(line)
        position = ledger.head().position
        found = {os.fsdecode(path): data for path, (_, data) in contents(ledger, position).items()} if position else {}
        self.landed |= words(found)
        return position, found

    def tree(self, position: int) -> Disk:
        """What a position holds, as the store has it."""
        if not position:
            return {}
        return {os.fsdecode(path): data for path, (_, data) in contents(self._ledger, position).items()}

    def check_all(self) -> None:
        """Every position holds what it held when it landed, and a new clone is the newest."""
        for position, tree in self.trees.items():
            if self.tree(position) != tree:
                raise Wrong(f"@{position} is not what landed there")

    # ------------------------------------------------------------ one step

    def step(self) -> None:
        """Do something somewhere."""
        place = self._rng.choice(self.places)
        self._rng.choice(self._deed)(place)

    def run(self, place: Place, *argv: str, loses: bool = True) -> int:
        """A command; what it takes from the disk can be brought back. `loses` not: it may take nothing."""
        before = place.disk()
        self.story.append(f"{place.name}: mic {' '.join(argv)}")
        code, out, err = place.mic(*argv)
        self._out = out
        after = place.disk()
        self.story[-1] += f"  -> {code} {(out or err).strip().splitlines()[:1]}"
        if code not in EXPECTED or "Traceback" in err:
            raise Wrong(f"exit code {code}: {err[-1500:]}")
        # What waited was sent first, and what landed meanwhile came with it.
        sent = self._line_of is not None and any(word in out + err for word in ("Landed @", "Pushed: "))
        if code and code != 3 and after != before and not sent:
            raise Wrong(f"it refused ({err.strip()[:300]}), and files changed: {_difference(before, after)}")
        self.head()
        lost = words(before) - words(after) - self.landed
        if lost and not loses:
            raise Wrong(f"{sorted(lost)[:5]} are gone from {place.name}")
        if sent:
            return code  # told to the forge, and stays
        may = argv[0] not in STAYING and argv[:2] not in STAYING
        if (lost and argv[0] not in ("undo", "redo")) or (may and after != before and self._rng.random() < 0.3):
            self._there_and_back(place, before, after)
        return code

    def _there_and_back(self, place: Place, before: Disk, after: Disk) -> None:
        """`mic undo` brings the disk back, `mic redo` what the command made of it."""
        code, out, err = place.mic("undo")
        found = place.disk()
        self.story.append(f"{place.name}: mic undo  -> {code} {(out or err).strip().splitlines()[:1]}")
        if code or found != before:
            raise Wrong(f"undo ({code} {err.strip()[:300]}) does not bring back: {_difference(before, found)}")
        code, out, err = place.mic("redo")
        found = place.disk()
        self.story.append(f"{place.name}: mic redo  -> {code} {(out or err).strip().splitlines()[:1]}")
        if code or found != after:
            raise Wrong(f"redo ({code} {err.strip()[:300]}) does not make it again: {_difference(after, found)}")

    # ------------------------------------------------------------ deeds on files

    def _line(self) -> bytes:
        self._count += 1
        return b"line %d" % self._count

    def write(self, place: Place) -> None:
        """A new file, or lines behind or before those of one."""
        path = self._rng.choice(PATHS)
        old = place.disk().get(path, b"")
        new = b"".join(self._line() + b"\n" for _ in range(self._rng.randint(1, 3)))
        first = self._rng.random() < 0.5
        self.story.append(f"{place.name}: write {path}: {new!r} {'before' if first else 'behind'} the rest")
        place.write(path, new + old if first else old + new)

    def change(self, place: Place) -> None:
        """A line in place of another."""
        disk = place.disk()
        if not disk:
            return
        path = self._rng.choice(sorted(disk))
        lines = disk[path].split(b"\n")
        at = self._rng.randrange(len(lines))
        self.story.append(f"{place.name}: change {path}:{at}: {lines[at]!r}")
        lines[at] = self._line()
        self.story[-1] += f" to {lines[at]!r}"
        place.write(path, b"\n".join(lines))

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
        free = [path for path in PATHS if path not in disk]
        if disk and free:
            old, new = self._rng.choice(sorted(disk)), self._rng.choice(free)
            self.story.append(f"{place.name}: rename {old} {new}")
            (place.folder / new).parent.mkdir(parents=True, exist_ok=True)
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
        base, disk = self._base(found["branch"], found["position"]), place.disk()
        session = self._open(place).get("id", "")
        if self.run(place, "session", "push", "--json", loses=False) == 0:
            self.pushed[session] = place.name, words(disk) - words(base)
        else:
            # Where it waits, it is sent sooner or later, and takes the place of what was pushed before.
            self.pushed.pop(session, None)

    def land(self, place: Place) -> None:
        """The newest tree holds what it held, without what the session took out, with what it brought."""
        found = place.status()
        if self._line_of is not None:
            self._land_widely(place, found)
            return
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

    def _land_widely(self, place: Place, found: dict[str, Any]) -> None:
        """As `land`, on whatever line it is, of the part that is here; where nothing waits and nothing is stacked."""
        line = found["branch"]
        before, held = (self.head(), self.trees.get(self.head(), {})) if line == "main" else self.branch_tree(line)
        disk = place.disk()
        plain = not found["pending"] and not found["sparse"] and place.on_line and not self._stacked(place)
        # A branch of this name that was made anew has not what this place stands on.
        plain = plain and found["position"] <= before
        base = self._base(line, found["position"]) if plain else {}
        self._count += 1
        code = self.run(place, "land", *([] if found.get("session") else [f"Land {self._count}"]), loses=False)
        now, has = (self.head(), self.trees.get(self.head(), {})) if line == "main" else self.branch_tree(line)
        if code:
            if now != before and not found["pending"]:
                raise Wrong(f"land ended with {code}, and {line}@{now} is there")
            return
        if not plain:
            return
        gone, fresh_ones = places_of(base) - places_of(disk), places_of(disk) - places_of(base)
        wanted = places_of(held) if now == before else (places_of(held) - gone) | fresh_ones
        if places_of(has) != wanted:
            lacks, more = sorted(wanted - places_of(has)), sorted(places_of(has) - wanted)
            raise Wrong(f"{line}@{now} lacks {lacks} and has {more}")

    def _base(self, line: str, position: int) -> Disk:
        """What a position of a line holds; nothing where the line is gone, or was made anew and is not there yet."""
        if line == "main":
            return self.tree(position)
        name = self._line_of(line) if self._line_of is not None else ""
        if not name:
            return {}
        ledger = self._all.open(name)
        if position > ledger.head().position:
            return {}
        return {os.fsdecode(path): data for path, (_, data) in contents(ledger, position).items()} if position else {}

    def _stacked(self, place: Place) -> bool:
        return bool(self._open(place).get("based_on"))

    def _open(self, place: Place) -> dict[str, Any]:
        """The session that is open there; nothing where none is."""
        code, out, _ = place.mic("session", "status", "--json")
        return (json.loads(out).get("session") or {}) if not code else {}

    # ------------------------------------------------------------ wide deeds

    def sync_gently(self, place: Place) -> None:
        """No file that is here gets marked lines, and none loses what it has."""
        before = place.disk()
        self.run(place, "sync", "--auto-merge")
        for path, data in place.disk().items():
            if b"<<<<<<<" in data and b"<<<<<<<" not in before.get(path, b""):
                raise Wrong(f"{path} was marked")

    def sync_path(self, place: Place) -> None:
        position = place.status()["position"]
        self.run(place, "sync", "--path", self._rng.choice(("a", "b", "dir", "e f")))
        if place.on_line and place.status()["position"] < position:
            raise Wrong(f"the base went back from {position}")

    def resolve_one(self, place: Place) -> None:
        conflicts = place.status()["conflicts"]
        if conflicts:
            path = self._rng.choice(conflicts)["path"]
            self.run(place, "resolve", path, "--hunk", f"1={self._rng.choice(('ours', 'theirs', 'both'))}")

    def sparse(self, place: Place) -> None:
        self.run(place, "sparse", self._rng.choice(("set", "add")), self._rng.choice(("dir", "dir/deep")))

    def whole(self, place: Place) -> None:
        self.run(place, "sparse", "all")

    def stack(self, place: Place) -> None:
        mine = sorted(session for session, what in self.pushed.items() if what[0] == place.name)
        if mine:
            self._count += 1
            below, found, open_here = self._rng.choice(mine), place.status(), self._open(place).get("id", "")
            base, disk = self._base(found["branch"], found["position"]), place.disk()
            code = self.run(place, "session", "start", f"On {self._count}", "--on", below, loses=False)
            if open_here == below:
                # It is open here, and was pushed once more, as it stood.
                self.pushed.pop(below)
                if not code:
                    self.pushed[below] = place.name, words(disk) - words(base)

    def branch(self, place: Place) -> None:
        self._count += 1
        name = self._rng.choice(("winter", "summer"))
        if self.run(place, "branch", "create", name, loses=False) == 0 and self._line_of is not None:
            self._branches[name] = self._line_of(name)

    def follow(self, place: Place) -> None:
        self.run(place, "branch", "switch", self._rng.choice(["main", *self._branches]))

    def cut(self, place: Place) -> None:
        """What landed on a branch alone is gone with it, by order: it may be lost from then on."""
        if self._branches and self._rng.random() < 0.3:
            name = self._rng.choice(sorted(self._branches))
            self.run(place, "branch", "delete", name, loses=False)

    def network(self, place: Place) -> None:
        place.on_line = not place.on_line
        self.story.append(f"{place.name}: {'on' if place.on_line else 'off'} line")

    def drop(self, place: Place) -> None:
        if place.status()["pending"]:
            self.run(place, "pending", "drop", "1", loses=False)

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


def _difference(wanted: Disk, found: Disk) -> str:
    names = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    return "; ".join(f"{name}: {wanted.get(name)!r} became {found.get(name)!r}" for name in names[:3])


def fresh(folder: Path) -> Path:
    """An empty folder of this name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
