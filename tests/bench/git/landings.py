"""A git clone of a project with 100,000 landings made by mic: when its first byte leaves, and how long it takes.

The landings are put there while the forge is stopped. Their Git objects are then made in one go, as the forge's job
does before anybody asks; the clone is measured behind that, and as the first act of a forge that has just started.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.client import MIC
from bench.git_histories import LANDINGS
from bench.git_peer import forget_peak, peak_of
from bench.git_sides import mib, sides
from bench.measure import Row, ms, run

FILES = 1000
GROUP = 200


def rows() -> Iterator[Row]:
    """First byte and whole clone, warm and cold."""
    with sides() as both:
        run([MIC, "project", "create", "bench/landed"], both.mic_env)
        url = both.url("landed")
        both.forge.stop()
        tests = Path(__file__).parents[2]
        paths = os.pathsep.join((str(tests), str(tests.parent / "src")))
        command = [sys.executable, "-m", "bench.git.landings", "landed", str(LANDINGS)]
        subprocess.run(command, env={**both.forge.environment, "PYTHONPATH": paths}, check=True)
        both.forge.start()
        made = both.git("ls-remote", url).seconds
        yield Row(
            f"Git objects of {LANDINGS:,} landings, made at once", f"{made:.1f} s",
            "", f"{ms(made / LANDINGS)} each", "-", None,
        )  # fmt: skip
        for when in ("warm", "right after a start"):
            if when != "warm":
                both.forge.restart()
            first = [_first_byte(url) for _ in range(3 if when == "warm" else 1)]
            yield Row(
                f"clone of {LANDINGS:,} landings: until it starts sending, {when}", ms(max(first)), "", "", "<= 1 s",
                max(first) <= 1,
            )  # fmt: skip
        pid = both.forge.process.pid
        forget_peak(pid)
        before, cpu = peak_of(pid), both.forge_cpu
        seconds = both.clone(url, "--bare")
        yield Row(
            f"clone of {LANDINGS:,} landings: the whole", f"{seconds:.1f} s, {both.forge_cpu - cpu:.2f} s of the forge",
            "", f"peak memory {mib(peak_of(pid))}, {mib(before)} before", "-", None,
        )  # fmt: skip


def _first_byte(url: str) -> float:
    """Seconds from the first request of a clone to the first byte of its pack."""
    scheme, _, rest = url.partition("://")
    secret, _, place = rest.rpartition("@")
    headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    address = f"{scheme}://{place}"
    start = time.perf_counter()

    def ask(path: str, body: bytes | None, kind: str) -> Any:
        more = {"Git-Protocol": "version=2", **({"Content-Type": f"application/x-{kind}-request"} if body else {})}
        return urllib.request.urlopen(urllib.request.Request(address + path, body, headers | more))

    ask("/info/refs?service=git-upload-pack", None, "").read()
    listed = b"0014command=ls-refs\n00010009peel\n0000"
    said = ask("/git-upload-pack", listed, "git-upload-pack").read().decode()
    oid = next(line[4:44] for line in said.split("\n") if line.endswith("refs/heads/main"))
    wanted = b"0011command=fetch0001000dofs-delta0032want " + oid.encode() + b"\n0009done\n0000"
    with ask("/git-upload-pack", wanted, "git-upload-pack") as answer:
        data = b""
        while b"PACK" not in data:
            data += answer.read1(65536)
        return time.perf_counter() - start


def _fill_here(handle: str, count: int) -> None:
    """Land so often in a project of the forge that the environment names, which must be stopped."""
    import hashlib
    import random

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "micelio.django_settings"
    django.setup()
    from bench.corpora import path_of, text
    from mic.core.blob import encode_blob
    from mic.core.session import Author, Change, Op, Session
    from mic.ledger.land import Landed, land_group
    from mic.ledger.request import LandRequest
    from micelio.accounts.models import User
    from micelio.projects.ledgers import open_ledger
    from micelio.projects.models import Project

    made = Project.objects.get(handle=handle)
    owner = User.objects.get(handle="admin").id
    project = open_ledger(made.id)
    rnd = random.Random(1)
    known: dict[bytes, bytes] = {}
    contents = {number: text(rnd, 40) for number in range(FILES)}

    def wish(number: int, files: list[int], base: int) -> LandRequest:
        changes, blobs = [], {}
        for file in sorted(files, key=path_of):
            lines = contents[file].splitlines(keepends=True)
            lines[rnd.randrange(len(lines))] = text(rnd, 1)
            data = contents[file] = b"".join(lines)
            digest = hashlib.sha256(data).digest()
            path = path_of(file)
            op = Op.MODIFIED if path in known else Op.ADDED
            before = (known[path], 0o100644) if path in known else ()
            changes.append(Change(path, int(op), 0o100644, digest, len(data), *before))
            known[path], blobs[digest] = digest, encode_blob(data)
        session = Session(
            number.to_bytes(16, "big"), f"Round {number}", base_position=base, changes=tuple(changes),
            owner=owner.bytes, author=Author("admin"),
        )  # fmt: skip
        return LandRequest(session, blobs)

    landed = 0
    while landed < count:
        files = [list(range(FILES))] if not landed else [
            [file] for file in rnd.sample(range(FILES), min(GROUP, count - landed))
        ]  # fmt: skip
        head = project.head().position
        outcomes = project.run(
            land_group(project.line, [wish(landed + at + 1, each, head) for at, each in enumerate(files)])
        )
        assert all(isinstance(outcome, Landed) for outcome in outcomes), outcomes[:2]
        landed += len(files)


if __name__ == "__main__":
    _fill_here(sys.argv[1], int(sys.argv[2]))
