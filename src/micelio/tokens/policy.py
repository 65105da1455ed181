"""May this actor make, see and revoke tokens, and may a token be as wide as that?"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.grant import WRITING, Grant, Scope
from micelio.accounts.policy import require_whole
from micelio.projects.project_view import ProjectView

_ORGANIZATIONS = frozenset({Scope.ORG_READ, Scope.ORG_ADMIN})
_SESSIONS = frozenset({Scope.SESSION_READ, Scope.SESSION_WRITE})


def require_keeper(actor: Actor) -> UUID:
    """The account whose tokens the actor may make, list and revoke: the actor's own, and never with a limited token.

    A token that could make tokens would outlive its own revocation. Raises Unauthenticated, PermissionDenied.
    """
    require_whole(actor)
    return require_signed_in(actor)


def require_sound(grant: Grant, projects: Sequence[ProjectView] | None) -> None:
    """Raises InvalidInput for a grant that could not do what it names, or does more than was asked for by name.

    Reading private projects and writing public ones at once is how a program that is talked into it carries what is
    private outside. No program can be told from an agent, so this holds for every token.
    """
    if not grant.scopes:
        raise InvalidInput("A token needs a scope.", hint=f"Use {', '.join(Scope)}.")
    if grant.scopes & _SESSIONS and not grant.has(Scope.PROJECT_READ):
        raise InvalidInput(
            "Sessions are reached through their project, which this token could not read.", hint="Add project:read."
        )
    if projects is not None and grant.scopes & _ORGANIZATIONS:
        raise InvalidInput(
            "A token for some projects cannot have a scope of organizations.",
            hint="Leave the projects or the scope out.",
        )
    if grant.mixes or not grant.scopes & WRITING:
        return
    if projects is None or len({project.visibility for project in projects}) > 1:
        raise InvalidInput(
            "This token would read private projects and write public ones.",
            hint="Name projects of one visibility, leave out what writes, or ask for exactly that: "
            "`--mix-private-and-public`.",
        )
