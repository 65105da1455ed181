"""A project from an archive: read into the store below new names, checked whole, and made known at the end.

    1 a mark, so that what is left over by whoever is killed is removed     2 objects, as they come, each with its hash
    3 the manifest against what came     4 heads     5 every check that `micelio verify` has, over all lines
    6 the Git objects, as an import has them     7 rows, registry, mark taken away: now there is a project

Whatever goes wrong before the last step leaves nothing.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO, cast
from uuid import UUID, uuid4

import msgspec
import zstandard

from mic.core import tarball
from mic.core.errors import Corrupt, InvalidInput, MicError, TooLarge
from mic.core.head import Head, hlc_ms
from mic.core.ids import content_hash
from mic.core.intent import decode_intent, encode_intent
from mic.core.origin import Origin, encode_origin
from mic.core.session import decode_session, encode_session
from mic.git import sent
from mic.git.import_fsck import ImportFsck
from mic.git.kept import KeptObjects
from mic.git.packentry import COMMIT
from mic.git.packscan import Limits
from mic.git.quarantine import Quarantine
from mic.git.refuse_erased import RefuseErased
from mic.git.tree_windows import Window
from mic.git.view import MAX_REFS
from mic.ledger import single
from mic.ledger.archive import arrived, expect, forget
from mic.ledger.project import Project
from mic.ledger.tip import first_bytes
from mic.ledger.verify import Verifier
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.queries import users_by_id
from micelio.archives.kept import KeptArchive
from micelio.config import current
from micelio.databases import let_go
from micelio.exports import form
from micelio.projects.arrivals import Coming, ComingBranch, admit_project, require_arrival
from micelio.projects.branch_names import parse_branch
from micelio.projects.ledgers import open_ledger
from micelio.projects.limits import require_bytes
from micelio.projects.project_view import ProjectView
from micelio.sessions import projector

# What one archive may have the forge do; an administrator of nothing else waits for it.
SECONDS = 4 * 3600.0
_GIT = Limits(objects=50_000_000, inflated=4 << 40, seconds=SECONDS, each=16 << 20)
MOST_BYTES = 1 << 40
MOST_MEMBERS = 5_000_000
# The decoder's memory.
_WINDOW = 8 << 20
# An object that is larger goes through a file.
_SPOOLED = 8 << 20
_PACK = 64 << 20
_AHEAD_MS = 24 * 3600 * 1000
# Of what the forge reads at once, whichever line it is of, and the most bytes that one has.
_LINE = (
    (re.compile(r"landing-log/tail/[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{16}"), 1 << 30),
    (re.compile(r"packs/[0-9a-f]{64}\.pack"), 1 << 30),
    (re.compile(r"erased/[0-9a-f]{64}(?:\.gone|\.[0-9a-f]{16})?"), 64 << 20),
    (re.compile(r"erased/words/[0-9a-f]{8}-[0-9a-f]{32}"), 512 << 20),
    (re.compile(r"sessions/[0-9a-f]{32}\.bin"), 256 << 20),
    (re.compile(r"pushed/[0-9a-f]{32}/[0-9a-f]{12}-[0-9a-f]{32}\.bin"), 64 << 20),
)
_ISSUES = (
    (re.compile(r"archive/head"), 1 << 20),
    (re.compile(r"archive/parts/[0-9a-f]{64}\.jsonl\.zst"), 8 << 20),
)

# Hears what is being done, how much is done, and of how much (0: nobody knows); may raise to have it stopped.
Told = Callable[[str, int, int], None]


def import_archive(
    actor: Actor,
    owner: str,
    handle: str,
    pieces: Iterator[bytes],
    *,
    visibility: str = "",
    told: Told = lambda what, done, of: None,
) -> ProjectView:
    """Make a project of an archive, in an organization that the actor administers; private unless said otherwise.

    Raises NotFound, Unauthenticated, PermissionDenied, AlreadyExists, LimitReached, InvalidInput, TooLarge, Corrupt,
    Unavailable. Then nothing is there that was not before.
    """
    require_signed_in(actor)
    organization = require_arrival(actor, owner, handle, visibility)
    let_go()
    arrival = _Arrival(actor, told, organization)
    try:
        arrival.read(pieces)
        arrival.check()
        let_go()
        project = admit_project(actor, owner, handle, arrival.coming(visibility or "private"))
    except BaseException as error:
        arrival.forget()
        if isinstance(error, Corrupt):
            raise _refused(error) from error
        raise
    arrival.done()
    return project


def _refused(error: Corrupt) -> InvalidInput:
    """What is wrong with an archive is no damage of this forge's."""
    name = re.sub(r"projects/[0-9a-f]{32}/", "", error.message)
    return InvalidInput(f"The archive was not imported: {name}.", hint="Export it again, and send it whole.")


