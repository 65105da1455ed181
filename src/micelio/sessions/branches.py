"""Beginning and deleting branches, beside those that only Git knows."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from mic.core.errors import AlreadyExists
from mic.git.view import Numbered, View, newest_view
from micelio.accounts.actor import Actor
from micelio.projects import branches
from micelio.projects.branches import Branch
from micelio.projects.ledgers import ledger, open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions.policy import require_free, require_read
from micelio.sessions.queries import LandingRow, latest_landings

_HEADS = b"refs/heads/"


class Standing(NamedTuple):
    """A branch and its newest landing, None where nothing has landed."""

    branch: Branch
    last: LandingRow | None

    @property
    def head(self) -> int:
        """Its newest position, as far as the rows follow; else as the ledger has it."""
        return self.last.position if self.last is not None else open_ledger(self.branch.view.line).head().position


def list_branches(actor: Actor, project: ProjectView, after: str = "", limit: int = 100) -> list[Standing]:
    """The branches of a project besides main, by name, behind `after`."""
    require_read(actor, project)
    found = branches.list_branches(actor, project, after, limit)
    last = latest_landings(actor, [branch.view for branch in found])
    return [Standing(branch, last.get(branch.view.line)) for branch in found]


def get_branch(actor: Actor, project: ProjectView, name: str) -> Standing:
    """One branch by its name. Raises NotFound."""
    require_read(actor, project)
    branch = branches.get_branch(actor, project, name)
    return Standing(branch, latest_landings(actor, [branch.view]).get(branch.view.line))


def create_branch(actor: Actor, project: ProjectView, name: str, position: int | None = None) -> Branch:
    """Begin a branch where the line stands that `project` is looked at on, or stood at a position.

    A name that a branch has which only Git knows, or that is above or below one, is taken. Raises as
    `branches.create_branch`.
    """
    require_free(actor)

    def require_unknown(name: str) -> None:
        for other in _git_branches(project):
            if other == name:
                raise AlreadyExists(
                    f"Git has pushed a branch {name} to {project.owner}/{project.handle}, which no session lands on.",
                    hint=f"Choose another name, or delete that one first: `git push --delete URL {name}`.",
                )
            if other.startswith(f"{name}/") or name.startswith(f"{other}/"):
                raise AlreadyExists(
                    f"The branch {other} of Git is in the way: one name would be below the other.",
                    hint="Choose another name.",
                )

    return branches.create_branch(actor, project, name, position, require_unknown)


def delete_branch(actor: Actor, project: ProjectView, name: str) -> datetime:
    """Delete a branch; until when its objects stay. Raises as `branches.delete_branch`."""
    require_free(actor)
    return branches.delete_branch(actor, project, name)


def list_git_branches(actor: Actor, project: ProjectView) -> list[str]:
    """The names of branches that only Git knows, as far as they are text."""
    require_read(actor, project)
    return sorted(name for name in _git_branches(project) if name.isprintable())


def _git_branches(project: ProjectView) -> list[str]:
    """The branches that only Git knows, as the newest view of the project has them."""
    view = ledger().driver.run(newest_view(open_ledger(project.id).line.project, Numbered(0, View()))).view
    return [
        name.removeprefix(_HEADS).decode("utf-8", "surrogateescape") for name in view.refs if name.startswith(_HEADS)
    ]
