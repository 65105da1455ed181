"""May this actor see or decide what was found, or report something?"""

from __future__ import annotations

from micelio.accounts.actor import Actor
from micelio.organizations.roles import Role, at_least
from micelio.projects import policy
from micelio.projects.project_view import ProjectView


def require_decide(actor: Actor, project: ProjectView) -> None:
    """Whoever may change the project sees its findings and decides about them. Raises as `require_manage`."""
    policy.require_manage(actor, project)


def may_decide(actor: Actor, project: ProjectView) -> bool:
    """Whether a page for the actor may tell that there are findings: the view's own role is believed."""
    return actor.signed_in and actor.grant is None and at_least(project.role, Role.ADMIN)


def require_report(actor: Actor, project: ProjectView) -> None:
    """Whoever may read may say that something there is a secret, with an account or without."""
    policy.require_read(actor, project)
