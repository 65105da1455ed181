"""The first-parent history of one branch, oldest first, with what each commit changed.

Objects are read verbatim: replace refs and grafts are ignored, since they would give a commit other
bytes than its id promises.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from mic.core.errors import Corrupt, InvalidInput, InvalidPath, MicError, TooLarge
from mic.core.session import Op
from mic.git.commits import parse_links, parse_text
from mic.git.repository import DETACHED, GitRepository
from mic.git.trees import EMPTY_TREE, TreeReader, has_blob

__all__ = ["DETACHED", "Commit", "FileChange", "History", "open_history"]

_PIECE = 1 << 20  # bytes that blob_stream hands out at once


class FileChange(msgspec.Struct, frozen=True):
    """One path that a commit changed against its first parent.

    `op` is a `mic.core.session.Op`; a changed type (file to symlink) is one MODIFIED. `mode` is Git's number as it
    stands in the tree: 0o100644, 0o100755, 0o120000, 0o160000, or an odd one such as 0o100664; of a deleted path,
    the mode it had. `oid` names the blob, or the commit of a gitlink, and is None for a deleted path. `size` is that
    of the content in bytes, 0 for a deleted path.
    """

    path: bytes
    op: int
    mode: int
    oid: bytes | None
    size: int

    @property
    def is_gitlink(self) -> bool:
        """A submodule entry: its content is the 40 hex digits of the commit it names."""
        return not has_blob(self.mode)


class Commit(msgspec.Struct, frozen=True):
    """One commit: `oid` (20 bytes), the verbatim object `raw`, and what it says and changes.

    Strings are valid Unicode whatever the repository holds (see `mic.git.commits.parse_text`); `authored_at_ms` is
    Unix milliseconds, within the years 1 to 9999.
    """

    oid: bytes
    raw: bytes
    author_name: str
    author_email: str
    authored_at_ms: int
    message: str
    changes: list[FileChange]


def open_history(path: str | os.PathLike[str], branch: str | None = None) -> History:
    """The history of `branch` (or a full ref name; HEAD when None) of the Git repository at `path`.

    Raises NotFound when there is no repository or no such branch; InvalidInput for a repository without a commit,
    a shallow one, or one with SHA-256 object names; Corrupt for a missing or damaged commit, named.
    """
    return History(GitRepository(path), branch)


class History:
    """A first-parent chain: `branch` ("detached" when HEAD names a commit), `tip` (20 bytes), `count` commits.

    Iterating yields `Commit`s, oldest first, and may be done again; only object ids are held (20 bytes a commit).
    """

    def __init__(self, repository: GitRepository, branch: str | None = None) -> None:
        self._repository = repository
        self.branch, self.tip = repository.resolve(branch)
        self._newest_first = self._chain()
        self.count = len(self._newest_first) // 20

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Commit]:
        return self.commits()

    def commits(self, start: int = 0) -> Iterator[Commit]:
        """The commits from the `start`-th on (0 is the oldest), so that an interrupted import can go on.

        Raises Corrupt for a missing or damaged object, InvalidPath for a path that no tree can hold, TooLarge for a
        commit of too many changes; each names the commit.
        """
        trees = TreeReader(lambda oid: self._repository.read(oid, "tree", "part of a commit"))
        tree = EMPTY_TREE
        if start:
            before = self.oid_at(start - 1)
            tree = parse_links(self._read_commit(before), before).tree
        for index in range(start, self.count):
            oid = self.oid_at(index)
            raw = self._read_commit(oid)
            parent_tree, tree = tree, parse_links(raw, oid).tree
            try:
                changes = self._changes(trees, parent_tree, tree)
            except (InvalidPath, Corrupt, TooLarge) as error:
                raise _in_commit(error, oid) from error
            text = parse_text(raw)
            yield Commit(oid, raw, text.author_name, text.author_email, text.authored_at_ms, text.message, changes)

    def oid_at(self, index: int) -> bytes:
        """The id of the `index`-th commit, 0 being the oldest."""
        at = (self.count - 1 - index) * 20
        return bytes(self._newest_first[at : at + 20])

    def blob(self, oid: bytes) -> bytes:
        """The bytes of a blob, verified against its id. Raises Corrupt naming it when missing or damaged."""
        return self._repository.read(oid, "blob", f"in {self._repository.path}")

    def blob_stream(self, oid: bytes) -> Iterator[bytes]:
        """The bytes of a blob in pieces of 1 MiB. Git's packs are inflated whole: one blob is in memory at a time."""
        data = self.blob(oid)
        for start in range(0, len(data), _PIECE):
            yield data[start : start + _PIECE]

    def content(self, change: FileChange) -> bytes:
        """The content that `change` gives its path: the blob, or of a gitlink the commit id as 40 hex digits."""
        assert change.oid is not None, "a deleted path has no content"
        return change.oid.hex().encode() if change.is_gitlink else self.blob(change.oid)

    def _chain(self) -> bytearray:
        """The ids from the tip to the root, 20 bytes each."""
        chain = bytearray()
        oid, wanted_by = self.tip, f"the tip of {self.branch}"
        shallow = self._repository.shallow
        while True:
            raw = self._repository.read(oid, "commit", wanted_by)
            chain += oid
            parents = parse_links(raw, oid).parents
            if oid in shallow or not parents:
                break
            oid, wanted_by = parents[0], f"the first parent of {oid.hex()}"
        if shallow:
            raise InvalidInput(
                f"The Git repository {self._repository.path} is shallow: its history ends at {oid.hex()[:12]}, "
                f"after {_commits(len(chain) // 20)}.",
                hint="Run `git fetch --unshallow` there, then import again.",
            )
        return chain

    def _read_commit(self, oid: bytes) -> bytes:
        return self._repository.read(oid, "commit", f"in the history of {self.branch}")

    def _changes(self, trees: TreeReader, old: bytes, new: bytes) -> list[FileChange]:
        changes = []
        for path, op, mode, oid in trees.difference(old, new):
            if op is Op.DELETED:
                changes.append(FileChange(path, op, mode, None, 0))
            elif has_blob(mode):
                changes.append(FileChange(path, op, mode, oid, self._repository.size(oid, f"the content of {path!r}")))
            else:
                changes.append(FileChange(path, op, mode, oid, 40))
        return changes


def _commits(count: int) -> str:
    return f"{count:,} commit{'' if count == 1 else 's'}"


def _in_commit(error: MicError, oid: bytes) -> MicError:
    """The same error, naming the commit that it was met in."""
    message = f"In Git commit {oid.hex()}: {error.message}"
    return type(error)(message, hint=error.hint, **{**error.details, "commit": oid.hex()})
