"""The networks that members of an organization reach it from: from elsewhere they are strangers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from mic.core.errors import PreconditionFailed
from micelio.accounts.actor import Actor
from micelio.accounts.policy import require_operator
from micelio.audit.actions import record
from micelio.audit.origin import current_address
from micelio.networks import Entry, entries_of, holds, parse_entries
from micelio.organizations.models import Organization
from micelio.organizations.policy import forget_roles, is_shut_out, require_administering, require_owner
from micelio.organizations.queries import find


@dataclass(frozen=True, slots=True)
class NetworksView:
    """The list of an organization; an empty one lets members in from everywhere. `address` is where the actor is."""

    handle: str
    entries: tuple[Entry, ...]
    tokens_pass: bool
    address: str


def get_networks(actor: Actor, org_handle: str) -> NetworksView:
    """The list, for owners. Raises NotFound, Unauthenticated, PermissionDenied."""
    require_administering(actor)
    organization = find(org_handle)
    require_owner(actor, organization.id, organization.handle)
    return _view(organization)


@transaction.atomic
def set_networks(
    actor: Actor, org_handle: str, entries: Sequence[Entry], *, tokens_pass: bool = False, leave: bool = False
) -> NetworksView:
    """Let members in from these networks only; from everywhere when there are none.

    `tokens_pass` lets tokens of admins in from elsewhere that were made for it. Raises NotFound, Unauthenticated,
    PermissionDenied, InvalidInput, TooLarge, and PreconditionFailed for a list that would shut the actor out, unless
    they `leave`.
    """
    require_administering(actor)
    organization = find(org_handle)
    require_owner(actor, organization.id, organization.handle)
    organization = Organization.objects.select_for_update().get(id=organization.id)
    wanted, address = parse_entries(entries), current_address()
    if not leave and not holds(wanted, address):
        raise PreconditionFailed(
            f"Your own address, {address or 'an unknown one'}, is in none of these networks: this would shut you out.",
            hint="Add it, or say again that you mean it.",
        )
    before, tokens_before = organization.networks, organization.networks_let_tokens
    organization.networks, organization.networks_let_tokens = wanted, tokens_pass
    organization.save(update_fields=["networks", "networks_let_tokens"])
    forget_roles()
    record(
        actor,
        "organization.networks",
        "organization",
        organization.id,
        organization.handle,
        before=[entry.network for entry in entries_of(before)],
        after=[entry.network for entry in entries_of(wanted)],
        tokens_before=tokens_before,
        tokens_after=tokens_pass,
    )
    return _view(organization)


def is_outside(actor: Actor, org_handle: str) -> bool:
    """Whether the actor is a member who comes from none of the networks. Raises NotFound."""
    return is_shut_out(actor, find(org_handle).id)


def lift_networks(actor: Actor, org_handle: str) -> str:
    """Let members in from everywhere, for whoever runs the forge; the handle. Raises PermissionDenied, NotFound."""
    require_operator(actor)
    organization = find(org_handle)
    with transaction.atomic():
        before, organization.networks = organization.networks, ""
        organization.save(update_fields=["networks"])
        networks = [entry.network for entry in entries_of(before)]
        of, handle = organization.id, organization.handle
        record(actor, "organization.networks", "organization", of, handle, before=networks, after=[])
    return organization.handle


def _view(organization: Organization) -> NetworksView:
    entries = entries_of(organization.networks)
    return NetworksView(organization.handle, entries, organization.networks_let_tokens, current_address())
