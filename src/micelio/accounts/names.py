"""Handles change, and an old one leads to the new one for ever: whoever followed a link comes to whom it meant.

A claim outlives the use of its handle, so nobody else can ever take it.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from mic.core.errors import InvalidInput
from micelio.accounts.actions import claim_handle
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.handles import parse_handle, sought
from micelio.accounts.models import HandleClaim, User
from micelio.accounts.policy import require_self
from micelio.audit.actions import record

# Each of them is taken for good: more would let one account empty the namespace.
MOST_HANDLES = 10


@transaction.atomic
def rename_account(actor: Actor, handle: str) -> str:
    """Give the actor's account another handle, which is answered in its one spelling. The old one leads there.

    Raises Unauthenticated, PermissionDenied for a token, InvalidInput, AlreadyExists.
    """
    user_id = require_signed_in(actor)
    require_self(actor, user_id)
    user = User.objects.select_for_update().get(id=user_id)
    wanted = parse_handle(handle)
    if wanted == user.handle:
        return wanted
    take_another(user.handle, wanted, "user", user.id)
    User.objects.filter(id=user.id).update(handle=wanted)
    record(actor, "account.rename", "account", user.id, wanted, before=user.handle, after=wanted)
    return wanted


def take_another(old: str, new: str, kind: str, holder: UUID) -> None:
    """Take `new` beside `old`, which stays taken, inside the caller's transaction. Raises InvalidInput, AlreadyExists.

    `kind` as in `claim_handle`. One's own earlier handle may be taken again.
    """
    HandleClaim.objects.filter(handle=old).update(holder=holder)
    own = HandleClaim.objects.filter(holder=holder)
    if own.filter(handle=new).exists():
        return
    if own.count() >= MOST_HANDLES:
        raise InvalidInput(
            f"{old} has had {MOST_HANDLES} handles, and each stays taken.", hint="Go back to one of the earlier ones."
        )
    claim_handle(new, kind)
    HandleClaim.objects.filter(handle=new).update(holder=holder)


def bury(handle: str, holder: UUID) -> None:
    """The holder is gone; its handle stays taken, and leads nowhere."""
    HandleClaim.objects.filter(handle=handle).update(holder=holder)


def holder_of(handle: str, kind: str) -> UUID | None:
    """Who had this handle before it got another, None when nobody did."""
    found = HandleClaim.objects.filter(handle=sought(handle), kind=kind, holder__isnull=False)
    return found.values_list("holder", flat=True).first()
