"""A Git repository opened for reading only: its refs and objects, with an error for each way it can be broken."""

from __future__ import annotations

import os
import re
from typing import Final, Literal

import pygit2
from pygit2.enums import ObjectType, Option, RepositoryOpenFlag

from mic.core.errors import Corrupt, InvalidInput, MicError, NotFound, Unavailable
from mic.git.commits import decode
from mic.git.loose import check_name, loose_fans, object_directories, read_loose, read_loose_header

Kind = Literal["commit", "tree", "blob", "tag"]
_KINDS: Final[dict[int, str]] = {
    int(ObjectType.COMMIT): "commit",
    int(ObjectType.TREE): "tree",
    int(ObjectType.BLOB): "blob",
    int(ObjectType.TAG): "tag",
}

DETACHED = "detached"
_TAGGED = re.compile(rb"object [0-9a-f]{40}\n")
_READ_ERRORS = (KeyError, ValueError, OSError, pygit2.GitError, Corrupt)
_FSCK = "`git fsck` in the repository names the damage; a fresh clone usually mends it."


def _prepare_libgit2() -> None:
    """Process-wide settings for reading strangers' repositories.

    The owner check protects against configuration that runs commands; reading objects runs none. libgit2's own
    object cache is off (256 MB by default): trees are cached parsed, and everything else is read once. Its check of
    hashes is off because `GitRepository` makes its own: SHA-1 by OpenSSL, five times as fast as the collision-detecting
    one, whose attack does not concern a reader that then names content by SHA-256.
    """
    pygit2.option(Option.SET_OWNER_VALIDATION, 0)
    pygit2.option(Option.ENABLE_CACHING, 0)
    pygit2.settings.enable_strict_hash_verification(False)
    pygit2.settings.set_extensions(["partialclone"])


_prepare_libgit2()


