"""What every door asks before it does something for somebody: may they ask once more?"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from mic.core.errors import RateLimited
from micelio.config import current
from micelio.limits.meter import Meter, Standing
from micelio.rates import Rate

# Refusals, which whoever reads an answer does not collect. Beyond these somebody takes no notice of any.
_PATIENCE_ANONYMOUS = Rate(300, 600)
_PATIENCE_USER = Rate(3_000, 600)


class Who(NamedTuple):
    """Somebody who asks. An account is counted as such wherever it comes from; nobody is counted by address."""

    address: str
    user: UUID | None = None
    token: UUID | None = None
    session: bytes = b""


@dataclass(frozen=True, slots=True)
class Budget:
    """The tightest of the budgets that a request was taken from."""

    name: str
    rate: Rate
    standing: Standing


# What is called with somebody who went on asking through refusal after refusal.
Deaf = Callable[[Who], None]
_meter = Meter()
_refusals = Meter()
_deaf: list[Deaf] = []
_guards: list[Callable[[Who], None]] = []
# The tightest budget that the request at hand was taken from, for the door that answers it.
latest: ContextVar[Budget | None] = ContextVar("micelio_latest_budget", default=None)


def on_deaf(call: Deaf) -> None:
    """Have `call` told of those who take no notice of refusals."""
    _deaf.append(call)


def on_ask(guard: Callable[[Who], None]) -> None:
    """Have `guard` asked before anything is counted; what it raises is the answer."""
    _guards.append(guard)


def spend(kind: str, who: Who) -> Budget | None:
    """Take one request of a kind (pages, costly, api, grpc, git) from all budgets of `who`; None when none is set.

    Raises RateLimited with `retry_after` in seconds and `budget`. What one budget gave before another refused is gone:
    that is at most one request.
    """
    for guard in _guards:
        guard(who)
    tightest: Budget | None = None
    rates = current().rates
    for name, key in _keys(kind, who):
        rate = rates.get(name)
        if rate is None:
            continue
        budget = Budget(name, rate, _meter.take((name, key), rate))
        if budget.standing.wait:
            _refuse(budget, who)
        if tightest is None or budget.standing.left < tightest.standing.left:
            tightest = budget
    latest.set(tightest)
    return tightest


def spend_sign_in(address: str) -> Budget | None:
    """Take an attempt to prove who one is, or one that failed. Counted by address, whoever it claims to be.

    Raises RateLimited.
    """
    who = Who(address)
    for guard in _guards:
        guard(who)
    rate = current().rates.get("sign-in")
    if rate is None:
        return None
    budget = Budget("sign-in", rate, _meter.take(("sign-in", counted(address)), rate))
    if budget.standing.wait:
        _refuse(budget, who)
    return budget


@functools.lru_cache(maxsize=65_536)
def counted(address: str) -> str:
    """An address as it is counted: of IPv6 the network of 64 bits, of which every household has one."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Address(int(ip) >> 64 << 64)) + "/64"
    return address


def _keys(kind: str, who: Who) -> list[tuple[str, object]]:
    if who.user is None:
        return [(f"{kind}-anonymous", counted(who.address))]
    keys: list[tuple[str, object]] = [(f"{kind}-user", who.user)]
    if who.token is not None:
        keys.append((f"{kind}-session" if who.session else f"{kind}-token", who.token))
    return keys


_OF_WHOM = {
    "anonymous": "your address",
    "user": "your account",
    "token": "this token",
    "session": "this session's token",
    "in": "your address",
}


def _refuse(budget: Budget, who: Who) -> None:
    patience = _PATIENCE_ANONYMOUS if who.user is None else _PATIENCE_USER
    key = counted(who.address) if who.user is None else who.user
    if _refusals.take(key, patience).wait:
        _refusals.forget(key)
        for call in _deaf:
            call(who)
    seconds = max(1, -int(-budget.standing.wait // 1))
    of = _OF_WHOM[budget.name.rpartition("-")[2]]
    period = {1: "a second", 60: "a minute", 3600: "an hour"}.get(budget.rate.seconds, f"{budget.rate.seconds} seconds")
    raise RateLimited(
        f"Too many requests from {of}: {budget.rate.requests:,} {period} are taken.",
        hint=f"Try again in {seconds} seconds." if seconds > 1 else "Try again in a second.",
        retry_after=budget.standing.wait,
        budget=budget,
        document={"retry_after_ms": max(1, round(budget.standing.wait * 1000))},
    )
