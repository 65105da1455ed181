"""Tags of a project, as Git has them, and the landings that they stand at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mic.core.errors import InvalidInput
from mic.core.ids import parse_ulid
from mic.git.commits import parse_tag_text, parse_text
from mic.git.kept import KeptObjects
from mic.git.native import COMMITTER
from mic.git.objects import tag_target
from mic.git.packentry import COMMIT, TAG
from mic.git.packs import Packs
from mic.git.snapshot import Snapshot
from micelio.accounts.actor import Actor
from micelio.projects.project_view import ProjectView
from micelio.sessions.git_view import kept_objects
from micelio.sessions.models import Landing
from micelio.sessions.policy import require_read

MAX_PAGE = 50
_TAGS = b"refs/tags/"
# Tags of tags are followed so far.
_NESTED = 8
# Landings that are looked through for one that a pushed commit says it is: 20 ms.
_FAR = 20_000
_DIGITS = re.compile(r"(\d{1,18})")
_TRAILERS = re.compile(
    rb"\nMicelio-Session: ([0-9A-Z]{26})\nMicelio-Position: (\d{1,18})\n(?:Assisted-by: [^\n]*\n)?\Z"
)


@dataclass(frozen=True)
class Tag:
    """A tag and what it stands at. `target` is an object id of 20 bytes, of a commit unless `is_commit` is False.

    `message` is that of an annotated tag, of another one its commit's, "" for what is no commit. `tagger` and `at` are
    those of an annotated tag. `position` is the landing of main that its commit is, None when it is none.
    """

    name: str
    target: bytes
    is_commit: bool
    annotated: bool
    tagger: str
    at: datetime | None
    message: str
    position: int | None = None


def list_tags(actor: Actor, project: ProjectView, after: str = "", limit: int = MAX_PAGE) -> list[Tag]:
    """Tags whose names are text, numbers in them counted as such, the highest first; those behind the name `after`."""
    require_read(actor, project)
    kept = kept_objects(project.id)
    snapshot = kept.snapshot()
    packs = kept.reader(snapshot)
    refs = {name: oid for ref, oid in snapshot.view.refs.items() if (name := _name(ref)).isprintable() and name}
    names = sorted(refs, key=_order, reverse=True)
    if after:
        names = [name for name in names if _order(name) < _order(after)]
    read = [_read(packs, name, refs[name]) for name in names[: min(limit, MAX_PAGE)]]
    return _with_positions(kept, snapshot, project, packs, read)


def tag_position(actor: Actor, project: ProjectView, name: str) -> int | None:
    """The landing of main that the commit of a tag is; None where there is no such tag, or where that is none."""
    require_read(actor, project)
    kept = kept_objects(project.id)
    snapshot = kept.snapshot()
    oid = snapshot.view.refs.get(_TAGS + name.encode("utf-8", "surrogateescape"))
    if oid is None:
        return None
    packs = kept.reader(snapshot)
    return _with_positions(kept, snapshot, project, packs, [_read(packs, name, oid)])[0].position


def _name(ref: bytes) -> str:
    return ref.removeprefix(_TAGS).decode("utf-8", "surrogateescape") if ref.startswith(_TAGS) else ""


def _order(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Where a name stands: `v1.10` is above `v1.9`."""
    parts = [(1, int(part), "") if n % 2 else (0, 0, part) for n, part in enumerate(_DIGITS.split(name))]
    return parts, name


def _read(packs: Packs, name: str, oid: bytes) -> Tag:
    """A tag from its objects. Raises NotFound, Corrupt, Unavailable."""
    kind = packs.require(oid).kind
    annotated = kind == TAG
    tagger, at, message = "", None, ""
    if annotated:
        raw = packs.read(oid, TAG)[1]
        told = parse_tag_text(raw)
        tagger, message = told.tagger, told.message
        at = datetime.fromtimestamp(told.tagged_at_ms / 1000, UTC) if told.tagged_at_ms is not None else None
        for _ in range(_NESTED):
            oid, kind = tag_target(oid, raw)
            if kind != TAG:
                break
            raw = packs.read(oid, TAG)[1]
    if kind == COMMIT and not annotated:
        message = parse_text(packs.read(oid, COMMIT)[1]).message
    return Tag(name, oid, kind == COMMIT, annotated, tagger, at, message)


def _with_positions(
    kept: KeptObjects, snapshot: Snapshot, project: ProjectView, packs: Packs, tags: Sequence[Tag]
) -> list[Tag]:
    """The tags with the landings that their commits are: those that came from Git by their ids, those of mic by what
    their commits say of them, when it is true."""
    commits = {tag.target for tag in tags if tag.is_commit}
    earlier = {new: old for old, new in kept.rewritten(snapshot.view).items() if new in commits}
    asked = {earlier.get(oid, oid): oid for oid in commits}
    rows = Landing.objects.filter(project_id=project.id)
    came = rows.filter(git_commit__in=list(asked)).values_list("git_commit", "position")
    positions = {asked[bytes(commit)]: position for commit, position in came if commit is not None}
    said = _true(kept, snapshot, packs, commits - positions.keys())
    made = rows.filter(position__in={position for _, position in said.values()}, git_commit=None)
    sessions = {position: bytes(session) for position, session in made.values_list("position", "session_id")}
    positions |= {oid: position for oid, (session, position) in said.items() if sessions.get(position) == session}
    return [replace(tag, position=positions.get(tag.target)) if tag.is_commit else tag for tag in tags]


def _true(kept: KeptObjects, snapshot: Snapshot, packs: Packs, commits: set[bytes]) -> dict[bytes, tuple[bytes, int]]:
    """(session, position) of those commits that are of landings. Anybody can write a commit that says that it is one.

    What lies in a pack of the forge's own is true. Of others the commits of main are asked, as far back as a page can.
    """
    said = {oid: told for oid in commits if (told := _said(packs.read(oid, COMMIT)[1])) is not None}
    own = {pack.name for pack in snapshot.view.packs if pack.derived}
    true = {oid: told for oid, told in said.items() if packs.require(oid).pack.name in own}
    last = snapshot.view.position
    asked = {oid: told for oid, told in said.items() if oid not in true and last - _FAR < told[1] <= last}
    if asked:
        first = min(position for _, position in asked.values())
        main = kept.commits_of(snapshot, first, max(position for _, position in asked.values()))
        true |= {oid: told for oid, told in asked.items() if main[told[1] - first] == oid}
    return true


def _said(raw: bytes) -> tuple[bytes, int] | None:
    """(session, position) that the commit of a landing made with mic names; None for another commit."""
    found = _TRAILERS.search(raw)
    if found is None or b"\ncommitter " + COMMITTER not in raw.partition(b"\n\n")[0]:
        return None
    try:
        return parse_ulid(found[1].decode()), int(found[2])
    except InvalidInput:
        return None
