"""From where accounts of this forge are used: from everywhere, unless settings name networks.

From elsewhere nobody signs in and a browser that is signed in counts as a visitor; a token is refused in words, unless
it was made to come from anywhere and settings let such tokens pass.
"""

from __future__ import annotations

from mic.core.errors import PermissionDenied
from micelio.accounts.actor import Actor
from micelio.audit.origin import current_address
from micelio.config import current
from micelio.networks import holds


def is_within() -> bool:
    """Whether accounts may be used from where this request comes from."""
    return holds(current().networks, current_address())


def require_within(actor: Actor) -> None:
    """Raises PermissionDenied for a token that comes from elsewhere."""
    anywhere = actor.grant is not None and actor.grant.anywhere and current().networks_let_tokens
    if not anywhere and not is_within():
        raise elsewhere()


def elsewhere() -> PermissionDenied:
    """What somebody is told who comes from none of the networks."""
    here = current_address() or "your address"
    return PermissionDenied(
        f"Accounts of this forge are used from named networks only, and {here} is in none.",
        hint="Come from one of them, or ask whoever runs this forge.",
    )
