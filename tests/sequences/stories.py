"""Telling one story: a project, two working copies of two people who may both land in it, and steps by a seed."""

from __future__ import annotations

import os
import random
import uuid
from pathlib import Path
from typing import NamedTuple

from forge_process import Forge
from sequences.machine import Machine, Place, Wrong, fresh
from transcript import Shell


class Story(NamedTuple):
    """What was done, and what was wrong at the end; "" when nothing was."""

    lines: list[str]
    wrong: str


class Stage:
    """A forge with somebody who is signed in; stories take place below `folder`."""

    def __init__(self, forge: Forge, folder: Path) -> None:
        self.forge, self.folder = forge, folder
        self.handle = f"s{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self.shell = Shell(forge, folder / "home", f"u{self.handle}")
        made = self.shell.run("org", "create", self.handle)
        assert made.returncode == 0, made.stderr


def opened(stage: Stage, rng: random.Random, *, wide: bool = False) -> Machine:
    """A project without a landing, and two working copies of it."""
    name = f"p{uuid.uuid4().hex[:8]}"
    home = fresh(stage.folder / "stories" / name)
    environment = dict(stage.shell.environment)
    outside = Place("outside", home, environment)
    clones = (("clone", f"{stage.handle}/{name}", folder) for folder in ("ada", "ben"))
    for argv in (("project", "create", f"{stage.handle}/{name}"), *clones):
        code, out, err = outside.mic(*argv)
        assert code == 0, (argv, out, err)
    with stage.forge.database.opened() as rows:
        ((project,),) = rows.execute("SELECT id FROM projects_project WHERE handle = ?", (name,))
    places = (Place("ada", home / "ada", environment), Place("ben", home / "ben", environment))

    def line_of(branch: str) -> str:
        with stage.forge.database.opened() as rows:
            found = rows.execute(
                "SELECT id FROM projects_project WHERE line_of_id = ? AND branch = ? AND deleted_at IS NULL",
                (project, branch),
            )
            lines = [uuid.UUID(str(line)).hex for (line,) in found]
        return lines[0] if lines else ""

    store = stage.forge.data_dir / "store"
    return Machine(rng, store, uuid.UUID(str(project)).hex, places, line_of if wide else None)


def tell(stage: Stage, rng: random.Random, steps: int, *, wide: bool = False) -> Story:
    """One story of so many steps; a wide one has branches, parts, stacked sessions and a network that goes."""
    machine = opened(stage, rng, wide=wide)
    try:
        for _ in range(steps):
            machine.step()
        machine.check_all()
    except Wrong as wrong:
        return Story(machine.story, str(wrong))
    return Story(machine.story, "")
