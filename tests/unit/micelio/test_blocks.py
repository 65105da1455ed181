"""Blocks that the forge sets by itself, and what the doors know of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from mic.core.errors import Blocked
from micelio import config
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.limits.door import Who
from micelio.operators import blocks
from micelio.operators.models import Block

pytestmark = pytest.mark.django_db
EMPTY = blocks.IN_FORCE.value


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """What other tests left in this process's memory does not count."""
    blocks.IN_FORCE.refresh()
    yield
    blocks.IN_FORCE.value = EMPTY


def _stops(who: Who) -> str:
    blocks.IN_FORCE.refresh()
    try:
        blocks.require_unblocked(who)
    except Blocked as error:
        return error.message
    return ""


def test_an_address_that_takes_no_notice_is_blocked_for_longer_each_time() -> None:
    """A quarter of an hour, then twice as long, for those not signed in there; recorded as the forge's own act."""
    minutes = []
    for _ in range(4):
        blocks.block_deaf(Who("203.0.113.8"))
        row = Block.objects.get(lifted_at=None)
        assert row.ends_at is not None
        minutes.append(round((row.ends_at - row.created_at).total_seconds() / 60))
        # Over, and asked again.
        Block.objects.filter(id=row.id).update(lifted_at=timezone.now())
    assert minutes == [15, 30, 60, 120]
    event = AuditEvent.objects.latest("id")
    assert (event.actor_handle, event.via, event.action, event.object_name) == (
        "forge", "limits", "block.create", "203.0.113.8/32",
    )  # fmt: skip


def test_a_block_by_the_forge_leaves_those_alone_who_are_signed_in() -> None:
    """An office is not shut out because of one of its machines. A block by hand is for everybody."""
    blocks.block_deaf(Who("203.0.113.9"))
    assert "Too many requests" in _stops(Who("203.0.113.9"))
    assert _stops(Who("203.0.113.9", uuid4())) == ""
    assert _stops(Who("203.0.113.10")) == ""
    blocks.block(OPERATOR, "203.0.113.9", "Enough")
    assert "Enough." in _stops(Who("203.0.113.9", uuid4()))


def test_of_ipv6_the_whole_network_of_a_household_is_blocked() -> None:
    blocks.block_deaf(Who("2001:db8:7:7::1"))
    assert _stops(Who("2001:db8:7:7:ffff::2"))
    assert _stops(Who("2001:db8:7:8::2")) == ""


def test_a_wide_network_is_found_as_well() -> None:
    blocks.block(OPERATOR, "2001:db8::/32", "All of it")
    blocks.block(OPERATOR, "192.0.2.0/25", "Half of it")
    assert _stops(Who("2001:db8:9::1"))
    assert _stops(Who("192.0.2.127"))
    assert _stops(Who("192.0.2.128")) == ""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "", "10.9.0.4"])
def test_this_machine_and_our_proxies_are_never_blocked_by_the_forge(address: str) -> None:
    """Behind them everybody would be. 10.9.0.0/16 is where the proxies are."""
    before = config.current()
    config.install(
        replace(before, trusted_proxies=config.load({"MICELIO_TRUSTED_PROXIES": "10.9.0.0/16"}).trusted_proxies)
    )
    try:
        blocks.block_deaf(Who(address))
    finally:
        config.install(before)
    assert not Block.objects.exists()


def test_an_account_is_blocked_until_the_block_is_over() -> None:
    user = User.objects.create(handle="loop")
    blocks.block_deaf(Who("203.0.113.9", user.id))
    assert "Your account is blocked until" in _stops(Who("198.51.100.1", user.id))
    Block.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert _stops(Who("198.51.100.1", user.id)) == ""


def test_a_second_block_of_the_same_takes_the_place_of_the_first() -> None:
    blocks.block(OPERATOR, "192.0.2.1", "Once", 1)
    blocks.block(OPERATOR, "192.0.2.1", "Twice", 2)
    assert [row.reason for row in blocks.list_blocks(OPERATOR)] == ["Twice"]


def test_no_request_asks_the_database(django_assert_num_queries: object) -> None:
    """What is in force is known before; what is over by the minute is let in without a look at it."""
    blocks.block(OPERATOR, "192.0.2.1", "Once", 1)
    blocks.IN_FORCE.refresh()
    with django_assert_num_queries(0), pytest.raises(Blocked):  # type: ignore[operator]
        blocks.require_unblocked(Who("192.0.2.1"))
