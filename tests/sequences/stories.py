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


def opened(stage: Stage, rng: random.Random) -> Machine:
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
    return Machine(rng, stage.forge.data_dir / "store", uuid.UUID(str(project)).hex, places)


def tell(stage: Stage, rng: random.Random, steps: int) -> Story:
    """One story of so many steps."""
    machine = opened(stage, rng)
    try:
        for _ in range(steps):
            machine.step()
        machine.check_all()
    except Wrong as wrong:
        return Story(machine.story, str(wrong))
    return Story(machine.story, "")
