"""The project's history as Git has it, in `.mic/git`, and git itself, which carries it to other places and back."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from mic.cli.forge.git_credential import mic_command
from mic.cli.remotes.configured import MICELIO, Remote, origin_of
from mic.cli.transfer.contents import MAX_HELD
from mic.cli.transfer.import_source import GIT_PASSED, GIT_UNREACHED
from mic.core.errors import InvalidInput, NotFound, PermissionDenied, PreconditionFailed, Unavailable
from mic.rpc.unreached import Unreached
from mic.workspace.workspace import Workspace

HEADS = "refs/heads/"
# What stands in a refspec that means what it says; git looks at the rest.
_PART = r"[^\s~^?\[\\:+-][^\s~^?\[\\:]*"
_SPEC = re.compile(rf"\+?{_PART}(?::{_PART})?|:{_PART}")
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_DENIED = re.compile(r"authentication failed|could not read (?:username|password)|permission denied|403", re.IGNORECASE)


class Moved(NamedTuple):
    """A ref that moved, by its name there. `old` and `new` are commits, "" for none. `how`: new, moved, forced or gone.

    What is forced was not behind what took its place.
    """

    ref: str
    old: str
    new: str
    how: str


class Spec(NamedTuple):
    """A refspec: what goes where. An empty source deletes; `forced` also what is not ahead."""

    source: str
    target: str
    forced: bool

    @property
    def text(self) -> str:
        """As git reads it."""
        return f"{'+' if self.forced else ''}{self.source}:{self.target}"


class Landed(NamedTuple):
    """A commit, and what its trailers say: the session's id as text, and its position; "" and 0 for none."""

    oid: str
    session: str
    position: int


