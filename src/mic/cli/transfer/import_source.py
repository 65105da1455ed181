"""A repository that is to be imported, as refs and one pack on this machine: fetched and packed by git itself."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mic.cli.terminal.output import Output
from mic.cli.transfer.content_cache import cache_folder
from mic.core.errors import Corrupt, InvalidInput, MicError, NotFound, Unavailable

_SCP = re.compile(r"[\w.-]+@[\w.-]+:(?!//)")
_BUNDLE = (b"# v2 git bundle\n", b"# v3 git bundle\n")
# What git needs to reach a host. Everything else stays out: GIT_* could run commands or name other repositories.
GIT_PASSED = (
    "PATH", "HOME", "USER", "LANG", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
)  # fmt: skip
# How git and curl say that nobody answered, which another try may change.
GIT_UNREACHED = re.compile(
    r"could not resolve|could not connect|couldn't connect|failed to connect|connection (?:refused|timed out|reset)|"
    r"network is unreachable|no route to host|operation timed out",
    re.IGNORECASE,
)
# What somebody's own folder holds besides what they would publish: remotes as last seen, stashes, work half done.
_LOCAL = (b"refs/remotes/", b"refs/stash", b"refs/bisect/", b"refs/worktree/", b"refs/rewritten/")
_DAMAGE = re.compile(r"\b([0-9a-f]{40})\b")


@dataclass(frozen=True, slots=True)
class Refs:
    """The refs of a repository by full name; `head` is the one that HEAD names, else `detached` the commit."""

    refs: dict[bytes, bytes]
    head: bytes
    detached: bytes

    @property
    def branch(self) -> str:
        """What the default branch is called, "detached" where HEAD names a commit."""
        return self.head.removeprefix(b"refs/heads/").decode("utf-8", "replace") if self.head else "detached"


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack in a file: git's name of it (40 hex digits), and its size. Without objects the path is ""."""

    path: str
    name: str
    size: int


def is_url(source: str) -> bool:
    """Whether git has to fetch it."""
    return "://" in source or (bool(_SCP.match(source)) and not os.path.exists(source))


def label(source: str) -> str:
    """What the forge keeps as the source: never the password of a URL, never a path of this machine."""
    if "://" in source:
        parts = urllib.parse.urlsplit(source)
        host = parts.netloc.rpartition("@")[2]
        return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))
    return source if is_url(source) else os.path.basename(os.path.abspath(source))


@contextlib.contextmanager
def opened(source: str, place: str, out: Output) -> Iterator[Source]:
    """The source as a repository on this machine, fetched where it is a URL or a bundle.

    `place` names the import: a fetched repository and a finished pack stay under it in the cache until the import
    is done, so that what is interrupted goes on. Raises InvalidInput, NotFound, Corrupt.
    """
    folder = os.path.join(cache_folder(), "imports", hashlib.sha256(place.encode()).hexdigest()[:24])
    os.makedirs(folder, exist_ok=True)
    if is_url(source):
        out.note(f"Fetching {label(source)} ...")
        _mirror(source, os.path.join(folder, "repository.git"))
        yield Source(os.path.join(folder, "repository.git"), folder, bare=True)
    elif _is_bundle(source):
        with tempfile.TemporaryDirectory(prefix="mic-import-") as made:
            target = os.path.join(made, "repository.git")
            _fetched(["clone", "--quiet", "--mirror", "--", os.path.abspath(source), target], source)
            yield Source(target, folder, bare=True)
    elif os.path.isfile(source):
        raise NotFound(
            f"{label(source)} is a file, and no bundle of git's.",
            hint=f"What `mic export archive` made comes in with `mic import micelio {shlex.quote(source)}`.",
        )
    else:
        from mic.git.repository import GitRepository

        repository = GitRepository(source)
        if repository.shallow:
            raise InvalidInput(
                f"The Git repository {repository.path} is shallow: its history is not all there.",
                hint="Run `git fetch --unshallow` there, then import again.",
            )
        yield Source(repository.path, folder, bare=False)


