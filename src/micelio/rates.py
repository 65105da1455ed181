"""How many requests in which time: the classes, the usual rates, and how a setting changes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Rate(NamedTuple):
    """`requests` in `seconds`, which may come at once."""

    requests: int
    seconds: int


# What is asked for, and who asks. An anonymous visitor is an address. The work of one process ends near 500 landings
# a second; an account may have all of it for its agents, an address of nobody a small part. One agent that works hard
# makes some hundred calls in a minute; a person who reads makes some ten.
USUAL: Mapping[str, Rate] = MappingProxyType(
    {
        "pages-anonymous": Rate(1_200, 60),
        "pages-user": Rate(6_000, 60),
        "costly-anonymous": Rate(600, 60),
        "costly-user": Rate(3_000, 60),
        "api-anonymous": Rate(600, 60),
        "api-user": Rate(30_000, 60),
        "api-token": Rate(15_000, 60),
        "api-session": Rate(6_000, 60),
        "grpc-anonymous": Rate(3_000, 60),
        "grpc-user": Rate(120_000, 60),
        "grpc-token": Rate(60_000, 60),
        "grpc-session": Rate(12_000, 60),
        "git-anonymous": Rate(600, 60),
        "git-user": Rate(12_000, 60),
        "git-token": Rate(6_000, 60),
        "git-session": Rate(3_000, 60),
        "sign-in": Rate(300, 60),
    }
)
_SECONDS = {"s": 1, "min": 60, "h": 3600}
_FORM = re.compile(r"([a-z-]+)=(?:(off)|([0-9]{1,9})/(s|min|h))")


def parse_rates(text: str) -> Mapping[str, Rate]:
    """The rates that `pages-anonymous=600/min, git-user=off` leaves; `off` alone leaves none, "" the usual ones.

    Raises ValueError with a sentence.
    """
    if text.strip() == "off":
        return {}
    rates = dict(USUAL)
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _FORM.fullmatch(part)
        if found is None or found[3] == "0":
            raise ValueError(f"{part[:60]!r} is not of the form pages-anonymous=600/min or pages-anonymous=off")
        name, off, count, unit = found.groups()
        if name not in USUAL:
            raise ValueError(f"{name[:40]!r} is none of {', '.join(USUAL)}")
        if off:
            rates.pop(name, None)
        else:
            rates[name] = Rate(int(count), _SECONDS[unit])
    return rates
