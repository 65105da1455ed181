"""One project with a life worth looking at: an imported history, landed sessions, one still open, odd files.

What it holds is fixed, so that tests can name it; everything is made through the same actions as the doors use.
"""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mic.core.blob import encode_blob
from mic.core.ids import content_hash, new_ulid
from mic.core.session import Alternative, Author, Change, Decision, Message, Op, Session
from mic.ledger.history import HistoryCommit
from mic.ledger.project import Project
from micelio.accounts.actions import create_user
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.organizations.actions import create_organization
from micelio.projects.actions import create_project
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions import projector
from micelio.sessions.actions import land, start_session

# 2026-11-03 09:00 UTC, in Unix milliseconds.
BEGIN = 1_793_696_400_000
HOUR = 3_600_000

README = b"""# api

The public face of acme: accounts, sign-in and billing behind one small service. It keeps **no state of its own**, so
that any copy of it can answer any request.

## Start

Start it with `make run`; read [how keys rotate](docs/keys.md) before you touch sign-in.

```python
from acme import api

api.serve(port=4000)
```

| part | what it holds |
|---|---|
| `src/auth` | tokens, and who may mint them |
| `docs` | what to read before changing either |

![the mark](docs/mark.png)
"""

TOKENS_BEFORE = b'''"""Tokens that prove who somebody is."""

from acme.auth.secret import hs256


class TokenIssuer:
    """Mints and reads tokens."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    def issue(self, user: User) -> str:
        return hs256(self.secret, user.id)

    def verify(self, raw: bytes) -> Claims:
        return read(raw, self.secret)
'''

TOKENS_AFTER = b'''"""Tokens that prove who somebody is, for fifteen minutes."""

from datetime import timedelta

from acme.auth.keys import KeySet

FIFTEEN_MINUTES = timedelta(minutes=15)


class TokenIssuer:
    """Mints tokens with the current key, reads them with any key that is still published."""

    def __init__(self, keys: KeySet) -> None:
        self.keys = keys

    def issue(self, user: User, now: Instant) -> Token:
        claims = Claims(sub=user.id, exp=now + FIFTEEN_MINUTES)
        return sign(claims, self.keys.current)

    def verify(self, raw: bytes) -> Claims:
        return read(raw, self.keys)
'''

KEYS = b"""# How keys rotate

A key lives thirty days. Two are published at any time: the one that signs, and the one before it.
"""


