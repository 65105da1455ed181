"""Telling one story: a project, two working copies of two people who may both land in it, and steps by a seed."""

from __future__ import annotations

import os
import random
import shutil
import uuid
from collections import Counter
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

from forge_process import Forge
from sequences.habits import PLAIN, Habits
from sequences.machine import Machine
from sequences.places import NotNow, Place, Wrong, fresh
from sequences.rest import check_clone, come_to_rest
from sequences.wide import Wide
from sequences.wider import Wider
from transcript import Shell


class Story(NamedTuple):
    """What was done, what was wrong at the end, "" for nothing, which commands did something, and which refused."""

    lines: list[str]
    wrong: str
    done: Counter[str]
    refused: Counter[str]


class Stage:
    """A forge with somebody who is signed in; stories take place below `folder`. Raises NotNow."""

    def __init__(self, forge: Forge, folder: Path) -> None:
        self.forge, self.folder = forge, folder
        self.handle = f"s{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.shell = Shell(forge, folder / "home", f"u{self.handle}")
        made = self.shell.run("org", "create", self.handle)
        if made.returncode == 6:
            raise NotNow(made.stderr)
        assert made.returncode == 0, made.stderr

    def project(self, name: str) -> Place:
        """A new project of this name, and the folder that its working copies are in."""
        outside = Place("outside", fresh(self.folder / "stories" / name), self.shell.environment)
        code, out, err = outside.mic("project", "create", f"{self.handle}/{name}")
        assert code == 0, (out, err)
        return outside


def opened(stage: Stage, rng: random.Random, *, wide: bool = False, habits: Habits | None = None) -> Machine:
    """A project without a landing, and two working copies of it; `habits` make the story a wide one."""
    name = f"p{uuid.uuid4().hex[:8]}"
    outside = stage.project(name)
    return _machine(stage, rng, outside, name, _places(stage, outside, name), habits or (PLAIN if wide else None))


def _places(stage: Stage, outside: Place, name: str, environment: dict[str, str] | None = None) -> tuple[Place, Place]:
    made = []
    for folder in ("ada", "ben"):
        code, out, err = outside.mic("clone", f"{stage.handle}/{name}", folder)
        assert code == 0, (out, err)
        given = outside.environment if environment is None else environment
        made.append(Place(folder, outside.folder / folder, given, whole=environment is not None))
    return made[0], made[1]


def _machine(
    stage: Stage,
    rng: random.Random,
    outside: Place,
    name: str,
    places: tuple[Place, Place],
    habits: Habits | None,
) -> Machine:
    with stage.forge.database.opened() as rows:
        ((project,),) = rows.execute("SELECT id FROM projects_project WHERE handle = ?", (name,))

    def line_of(branch: str) -> str:
        with stage.forge.database.opened() as rows:
            found = rows.execute(
                "SELECT id FROM projects_project WHERE line_of_id = ? AND branch = ? AND deleted_at IS NULL",
                (project, branch),
            )
            lines = [uuid.UUID(str(line)).hex for (line,) in found]
        return lines[0] if lines else ""

    store, ledger = stage.forge.data_dir / "store", uuid.UUID(str(project)).hex
    if habits is None:
        return Machine(rng, store, ledger, places)
    if habits == PLAIN:
        return Wide(rng, store, ledger, places, line_of)
    return Wider(rng, store, ledger, places, line_of, habits)


def tell(stage: Stage, rng: random.Random, steps: int, *, wide: bool = False) -> Story:
    """One story of so many steps; a wide one has branches, parts, stacked sessions and a network that goes."""
    if wide:
        return tell_widely(stage, rng, steps)
    machine = opened(stage, rng)
    try:
        for number in range(steps):
            machine.step(number)
        machine.check_all()
    except Wrong as wrong:
        return Story(machine.story, str(wrong), machine.done, machine.refused)
    return Story(machine.story, "", machine.done, machine.refused)


def tell_widely(
    stage: Stage,
    rng: random.Random,
    steps: int,
    *,
    way: str = "inside",
    without: Container[int] = (),
    habits: Habits = PLAIN,
) -> Story:
    """One wide story, to the end, where both come to rest; without some of its steps. Raises NotNow.

    `way`: commands run "inside" of this process, in "processes" of their own, or "served" by a daemon's forks.
    """
    name = f"p{uuid.uuid4().hex[:8]}"
    outside = stage.project(name)
    # What other stories fetched is not known in this one, so that it can be told alone.
    outside.environment["XDG_CACHE_HOME"] = str(outside.folder / "cache")
    environment = None if way == "inside" else dict(outside.environment)
    if environment is not None and way == "served":
        del environment["MIC_DAEMON"]
        environment["XDG_RUNTIME_DIR"] = str(fresh(stage.folder / "run"))
        os.chmod(stage.folder / "run", 0o700)
    places = _places(stage, outside, name, environment)
    machine = _machine(stage, rng, outside, name, places, habits)
    assert isinstance(machine, Wide)
    wrong = ""
    try:
        if way == "served":
            machine.run(places[0], "daemon", "start")
        machine.begin()
        for number in range(steps):
            if number not in without:
                machine.step(number)
        machine.check_all()
        for place in places:
            place.whole = False  # what comes now is the same every time
        machine.come_to_rest_begins()
        for place in (*places, places[0]):
            come_to_rest(machine, place)
        check_clone(machine, outside, f"{stage.handle}/{name}")
    except Wrong as error:
        wrong = str(error)
    finally:
        if way == "served":
            Place("served", places[0].folder, places[0].environment, whole=True).mic("daemon", "stop")
    if not wrong:
        shutil.rmtree(outside.folder)
    return Story(machine.story, wrong, machine.done, machine.refused)