class Mirror:
    """The bare repository in `.mic/git`. `refs/heads` and `refs/tags` are the project's, `refs/remotes/NAME` those of
    a remote as they were seen last."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self.path = os.path.join(ws.root, ".mic", "git")
        if not self.is_there(ws):
            making = f"{self.path}.{os.getpid()}.new"
            os.mkdir(making)  # where that may not be, the system says why, and git would say less
            self._checked("init", "--quiet", "--bare", "--object-format=sha1", "--initial-branch=main", making)
            try:
                os.rename(making, self.path)
            except OSError:
                if not self.is_there(ws):
                    raise
                shutil.rmtree(making, ignore_errors=True)  # another command made it at this moment

    @staticmethod
    def is_there(ws: Workspace) -> bool:
        """Whether the repository was made."""
        return os.path.isdir(os.path.join(ws.root, ".mic", "git", "objects"))

    def refresh(self) -> None:
        """Bring the project's own commits here. Raises Unreached, NotFound, PermissionDenied."""
        specs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
        self._remotely(origin_of(self._ws), "fetch", "--quiet", "--prune", "--no-tags", specs=specs)

    def fetch(self, remote: Remote) -> list[Moved]:
        """Bring a remote's refs here, as `refs/remotes/NAME/...`; what moved."""
        before = self.refs(_seen(remote.name))
        specs = [self._own_place(remote, spec) for spec in remote.fetch] or [f"+{HEADS}*:{_seen(remote.name)}*"]
        self._remotely(remote, "fetch", "--quiet", "--prune", "--no-tags", specs=specs)
        return self.moved(before, self.refs(_seen(remote.name)))

    def push(self, remote: Remote, specs: Sequence[Spec], notes: Sequence[Spec] = ()) -> list[Moved]:
        """Send refs. Raises PreconditionFailed for those that are not ahead, with what git says of each.

        `notes` go along, and what becomes of them is nobody's trouble.
        """
        sent = [spec.text for spec in (*specs, *notes)]
        said = self._remotely(remote, "push", "--porcelain", "--no-verify", specs=sent, may_fail=True)
        moved, refused = [], []
        beside = {spec.target for spec in notes}
        for line in said.splitlines():
            flag, tab, rest = line.partition("\t")
            source, _, target = rest.partition("\t")[0].rpartition(":")
            if not tab or flag not in ("", " ", "+", "-", "*", "=", "!") or target in beside:
                continue
            if flag == "!":
                refused.append((target, rest.rpartition("\t")[2]))
            elif flag != "=":
                new = self.commit(source) if flag != "-" else ""
                old = self.commit(_seen(remote.name) + target.removeprefix(HEADS)) if target.startswith(HEADS) else ""
                moved.append(Moved(target, old, new, {"-": "gone", "*": "new", "+": "forced"}.get(flag, "moved")))
        if refused:
            raise refused_push(remote, refused)
        self.see(remote, moved)
        return moved

    def landed(
        self, tips: Sequence[str], below: str, most: int, known: Mapping[str, str] | None = None
    ) -> list[Landed]:
        """The newest commits that these lead to by first parents and that no ref below `below` has, nor `known`."""
        form = "%H%x09%(trailers:key=Micelio-Session,valueonly,separator=%x2C)%x09" + (
            "%(trailers:key=Micelio-Position,valueonly,separator=%x2C)"
        )
        have = [f"^{oid}" for oid in self.refs(below).values()] if known is None else []
        said = self._checked(
            "-C", self.path, "log", "--first-parent", f"--max-count={most}", f"--format={form}", *tips, *have, "--"
        )
        found = []
        for line in said.splitlines():
            oid, _, rest = line.partition("\t")
            session, _, position = rest.partition("\t")
            if known is not None and oid in known:
                continue
            number = int(position) if position.isascii() and position.isdecimal() and len(position) < 19 else 0
            found.append(Landed(oid, session if _ULID.fullmatch(session) else "", number))
        return found

    def note(self, ref: str, texts: Mapping[str, bytes], *, anew: bool) -> None:
        """Write notes of commits; `anew` without those that the ref had."""
        before = "" if anew else self.commit(ref)
        stream = [b"commit %b\ncommitter mic <mic@micelio.invalid> 0 +0000\ndata 0\n" % ref.encode()]
        if before:
            stream.append(b"from %b\n" % before.encode())
        for oid, text in texts.items():
            stream.append(b"N inline %b\ndata %d\n%b\n" % (oid.encode(), len(text), text))
        done = self._run("-C", self.path, "fast-import", "--quiet", "--force", data=b"".join(stream))
        if done.returncode:
            raise Unavailable(f"git could not write {self.path}: {fatal(done)}.", hint="Remove that folder.")

    def notes(self, ref: str) -> dict[str, str]:
        """The commits that have a note, with the object of each."""
        if not self.commit(ref):
            return {}
        said = self._checked("-C", self.path, "notes", f"--ref={ref}", "list")
        return {oid: text for text, _, oid in (line.partition(" ") for line in said.splitlines())}

    def noted(self, ref: str, oid: str) -> bytes:
        """The note of a commit, b"" for none."""
        done = self._run("-C", self.path, "notes", f"--ref={ref}", "show", oid)
        return b"" if done.returncode else done.stdout.removesuffix(b"\n")

    def fetch_own(self, ref: str, here: str) -> bool:
        """Bring a ref of the project here under another name; False when it has none."""
        try:
            self._remotely(origin_of(self._ws), "fetch", "--quiet", "--no-tags", specs=[f"+{ref}:{here}"])
        except InvalidInput:
            return False
        return True

    def see(self, remote: Remote, moved: Sequence[Moved]) -> None:
        """Note where a remote's branches stand now."""
        for each in moved:
            if each.ref.startswith(HEADS):
                name = _seen(remote.name) + each.ref.removeprefix(HEADS)
                self._checked("-C", self.path, "update-ref", *(("-d", name) if not each.new else (name, each.new)))

    def forget(self, name: str) -> None:
        """Forget what was seen of a remote."""
        gone = [*self.refs(_seen(name))]
        for kind in ("remotes", "out", "wrote"):
            gone += self.refs(f"refs/notes/{kind}/{name}")
        self._update("".join(f"delete {ref}\n" for ref in gone))

    def rename(self, old: str, new: str) -> None:
        """What was seen of a remote is that of another name."""
        found = self.refs(_seen(old))
        lines = [
            f"update {_seen(new)}{ref.removeprefix(_seen(old))} {oid}\ndelete {ref}\n" for ref, oid in found.items()
        ]
        self._update("".join(lines))

    def refs(self, below: str) -> dict[str, str]:
        """Refs and their objects."""
        said = self._checked("-C", self.path, "for-each-ref", "--format=%(objectname)%09%(refname)", below.rstrip("/"))
        return {name: oid for oid, _, name in (line.partition("\t") for line in said.splitlines())}

    def moved(self, before: dict[str, str], now: dict[str, str]) -> list[Moved]:
        """What the refs of two moments differ in."""
        found = []
        for ref in sorted(before.keys() | now.keys()):
            old, new = before.get(ref, ""), now.get(ref, "")
            if old != new:
                how = "gone" if not new else "new" if not old else "moved" if self.is_behind(old, new) else "forced"
                found.append(Moved(ref, old, new, how))
        return found

    def commit(self, name: str) -> str:
        """The object that a ref or a name is, "" for none."""
        done = self._run("-C", self.path, "rev-parse", "--quiet", "--verify", "--end-of-options", name)
        return "" if done.returncode else done.stdout.decode("ascii", "replace").strip()

    def is_behind(self, old: str, new: str) -> bool:
        """Whether the commit `new` holds all of `old`."""
        return self._run("-C", self.path, "merge-base", "--is-ancestor", old, new).returncode == 0

    def compared(self, one: str, other: str) -> tuple[int, int]:
        """How many commits one has that the other has not, and the reverse."""
        said = self._checked("-C", self.path, "rev-list", "--left-right", "--count", f"{one}...{other}")
        left, _, right = said.strip().partition("\t")
        return int(left), int(right)

    def subject(self, oid: str) -> str:
        """The first line of a commit's message."""
        done = self._run("-C", self.path, "log", "-1", "--format=%s", oid)
        return done.stdout.decode("utf-8", "replace").strip() if not done.returncode else ""

    def told(self, oid: str) -> tuple[str, int, str, str]:
        """(id, seconds, author's name, message) of a commit."""
        said = self._checked("-C", self.path, "log", "-1", "--format=%H%x00%at%x00%an%x00%B", oid)
        found, at, author, message = said.split("\0", 3)
        return found, int(at), author, message

    def history(self, oid: str, path: bytes, most: int) -> list[tuple[str, int, str, str]]:
        """(id, seconds, author's name, subject) of commits, or of those that touched a path, newest first."""
        said = self._checked(
            "-C", self.path, "--literal-pathspecs", "log", "--first-parent", f"--max-count={most}",
            "--format=%H%x00%at%x00%an%x00%s", oid, "--", *([os.fsdecode(path)] if path else []),
        )  # fmt: skip
        found = []
        for line in said.splitlines():
            name, at, author, title = line.split("\0", 3)
            found.append((name, int(at), author, title))
        return found

    def tree(self, oid: str, path: bytes, *, recursive: bool = False) -> list[tuple[bytes, int, str, int]]:
        """(path, mode, object, bytes) of what is at a path, or with a slash behind it in that folder."""
        options = ["-r"] if recursive else []
        done = self._run(
            "-C", self.path, "--literal-pathspecs", "ls-tree", "-z", "-l", *options, oid, "--",
            *([os.fsdecode(path)] if path else []),
        )  # fmt: skip
        found = []
        for item in done.stdout.split(b"\0")[:-1]:
            head, _, name = item.partition(b"\t")
            mode, _, blob, size = head.split()
            found.append((name, int(mode, 8), blob.decode(), int(size) if size != b"-" else 0))
        return found

    def compared_trees(self, old: str, new: str) -> Iterator[tuple[bytes, int, int, str, str]]:
        """(path, modes before and after, objects before and after) of what two trees differ in."""
        done = self._run("-C", self.path, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--full-index", old, new)
        parts = done.stdout.split(b"\0")
        for head, path in zip(parts[0:-1:2], parts[1::2], strict=False):
            before, after, a, b, _ = head.removeprefix(b":").split()
            yield path, int(before, 8), int(after, 8), a.decode(), b.decode()

    def blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Contents by their ids; those over MAX_HELD are left out."""
        wanted = sorted(set(oids))
        asked = "".join(f"{oid}\n" for oid in wanted).encode()
        sizes = self._run("-C", self.path, "cat-file", "--batch-check", data=asked).stdout.split(b"\n")
        small = [line.split()[0] for line in sizes if line.count(b" ") == 2 and int(line.split()[2]) <= MAX_HELD]
        raw = self._run("-C", self.path, "cat-file", "--batch", data=b"".join(oid + b"\n" for oid in small)).stdout
        found, at = {}, 0
        while at < len(raw):
            end = raw.index(b"\n", at)
            oid, _, size = raw[at:end].split()
            found[oid.decode()] = raw[end + 1 : end + 1 + int(size)]
            at = end + 2 + int(size)
        return found

    def landed_at(self, ref: str, position: int) -> str:
        """The commit whose trailer says that it is this landing, of those that a ref leads to; "" for none."""
        if not self.commit(ref):
            return ""
        said = self._checked(
            "-C", self.path, "log", "--first-parent", "--max-count=1", "--format=%H",
            f"--grep=^Micelio-Position: {position}$", ref, "--",
        )  # fmt: skip
        return said.strip()

    def specs(self, texts: Sequence[str]) -> list[Spec]:
        """Refspecs as somebody typed them: `main`, `main:other`, `+main`, `:gone`, `refs/tags/*:refs/tags/*`."""
        found: list[Spec] = []
        for text in texts:
            if not _SPEC.fullmatch(text) or text.count("*") not in (0, 2) or (":" not in text and "*" in text):
                raise InvalidInput(f"{text[:100]!r} is no refspec.", hint="Use a form like main, main:other or :gone.")
            source, colon, target = text.removeprefix("+").partition(":")
            whole = self._source(source) if source else ""
            target = target if colon else whole
            target = target if target.startswith("refs/") else HEADS + target
            forced = text.startswith("+")
            if "*" not in source:
                found.append(Spec(whole, target, forced))
                continue
            head, _, tail = whole.partition("*")
            before, _, after = target.partition("*")
            for ref in self.refs(head):
                if ref.startswith(head) and ref.endswith(tail):
                    found.append(Spec(ref, before + ref[len(head) : len(ref) - len(tail)] + after, forced))
        return found

    def _source(self, name: str) -> str:
        if name.startswith("refs/"):
            if "*" not in name and not self.commit(name):
                raise NotFound(f"The project has no {name[:100]} in Git.", hint="`mic branch list` lists its branches.")
            return name
        for prefix in (HEADS, "refs/tags/"):
            if "*" in name or self.commit(prefix + name):
                return prefix + name
        raise NotFound(
            f"The project has no branch or tag {name[:100]!r} in Git.", hint="`mic branch list` lists its branches."
        )

    def _own_place(self, remote: Remote, spec: str) -> str:
        target = spec.partition(":")[2]
        if not _SPEC.fullmatch(spec) or not target.startswith(_seen(remote.name)):
            raise InvalidInput(
                f"The remote {remote.name} fetches {spec[:100]!r}.",
                hint=f"What is fetched goes to {_seen(remote.name)}..., and to no ref of the project.",
            )
        return spec

    def _remotely(self, remote: Remote, verb: str, *options: str, specs: Sequence[str], may_fail: bool = False) -> str:
        helper: tuple[str, ...] = ()
        if remote.kind == MICELIO or remote == origin_of(self._ws):
            # git asks mic, and no other helper learns the token.
            helper = (
                "-c",
                "credential.helper=",
                "-c",
                f"credential.helper=!{shlex.quote(mic_command())} auth git-credential",
            )
        quiet = "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0"
        done = self._run(*quiet, *helper, "-C", self.path, verb, *options, "--", remote.url, *specs)
        said = done.stdout.decode("utf-8", "replace")
        if done.returncode and not (may_fail and "\n!\t" in f"\n{said}"):
            tempfile.TemporaryFile(dir=self.path).close()  # where nothing can be written here, the remote is well
            raise _failed(remote, verb, done)
        return said

    def _update(self, lines: str) -> None:
        if lines:
            done = self._run("-C", self.path, "update-ref", "--stdin", data=lines.encode())
            if done.returncode:
                raise Unavailable(f"git could not change {self.path}: {fatal(done)}.", hint="Remove that folder.")

    def _checked(self, *arguments: str) -> str:
        done = self._run(*arguments)
        if done.returncode:
            raise Unavailable(
                f"git could not read {self.path}: {fatal(done)}.", hint="Remove that folder; it is made again."
            )
        return done.stdout.decode("utf-8", "replace")

    def _run(self, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return run_git(*arguments, data=data)


def run_git(
    *arguments: str, data: bytes = b"", file: BinaryIO | None = None, into: BinaryIO | None = None
) -> subprocess.CompletedProcess[bytes]:
    """git, without what could name other repositories or run commands. Raises NotFound where there is none.

    Its standard input is `file`, else `data`; its standard output goes `into` a file, else into the answer.
    """
    environment = {name: value for name, value in os.environ.items() if name in GIT_PASSED or name.startswith(_OURS)}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file", "LC_ALL": "C"}
    environment |= {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes", "GIT_NO_REPLACE_OBJECTS": "1"}
    try:
        if file is not None:
            return subprocess.run(["git", *arguments], env=environment, stdin=file, capture_output=True, check=False)
        return subprocess.run(
            ["git", *arguments], env=environment, input=data, stdout=into or subprocess.PIPE, stderr=subprocess.PIPE,
            check=False,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise NotFound("There is no `git` on this machine.", hint="Install it; remotes need it.") from error


# What `mic auth git-credential` reads, which git calls.
_OURS = ("MICELIO_", "XDG_")


# git says `[rejected] (fetch first)`.
_FLAG, _WORDS_OF_FLAG = re.compile(r"^\[([^]]*)\]"), r"\1"


def refused_push(remote: Remote, refused: Sequence[tuple[str, str]]) -> PreconditionFailed:
    """The error of refs that were not taken: (name there, why) of each."""
    lines = "".join(f"\n  {ref}: {_FLAG.sub(_WORDS_OF_FLAG, why)}" for ref, why in refused)
    return PreconditionFailed(
        f"{remote.name} did not take what was pushed:{lines}",
        hint=f"`mic fetch {remote.name}` shows what is there; + before a refspec replaces it.",
    )


def _seen(name: str) -> str:
    return f"refs/remotes/{name}/"


def _failed(remote: Remote, verb: str, done: subprocess.CompletedProcess[bytes]) -> Exception:
    why = fatal(done)
    message = f"git could not {verb} {'from' if verb == 'fetch' else 'to'} {remote.name} ({remote.url}): {why}."
    if GIT_UNREACHED.search(why):
        return Unreached(message, hint="Try again when it can be reached.")
    if _DENIED.search(why):
        return PermissionDenied(message, hint="Does git reach it with your credentials?")
    return InvalidInput(message, hint=f"Is the address right? `mic remote set-url {remote.name} URL` changes it.")


def fatal(done: subprocess.CompletedProcess[bytes]) -> str:
    """The line in which git says why it ended."""
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    first = next((line.removeprefix("fatal: ") for line in said if line.startswith(("fatal: ", "ERROR: "))), "")
    return (first or (said[-1] if said else f"exit code {done.returncode}")).rstrip(".")