class Source:
    """A repository on this machine. What was packed and not sent is found again."""

    def __init__(self, path: str, folder: str, *, bare: bool) -> None:
        self.path, self._folder = path, folder
        self._bare = bare or _git(path, "rev-parse", "--is-bare-repository").strip() == b"true"

    def refs(self) -> Refs:
        """What is to be imported. Raises InvalidInput for a repository without a commit."""
        if _git(self.path, "rev-parse", "--show-object-format").strip() != b"sha1":
            raise InvalidInput(
                f"The Git repository {self.path} uses SHA-256 object names.",
                hint="Only SHA-1 repositories can be imported; most hosts and clones are SHA-1.",
            )
        listed = _git(self.path, "for-each-ref", "--format=%(objectname) %(refname)")
        refs: dict[bytes, bytes] = {}
        for line in listed.splitlines():
            oid, _, name = line.partition(b" ")
            if name.count(b"/") > 1 and not (not self._bare and name.startswith(_LOCAL)):
                refs[name] = bytes.fromhex(oid.decode("ascii"))
        head = _git(self.path, "symbolic-ref", "-q", "HEAD", fails=True).strip()
        found = b"" if head else _git(self.path, "rev-parse", "-q", "--verify", "HEAD^{commit}", fails=True).strip()
        if not refs and not found:
            raise InvalidInput(
                f"The Git repository {self.path} has no commit on its default branch.",
                hint="Commit something there first.",
            )
        return Refs(refs, head, bytes.fromhex(found.decode("ascii")))

    def commits(self, refs: Refs) -> int:
        """How many landings the default branch is."""
        tip = refs.refs.get(refs.head, refs.detached)
        return int(_git(self.path, "rev-list", "--count", "--first-parent", tip.hex(), "--")) if tip else 0

    def pack(self, refs: Refs, tips: Iterable[bytes]) -> Pack:
        """All that the refs lead to and that is not behind `tips`. The same question finds the same pack again."""
        here = self._known(tips)
        wanted = sorted({*refs.refs.values(), *([refs.detached] if refs.detached else [])})
        lines = [oid.hex() for oid in wanted] + [f"^{oid.hex()}" for oid in here]
        asked = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:24]
        folder = os.path.join(self._folder, asked)
        known = self._packed(folder)
        if known is not None:
            return known
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        command = ["pack-objects", "--revs", "--delta-base-offset", "-q", os.path.join(folder, "pack")]
        said = _git(self.path, *command, data="".join(f"{line}\n" for line in lines).encode())
        found = self._packed(folder)
        return found if found is not None and said else Pack("", "0" * 40, 0)

    def done(self) -> None:
        """Throw away what was kept for going on; a fetched repository stays, for the next time fetches what is new."""
        # A command that ran beside this one, for the same import, may be ahead.
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self._folder):
                if name != "repository.git":
                    shutil.rmtree(os.path.join(self._folder, name), ignore_errors=True)
            if not os.listdir(self._folder):
                os.rmdir(self._folder)

    def _packed(self, folder: str) -> Pack | None:
        """The pack of a folder; git gives it its name when it is whole."""
        try:
            names = [name for name in os.listdir(folder) if name.endswith(".pack")]
        except FileNotFoundError:
            return None
        if len(names) != 1:
            return None
        path = os.path.join(folder, names[0])
        size = os.path.getsize(path)
        with open(path, "rb") as file:
            file.seek(max(size - 20, 0))
            return Pack(path, file.read().hex(), size)

    def _known(self, tips: Iterable[bytes]) -> list[bytes]:
        asked = list(tips)
        data = "".join(f"{oid.hex()}\n" for oid in asked).encode()
        said = _git(self.path, "cat-file", "--batch-check", data=data).splitlines()
        return [oid for oid, line in zip(asked, said, strict=True) if not line.endswith(b" missing")]


def _is_bundle(source: str) -> bool:
    try:
        with open(source, "rb") as file:
            return file.read(16) in _BUNDLE
    except OSError:
        return False


def _mirror(source: str, target: str) -> None:
    """A mirror of the source: made, or what is new brought to the one that an earlier import left."""
    if os.path.isdir(os.path.join(target, "objects")):
        try:
            _fetched(["-C", target, "fetch", "--quiet", "--prune", "--force", "--", source, "+refs/*:refs/*"], source)
            head = _environed(["-C", target, "ls-remote", "--symref", "--", source, "HEAD"]).stdout
            if match := re.match(rb"ref: (refs/[^\t\n]+)\tHEAD\n", head):
                _git(target, "symbolic-ref", "HEAD", os.fsdecode(match[1]))
            return
        except InvalidInput:
            shutil.rmtree(target, ignore_errors=True)
    making = target + ".new"
    shutil.rmtree(making, ignore_errors=True)
    _fetched(["clone", "--quiet", "--mirror", "--", source, making], source)
    os.rename(making, target)


def _environed(arguments: list[str], data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {name: os.environ[name] for name in GIT_PASSED if name in os.environ}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file", "LC_ALL": "C"}
    environment |= {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes", "GIT_NO_REPLACE_OBJECTS": "1"}
    try:
        return subprocess.run(["git", *arguments], env=environment, input=data, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise NotFound("There is no `git` on this machine.", hint="Install it; imports need it.") from error


def _fetched(arguments: list[str], source: str) -> None:
    done = _environed(arguments)
    if done.returncode:
        why = _fatal(done)
        if "://" in source:
            why = why.replace(source, label(source))
        kind = Unavailable if GIT_UNREACHED.search(why) else InvalidInput
        raise kind(f"git could not fetch {label(source)}: {why.rstrip('.')}.", hint="Does `git clone` of it work here?")


def _git(path: str, *arguments: str, data: bytes = b"", fails: bool = False) -> bytes:
    """What git prints about the repository at `path`. `fails`: an answer that it may refuse, which is b"" then."""
    # Objects are read, and nothing of the folder's settings is run: whose it is does not matter.
    done = _environed(["-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", path, *arguments], data)
    if done.returncode and not fails:
        raise _damaged(path, done)
    return b"" if done.returncode else done.stdout


def _damaged(path: str, done: subprocess.CompletedProcess[bytes]) -> MicError:
    said = done.stderr.decode("utf-8", "replace")
    match = _DAMAGE.search(said)
    what = f"Git object {match[1]} cannot be read" if match else f"git says of it: {_fatal(done).rstrip('.')}"
    return Corrupt(
        f"The Git repository {path} is not whole: {what}.",
        hint="`git fsck` in the repository names the damage; a fresh clone usually mends it.",
    )


def _fatal(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    first = next((line.removeprefix("fatal: ") for line in said if line.startswith("fatal: ")), "")
    return first or (said[-1] if said else f"exit code {done.returncode}")
