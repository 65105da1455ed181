"""A project that nobody would want to show: everything in it is too large, too long or too many."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mic.core.blob import encode_blob
from mic.core.ids import content_hash, new_ulid
from mic.core.session import Alternative, Author, Change, Decision, Message, Op, Session
from mic.ledger.history import HistoryCommit
from micelio.accounts.actions import create_user
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.organizations.actions import create_organization
from micelio.projects.actions import create_project
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions import projector
from micelio.sessions.actions import land

# 2026-11-03 09:00 UTC, in Unix milliseconds.
BEGIN = 1_793_696_400_000


def noise(name: str, characters: int) -> str:
    """Text without any repetition, always the same for a name."""
    parts = (hashlib.sha256(f"{name}{n}".encode()).hexdigest() for n in range(characters // 64 + 1))
    return "".join(parts)[:characters]


def words(name: str, characters: int) -> str:
    """`noise` in words and paragraphs."""
    text = noise(name, characters)
    return "\n\n".join(
        " ".join(text[n : n + 400][k : k + 7] for k in range(0, 400, 7)) for n in range(0, len(text), 400)
    )


def _lines(name: str, count: int) -> list[bytes]:
    return [f"{name}_{n} = '{noise(f'{name}{n}', 24)}'\n".encode() for n in range(count)]


LINES = _lines("value", 30_000)
MOVED = [b"changed = 1\n" + line if n % 3 == 0 else line for n, line in enumerate(LINES)]
DECISIONS = tuple(
    Decision(
        what=f"Decide {n}: {noise(f'what{n}', 200)}",
        why=words(f"why{n}", 6000 if n % 7 == 0 else 400),
        alternatives=tuple(Alternative(noise(f"road{n}.{k}", 90), noise(f"not{n}.{k}", 300)) for k in range(n % 20)),
        by="maintainer",
        evidence=", ".join(f"lines.py:{n * 10 + k * 997}" for k in range(12)),
    )
    for n in range(60)
)
CONVERSATION = tuple(
    Message(
        ("human", "agent", "system")[n % 3], f"speaker {n}", words(f"said{n}", 90_000 if n == 5 else 50 + n * 9), BEGIN
    )
    for n in range(400)
)


def _crowd() -> dict[bytes, bytes]:
    """Five thousand files in many directories."""
    return {
        f"crowd/{n % 50:02}/{noise(f'file{n}', 40)}.txt".encode(): f"{noise(f'text{n}', 60)}\n".encode()
        for n in range(5000)
    }


def _awkward() -> dict[bytes, bytes]:
    """One of each thing that is too large."""
    return {
        b"README.md": b"# Too long\n\n"
        + "\n\n".join(f"## Part {n}\n\n{words(f'part{n}', 3000)}" for n in range(90)).encode(),
        b"docs/fenced.md": ("```\n" + "\n".join(noise(f"code{n}", 70) for n in range(4000)) + "\n```\n").encode(),
        b"docs/one-line.md": noise("one", 300_000).encode(),
        b"lines.py": b"".join(LINES),
        b"small.py": b"".join(_lines("small", 2400)),
        b"min.js": noise("min", 2_000_000).encode() + b"\n",
        b"min2.js": "".join(f"function f{n}(){{return '{noise(str(n), 16)}'}};" for n in range(2600)).encode(),
        b"narrow.txt": b"\n" * 60_000,
        b"\xff\xfe odd/\xe9 name": b"text\n" * 4000,
        b"/".join([b"deep" * 8] * 60) + b"/file.txt": b"deep\n",
        **{f"wide/{noise(f'wide{n}', 60)}".encode(): b"same\n" for n in range(3000)},
    }


@dataclass(frozen=True)
class Nasty:
    """The project with its owner. Landings 1 to 63 come from Git, 64 is a session."""

    user: User
    actor: Actor
    project: ProjectView
    rich: int


def _commits() -> Iterator[tuple[str, Mapping[bytes, bytes | None]]]:
    crowd = _crowd()
    yield noise("subject", 2000), crowd
    yield f"Bring everything that is too large\n\n{words('message', 500_000)}", _awkward()
    yield noise("one line, half a megabyte", 500_000), {b"lines.py": b"".join(MOVED), b"small.py": None}
    yield "Say each file anew", {path: text + b"more\n" for path, text in crowd.items()}
    for n in range(59):
        yield noise(f"goal{n}", 3000), {b"small.py": f"n = {n}\n".encode()}


def tell(suffix: str = "") -> Nasty:
    """Make it all."""
    user = create_user(OPERATOR, f"nasty{suffix}", name=noise("name", 70), email=f"nasty{suffix}@example.org")
    actor = actor_of(user, "web")
    create_organization(actor, f"heavy{suffix}", "Heavy", "Too much of everything.")
    for n in range(120):
        create_project(
            actor, f"heavy{suffix}", f"p{n:03}", "", noise(f"about{n}", 180), "public" if n % 2 else "private"
        )
    project = create_project(actor, f"heavy{suffix}", "nasty", "nasty", noise("about", 200), "public")
    ledger = open_ledger(project.id)
    history = ledger.import_history("a Git repository", bytes(16))
    for index, (message, files) in enumerate(_commits()):
        changes = []
        for path, data in sorted(files.items()):
            if data is None:
                changes.append((path, int(Op.DELETED), 0, b"", 0))
                continue
            history.add_content(content_hash(data), len(data), encode_blob(data))
            changes.append((path, int(Op.ADDED), 0o100644, content_hash(data), len(data)))
        author = Author(noise(f"author{index}", 120), "a@example.org")
        commit = HistoryCommit(
            index.to_bytes(20, "big"), b"", author, BEGIN + index * 90_000_000, message, tuple(changes)
        )
        ledger.run(history.add_commit(commit))
    position = ledger.finish_import(history).position
    _land(actor, project, position)
    projector.catch_up(project.id)
    return Nasty(user, actor, project, position + 1)


def _land(actor: Actor, project: ProjectView, base: int) -> None:
    """A session with sixty decisions, four hundred messages and three rewritten files."""
    ledger = open_ledger(project.id)
    root = ledger.tree_at(base)
    changes, contents = [], {}
    for path, data in (
        (b"lines.py", b"".join(LINES)),
        (b"README.md", b"# Short\n"),
        (b"new.txt", noise("new", 9000).encode()),
    ):
        old = ledger.entry(root, path)
        before = {"base_hash": old.hash, "base_mode": old.mode} if old else {}
        contents[content_hash(data)] = encode_blob(data)
        op = Op.MODIFIED if old else Op.ADDED
        changes.append(Change(path, int(op), 0o100644, content_hash(data), len(data), **before))
    session = Session(
        id=new_ulid(BEGIN, bytes(10)),
        goal=f"Say too much\n\n{words('goal', 50_000)}",
        base_position=base,
        hlc_created=BEGIN << 16,
        conversation=CONVERSATION,
        decisions=DECISIONS,
        changes=tuple(changes),
        claims=tuple(noise(f"claim{n}", 600) for n in range(80)),
        agent=noise("agent", 200),
    )
    land(actor, project, session, contents)
