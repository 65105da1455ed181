"""A project of any number of files, landed straight into the store of a stopped forge.

Through a command it would take hours, most of them for contents: here a thousand contents stand in all files. The rows
that pages and search read are said to be there, and are not: opening a project needs none of them.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bench.corpora import path_of, text

if TYPE_CHECKING:
    from forge_process import Forge

CONTENTS = 1_000
A_LANDING = 250_000


def land_many(forge: Forge, handle: str, files: int) -> None:
    """Land so many files in the empty project `handle`, whose forge is stopped. In a process of its own."""
    tests = Path(__file__).parents[2]
    paths = os.pathsep.join((str(tests), str(tests.parent / "src")))
    command = [sys.executable, "-m", "bench.cli.many", handle, str(files)]
    subprocess.run(command, env={**forge.environment, "PYTHONPATH": paths}, check=True)


def _land_here(handle: str, files: int) -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "micelio.django_settings"
    django.setup()
    from mic.core.blob import encode_blob
    from mic.core.ids import content_hash
    from mic.core.session import Author, Change, Op, Session
    from mic.ledger.request import LandRequest
    from micelio.projects.ledgers import open_ledger
    from micelio.projects.models import Project
    from micelio.search.models import Indexed
    from micelio.sessions.models import Projection

    project = Project.objects.get(handle=handle)
    ledger = open_ledger(project.id)
    rnd = random.Random(5)
    made = [text(rnd, 4) for _ in range(CONTENTS)]
    sizes = [(content_hash(data), len(data)) for data in made]
    stored = {content_hash(data): encode_blob(data) for data in made}
    # Sorted by number is sorted by path within a part, and parts have two digits up to four million files.
    paths = iter(map(path_of, range(files)))
    position = 0
    while some := sorted(islice(paths, A_LANDING)):
        changes = [Change(path, int(Op.ADDED), 0o100644, *sizes[number % CONTENTS]) for number, path in enumerate(some)]
        position += 1
        session = Session(
            position.to_bytes(16, "big"), f"Part {position}", base_position=position - 1, author=Author("Ada"),
            changes=tuple(changes),
        )  # fmt: skip
        ledger.land(LandRequest(session, stored if position == 1 else {}))
    head = ledger.head()
    Projection.objects.update_or_create(project_id=project.id, defaults={"position": head.position})
    there = {"position": head.position, "files_position": head.position, "tree": head.tree}
    Indexed.objects.update_or_create(project_id=project.id, defaults=there)


if __name__ == "__main__":
    _land_here(sys.argv[1], int(sys.argv[2]))
