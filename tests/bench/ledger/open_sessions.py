"""100,000 sessions open in one project: listing, opening, giving up and landing beside the same with 100.

Both projects lie in one forge and are asked in turns. The sessions were put there while it was stopped: objects and
rows as `StartSession` writes them, without a hundred thousand flushes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

from bench.client import MIC, environment
from bench.measure import Row, alternate, ms, run
from browser import Browser
from forge_process import Forge
from mic.core.ids import ulid_text
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, landing

SIZES = {"few": 100, "many": 100_000}
CONFLICTED = 20  # the oldest ones, which a list finds last
ROUNDS = 40
PAGE = 50
MOST = 1.5


def rows() -> Iterator[Row]:
    """Each act with 100,000 sessions open, as a multiple of the same with 100."""
    home = Path(tempfile.mkdtemp(prefix="micelio-bench-"))
    forge = Forge(home / "data")
    try:
        env = environment(forge, home)
        run([MIC, "org", "create", "bench"], env)
        for handle in SIZES:
            run([MIC, "project", "create", f"bench/{handle}"], env)
        token = forge.token("admin")
        forge.stop()
        for handle, count in SIZES.items():
            _fill(forge, handle, count)
        forge.start()
        with Caller(forge.grpc_address, token) as caller, Browser(forge.base_url) as browser:
            browser.sign_in_once(forge.once_link)
            few, many = (_acts(caller, browser, handle) for handle in SIZES)
            for what, act in many.items():
                fewer, more = alternate(ROUNDS, few[what], act)
                ratio = more / fewer
                yield Row(
                    f"{SIZES['many']:,} sessions open: {what}", ms(more), f"{SIZES['few']} open: {ms(fewer)}",
                    f"{ratio:.2f}x", f"<= {MOST}x", ratio <= MOST,
                )  # fmt: skip
    finally:
        forge.stop()
        shutil.rmtree(home, ignore_errors=True)


def _acts(caller: Caller, browser: Browser, handle: str) -> dict[str, Callable[[], float]]:
    """What is timed in one project, by name; each returns seconds."""
    project = pb.ProjectRef(organization="bench", handle=handle)
    deep = _id(PAGE + 1).hex()  # behind it are the oldest of all

    def timed(name: str, request: object) -> tuple[float, object]:
        start = time.perf_counter()
        answer = caller(name, request)
        return time.perf_counter() - start, answer

    def listed(count: int, **fields: str) -> Callable[[], float]:
        def act() -> float:
            request = pb.ListSessionsRequest(project=project, page_size=count, **fields)
            seconds, answer = timed("SessionService.ListSessions", request)
            assert isinstance(answer, pb.ListSessionsResponse)
            assert len(answer.sessions) == count
            return seconds

        return act

    def start() -> tuple[float, bytes]:
        opened = os.urandom(16)
        request = pb.StartSessionRequest(project=project, goal="Try", session_id=opened)
        return timed("SessionService.StartSession", request)[0], opened

    def abandon() -> float:
        request = pb.AbandonSessionRequest(project=project, session_id=start()[1])
        return timed("SessionService.AbandonSession", request)[0]

    def look() -> float:
        request = pb.GetSessionRequest(project=project, session_id=_id(7))
        return timed("SessionService.GetSession", request)[0]

    def land() -> float:
        path = b"src/%s.txt" % os.urandom(8).hex().encode()
        request = landing(project, {path: path * 20}, id=start()[1])
        return timed("SessionService.LandSession", request)[0]

    def page(path: str) -> Callable[[], float]:
        def act() -> float:
            answer = browser.get(f"/bench/{handle}{path}")
            assert answer.status_code == 200
            return float(re.findall(r"total;dur=([0-9.]+)", answer.headers["Server-Timing"])[0]) / 1000

        return act

    return {
        "list, first page": listed(PAGE),
        "list, last page": listed(PAGE, page_token=deep),
        f"list the {CONFLICTED} in conflict, the oldest": listed(CONFLICTED, state="conflicted"),
        "open one": lambda: start()[0],
        "look at one": look,
        "abandon one": abandon,
        "land one": land,
        "page of the project": page(""),
        "page of the sessions": page("/-/sessions"),
        "last page of the sessions": page(f"/-/sessions?after={_text(PAGE + 1)}"),
    }


def _id(number: int) -> bytes:
    """Ids in the order of numbers, all older than any that is made now."""
    return b"\x00" * 8 + number.to_bytes(8, "big")


def _text(number: int) -> str:
    return ulid_text(_id(number))


def _fill(forge: Forge, handle: str, count: int) -> None:
    tests = Path(__file__).parents[2]
    paths = os.pathsep.join((str(tests), str(tests.parent / "src")))
    command = [sys.executable, "-m", "bench.ledger.open_sessions", handle, str(count)]
    subprocess.run(command, env={**forge.environment, "PYTHONPATH": paths}, check=True)


def _fill_here(handle: str, count: int) -> None:
    """Open so many sessions in a project of the forge that the environment names, which must be stopped."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "micelio.django_settings"
    django.setup()
    from mic.core.head import ms_hlc
    from mic.core.session import Author, Session, State, encode_session
    from micelio.accounts.models import User
    from micelio.config import current
    from micelio.projects.models import Project
    from micelio.sessions.models import OpenSession
    from micelio.sessions.projector import open_row

    project = Project.objects.get(handle=handle)
    owner: UUID = User.objects.get(handle="admin").id
    folder = Path(current().store_dir) / "projects" / project.id.hex / "sessions"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(1, count + 1):
        session = Session(
            id=_id(number), goal=f"Goal {number}", base_position=0, owner=owner.bytes, author=Author("admin"),
            state=int(State.CONFLICTED if number <= CONFLICTED else State.ACTIVE),
            hlc_created=ms_hlc(1_790_000_000_000 + number), hlc_updated=ms_hlc(1_790_000_000_000 + number),
        )  # fmt: skip
        (folder / f"{session.id.hex()}.bin").write_bytes(encode_session(session))
        rows.append(OpenSession(project_id=project.id, session_id=session.id, **open_row(session)))
    OpenSession.objects.bulk_create(rows, batch_size=500)


if __name__ == "__main__":
    _fill_here(sys.argv[1], int(sys.argv[2]))