class _Arrival:
    """One archive on its way in. Its lines have new names, main's is the project's id."""

    def __init__(self, actor: Actor, told: Told, organization: UUID) -> None:
        self._actor, self._said, self._organization = actor, told, organization
        self._until = time.monotonic() + SECONDS
        self.lines: list[UUID] = []
        self._described: form.Description | None = None
        self._ledgers: list[Project] = []
        self._members: list[form.Listed] = []
        self._names: set[str] = set()
        self._bytes = 0
        self._git: tuple[form.GitRefs | None, BinaryIO | None] = (None, None)
        self._ours = False

    def _told(self, what: str, done: int, of: int) -> None:
        if time.monotonic() > self._until:
            raise TooLarge("The archive takes longer to check than a forge waits.", hint="Ask who runs the forge.")
        self._said(what, done, of)

    # ------------------------------------------------------------ reading

    def read(self, pieces: Iterator[bytes]) -> None:
        """Take in the whole file."""
        reader = _Inflated(pieces)
        manifest: form.Manifest | None = None
        for name, size, content in tarball.members(reader.read):
            self._bytes += size
            self._told("objects", self._bytes, 0)
            if manifest is not None:
                raise Corrupt(f"it goes on with {name!r} behind its manifest")
            if self._described is None and name != form.DESCRIPTION:
                raise Corrupt(f"it begins with {name!r}, and not with {form.DESCRIPTION}")
            if name in self._names or len(self._names) >= MOST_MEMBERS:
                raise Corrupt(f"it holds {name!r} twice, or more members than an archive has")
            require_bytes(self._organization, self._bytes, MOST_BYTES)
            self._names.add(name)
            if name == form.MANIFEST:
                manifest = form.decode(form.Manifest, self._whole(name, size, content, form.MAX_MANIFEST), name)
            else:
                self._take(name, size, content)
        if manifest is None:
            raise Corrupt("it is cut short: its manifest is missing")
        if manifest.members != tuple(self._members):
            raise Corrupt("what it holds is not what its manifest says")
        self._ours = form.is_ours(manifest)

    def _take(self, name: str, size: int, content: Iterator[bytes]) -> None:
        found = form.member_of_line(name)
        if name == form.DESCRIPTION:
            self._begin(form.parse_description(self._whole(name, size, content, form.MAX_DESCRIPTION)))
        elif name == form.GIT_REFS:
            refs = form.decode(form.GitRefs, self._whole(name, size, content, 256 << 20), name)
            self._git = refs, self._git[1]
        elif name == form.GIT_PACK:
            file = _file()
            self._git = self._git[0], file
            self._listed(name, size, content, file.write)
        elif found is not None and found[0] < len(self.lines):
            self._object(name, *found, size, content)
        else:
            raise Corrupt(f"it holds {name[:200]!r}, which is nothing that an archive has")

    def _begin(self, described: form.Description) -> None:
        self._described = described
        for line in described.lines[1:]:
            parse_branch(line.branch)
        self.lines = [uuid4() for _ in described.lines]
        now = time.time_ns() // 1_000_000
        for line_id in self.lines:
            ledger = open_ledger(line_id)
            ledger.run(expect(line_id.hex, now))
            self._ledgers.append(ledger)

    def _object(self, name: str, number: int, inner: str, size: int, content: Iterator[bytes]) -> None:
        most = next((most for form_of, most in (*_LINE, *(() if number else _ISSUES)) if form_of.fullmatch(inner)), 0)
        if not most:
            raise Corrupt(f"it holds {name[:200]!r}, which is nothing that an archive has")
        if size > most:
            raise TooLarge(f"{name} of the archive has {size:,} bytes; the limit is {most:,}.")
        ledger = self._ledgers[number]
        if inner.startswith(("sessions/", "pushed/")):
            self._own(ledger, inner, self._whole(name, size, content, most))
            return
        key = f"{ledger.line.prefix}{inner}"
        if size <= _SPOOLED:
            ledger.run(single.put_new(key, self._whole(name, size, content, most)))
            return
        with _file() as file:
            self._listed(name, size, content, file.write)
            file.seek(0)
            ledger.run(single.put_file(key, file))

    def _own(self, ledger: Project, inner: str, raw: bytes) -> None:
        """A session that has not landed becomes the actor's: who it was is nobody here."""
        owner = require_signed_in(self._actor).bytes
        if inner.startswith("sessions/"):
            session = decode_session(raw, inner)
            if inner != f"sessions/{session.id.hex()}.bin":
                raise Corrupt(f"{inner} holds another session than its name says")
            data = encode_session(msgspec.structs.replace(session, owner=owner))
            ledger.run(single.put_new(f"{ledger.line.prefix}{inner}", data))
            return
        _, session_hex, name = inner.split("/")
        intent = decode_intent(raw, inner)
        if intent.session.id.hex() != session_hex or name[13:45] != content_hash(raw)[:16].hex():
            raise Corrupt(f"{inner} holds something else than its name says")
        session = msgspec.structs.replace(intent.session, owner=owner)
        data = encode_intent(encode_session(session), intent.packs, intent.contents)
        wish = content_hash(data)[:16].hex()
        ledger.run(single.put_new(f"{ledger.line.prefix}pushed/{session_hex}/{name[:12]}-{wish}.bin", data))

    def _whole(self, name: str, size: int, content: Iterator[bytes], most: int) -> bytes:
        if size > most:
            raise TooLarge(f"{name} of the archive has {size:,} bytes; the limit is {most:,}.")
        parts: list[bytes] = []
        if name == form.MANIFEST:
            return b"".join(content)
        self._listed(name, size, content, parts.append)
        return b"".join(parts)

    def _listed(self, name: str, size: int, content: Iterator[bytes], write: Callable[[bytes], object]) -> None:
        digest = hashlib.sha256()
        for piece in content:
            digest.update(piece)
            write(piece)
        self._members.append(form.Listed(digest.hexdigest(), size, name))

    # ------------------------------------------------------------ checking

    def check(self) -> None:
        """Raises Corrupt, InvalidInput unless the lines are whole and all that they are said to be."""
        assert self._described is not None
        for ledger, line in zip(self._ledgers, self._described.lines, strict=True):
            head = form.parse_head(line.head)
            if hlc_ms(head.hlc) > time.time_ns() // 1_000_000 + _AHEAD_MS:
                raise Corrupt(f"{line.branch or 'main'} says that it landed in the future")
            if line.origin is not None:
                origin = self._ledgers[line.origin].line
                tie = encode_origin(Origin(origin.project, form.parse_head(line.begins)))
                ledger.run(single.put_new(origin.fork_key(ledger.line.project), tie))
                ledger.run(single.put_new(ledger.line.origin_key, tie))
            ledger.run(single.put_new(ledger.line.head_key, first_bytes(ledger.line, head)))
        for ledger, line in zip(self._ledgers, self._described.lines, strict=True):
            self._verify(ledger, line)
            self._people(ledger, form.parse_head(line.head))
        self._check_issues()
        self._check_git()
        for ledger in self._ledgers:
            ledger.seal()

    def _verify(self, ledger: Project, line: form.DescribedLine) -> None:
        for finding in Verifier(ledger.line.project, ledger.driver.run, self._told).findings():
            if finding.object.startswith(f"{ledger.line.prefix}archive/"):
                continue
            raise Corrupt(f"{line.branch or 'main'}: {finding.object}: {finding.message}")

    def _people(self, ledger: Project, head: Head) -> None:
        """Nobody becomes the author of something here by an archive that this forge did not make."""
        if self._ours:
            return
        for first in range(1, head.position + 1, 1000):
            owners = {ledger.session_of(record).owner for record in ledger.records(first, first + 999)}
            self._told("people", first, head.position)
            strangers = owners - {bytes(16), require_signed_in(self._actor).bytes}
            found = users_by_id(self._actor, {UUID(bytes=owner) for owner in strangers})
            if found:
                handle = min(user.handle for user in found.values())
                raise InvalidInput(
                    f"The archive says that {handle} landed something, and this forge did not make it.",
                    hint="Only an archive that this forge has made, unchanged, may name its accounts.",
                )

    def _check_issues(self) -> None:
        main = self.lines[0]
        assert self._described is not None
        found, tag = KeptArchive(main).load()
        parts = {name for name in self._names if name.startswith("lines/0000/archive/parts/")}
        if found is None:
            if parts or self._described.issues:
                raise Corrupt("it holds parts of what another forge knew without their list")
            return
        if parts != {f"lines/0000/archive/parts/{part.name}.jsonl.zst" for part in found.parts}:
            raise Corrupt("the parts of what another forge knew are others than their list says")
        # Searched for secrets here, whatever it says; and no run goes on that somebody else has begun.
        parted = tuple(msgspec.structs.replace(part, rules=0) for part in found.parts)
        cleaned = msgspec.structs.replace(found, parts=parted, pending=None)
        KeptArchive(main).save(cleaned, tag)
        for _ in KeptArchive(main).records(cleaned):
            pass

    # ------------------------------------------------------------ Git

    def _check_git(self) -> None:
        refs, file = self._git
        assert self._described is not None
        if (refs is None, file is None) != (not self._described.git,) * 2:
            raise Corrupt("it holds half a Git repository")
        if refs is None or file is None:
            return
        ledger = self._ledgers[0]
        if refs.position != form.parse_head(self._described.lines[0].head).position or len(refs.refs) > MAX_REFS:
            raise Corrupt("its Git refs are of another position than its log")
        try:
            sent.checked(sent.SentRefs(refs.refs, b"", refs.tip))
        except InvalidInput as error:
            raise Corrupt(f"its Git refs: {error.message.rstrip('.')}") from error
        file.seek(0)
        kept = KeptObjects(ledger)
        snapshot = kept.snapshot()
        fsck, gone = ImportFsck(), RefuseErased(ledger.erased(), refs.rewritten)
        count = 0

        def check(oid: bytes, kind: int, data: bytes, window: Window | None) -> None:
            nonlocal count
            gone.add(kind, data, oid)
            fsck.add(oid, kind, data, window)
            count += 1
            if not count % 1000:
                self._told("git", count, 0)

        try:
            quarantine = Quarantine(file, snapshot, kept.reader(snapshot), check, _GIT)
            gone.finish()
            fsck.finish(quarantine.packs)
        except TooLarge:
            raise
        except MicError as error:
            raise Corrupt(f"its Git objects: {error.message.rstrip('.')}") from error
        for name, oid in (*refs.refs.items(), *(((b"main", refs.tip),) if refs.tip else ())):
            found = quarantine.packs.find(oid)
            if found is None or (name.startswith((b"refs/heads/", b"main")) and found.kind != COMMIT):
                raise Corrupt(f"its Git ref {name[:80].decode('utf-8', 'replace')} leads to nothing")
        packs = []
        for written, out in quarantine.write_all(_file, _PACK):
            with out:
                packs.append(kept.keep(written, out, derived=False))
        lists = (kept.keep_ids(refs.rewritten),) if refs.rewritten else ()
        kept.change(
            lambda view: msgspec.structs.replace(
                view, packs=tuple(packs), refs=refs.refs, exact=False, rewritten=lists,
                erased=tuple(sorted({*ledger.erased(), *(each.name for each in ledger.redactions())})),
            )
        )  # fmt: skip
        made = kept.caught_up().view
        silent = ledger.erased() or ledger.redactions()
        if made.trouble or made.position != refs.position or (made.tip != refs.tip and not silent):
            raise Corrupt("its Git commits are not those of its landings")

    # ------------------------------------------------------------ the end

    def coming(self, visibility: str) -> Coming:
        """What is to be made known."""
        described = self._described
        assert described is not None
        branches = []
        for number, line in enumerate(described.lines[1:], 1):
            try:
                begun_at = datetime.fromisoformat(line.begun_at)
            except ValueError as error:
                raise Corrupt(f"branch {line.branch!r} was begun at no time") from error
            origin = None if line.origin is None else self.lines[line.origin]
            begins = form.parse_head(line.begins).position if line.origin is not None else line.begun_from
            if not 0 <= begins <= line.position:
                raise Corrupt(f"branch {line.branch!r} begins behind its end")
            branches.append(
                ComingBranch(
                    self.lines[number], line.branch, origin, begins, line.begun_by,
                    begun_at if begun_at.tzinfo else begun_at.replace(tzinfo=UTC),
                )
            )  # fmt: skip
        return Coming(
            self.lines[0], described.source, described.name.replace("\0", ""), described.description.replace("\0", ""),
            visibility, described.protection, tuple(branches),
        )  # fmt: skip

    def done(self) -> None:
        """The project is there: lists follow it, and the marks go."""
        for ledger, line_id in zip(self._ledgers, self.lines, strict=True):
            ledger.run(arrived(line_id.hex))
            projector.rebuild_project(line_id)
            projector.catch_up(line_id)
        self._close()

    def forget(self) -> None:
        """Leave nothing."""
        self._close()
        for ledger, line_id in reversed(list(zip(self._ledgers, self.lines, strict=True))):
            ledger.run(forget(line_id.hex))

    def _close(self) -> None:
        if self._git[1] is not None:
            self._git[1].close()


class _Inflated:
    """What a zstd stream holds, with a bound on the memory of its decoder. Raises Corrupt."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        self._held = bytearray()
        self._ended = False

    def read(self, size: int) -> bytes:
        """The next so many bytes, fewer only at the end."""
        while len(self._held) < size and not self._ended:
            self._more()
        found = bytes(self._held[:size])
        del self._held[:size]
        return found

    def _more(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            self._ended = True
            if not self._decoder.eof:
                raise Corrupt("it is cut short")
            return
        if self._decoder.eof:
            if piece:
                raise Corrupt("it goes on behind its end")
            return
        # A small piece at a time: what a few bytes inflate to must not fill the memory.
        for at in range(0, len(piece), _STEP):
            if self._decoder.eof:
                raise Corrupt("it goes on behind its end")
            try:
                self._held += self._decoder.decompress(piece[at : at + _STEP])
            except zstandard.ZstdError as error:
                raise Corrupt(f"it is no zstd file: {error}") from error
        if self._decoder.unused_data:
            raise Corrupt("it goes on behind its end")


_STEP = 1024


def _file() -> BinaryIO:
    return cast(BinaryIO, tempfile.TemporaryFile(dir=current().data_dir, prefix="archive-"))
