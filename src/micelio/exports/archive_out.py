"""A project as an archive, made piece by piece: a tar file in one zstd frame."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import msgspec
import zstandard

from mic.core import tarball
from mic.core.errors import Unavailable
from mic.git.kept import KeptObjects
from mic.git.select import select
from mic.git.send import send
from mic.git.serving import FetchRequest
from mic.ledger.archive import ArchivedLine, Member, graves_of, outline
from mic.ledger.line import Line
from mic.store import ObjectStore
from micelio.archives.kept import KeptArchive
from micelio.config import current
from micelio.exports import form
from micelio.exports.lines import moment
from micelio.projects.branches import RegisteredBranch, registered_branches
from micelio.projects.ledgers import ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions.git_view import kept_objects

# Bytes that are read of an object at once.
_PIECE = 8 << 20
# Contents are compressed already; what is left are names and zeros.
_LEVEL = 3


class ArchiveWriter:
    """One archive. `done` and `total` are bytes of the store; `graves` names what was erased when it began."""

    def __init__(self, project: ProjectView, shown: Callable[[bytes], bool], left_out: tuple[str, ...]) -> None:
        self._project, self._shown, self._left_out = project, shown, left_out
        self._store: ObjectStore = ledger().driver.store
        self._members: list[form.Listed] = []
        self._seconds = int(time.time())
        self.done = self.total = 0

    def pieces(self) -> Iterator[bytes]:
        """The file. Raises Unavailable when something is erased meanwhile, and what reading the store raises."""
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compressobj()
        for piece in self._tar():
            if made := compressor.compress(piece):
                yield made
        yield compressor.flush()

    def _tar(self) -> Iterator[bytes]:
        run = ledger().driver.run
        branches = [None, *registered_branches(self._project.id)]
        known: dict[str, int] = {}
        lines: list[tuple[str, ArchivedLine]] = []
        for number, branch in enumerate(branches):
            name = self._project.id.hex if branch is None else branch.id.hex
            lines.append((name, run(outline(Line(name, ledger().cache), known, self._shown))))
            known[name] = number
        issues = list(self._issues())
        kept = kept_objects(self._project.id)
        snapshot = kept.caught_up()
        git = not snapshot.view.trouble and bool(snapshot.view.position)
        self.total = sum(member.size for _, line in lines for member in line.members)
        self.total += sum(member.size for member in issues)
        described = self._described(branches, [line for _, line in lines], git=git, issues=bool(issues))
        yield from self._whole(form.DESCRIPTION, msgspec.json.format(msgspec.json.encode(described)))
        for number, (_, line) in enumerate(lines):
            for member in (*line.members, *(issues if not number else ())):
                yield from self._member(f"lines/{number:04d}/{member.name}", member)
        if git:
            yield from self._git(kept)
        told = frozenset().union(*(line.graves for _, line in lines))
        if any(run(graves_of(Line(name, ledger().cache))) - told for name, _ in lines):
            raise Unavailable("Something of the project was erased meanwhile.", hint="Export it again.")
        members = tuple(self._members)
        yield from self._whole(form.MANIFEST, msgspec.json.encode(form.Manifest(members, form.seal_of(members))))
        yield tarball.END

    def _described(
        self, branches: list[RegisteredBranch | None], lines: list[ArchivedLine], *, git: bool, issues: bool
    ) -> form.Description:
        project = self._project
        return form.Description(
            form.FORMAT,
            form.VERSION,
            f"{current().base_url}/{project.owner}/{project.handle}",
            moment(datetime.fromtimestamp(self._seconds, UTC)),
            project.name,
            project.description,
            project.visibility,
            tuple(
                form.DescribedLine(
                    branch.name if branch else "",
                    line.head.encode().hex(),
                    line.head.position,
                    line.origin,
                    line.begins.encode().hex() if line.origin is not None else "",
                    branch.begun_by if branch else "",
                    moment(branch.begun_at) if branch else "",
                    branch.position if branch else 0,
                )
                for branch, line in zip(branches, lines, strict=True)
            ),
            project.protection if project.role is not None else "",
            git,
            issues,
            self._left_out,
        )

    # ------------------------------------------------------------ members

    def _whole(self, name: str, data: bytes) -> Iterator[bytes]:
        self._members.append(form.Listed(hashlib.sha256(data).hexdigest(), len(data), name))
        yield tarball.header(name, len(data), self._seconds) + data + tarball.padding(len(data))

    def _member(self, name: str, member: Member) -> Iterator[bytes]:
        yield tarball.header(name, member.size, self._seconds)
        digest, have = hashlib.sha256(), 0
        while have < member.size:
            piece = self._store.get_range(member.key, have, min(_PIECE, member.size - have))
            if not piece:
                raise Unavailable("What is exported has changed meanwhile.", hint="Export it again.")
            digest.update(piece)
            have += len(piece)
            self.done += len(piece)
            yield piece
        yield tarball.padding(member.size)
        self._members.append(form.Listed(digest.hexdigest(), member.size, name))

    def _issues(self) -> Iterator[Member]:
        """What another forge knew of the project."""
        found, _ = KeptArchive(self._project.id).load()
        if found is None or not found.fetched_at:
            return
        prefix = f"projects/{self._project.id.hex}/"
        for part in found.parts:
            name = f"archive/parts/{part.name}.jsonl.zst"
            yield Member(name, prefix + name, part.bytes)
        yield Member("archive/head", f"{prefix}archive/head", len(self._store.get(f"{prefix}archive/head").data))

    def _git(self, kept: KeptObjects) -> Iterator[bytes]:
        """All that the refs lead to, as one pack; what is sent lies in a file first, for its size has to be said."""
        snapshot = kept.snapshot()
        view, packs = snapshot.view, kept.reader(snapshot)
        tips = (view.tip, *view.refs.values(), *(each.tip for each in view.lines if each.tip))
        request = FetchRequest(tuple(dict.fromkeys(tips)))
        selection = select(packs, snapshot.graph, request, {})
        refs = form.GitRefs(view.position, view.tip, view.refs, kept.rewritten(view))
        yield from self._whole(form.GIT_REFS, msgspec.msgpack.encode(refs))
        yield from self._spooled(form.GIT_PACK, send(packs, selection.oids, set(), thin=False, ofs_delta=True)[1])

    def _spooled(self, name: str, pieces: Iterator[bytes | memoryview]) -> Iterator[bytes]:
        with tempfile.TemporaryFile(dir=current().data_dir, prefix="export-") as file:
            digest = hashlib.sha256()
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            size = file.tell()
            file.seek(0)
            yield tarball.header(name, size, self._seconds)
            while piece := file.read(_PIECE):
                yield piece
            yield tarball.padding(size)
            self._members.append(form.Listed(digest.hexdigest(), size, name))
