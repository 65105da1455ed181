"""Two points to compare: positions of the line that the page is on, or of branches by their names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from mic.core.errors import NotFound
from mic.core.tree import Entry
from micelio.pages.addresses import Ref, Site, parse_ref
from micelio.pages.opened import Opened, open_project
from micelio.sessions.branches import get_branch

MAIN = "main"
# Lines below each other that are followed; a line has at most so many.
_DEEPEST = 40


@dataclass(frozen=True)
class Point:
    """A position of a line. `branch` is "" for the line that the page is on, else a name; `ref` is what was asked."""

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
    """`head`, `@3`, `NAME` or `NAME@3`; a slash of a name may be written `:`. Raises NotFound."""
    name, at, number = text.partition("@")
    if text in ("", "head") or not name:
        ref = parse_ref(text or "head")
        return Point(opened, "", ref, *opened.at(ref))
    branch = name.replace(":", "/")
    ref = parse_ref(f"@{number}" if at else "head")
    project = opened.project
    try:
        handle = project.handle if branch == MAIN else f"{project.handle}@{branch.replace('/', ':')}"
        there = open_project(opened.actor, project.owner, handle)
    except NotFound as error:
        raise NotFound(
            f"There is no point `{text[:60]}` in {project.owner}/{project.handle}.",
            hint="Use `head`, a position such as `@42`, or a branch by its name.",
        ) from error
    return Point(there, branch, ref, *there.at(ref))


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
        branch = get_branch(point.opened.actor, project, name).branch
        if not branch.origin:  # what it began from is gone
            break
        name, position = branch.origin, min(position, branch.position)
        found.append((name, position))
    return found


def difference(old: Point, new: Point) -> list[tuple[bytes, Entry | None, Entry | None]]:
    """(path, before, after) of what differs, by path. Two lines are compared by what each changed since they parted:
    no line has the nodes of another that came later.
    """
    if old.opened.project.line == new.opened.project.line:
        return [(change.path, change.old, change.new) for change in new.opened.ledger.diff(old.tree, new.tree)]
    position = parted(old, new)
    sides = []
    for point in (old, new):
        ledger = point.opened.ledger
        sides.append({change.path: change for change in ledger.diff(ledger.tree_at(position), point.tree)})
    here, there = sides
    found = []
    for path in sorted({*here, *there}):
        # What one side did not change is there as it was when they parted.
        before = here[path].new if path in here else there[path].old
        after = there[path].new if path in there else here[path].old
        if before != after:
            found.append((path, before, after))
    return found