def png(width: int = 48, height: int = 48) -> bytes:
    """A small violet PNG, made by hand."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\x00" + bytes((106, 69, 181)) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


FIRST: dict[bytes, tuple[int, bytes]] = {
    b"README.md": (0o100644, b"# api\n\nThe public face of acme.\n"),
    b"pyproject.toml": (0o100644, b'[project]\nname = "api"\nversion = "1.0"\n'),
    b"src/auth/tokens.py": (0o100644, TOKENS_BEFORE),
    b"src/auth/secret.py": (0o100644, b"def hs256(secret: bytes, user: str) -> str: ...\n"),
    b"bin/serve": (0o100644, b"#!/bin/sh\nexec python -m acme.api\n"),
    b"docs/latest": (0o120000, b"../README.md"),
    b"data/seed.bin": (0o100644, bytes(range(256)) * 8),
    b"data/caf\xe9.txt": (0o100644, "café in Latin-1\n".encode("latin-1")),
    b"data/two\nlines.txt": (0o100644, b"a name with a line end\n"),
    b"data/100%.txt": (0o100644, b"a name with a percent sign\n"),
    b"data/empty": (0o100644, b""),
    b"data/<script>alert(1)</script>.txt": (0o100644, b"<script>alert(1)</script>\n"),
}
SECOND: dict[bytes, tuple[int, bytes] | None] = {
    b"README.md": (0o100644, README),
    b"docs/keys.md": (0o100644, KEYS),
    b"docs/mark.png": (0o100644, png()),
    b"bin/serve": (0o100755, FIRST[b"bin/serve"][1]),
    b"data/seed.bin": (0o100644, bytes(range(256)) * 12),
}
THIRD: dict[bytes, tuple[int, bytes] | None] = {
    b"src/auth/tokens.py": (0o100644, TOKENS_AFTER),
    b"src/auth/keys.py": (0o100644, b'"""Which keys sign and which are still read."""\n\n\nclass KeySet: ...\n'),
    b"src/auth/secret.py": None,
    b"tests/test_tokens.py": (0o100644, b"def test_expired_is_refused(): ...\n\n\ndef test_reuse_revokes(): ...\n"),
}

DECISIONS = (
    Decision(
        what="Sign with EdDSA, verify from a published key set",
        why="Front ends must verify without asking anyone. A key set can rotate while old tokens are still read.",
        alternatives=(
            Alternative("HS256 with a shared secret", "every front end could then mint"),
            Alternative("Sessions in Redis", "one more thing to run; “keep it stateless”"),
        ),
        by="maintainer",
        evidence="src/auth/tokens.py:20, src/auth/keys.py",
        message=1,
    ),
    Decision(
        what="Fifteen minutes, then refresh once",
        why="Short enough that a stolen token is a small thing; a refresh used twice revokes its whole family.",
        alternatives=(Alternative("24-hour tokens", "no way to take one back"),),
        by="claude-code, accepted by the maintainer",
        evidence="src/auth/tokens.py:7",
        at=BEGIN + 6 * HOUR + 60_000,
    ),
)
CONVERSATION = (
    Message("human", "maintainer", "We need sign-in by e-mail. Use tokens, and keep it stateless.", BEGIN + 5 * HOUR),
    Message(
        "agent",
        "claude-code",
        "Should revocation work before a token expires? If so there must be state somewhere:\n\n"
        "1. a list of revoked ids, or\n2. refresh tokens that belong to a *family*.",
        BEGIN + 5 * HOUR + 60_000,
    ),
    Message("human", "maintainer", "Only for refresh. Fifteen minutes is fine for the rest.", BEGIN + 6 * HOUR),
    Message("system", "", "ran `make test`: 214 passed", BEGIN + 6 * HOUR + 120_000),
)


@dataclass(frozen=True)
class Story:
    """The project with its people. Positions 1 and 2 are imported, 3 and 4 are landed sessions."""

    user: User
    actor: Actor
    project: ProjectView
    ledger: Project
    open_session: bytes
    private: ProjectView


def tell(suffix: str = "") -> Story:
    """Make it all. `suffix` keeps handles apart where several stories share a database."""
    user = create_user(OPERATOR, f"maintainer{suffix}", name="Ada Maintainer", email=f"ada{suffix}@example.org")
    actor = actor_of(user, "web")
    create_organization(actor, f"acme{suffix}", "Acme", "Small services that say why.")
    words = "Accounts, sign-in and billing for acme."
    project = create_project(actor, f"acme{suffix}", "api", "api", words, "public")
    ledger = open_ledger(project.id)
    _import(ledger)
    projector.catch_up(project.id)
    land_files(actor, project, "Keep sign-in stateless: tokens instead of server sessions", 2, THIRD, rich=True)
    land_files(
        actor, project, "Say how long a key lives", 3, {b"docs/keys.md": (0o100644, KEYS.replace(b"thirty", b"twenty"))}
    )
    opened = start_session(actor, project, "Let an operator revoke a family of tokens", 4, agent="claude-code")
    private = create_project(actor, f"acme{suffix}", "vault", "vault", "Nobody else's.", "private")
    return Story(user, actor, project, ledger, opened.id, private)


def _import(ledger: Project) -> None:
    history = ledger.import_history("a Git repository", bytes(16))
    commits: Sequence[tuple[str, str, Mapping[bytes, tuple[int, bytes] | None]]] = (
        ("First light", "grace@example.org", FIRST),
        ("Say how keys rotate\n\nThe keys change every month.\nRead this before you touch sign-in.\n", "", SECOND),
    )
    seen: set[bytes] = set()
    for index, (message, email, files) in enumerate(commits):
        changes = []
        for path, file in sorted(files.items()):
            assert file is not None
            mode, data = file
            history.add_content(content_hash(data), len(data), encode_blob(data))
            op = Op.MODIFIED if path in seen else Op.ADDED
            changes.append((path, int(op), mode, content_hash(data), len(data)))
            seen.add(path)
        oid = bytes([0xA0 + index]) * 20
        at = BEGIN - (40 - index) * 24 * HOUR
        ledger.run(
            history.add_commit(HistoryCommit(oid, b"", Author("Grace Hopper", email), at, message, tuple(changes)))
        )
    ledger.finish_import(history)


def land_files(
    actor: Actor,
    project: ProjectView,
    goal: str,
    base: int,
    files: Mapping[bytes, tuple[int, bytes] | None],
    rich: bool = False,
    **words: Any,
) -> None:
    """Land these files, None for one that goes, as a session on `base`; `words` are more of the session."""
    ledger = open_ledger(project.id)
    root = ledger.tree_at(base)
    changes, contents = [], {}
    for path, file in sorted(files.items()):
        old = ledger.entry(root, path)
        before = {"base_hash": old.hash, "base_mode": old.mode} if old else {}
        if file is None:
            changes.append(Change(path, int(Op.DELETED), **before))
            continue
        mode, data = file
        contents[content_hash(data)] = encode_blob(data)
        op = Op.MODIFIED if old else Op.ADDED
        changes.append(Change(path, int(op), mode, content_hash(data), len(data), **before))
    session = Session(
        id=new_ulid(BEGIN + base, bytes(9) + bytes([base])),
        goal=goal,
        base_position=base,
        hlc_created=(time.time_ns() // 1_000_000 - 38 * 60_000) << 16,
        conversation=CONVERSATION if rich else (),
        decisions=DECISIONS if rich else (),
        changes=tuple(changes),
        agent="claude-code" if rich else "",
        **words,
    )
    land(actor, project, session, contents)
