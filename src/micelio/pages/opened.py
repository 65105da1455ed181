"""A project opened for one reader: its row, its addresses, its data plane and the point that is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mic.core.errors import NotFound
from mic.ledger.project import Project
from micelio.accounts.actor import Actor
from micelio.pages.addresses import Ref, Site, split_handle
from micelio.pages.cost import current_cost
from micelio.pages.kept import note_head
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project, on_branch
from micelio.sessions.queries import MAX_PAGE, count_open_sessions


@dataclass(frozen=True)
class Opened:
    """What every page of a project begins with. `position` and `tree` are the head's."""

    actor: Actor
    project: ProjectView
    site: Site
    ledger: Project
    position: int
    tree: bytes

    def at(self, ref: Ref) -> tuple[int, bytes]:
        """(position, root of the tree) of a point. Raises NotFound beyond the head."""
        if ref.position is None:
            return self.position, self.tree
        if ref.position > self.position:
            raise NotFound(
                f"There is no position @{ref.position} in {self.project.owner}/{self.project.handle}.",
                hint=f"The head is @{self.position}.",
            )
        return ref.position, self.ledger.tree_at(ref.position)

    def context(self, tab: str, open_sessions: int | None = None) -> dict[str, Any]:
        """What the frame of a project's pages shows; `open_sessions` where they were counted already."""
        count = count_open_sessions(self.actor, self.project) if open_sessions is None else open_sessions
        return {
            "project": self.project,
            "site": self.site,
            "tab": tab,
            "head": self.position,
            "open_sessions": min(count, MAX_PAGE),
            "more_open": "+" if count > MAX_PAGE else "",
        }

    def data(self) -> dict[str, Any]:
        """The project for machines, as every twin of its pages begins."""
        return {
            "project": f"{self.project.owner}/{self.project.handle}",
            **({"branch": self.project.branch} if self.project.branch_id is not None else {}),
            "visibility": self.project.visibility,
            "head": {"position": self.position, "tree": self.tree.hex()},
        }


def open_project(actor: Actor, owner: str, handle: str) -> Opened:
    """The project as `actor` may see it. Raises NotFound, in the same words for absent and not theirs to see."""
    name, branch = split_handle(handle)
    return _opened(actor, get_project(actor, owner, name, branch))


def on_line(opened: Opened, branch: str) -> Opened:
    """The same project on one of its branches, or on `main`; the actor may see it. Raises NotFound."""
    return _opened(opened.actor, on_branch(opened.project, branch))


def _opened(actor: Actor, project: ProjectView) -> Opened:
    ledger = open_ledger(project.line)
    cost = current_cost()
    if cost is not None:
        cost.watch(lambda: ledger.object_reads)
    head = ledger.head()
    note_head(project.line, head)
    site = Site(project.owner, project.handle, project.branch if project.branch_id else "")
    return Opened(actor, project, site, ledger, head.position, head.tree)
