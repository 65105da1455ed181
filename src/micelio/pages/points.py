"""Two points to compare: positions of the line that the page is on, branches and tags by their names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from mic.core.errors import NotFound
from mic.core.tree import Entry
from micelio.pages.addresses import HEAD, Ref, Site, parse_ref
from micelio.pages.opened import Opened, on_line
from micelio.projects.branches import get_branch
from micelio.sessions.tags import tag_position

MAIN = "main"
# Lines below each other that are followed; a line has at most so many.
_DEEPEST = 40


@dataclass(frozen=True)
class Point:
    """A position of a line. `branch` is "" for the line that the page is on, else the name of a branch or a tag; `ref`
    is what was asked.
    """

    opened: Opened
    branch: str
    ref: Ref
    position: int
    tree: bytes

    def __str__(self) -> str:
        """As it stands in an address: `head`, `@3`, `fix:login`, `fix:login@3`."""
        if not self.branch:
            return str(self.ref)
        return self.branch.replace("/", ":") + ("" if self.ref.position is None else f"@{self.ref.position}")

    @property
    def words(self) -> str:
        """As people type it."""
        return str(self).replace(":", "/")

    @property
    def name(self) -> str:
        """As a headline says it: always with the position."""
        return f"{self.branch}@{self.position}"


def find_point(opened: Opened, text: str) -> Point:
    """`head`, `@3`, `NAME` or `NAME@3`; a slash of a name may be written `:`. Raises NotFound.

    NAME is a branch; alone, and where there is no such branch, a tag that stands at a landing.
    """
    name, at, number = text.partition("@")
    if text in ("", "head") or not name:
        ref = parse_ref(text or "head")
        return Point(opened, "", ref, *opened.at(ref))
    branch = name.replace(":", "/")
    ref = parse_ref(f"@{number}" if at else "head")
    project = opened.project
    try:
        there = on_line(opened, branch)
    except NotFound as error:
        if not at and (tagged := _tagged(opened, branch)) is not None:
            return tagged
        raise NotFound(
            f"There is no point `{text[:60]}` in {project.owner}/{project.handle}.",
            hint="Use `head`, a position such as `@42`, or a branch or a tag by its name.",
        ) from error
    return Point(there, branch, ref, *there.at(ref))


def _tagged(opened: Opened, name: str) -> Point | None:
    project = opened.project
    position = tag_position(opened.actor, project, name)
    if position is None:
        return None
    main = on_line(opened, MAIN)
    return Point(main, name, HEAD, *main.at(Ref(position)))


def compare_address(site: Site, old: str, new: str) -> str:
    """Where two points are compared."""
    return f"{site.root}/-/compare/{quote(old, safe=':@')}...{quote(new, safe=':@')}"


def parted(old: Point, new: Point) -> int:
    """The last position, on the line where they parted, that both have."""
    theirs = dict(_below(old))
    for line, position in _below(new):
        if line in theirs:
            return min(position, theirs[line])
    return 0


def _below(point: Point) -> list[tuple[str, int]]:
    """(name of a line, the last position of it that the point has), the point's own line first."""
    project = point.opened.project
    name, position = (project.branch if project.branch_id is not None else MAIN), point.position
    found = [(name, position)]
    while name != MAIN and len(found) < _DEEPEST:
        branch = get_branch(point.opened.actor, project, name)
        if not branch.origin:  # what it began from is gone
            break
        name, position = branch.origin, min(position, branch.position)
        found.append((name, position))
    return found


Differs = tuple[bytes, Entry | None, Entry | None]


def difference(old: Point, new: Point, most: int) -> tuple[list[Differs], bool]:
    """((path, before, after) of the first `most` that differ, by path; whether more do).

    Two lines are compared by what each changed since they parted: no line has the nodes of another that came later.
    """
    if old.opened.project.line == new.opened.project.line:
        found = new.opened.ledger.diff(old.tree, new.tree, limit=most + 1)
        return [(change.path, change.old, change.new) for change in found[:most]], len(found) > most
    position = parted(old, new)
    sides = []
    # Behind the last path of a side that was not read to its end the other one cannot be told apart.
    until: bytes | None = None
    for point in (old, new):
        ledger = point.opened.ledger
        side = ledger.diff(ledger.tree_at(position), point.tree, limit=most + 1)
        if len(side) > most:
            until = side[-1].path if until is None else min(until, side[-1].path)
        sides.append({change.path: change for change in side})
    here, there = sides
    differs: list[Differs] = []
    for path in sorted({*here, *there}):
        if until is not None and path > until:
            break
        # What one side did not change is there as it was when they parted.
        before = here[path].new if path in here else there[path].old
        after = there[path].new if path in there else here[path].old
        if before != after:
            differs.append((path, before, after))
    return differs[:most], until is not None or len(differs) > most
