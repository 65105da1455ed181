"""Where agents keep their transcripts, and which of them were written in a directory, the newest first."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

from mic.workspace.workspace import Workspace

# Codex's folders are days; a session is seldom older than a week when it is attached.
_DAYS = 14
# Of a rollout's first line, which names the directory and may hold the instructions whole.
_HEAD = 256 << 10


def transcripts_here(ws: Workspace) -> list[str]:
    """Paths of the transcripts of this working copy, the one that was written last first."""
    root = os.path.realpath(ws.root)
    return sorted({*_of_claude_code(root), *_of_codex(root)}, key=_age, reverse=True)


def _of_claude_code(root: str) -> Iterator[str]:
    """A folder for each directory, its name that path with everything but letters and digits as `-`."""
    base = os.environ.get("CLAUDE_CONFIG_DIR") or os.path.expanduser("~/.claude")
    folder = os.path.join(base, "projects", re.sub(r"[^A-Za-z0-9]", "-", root))
    for name in _names(folder):
        if name.endswith(".jsonl"):
            yield os.path.join(folder, name)


def _of_codex(root: str) -> Iterator[str]:
    """A folder for each day; the first line of a rollout names the directory."""
    base = os.path.join(os.environ.get("CODEX_HOME") or os.path.expanduser("~/.codex"), "sessions")
    days = [
        os.path.join(base, year, month, day)
        for year in _names(base)
        for month in _names(os.path.join(base, year))
        for day in _names(os.path.join(base, year, month))
    ]
    for folder in sorted(days)[-_DAYS:]:
        for name in _names(folder):
            path = os.path.join(folder, name)
            if name.startswith("rollout-") and name.endswith(".jsonl") and _inside(_directory_of(path), root):
                yield path


def _directory_of(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            first = json.loads(stream.readline(_HEAD))
    except (OSError, ValueError, RecursionError):
        return ""
    payload = first.get("payload", first) if isinstance(first, dict) else None
    found = payload.get("cwd") if isinstance(payload, dict) else None
    return found if isinstance(found, str) else ""


def _inside(folder: str, root: str) -> bool:
    return bool(folder) and (os.path.realpath(folder) + "/").startswith(root + "/")


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _age(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
