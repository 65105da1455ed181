"""The networks that members of an organization reach it from: from elsewhere they are strangers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from mic.core.errors import PreconditionFailed
from micelio.accounts.actor import Actor
from micelio.accounts.policy import require_operator
from micelio.audit.actions import record
from micelio.audit.origin import current_address
from micelio.networks import Entry, changed, entries_of, holds, parse_entries
from micelio.organizations.models import Organization
from micelio.organizations.policy import forget_roles, require_administering, require_owner
from micelio.organizations.queries import find


class ListChanged(PreconditionFailed):
    """The list is not the one any more that a change was decided upon."""


@dataclass(frozen=True, slots=True)
class NetworksView:
    """The list of an organization; an empty one lets members in from everywhere. `address` is where the actor is.

    `state` is another for each other list: what a later change can name as the one that it was decided upon.
    """

    handle: str
    entries: tuple[Entry, ...]
    tokens_pass: bool
    address: str
    state: str


def get_networks(actor: Actor, org_handle: str) -> NetworksView:
    """The list, for owners. Raises NotFound, Unauthenticated, PermissionDenied."""
    require_administering(actor)
    organization = find(org_handle)
    require_owner(actor, organization.id, organization.handle)
    return _view(organization)


@transaction.atomic
def set_networks(
    actor: Actor,
    org_handle: str,
    entries: Sequence[Entry],
    *,
    tokens_pass: bool = False,
    leave: bool = False,
    seen: str | None = None,
) -> NetworksView:
    """Let members in from these networks only; from everywhere when there are none.

    `tokens_pass` lets tokens of admins in from elsewhere that were made for it; without networks there is no such
    exception. `seen` is the state of the list that
    this was decided upon. Raises NotFound, Unauthenticated, PermissionDenied, InvalidInput, TooLarge, ListChanged when
    the list is another one by now, PreconditionFailed for a list that would shut the actor out, unless they `leave`.
    """
    require_administering(actor)
    organization = _held(actor, org_handle)
    if seen is not None and seen != _state(organization):
        raise ListChanged("Somebody changed the list since you looked at it.", hint="Look again, then decide anew.")
    return _put(actor, organization, entries, tokens_pass, leave)


@transaction.atomic
def change_networks(
    actor: Actor,
    org_handle: str,
    *,
    add: Sequence[Entry] = (),
    remove: Sequence[str] = (),
    tokens_pass: bool | None = None,
    leave: bool = False,
) -> NetworksView:
    """Add networks to the list and take others out, whatever else somebody changes in it at the same moment.

    Raises as `set_networks`; NotFound also for a network to remove that is not in the list.
    """
    require_administering(actor)
    organization = _held(actor, org_handle)
    passing = organization.networks_let_tokens if tokens_pass is None else tokens_pass
    return _put(actor, organization, changed(organization.networks, add, remove), passing, leave)


def networks_held(actor: Actor, org_handle: str) -> NetworksView:
    """As `get_networks`; nobody else changes the list before the transaction ends."""
    require_administering(actor)
    return _view(_held(actor, org_handle))


@transaction.atomic
def lift_networks(actor: Actor, org_handle: str) -> str:
    """Let members in from everywhere, for whoever runs the forge; the handle. Raises PermissionDenied, NotFound.

    The exception for tokens goes too: the next list begins without it.
    """
    require_operator(actor)
    organization = Organization.objects.select_for_update().get(id=find(org_handle).id)
    before, tokens_before = organization.networks, organization.networks_let_tokens
    organization.networks, organization.networks_let_tokens = "", False
    organization.save(update_fields=["networks", "networks_let_tokens"])
    record(
        actor,
        "organization.networks",
        "organization",
        organization.id,
        organization.handle,
        before=[entry.network for entry in entries_of(before)],
        after=[],
        tokens_before=tokens_before,
        tokens_after=False,
    )
    return organization.handle


def _held(actor: Actor, org_handle: str) -> Organization:
    organization = find(org_handle)
    require_owner(actor, organization.id, organization.handle)
    return Organization.objects.select_for_update().get(id=organization.id)


def _put(
    actor: Actor, organization: Organization, entries: Sequence[Entry], tokens_pass: bool, leave: bool
) -> NetworksView:
    wanted, address = parse_entries(entries), current_address()
    tokens_pass = tokens_pass and bool(wanted)  # an exception to nothing: the next list begins without it
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


def _view(organization: Organization) -> NetworksView:
    entries = entries_of(organization.networks)
    tokens_pass = organization.networks_let_tokens
    return NetworksView(organization.handle, entries, tokens_pass, current_address(), _state(organization))


def _state(organization: Organization) -> str:
    text = f"{organization.networks_let_tokens}\n{organization.networks}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
