"""Blocks: who is let in at no door, for how long, and what the forge does by itself to those who take no notice."""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from mic.core.errors import Blocked, InvalidInput, NotFound
from micelio.accounts import queries as accounts
from micelio.accounts.actor import Actor
from micelio.accounts.administering import get_account
from micelio.audit.actions import record
from micelio.audit.origin import current_address
from micelio.cluster.known import Known
from micelio.cluster.locks import alone
from micelio.config import current
from micelio.limits.door import Who, counted
from micelio.operators.models import REASON_LENGTH, Block
from micelio.operators.policy import require_operating

_log = logging.getLogger("micelio.blocks")

# In force at one time. Each is looked at for every request, or nearly.
MOST = 10_000
MOST_HOURS = 24 * 366
# What the forge does by itself: a quarter of an hour, twice as long each time within a day, a day at most.
_FIRST, _LONGEST = timedelta(minutes=15), timedelta(days=1)
# The forge itself, which blocks those who ask on and on.
FORGE = Actor(user_id=None, handle="forge", name="The forge", email="", is_admin=True, via="limits")


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block in force. One of `network` and `account` is not empty; `ends_at` is None for one without an end."""

    id: UUID
    network: str
    account: str
    reason: str
    everybody: bool
    made_by: str
    created_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class _InForce:
    """What is in force, as the doors ask for it."""

    accounts: dict[UUID, Block]
    addresses: dict[str, Block]  # by `counted` form
    networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, Block]]


def require_unblocked(who: Who) -> None:
    """Raises Blocked for an address or an account that nothing is taken from. Every door asks, for each request."""
    known = IN_FORCE.value
    if who.user is not None and who.user in known.accounts:
        _refuse(known.accounts[who.user], "Your account")
    if known.addresses or known.networks:
        found = known.addresses.get(counted(who.address)) or _covering(known, who.address)
        if found is not None and (found.everybody or who.user is None):
            _refuse(found, "Your address")


def block_deaf(who: Who) -> None:
    """Block whoever went on through some hundred refusals. An account as such; an address for those not signed in."""
    try:
        if who.user is not None:
            handle = next((user.handle for user in accounts.users_by_id(FORGE, [who.user]).values()), "")
            _block_for_now(who.user, "", handle)
        elif _may_be_shut_out(who.address):
            _block_for_now(None, _network(counted(who.address)), "")
    except DatabaseError as error:
        _log.warning("somebody who asks too much could not be blocked: %s", error)


@transaction.atomic
def block(actor: Actor, target: str, reason: str, hours: int = 0) -> BlockView:
    """Take nothing more from an address, a network or an account (by handle); 0 hours is until it is lifted.

    Raises PermissionDenied, InvalidInput, NotFound.
    """
    require_operating(actor)
    reason = reason.strip()
    if not reason or len(reason) > REASON_LENGTH or not reason.isprintable():
        raise InvalidInput(f"A block needs a reason of 1 to {REASON_LENGTH} printable characters.", hint="It is shown.")
    if not 0 <= hours <= MOST_HOURS:
        raise InvalidInput(f"A block cannot last {hours} hours.", hint=f"Use 1 to {MOST_HOURS}, or 0 for no end.")
    alone("blocks")  # two at once would both count, and leave two rows for one network
    if in_force().count() >= MOST:
        raise InvalidInput(f"{MOST:,} blocks are in force; that is the limit.", hint="Block networks, or lift some.")
    now = timezone.now()
    row = Block(reason=reason, made_by=actor.handle, created_at=now)
    row.ends_at = now + timedelta(hours=hours) if hours else None
    target = target.strip()
    network = _parse_network(target) if set(target) & set(".:/") else None
    if network is not None:
        _require_not_oneself(actor, network)
        row.network = str(network)
        name = row.network
    else:
        account = get_account(actor, target)
        if account.is_admin:
            raise InvalidInput(f"{account.handle} is an administrator.", hint="Take that away first.")
        row.user_id, name = account.id, account.handle
    in_force().filter(_of(row.network, row.user_id)).update(lifted_at=now)
    row.save(force_insert=True)
    _recorded(actor, "block.create", row, name)
    return _view(row, name if row.user_id else "")


@transaction.atomic
def lift(actor: Actor, block_id: UUID) -> None:
    """End a block. Raises PermissionDenied, and NotFound for one that is not in force."""
    require_operating(actor)
    row = in_force().filter(id=block_id).select_related("user").first()
    if row is None or not in_force().filter(id=block_id).update(lifted_at=timezone.now()):
        raise NotFound("This block is not in force any more.", hint="Look at the list again.")
    _recorded(actor, "block.lift", row, row.user.handle if row.user is not None else row.network)


@transaction.atomic
def lift_all(actor: Actor, target: str) -> list[BlockView]:
    """End the blocks of an address, a network or an account, as they are listed. Raises PermissionDenied, NotFound."""
    found = [
        row for row in list_blocks(actor, MOST) if target.strip() in (row.account, row.network, _bare(row.network))
    ]
    if not found:
        raise NotFound(f"{target[:60]!r} is not blocked.", hint="`micelio admin blocks` lists who is.")
    for row in found:
        lift(actor, row.id)
    return found


def list_blocks(actor: Actor, limit: int = 200) -> list[BlockView]:
    """What is in force, the newest first. Raises PermissionDenied."""
    require_operating(actor)
    rows = in_force().select_related("user").order_by("-created_at", "id")[:limit]
    return [_view(row, row.user.handle if row.user is not None else "") for row in rows]


def in_force() -> QuerySet[Block]:
    """Rows of blocks that are neither lifted nor over."""
    return Block.objects.filter(lifted_at__isnull=True).filter(Q(ends_at__isnull=True) | Q(ends_at__gt=timezone.now()))


def _read() -> _InForce:
    made = _InForce({}, {}, [])
    for row in in_force()[:MOST]:
        if row.user_id is not None:
            made.accounts[row.user_id] = row
            continue
        network = ipaddress.ip_network(row.network)
        if network.prefixlen == (32 if network.version == 4 else 64):
            made.addresses[counted(str(network.network_address))] = row
        else:
            made.networks.append((network, row))
    return made


IN_FORCE = Known("blocks", _read, _InForce({}, {}, []))


def _covering(known: _InForce, address: str) -> Block | None:
    if not known.networks or not address:
        return None
    ip = ipaddress.ip_address(address)
    return next((row for network, row in known.networks if ip in network), None)


def _refuse(row: Block, what: str) -> None:
    now = timezone.now()
    if row.ends_at is not None and row.ends_at <= now:
        return
    until = f" until {row.ends_at:%Y-%m-%d %H:%M} UTC" if row.ends_at is not None else ""
    seconds = (row.ends_at - now).total_seconds() if row.ends_at is not None else 0.0
    reason = row.reason if row.reason[-1] in ".!?" else f"{row.reason}."
    raise Blocked(f"{what} is blocked{until}: {reason}", hint="Ask whoever runs this forge.", retry_after=seconds)


def _block_for_now(user_id: UUID | None, network: str, handle: str) -> None:
    now = timezone.now()
    own = Block.objects.filter(_of(network, user_id), made_by=FORGE.handle)
    times = own.filter(created_at__gt=now - timedelta(days=1)).count()
    row = Block(
        network=network,
        user_id=user_id,
        reason="Too many requests, and no notice taken of refusals.",
        everybody=False,
        made_by=FORGE.handle,
        created_at=now,
        ends_at=now + min(_FIRST * 2 ** min(times, 10), _LONGEST),
    )
    with transaction.atomic():
        if in_force().filter(_of(network, user_id)).exists() or in_force().count() >= MOST:
            return
        row.save(force_insert=True)
        _recorded(FORGE, "block.create", row, handle or network)


def _of(network: str, user_id: UUID | None) -> Q:
    return Q(network=network) & (Q(user__isnull=True) if user_id is None else Q(user_id=user_id))


def _may_be_shut_out(address: str) -> bool:
    """Not this machine, and no proxy of ours: behind these everybody would be."""
    if not address:
        return False
    ip = ipaddress.ip_address(address)
    return not ip.is_loopback and not any(ip in network for network in current().trusted_proxies)


def _recorded(actor: Actor, action: str, row: Block, name: str) -> None:
    ends = f"{row.ends_at:%Y-%m-%dT%H:%M:%SZ}" if row.ends_at is not None else "never"
    kind = "account" if row.user_id is not None else "network"
    record(actor, action, kind, row.user_id or row.network, name, reason=row.reason, ends=ends)
    transaction.on_commit(IN_FORCE.refresh)


def _parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise InvalidInput(
            f"{text[:60]!r} is no address and no network.", hint="Use 192.0.2.7 or 192.0.2.0/24."
        ) from None
    if network.prefixlen < (8 if network.version == 4 else 16):
        raise InvalidInput(f"{network} is too much of the world.", hint="Block smaller networks.")
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen > 64:
        # What is counted as one is blocked as one.
        network = network.supernet(new_prefix=64)
    return network


def _require_not_oneself(actor: Actor, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> None:
    here = current_address()
    if actor.via != "command" and here and ipaddress.ip_address(here) in network:
        raise InvalidInput(f"You are in {network} yourself.", hint="`micelio admin block` at the machine can do it.")


def _network(counted_form: str) -> str:
    return counted_form if "/" in counted_form else str(ipaddress.ip_network(counted_form))


def _bare(network: str) -> str:
    """`192.0.2.7` of `192.0.2.7/32`."""
    address, _, length = network.partition("/")
    return address if length in ("32", "64") else network


def _view(row: Block, handle: str) -> BlockView:
    return BlockView(row.id, row.network, handle, row.reason, row.everybody, row.made_by, row.created_at, row.ends_at)
