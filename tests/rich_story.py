"""The story of the pages with all that a session can show: told in a forge that runs, for browsers to look at.

Position 5 are odd files; 6 has moved lines, a rename and a picture that changed; 7 has claims, decisions, a
conversation and tokens. Open are one session that waits to land, a conflicted and an abandoned one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import odd_files
import pages_story
from forge_process import Forge
from mic.core.ids import ulid_text
from mic.core.session import Change, Op, Session, State, Usage
from micelio.sessions import projector

SUFFIX = "-seen"
PROJECT = f"/acme{SUFFIX}/api"
WHO = f"maintainer{SUFFIX}"
STATES = {State.CONFLICTED: b"\xfe" * 16, State.ABANDONED: b"\xfd" * 16}
# In the list it waits to land; nothing does it here.
QUEUED = b"\xfc" * 16
OPEN = [ulid_text(name) for name in STATES.values()]
CLAIMS = ("Only touches `src/`", "All tests pass", "Adds tests for it", "Faster than before")
USAGE = (
    Usage("claude-opus-4-5", 812_345, 23_456, 700_000, "claude-code"),
    Usage("claude-haiku-4-5", 1_234, 56, 0, "claude-code"),
)


def tell() -> None:
    """Told by a process that has the forge's settings."""
    story = pages_story.tell(SUFFIX)
    odd_files.land(story)
    lines = pages_story.TOKENS_AFTER.splitlines(True)
    pages_story.land_files(story.actor, story.project, "Elsewhere", 5, {
        b"pyproject.toml": None, b"packaging/pyproject.toml": pages_story.FIRST[b"pyproject.toml"],
        b"src/auth/tokens.py": (0o100644, b"".join(lines[7:] + lines[:7])),
        b"docs/mark.png": (0o100644, pages_story.png(24, 24)), b"data/seed.bin": (0o100644, bytes(range(256)) * 4),
    })  # fmt: skip
    words = {"claims": CLAIMS, "usage": USAGE}
    pages_story.land_files(story.actor, story.project, "Only touch `src/`, and test it", 6, {
        b"src/auth/tokens.py": (0o100644, pages_story.TOKENS_AFTER + b"\n\nREVOKED = set()\n"),
        b"docs/keys.md": (0o100644, pages_story.KEYS), b"tests/test_revoked.py": (0o100644, b"def test_it(): ...\n"),
    }, rich=True, **words)  # fmt: skip
    assert story.actor.user_id is not None
    kinds = [(state.name.lower(), state, name) for state, name in STATES.items()]
    for word, state, name in (*kinds, ("queued", State.ACTIVE, QUEUED)):
        session = Session(
            id=name, goal=f"One that is {word}", base_position=6, hlc_created=1, hlc_updated=1,
            owner=story.actor.user_id.bytes, state=int(state), agent="codex", claims=CLAIMS, usage=USAGE,
            conversation=pages_story.CONVERSATION, decisions=pages_story.DECISIONS,
            changes=(Change(b"src/auth/keys.py", int(Op.ADDED), 0o100644, bytes(32), 1),),
        )  # fmt: skip
        story.ledger.put_open_session(session)
        projector.keep_row(story.project.id, session, queued=name == QUEUED)


def tell_in(forge: Forge) -> None:
    """The same in a forge that runs beside this process."""
    tests = Path(__file__).parent
    environment = forge.environment | {
        "DJANGO_SETTINGS_MODULE": "micelio.django_settings",
        "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent / "src"))),
    }
    said = "import django; django.setup(); import rich_story; rich_story.tell()"
    subprocess.run([sys.executable, "-c", said], env=environment, check=True)
