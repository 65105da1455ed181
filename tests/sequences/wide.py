"""Wide stories: branches, parts of the project, sessions that stand on others, words, and a network that goes.

Beside lines of text the model knows what was said: a note or a decision that leaves a working copy is in a session of
the project. What a step draws depends on its number alone, so a story can be told without some of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sequences.machine import PATHS, Machine, read
from sequences.places import LINK, Disk, NotNow, Place, Wrong, places_of, split, words
from transcripts import claude, lines, said

Status = dict[str, Any]
# Said by what tells the forge of something that waited, and by what learned what became of a landing that did.
_SENT = ("Landed @", "Pushed: ", "open here again")
# A turn that tells of a transcript, and says other things when there is more of it.
_GROWS = "A transcript of "
# As many questions as a landing that was taken in may be waited for.
_PATIENCE = 3000
_BLIND = 0.1  # of the steps do what comes, whether it can do anything or not


class Wide(Machine):
    """`line_of` gives the ledger's name of a branch, "" for one that is not there."""

    paths: tuple[str, ...] = (*PATHS, "binary")
    # How likely it is that a network goes, and comes, in a step.
    leaves, comes = 0.04, 0.2

    def __init__(
        self,
        rng: random.Random,
        store: Path,
        project: str,
        places: tuple[Place, Place],
        line_of: Callable[[str], str],
    ) -> None:
        super().__init__(rng, store, project, places)
        self._line_of, self._seed = line_of, rng.random()
        self._branches: set[str] = set()  # those that were begun
        self._lines: dict[str, str] = {}  # by branch, what the ledger calls it, as far as it was asked
        self._branch_trees: dict[tuple[str, int], Disk] = {}
        self._words: set[str] = set()  # those that were in the open session before the command
        self._said: dict[str, set[str]] = {place.name: set() for place in places}  # and are in it by now
        self.owed: dict[str, str] = {}  # what was said and is in no open session any more, by its session
        self.open_in: dict[str, set[str]] = {}  # in which working copies a session was ever open
        self._session = {place.name: "" for place in places}
        self._talks: dict[str, list[object]] = {place.name: [] for place in places}
        self._weights = self._table()

    def _table(self) -> tuple[tuple[Callable[[Place], None], int, Callable[[Status], Any]], ...]:
        """What can be done, how often beside the rest, and when it can do something."""

        def always(found: Status) -> bool:
            return True

        def clean(found: Status) -> bool:
            return not found["changes"] and not found["session"] and not found["pending"] and not found["queued"]

        def behind(found: Status) -> bool:
            return bool(found["position"] < self._newest(found["branch"]))

        return (
            (self.write, 10, always), (self.change, 8, always), (self.delete, 2, always), (self.rename, 2, always),
            (self.start, 3, lambda found: not found["session"]), (self.note, 2, lambda found: found["session"]),
            (self.decide, 2, lambda found: found["session"]), (self.undecide, 1, lambda found: found["session"]),
            (self.attach, 2, lambda found: found["session"]), (self.wrote, 1, lambda found: found["changes"]),
            (self.push, 3, lambda found: found["session"]), (self.land, 8, lambda found: found["changes"]),
            (self.land_later, 2, lambda found: found["changes"] and not found["pending"]),
            (self.land_wait, 3, lambda found: found["queued"]),
            (self.sync, 4, lambda found: behind(found) or found["pending"]), (self.sync_gently, 4, behind),
            (self.sync_path, 2, behind), (self.sync_side, 3, lambda found: found["conflicts"] or behind(found)),
            (self.sync_abort, 1, always), (self.resolve, 4, lambda found: found["conflicts"]),
            (self.resolve_one, 4, lambda found: found["conflicts"]), (self.undo, 3, always), (self.redo, 1, always),
            (self.goto, 2, lambda found: found["position"] > 1), (self.revert, 6, clean),
            (self.abandon, 1, lambda found: found["session"]), (self.switch, 3, lambda found: self.pushed),
            (self.aside, 1, lambda found: found["session"]),
            (self.resume, 8, lambda found: self.pushed and not found["changes"]),
            (self.sparse, 2, always), (self.sparse_less, 3, lambda found: found["sparse"]),
            (self.whole, 3, lambda found: found["sparse"]), (self.stack, 2, lambda found: self.pushed),
            (self.branch, 2, lambda found: len(self._branches) < 2),
            (self.follow, 4, lambda found: self._branches and not found["session"]),
            (self.cut, 1, lambda found: self._branches), (self.drop, 3, lambda found: found["pending"]),
        )  # fmt: skip

    # ------------------------------------------------------------ lines of landings

    def head(self) -> int:
        position = super().head()
        for name in [*self._branches]:
            self.branch_tree(name)
        return position

    def branch_tree(self, name: str) -> tuple[int, Disk]:
        """Where a branch stands, and what it holds there; nothing for one that is not there."""
        line = self._name_of(name)
        position = self._all.open(line).head().position if line else 0
        return position, self._branch_tree(line, position)

    def _branch_tree(self, line: str, position: int) -> Disk:
        if not position:
            return {}
        if (line, position) not in self._branch_trees:
            self._branch_trees[line, position] = read(self._all.open(line), position)
            self.landed |= words(self._branch_trees[line, position])
        return self._branch_trees[line, position]

    def _name_of(self, branch: str) -> str:
        if branch not in self._lines:
            self._lines[branch] = self._line_of(branch)
        return self._lines[branch]

    def newest_of(self, line: str) -> tuple[int, Disk]:
        """As `branch_tree`, of main too."""
        return (self.head(), self.trees.get(self.head(), {})) if line == "main" else self.branch_tree(line)

    def _newest(self, branch: str) -> int:
        line = "" if branch == "main" else self._name_of(branch)
        return self._all.open(line).head().position if line else self.head() if branch == "main" else 0

    def branches(self) -> list[str]:
        """Those that are there."""
        return [name for name in sorted(self._branches) if self._name_of(name)]

    def base_of(self, found: Status) -> Disk:
        """What a working copy stands on; nothing where its line is gone, or was made anew and is not there yet."""
        if found["branch"] == "main":
            return self.tree(found["position"])
        line = self._name_of(found["branch"])
        if not line or found["position"] > self._all.open(line).head().position:
            return {}
        return self._branch_tree(line, found["position"])

    # ------------------------------------------------------------ one step

    def begin(self) -> None:
        """Mostly there are some files already, and both have them."""
        self._rng = random.Random(f"{self._seed}/begin")
        first, other = self.places
        if self._rng.random() < 0.2:
            return
        for path in self._rng.sample(self.paths, 4):
            first.write(path, b"".join(self._line() + b"\n" for _ in range(5)))
        self.run(first, "land", "Begin", loses=False)
        self.run(other, "sync")

    def come_to_rest_begins(self) -> None:
        """What comes now is the same every time."""

    def step(self, number: int) -> None:
        """Do something somewhere, mostly what can do something."""
        self._rng = random.Random(f"{self._seed}/{number}")
        place = self._rng.choice(self.places)
        if self._rng.random() < (self.leaves if place.on_line else self.comes):
            self.network(place)
        found, blind = place.status(), self._rng.random() < _BLIND
        can = [(deed, weight) for deed, weight, ready in self._weights if blind or ready(found)]
        (deed,) = self._rng.choices([deed for deed, _ in can], [weight for _, weight in can])
        deed(place)

    def run(self, place: Place, *argv: str, loses: bool = True) -> int:
        """As before; and what was said is still said."""
        self._words, session = self._said[place.name], self._session[place.name]
        code = super().run(place, *argv, loses=loses)
        now = self._listen(place)
        # Of a push that is not sent and a branch that was deleted, the words are gone by order.
        ordered = argv[0] in ("undo", "redo") or argv[:2] in (("session", "undecide"), ("pending", "drop"))
        if not ordered and place.status()["branch"] in ("main", *self.branches()):
            self.owed |= dict.fromkeys((word for word in self._words - now if not word.startswith(_GROWS)), session)
        for word in self.owed.keys() & now:
            del self.owed[word]
        return code

    def _listen(self, place: Place) -> set[str]:
        session = place.session()
        self._said[place.name], self._session[place.name] = said_in(session), session.get("id", "")
        self.open_in.setdefault(session.get("id", ""), set()).add(place.name)
        return self._said[place.name]

    def _say(self, place: Place, *argv: str) -> tuple[int, str, str]:
        found = super()._say(place, *argv)
        if argv[0] == "branch":
            self._lines.clear()
        return found

    def _sends(self, said: str) -> bool:
        return any(word in said for word in _SENT)

    def _moved(self, place: Place, before: Disk, after: Disk) -> bool:
        return after != before or self._listen(place) != self._words

    def _there_and_back(self, place: Place, before: Disk, after: Disk) -> None:
        first, then = self._words, self._listen(place)
        for verb, disk, texts in (("undo", before, first), ("redo", after, then)):
            self._again(place, verb, disk)
            if self._listen(place) != texts:
                raise Wrong(f"{verb}: {sorted(texts)} became {sorted(self._listen(place))}")

    # ------------------------------------------------------------ files

    def write(self, place: Place) -> None:
        """As before; one file is not text."""
        super().write(place)
        shape, data = split(place.disk().get("binary", b""))
        if data and shape != LINK and b"\0" not in data:
            place.write("binary", shape + b"\0\n" + data)

    # ------------------------------------------------------------ words

    def undecide(self, place: Place) -> None:
        """The last decision is taken back."""
        self.run(place, "session", "undecide", loses=False)

    def attach(self, place: Place) -> None:
        """A conversation that goes on, of which what is new is added."""
        talk = self._talks[place.name]
        self._count += 1
        at = f"{self._count // 3600:02}:{self._count // 60 % 60:02}:{self._count % 60:02}"
        ident = f"3f2a9c1d-1111-2222-3333-{place.name:0>12}"
        talk.append(claude("user", at, f"Asked {self._count}", sessionId=ident))
        answer = [said(f"Answered {self._count}")]
        talk.append(claude("assistant", at, answer, id=f"m{self._count}", model="one", sessionId=ident))
        file = place.folder.parent / f"{place.name}.jsonl"
        file.write_bytes(lines(*talk))
        if self.run(place, "session", "attach", str(file), loses=False) == 0:
            missing = {f"Asked {self._count}", f"Answered {self._count}"} - said_in(place.session())
            if missing:
                raise Wrong(f"attached, and {sorted(missing)} was not said")

    def wrote(self, place: Place) -> None:
        """Who wrote what changed."""
        who = self._rng.choice(("agent", "person", "untracked"))
        self.run(place, "session", "wrote", "--as", who, loses=False)

    # ------------------------------------------------------------ landing

    def land(self, place: Place) -> None:
        """As before, on whatever line it is; of what waits, is stacked or is a part, only that nothing goes."""
        self._land(place)

    def land_later(self, place: Place) -> None:
        """The same, once the forge has landed what it took in."""
        self._land(place, "--async")

    def land_wait(self, place: Place) -> None:
        """What became of it."""
        self.run(place, "land", "--wait", loses=False)

    def _land(self, place: Place, *options: str) -> None:
        found, open_here = place.status(), place.session()
        line = found["branch"]
        before, held = self.newest_of(line)
        disk = place.disk()
        plain = not found["pending"] and not found["queued"] and found["sparse"] is None and place.on_line
        # A branch of this name that was made anew has not what this place stands on.
        plain = plain and not open_here.get("based_on") and found["position"] <= before
        base = self.base_of(found) if plain else {}
        self._count += 1
        goal = [] if found["session"] else [f"Land {self._count}"]
        code = self.run(place, "land", *goal, *options, loses=False)
        if options and code == 0:
            self._wait(place)
        now, has = self.newest_of(line)
        if code:
            if now != before and not found["pending"]:
                raise Wrong(f"land ended with {code}, and {line}@{now} is there")
            return
        if open_here and now == before + 1:
            self.pushed.pop(open_here["id"], None)
        if not plain or (options and now == before):
            return
        gone, fresh_ones = places_of(base) - places_of(disk), places_of(disk) - places_of(base)
        # Where there is no new landing, all of it had landed already.
        wanted = places_of(held) if now == before else (places_of(held) - gone) | fresh_ones
        if places_of(has) != wanted:
            lacks, more = sorted(wanted - places_of(has)), sorted(places_of(has) - wanted)
            raise Wrong(f"{line}@{now} lacks {lacks} and has {more}")

    def _wait(self, place: Place) -> None:
        """Until the forge has done what it took in, so that a story does not depend on the time."""
        for _ in range(_PATIENCE):
            code, out, _ = place.mic("session", "list", "--state", "queued", "--json", looks=True)
            if code or not json.loads(out)["sessions"]:
                return
        raise NotNow("a landing that the forge took in waits and waits")

    # ------------------------------------------------------------ taking in

    def sync_gently(self, place: Place) -> None:
        """No file that is here gets marked lines, and none loses what it has."""
        before = place.disk()
        self.run(place, "sync", "--auto-merge")
        for path, data in place.disk().items():
            if b"<<<<<<<" in data and b"<<<<<<<" not in before.get(path, b""):
                raise Wrong(f"{path} was marked")

    def sync_path(self, place: Place) -> None:
        """The base stays, or goes on where something waited."""
        position = place.status()["position"]
        self.run(place, "sync", "--path", self._rng.choice(("a", "b", "dir", "e f")))
        if place.on_line and place.status()["position"] < position:
            raise Wrong(f"the base went back from {position}")

    def sync_side(self, place: Place) -> None:
        """One side whole, of something that clashes or may."""
        paths = [each["path"] for each in place.status()["conflicts"]] or sorted(place.disk()) or ["a"]
        self.run(place, "sync", self._rng.choice(("--ours", "--theirs")), self._rng.choice(paths))

    def sync_abort(self, place: Place) -> None:
        """The sync before taken back."""
        self.run(place, "sync", "--abort")

    def resolve_one(self, place: Place) -> None:
        """A place of a file, or a file."""
        conflicts = place.status()["conflicts"]
        if conflicts:
            path = self._rng.choice(conflicts)["path"]
            how = ("--hunk", f"1={self._rng.choice(('ours', 'theirs', 'both', 'base'))}")
            if self._rng.random() < 0.3:
                how = ("--strategy", self._rng.choice(("ours", "theirs", "union")))
            self.run(place, "resolve", named(path), *how)

    # ------------------------------------------------------------ parts

    def sparse(self, place: Place) -> None:
        """Some folders."""
        self.run(place, "sparse", self._rng.choice(("set", "add")), self._rng.choice(("dir", "dir/deep")))

    def sparse_less(self, place: Place) -> None:
        """A folder less."""
        self.run(place, "sparse", "remove", self._rng.choice(("dir", "dir/deep")))

    def whole(self, place: Place) -> None:
        """Everything."""
        self.run(place, "sparse", "all")

    # ------------------------------------------------------------ sessions

    def push(self, place: Place) -> None:
        """As before; sometimes with a note, or over what came from elsewhere."""
        self._count += 1
        more = self._rng.choice(((), (), ("-m", f"Note {self._count}"), ("--force",)))
        found, disk, session = place.status(), place.disk(), place.session().get("id", "")
        base = self.base_of(found)
        code = self.run(place, "session", "push", *more, "--json", loses=False)
        self._pushed(place, session, words(disk) - words(base) if code == 0 else None)

    def _pushed(self, place: Place, session: str, brought: set[bytes] | None) -> None:
        # Where it waits, it is sent sooner or later, and takes the place of what was pushed before.
        self.pushed.pop(session, None)
        if brought is not None and session:
            self.pushed[session] = place.name, brought

    def stack(self, place: Place) -> None:
        """A session on another."""
        mine = sorted(session for session, what in self.pushed.items() if what[0] == place.name)
        if mine:
            self._count += 1
            below, found, open_here = self._rng.choice(mine), place.status(), place.session().get("id", "")
            base, disk = self.base_of(found), place.disk()
            code = self.run(place, "session", "start", f"On {self._count}", "--on", below, loses=False)
            if open_here == below:
                # It is open here, and was pushed once more, as it stood.
                self._pushed(place, below, words(disk) - words(base) if not code else None)

    def switch(self, place: Place) -> None:
        """To another that is known."""
        code, out, _ = place.mic("session", "list", "--json", looks=True)
        known = [item["id"] for item in json.loads(out).get("sessions", [])] if not code else []
        known = sorted(self.pushed) or known
        if known:
            self._put_aside(place, self._rng.choice(known))

    def aside(self, place: Place) -> None:
        """To none."""
        self._put_aside(place, "--none")

    def _put_aside(self, place: Place, other: str) -> None:
        found, disk, session = place.status(), place.disk(), place.session().get("id", "")
        base, plain = self.base_of(found), place.on_line and not found["pending"] and not found["queued"]
        code = self.run(place, "session", "switch", other)
        # What was put aside was pushed once more, as it stood.
        if session and session != other:
            self._pushed(place, session, words(disk) - words(base) if plain and not code else None)

    # ------------------------------------------------------------ branches, and the network

    def branch(self, place: Place) -> None:
        """One of two names."""
        name = self._rng.choice(("winter", "summer"))
        if self.run(place, "branch", "create", name, loses=False) == 0:
            self._branches.add(name)

    def follow(self, place: Place) -> None:
        """Another line."""
        here = place.status()["branch"]
        others = [name for name in ("main", *self._branches) if name != here]
        self.run(place, "branch", "switch", self._rng.choice(others or ["main"]))

    def cut(self, place: Place) -> None:
        """What landed on a branch alone is gone with it, by order: it may be lost from then on."""
        if self._branches:
            name = self._rng.choice(sorted(self._branches))
            if self.run(place, "branch", "delete", name, loses=False) == 0:
                self._branches.remove(name)
                self.owed.clear()

    def network(self, place: Place) -> None:
        """It goes, or comes."""
        place.on_line = not place.on_line
        self.story.append(f"{place.name}: {'on' if place.on_line else 'off'} line")

    def drop(self, place: Place) -> None:
        """What waits is not sent."""
        if place.status()["pending"] and self.run(place, "pending", "drop", place.first_waiting(), loses=False) == 0:
            self.owed.clear()

    def goto(self, place: Place) -> None:
        """A position of the line that is followed."""
        newest = self._newest(place.status()["branch"])
        if newest:
            self.run(place, "goto", f"@{self._rng.randint(1, newest)}")

    def revert(self, place: Place) -> None:
        """A landing of the line that is followed."""
        newest = self._newest(place.status()["branch"])
        if newest:
            self.run(place, "revert", f"landing:{self._rng.randint(1, newest)}")


def named(path: str) -> str:
    """A path as an argument that is no option."""
    return f"./{path}" if path.startswith("-") else path


def said_in(session: dict[str, Any]) -> set[str]:
    """What was said in a session, and what was decided."""
    turns = {turn["text"].partition("\n")[0] for turn in session.get("conversation", ())}
    return turns | {decision["what"] for decision in session.get("decisions", ())}
