"""The project that pages are measured on: 2,000 files, 5,000 landings, a file of 2,000 lines, a difference of 10,000.

It is made once and kept in `build/`, under its version.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from bench.git_histories import import_stream
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, frame

ROOT = Path(__file__).resolve().parents[3]
# To be raised when what is made here changes.
VERSION = 1
FILES, LANDINGS, LONG, ROWS, SESSIONS = 2_000, 5_000, 2_000, 10_000, 20
PROJECT = "/micelio/micelio"
LONG_FILE, TABLE = b"src/long.py", b"data/table.csv"
README = b"""# bench

A project with a life behind it: two thousand files, five thousand landings.

## Start

Read [the long file](src/long.py) first.

| part | what it holds |
|---|---|
| `src` | the program |
| `data` | a table that one landing rewrote |
"""
_DAY = 1_760_000_000
_WORDS = (
    "read", "write", "open", "close", "user", "token", "key", "project", "session", "landing", "tree", "store", "line",
    "page", "find", "keep", "name", "path",
)  # fmt: skip


def fixture() -> Forge:
    """The forge, running; its data is there already after the first time."""
    kept = _kept()
    if not (kept / "made").exists():
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        _make(kept)
    return Forge(kept / "data", MICELIO_LIMITS="off")


def _make(kept: Path) -> None:
    bare, work = kept / "history.git", kept / "checkout"
    import_stream(bare, _history())
    subprocess.run(["git", "clone", "-q", str(bare), str(work)], check=True)
    forge = Forge(kept / "data", "--first-project", str(work), MICELIO_LIMITS="off")
    try:
        with Caller(forge.grpc_address, forge.token("admin")) as caller:
            for number in range(SESSIONS):
                _land(caller, LANDINGS - SESSIONS + number, work)
        with httpx.Client(base_url=forge.base_url, timeout=60) as client:
            while f"/-/landings/{LANDINGS}" not in client.get(f"{PROJECT}/-/landings").text:
                time.sleep(0.2)
            while "function_7_" not in client.get("/-/search", params={"q": "function_7_3", "type": "code"}).text:
                time.sleep(0.2)
    finally:
        forge.stop()
    (kept / "made").touch()


def checkout() -> Path:
    """The same history in git's hands, for its own commands."""
    return _kept() / "checkout"


def _kept() -> Path:
    return ROOT / "build" / f"bench-web-{VERSION}"


def path_of(number: int) -> bytes:
    """Where file `number` lies: forty folders of fifty files."""
    return b"src/part%02d/module_%04d.py" % (number % 40, number)


def _function(number: int, version: int) -> bytes:
    draw = random.Random(number * 10_007 + version)
    body = "".join(f"    {draw.choice(_WORDS)} = {draw.choice(_WORDS)}({draw.randrange(1000)})\n" for _ in range(8))
    return f"def function_{number}_{version}({draw.choice(_WORDS)}):\n{body}\n\n".encode()


def _table(version: int) -> bytes:
    draw = random.Random(version)
    return b"".join(b"%d,%s,%d\n" % (n, draw.choice(_WORDS).encode(), draw.randrange(10**6)) for n in range(ROWS // 2))


def _history() -> Iterator[bytes]:
    """Git's fast-import stream: all files at once, then one small change a commit, the table rewritten by the last."""
    draw = random.Random(9)
    long = [f"value_{n} = {draw.choice(_WORDS)}({n})\n" for n in range(LONG)]
    commits = LANDINGS - SESSIONS
    for number in range(1, commits + 1):
        message = b"%s the %s of the %s" % tuple(draw.choice(_WORDS).encode() for _ in range(3))
        if number % 5 == 0:
            message += b"\n\nIt was asked for, and nothing else would have done.\n"
        who = f"Author {number % 30} <a{number % 30}@example.org> {_DAY + number * 3600} +0000\n".encode()
        yield b"commit refs/heads/main\nmark :%d\nauthor %scommitter %s" % (number, who, who)
        yield b"data %d\n%b\n" % (len(message), message)
        if number > 1:
            yield b"from :%d\n" % (number - 1)
        if number == 1:
            yield _file(b"README.md", README)
            yield _file(TABLE, _table(1))
            for file in range(FILES - 3):
                yield _file(path_of(file), b"".join(_function(file, k) for k in range(3)))
        elif number == commits:
            yield _file(TABLE, _table(2))
        elif number % 10:
            file = draw.randrange(FILES - 3)
            yield _file(path_of(file), b"".join(_function(file, k if k else number) for k in range(3)))
        if number == 1 or number % 10 == 0:
            for _ in range(3 if number > 1 else 0):
                at = draw.randrange(LONG)
                long[at] = f"value_{at} = {draw.choice(_WORDS)}({at}, {number})\n"
            yield _file(LONG_FILE, "".join(long).encode())


def _file(path: bytes, data: bytes) -> bytes:
    return b"M 100644 inline %b\ndata %d\n%b\n" % (path, len(data), data)


def _land(caller: Caller, base: int, work: Path) -> None:
    """A session with a conversation, decisions and claims, that changes one file."""
    path = path_of(base % 50)
    show = ["git", "-C", str(work), "show", f"HEAD:{path.decode()}"]
    before = subprocess.run(show, check=True, capture_output=True).stdout
    data = before.replace(b"def function_", b"def now_function_") + b"# session %d\n" % base
    digest = hashlib.sha256(data).digest()
    request = pb.LandSessionRequest(project=pb.ProjectRef(organization="micelio", handle="micelio"))
    decisions = [
        pb.Decision(
            what=f"Read {word} before it is written",
            why="Whoever writes first would else be overwritten by whoever reads late.",
            alternatives=[pb.Alternative(what="A lock", why_not="everybody would wait")],
            by="claude-code",
            evidence=f"{path.decode()}:{n + 3}",
        )
        for n, word in enumerate(_WORDS[:4])
    ]
    conversation = [
        pb.Message(role=("human", "agent")[n % 2], author="ada", text=f"Then {word} comes first. " * 12)
        for n, word in enumerate(_WORDS)
    ]
    request.session.CopyFrom(
        pb.Session(
            id=hashlib.sha256(b"session %d" % base).digest()[:16],
            goal=f"Keep {_WORDS[base % len(_WORDS)]} in order, whoever comes first",
            base_position=base,
            agent="claude-code",
            decisions=decisions,
            conversation=conversation,
            changes=[
                pb.Change(
                    path=path,
                    op=pb.Change.MODIFIED,
                    mode=0o100644,
                    hash=digest,
                    size=len(data),
                    base_hash=hashlib.sha256(before).digest(),
                    base_mode=0o100644,
                )
            ],
        )
    )
    request.frames.append(frame(data))
    caller("SessionService.LandSession", request)
