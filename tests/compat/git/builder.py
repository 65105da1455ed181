"""Builds odd and hostile Git repositories object by object, and reads them back with Git as the oracle."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zlib
from pathlib import Path
from typing import NamedTuple

NOBODY = b"A U Thor <author@example.com> 1700000000 +0100"
# Only what the tests say: no user's configuration, no system's.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ALLOW_PROTOCOL": "file",
    "LC_ALL": "C",
}


class RawChange(NamedTuple):
    """One line of `git diff-tree --raw`: canonical modes, status letter, ids in hex, path."""

    old_mode: int
    new_mode: int
    new_oid: str
    status: str
    path: bytes


class Repository:
    """A bare repository at `path` with a branch `main`."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", *options, str(path)], check=True, env=ENVIRONMENT)

    def git(self, *arguments: str, data: bytes = b"") -> bytes:
        """The output of a Git command run in the repository."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, input=data, check=True, capture_output=True, env=ENVIRONMENT
        )
        return done.stdout

    def object(self, kind: str, data: bytes) -> str:
        """Stores any bytes as an object, well formed or not; its id in hex. As `git hash-object --literally`."""
        whole = b"%s %d\0" % (kind.encode(), len(data)) + data
        oid = hashlib.sha1(whole).hexdigest()
        path = self.path / "objects" / oid[:2] / oid[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(whole, 1))
        return oid

    def blob(self, data: bytes) -> str:
        """Stores a blob."""
        return self.object("blob", data)

    def tree(self, *entries: tuple[str, bytes, str]) -> str:
        """Stores a tree of (mode as written, name, id in hex), in Git's order."""
        ordered = sorted(entries, key=lambda entry: entry[1] + (b"/" if entry[0].endswith("40000") else b""))
        return self.raw_tree(*ordered)

    def raw_tree(self, *entries: tuple[str, bytes, str]) -> str:
        """Stores a tree of the entries as they stand."""
        return self.object(
            "tree", b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
        )

    def file_tree(self, name: bytes = b"file", content: bytes = b"content\n", mode: str = "100644") -> str:
        """A tree of one file."""
        return self.tree((mode, name, self.blob(content)))

    def commit(
        self,
        tree: str,
        *parents: str,
        author: bytes = NOBODY,
        committer: bytes = NOBODY,
        headers: bytes = b"",
        message: bytes = b"message\n",
    ) -> str:
        """Stores a commit and points `main` at it."""
        lines = [b"tree " + tree.encode(), *(b"parent " + parent.encode() for parent in parents)]
        lines += [b"author " + author, b"committer " + committer]
        oid = self.object("commit", b"\n".join(lines) + b"\n" + headers + b"\n" + message)
        (self.path / "refs" / "heads" / "main").write_text(oid + "\n")
        return oid

    def first_parents(self) -> list[str]:
        """The first-parent chain of HEAD, oldest first, as Git walks it."""
        return self.git("rev-list", "--first-parent", "--reverse", "HEAD").decode().split()

    def changes(self, parent: str | None, commit: str) -> list[RawChange]:
        """What Git says a commit changed against one parent, sorted by path."""
        trees = ["--root", commit] if parent is None else [parent, commit]
        options = ["-r", "--raw", "-z", "--no-renames", "--no-abbrev", "--no-commit-id"]
        fields = self.git("diff-tree", *options, *trees).split(b"\0")
        found = []
        for meta, path in zip(fields[0::2], fields[1::2], strict=False):
            old_mode, new_mode, _, new_oid, status = meta.decode().lstrip(":").split(" ")
            found.append(RawChange(int(old_mode, 8), int(new_mode, 8), new_oid, status, path))
        return sorted(found, key=lambda change: change.path)

    def files(self) -> dict[bytes, tuple[int, str]]:
        """path -> (canonical mode, id in hex) of HEAD's tree, by `git ls-tree`."""
        found = {}
        for line in self.git("ls-tree", "-r", "-z", "--full-tree", "HEAD").split(b"\0")[:-1]:
            meta, _, path = line.partition(b"\t")
            mode, _, oid = meta.decode().split(" ")
            found[path] = (int(mode, 8), oid)
        return found


def canonical_mode(mode: int) -> int:
    """The mode that Git takes any written mode for (its canon_mode)."""
    kind = mode & 0o170000
    if kind == 0o100000:
        return 0o100755 if mode & 0o100 else 0o100644
    return kind if kind in (0o120000, 0o040000) else 0o160000
