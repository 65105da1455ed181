"""May this actor run the forge?"""

from __future__ import annotations

from micelio.accounts.actor import Actor
from micelio.accounts.policy import require_admin, require_whole


def require_operating(actor: Actor) -> None:
    """Raises Unauthenticated or PermissionDenied unless the actor looks after the forge, and no token limits them."""
    require_whole(actor)
    require_admin(actor)