class GitRepository:
    """Refs and raw objects of the repository at `path`: a work tree, a linked work tree, a `.git` or a bare directory.

    Parent directories are not searched: importing an empty folder must not import what lies around it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(os.fspath(path))
        try:
            self._repo = pygit2.Repository(self.path, RepositoryOpenFlag.NO_SEARCH)
        except (pygit2.GitError, ValueError, KeyError) as error:
            raise _not_opened(self.path, str(error)) from error
        self._git_dir = self._repo.path
        common = _common_dir(self._git_dir)
        self.shallow = _shallow_boundary(common)
        self._directories = object_directories(common)
        # Looking for a loose file costs two failing system calls; in a packed repository there is none to find.
        self._fans = loose_fans(self._directories)
        self._packs = pygit2.Odb()
        for directory in self._directories:
            self._packs.add_backend(pygit2.OdbBackendPack(directory), 1)

    def resolve(self, branch: str | None) -> tuple[str, bytes]:
        """(branch name or "detached", id of the commit) of `branch`, a full ref name, or HEAD when None."""
        if branch is None:
            name, oid = self._head()
        else:
            name, oid = branch, self._branch(branch)
        return name, self._peel(oid)

    def read(self, oid: bytes, kind: Kind, wanted_by: str) -> bytes:
        """The verified bytes of an object. Raises Corrupt naming the object and `wanted_by`, or Unavailable."""
        found, data = self._read(oid, kind, wanted_by)
        if found != kind:
            raise Corrupt(f"Git object {oid.hex()}, {wanted_by}, is a {found}, not a {kind}.", hint=_FSCK)
        return data

    def size(self, oid: bytes, wanted_by: str) -> int:
        """The size of a blob in bytes, without inflating it. Errors as `read`."""
        try:
            header = read_loose_header(self._directories, oid) if oid[0] in self._fans else None
            if header is None:
                header = self._packed_header(oid)
        except _READ_ERRORS as error:
            raise self._unreadable(oid, "blob", wanted_by, error) from error
        if header[0] != "blob":
            raise Corrupt(f"Git object {oid.hex()}, {wanted_by}, is a {header[0]}, not a blob.", hint=_FSCK)
        return header[1]

    def _packed_header(self, oid: bytes) -> tuple[str, int]:
        try:
            number, size = self._packs.read_header(pygit2.Oid(raw=oid))
        except KeyError:
            loose = read_loose_header(self._directories, oid)
            if loose is None:
                raise
            return loose
        return _KINDS.get(int(number), "thing of no kind"), int(size)

    def _read(self, oid: bytes, kind: Kind, wanted_by: str) -> tuple[str, bytes]:
        try:
            # Loose first: libgit2 scans the pack folder anew for each object it cannot find.
            loose = read_loose(self._directories, oid) if oid[0] in self._fans else None
            if loose is not None:
                return loose
            try:
                number, data = self._packs.read(pygit2.Oid(raw=oid))
            except KeyError:
                loose = read_loose(self._directories, oid)  # written since the repository was opened?
                if loose is None:
                    raise
                return loose
            found = _KINDS.get(int(number), "thing of no kind")
            check_name(oid, found, data)
        except _READ_ERRORS as error:
            raise self._unreadable(oid, kind, wanted_by, error) from error
        return found, data

    def _head(self) -> tuple[str, bytes]:
        try:
            head = self._repo.head
            detached = self._repo.head_is_detached
        except (pygit2.GitError, KeyError, ValueError) as error:
            raise self._no_commit() from error
        name = DETACHED if detached else decode(head.raw_name.removeprefix(b"refs/heads/"))
        return name, head.target.raw

    def _branch(self, branch: str) -> bytes:
        full = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
        try:
            return bytes(self._repo.lookup_reference(full).resolve().target.raw)
        except (pygit2.GitError, KeyError, ValueError) as error:
            message = f"The Git repository {self.path} has no branch {branch!r}."
            raise NotFound(message, hint=self._branches_hint()) from error

    def _no_commit(self) -> MicError:
        message = f"The Git repository {self.path} has no commit on its default branch."
        return InvalidInput(message, hint=self._branches_hint())

    def _branches_hint(self) -> str:
        names = [decode(name) for name in self._repo.raw_listall_branches()[:10]]
        return f"Name one of its branches: {', '.join(names)}." if names else "Commit something there first."

    def _peel(self, oid: bytes) -> bytes:
        """The commit behind a ref that may point at an annotated tag (of a tag, ...)."""
        for _ in range(16):
            kind, data = self._read(oid, "commit", f"the tip of {self.path}")
            if kind == "commit":
                return oid
            if kind != "tag" or not _TAGGED.match(data):
                break
            oid = bytes.fromhex(data[7:47].decode("ascii"))
        raise InvalidInput(f"Git object {oid.hex()} in {self.path} is not a commit.", hint="Name a branch.")

    def _unreadable(self, oid: bytes, kind: Kind, wanted_by: str, error: Exception) -> MicError:
        if not os.path.isdir(self._git_dir):
            return Unavailable(
                f"The Git repository {self.path} disappeared while it was read.",
                hint="Put it back and run the import again; nothing was landed.",
            )
        what = f"Git {kind} {oid.hex()}, {wanted_by},"
        if type(error) is OSError or isinstance(error, PermissionError):
            hint = "Check the disk and the permissions of the repository, then run the import again."
            return Unavailable(f"{what} cannot be read: {error}.", hint=hint)
        if not isinstance(error, KeyError):
            return Corrupt(f"{what} cannot be read: {error}.", hint=_FSCK)
        if kind == "blob" and self._is_partial():
            return Corrupt(
                f"{what} is missing: {self.path} is a partial clone.", hint="Clone it again without `--filter`."
            )
        return Corrupt(f"{what} is missing.", hint=_FSCK)

    def _is_partial(self) -> bool:
        """Whether the repository was cloned with a filter (a promisor remote, or the extension)."""
        for entry in self._repo.config:
            name = entry.name.lower()
            if name == "extensions.partialclone" or (name.startswith("remote.") and name.endswith(".promisor")):
                return True
        return False


def _not_opened(path: str, reason: str) -> MicError:
    if "object format" in reason:
        return InvalidInput(
            f"The Git repository {path} uses SHA-256 object names.",
            hint="Only SHA-1 repositories can be imported; most hosts and clones are SHA-1.",
        )
    if not os.path.exists(path):
        return NotFound(f"There is no Git repository at {path}: the path does not exist.", hint="Check the path.")
    if "not found" in reason:
        return NotFound(f"{path} is not a Git repository.", hint="Name the folder that holds `.git`, or a bare one.")
    return InvalidInput(f"The Git repository {path} cannot be opened: {reason}.", hint="Does `git log` work there?")


def _common_dir(git_dir: str) -> str:
    """Where objects and shared files are: of a linked work tree, in the main repository."""
    try:
        with open(os.path.join(git_dir, "commondir"), "rb") as file:
            return os.path.join(git_dir, os.fsdecode(file.read().strip()))
    except FileNotFoundError:
        return git_dir


def _shallow_boundary(common: str) -> frozenset[bytes]:
    """The commits at which a shallow repository ends."""
    try:
        with open(os.path.join(common, "shallow"), "rb") as file:
            return frozenset(bytes.fromhex(line.decode("ascii")) for line in file.read().split())
    except FileNotFoundError:
        return frozenset()
    except ValueError as error:
        raise Corrupt(f"{os.path.join(common, 'shallow')} is malformed.", hint=_FSCK) from error
