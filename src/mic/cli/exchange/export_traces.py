"""Agent Trace records of an exported repository: one for each commit whose authorship note can be read."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence

from mic.core.errors import Corrupt, InvalidInput, TooLarge
from mic.git.agent_trace import encode_trace
from mic.git.authorship import MAX_NOTE, decode_authorship
from mic.workspace.place import Naming

# Commits, with their notes, that are in memory at once.
_AT_ONCE = 500
_DATE = re.compile(rb"^committer [^\n]*?(-?\d{1,18}) [+-]\d+$", re.M)


def write_traces(repository: str, file: str, project: str, environment: Mapping[str, str]) -> int:
    """Write them to a new file, one a line, oldest commit last; how many. `project` is the project's address."""
    listed = _git(repository, environment, "rev-list", "--topo-order", "--all", "--not", "--glob=refs/notes/*")
    noted = _noted(repository, environment)
    commits = [commit for commit in listed.decode().split() if commit in noted]
    count = 0
    with Naming(file), open(file, "x", encoding="utf-8") as out:
        for at in range(0, len(commits), _AT_ONCE):
            some = commits[at : at + _AT_ONCE]
            raw = _objects(repository, environment, [*some, *(noted[commit] for commit in some)])
            for commit, header, note in zip(some, raw[: len(some)], raw[len(some) :], strict=True):
                try:
                    log = decode_authorship(note[: MAX_NOTE + 1])
                except (InvalidInput, TooLarge):
                    continue
                date = _DATE.search(header)
                out.write(encode_trace(log, commit, int(date[1]) if date else 0, project) + "\n")
                count += 1
        out.flush()
        os.fsync(out.fileno())
    return count


def _noted(repository: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The commits that have a note, and the id of it."""
    said = _git(repository, environment, "notes", "--ref=ai", "list").decode().splitlines()
    return {commit: note for note, _, commit in (line.partition(" ") for line in said)}


def _objects(repository: str, environment: Mapping[str, str], names: Sequence[str]) -> list[bytes]:
    asked = "".join(f"{name}\n" for name in names).encode()
    return list(_parts(_git(repository, environment, "cat-file", "--batch", "--buffer", asked=asked)))


def _parts(said: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(said):
        end = said.index(b"\n", at)
        words = said[at:end].split()
        if len(words) != 3:
            raise Corrupt(f"What was exported is not whole: {said[at:end][:80]!r}.", hint="Export again.")
        size = int(words[2])
        yield said[end + 1 : end + 1 + size]
        at = end + size + 2


def _git(repository: str, environment: Mapping[str, str], *arguments: str, asked: bytes = b"") -> bytes:
    command = ["git", "-C", repository, *arguments]
    done = subprocess.run(command, input=asked, env=dict(environment), capture_output=True, check=False)
    if done.returncode:
        raise Corrupt(
            f"What was exported cannot be read: {done.stderr.decode('utf-8', 'replace').strip()[:200]}.",
            hint="Export again.",
        )
    return done.stdout
