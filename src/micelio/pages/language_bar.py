"""What a project is written in, as a bar with its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from micelio.discovery.queries import Share
from micelio.languages.spoken import gettext
from micelio.pages.addresses import explore_address
from micelio.search.languages import title_of

# Each has a colour of its own; the rest is one part.
_SHOWN = 5


@dataclass(frozen=True)
class BarPart:
    """A part of the bar: where it begins and how wide it is, of 1000; `percent` as text."""

    title: str
    percent: str
    start: int
    width: int
    address: str


def bar(shares: Sequence[Share]) -> list[BarPart]:
    """The parts in their order, the most first; what is behind the fifth is told together."""
    shown = [(title_of(row.language), row.thousandths, explore_address(language=row.language)) for row in shares]
    rest = sum(thousandths for _, thousandths, _ in shown[_SHOWN:])
    parts: list[BarPart] = []
    start = 0
    for title, thousandths, address in [*shown[:_SHOWN], *([(gettext("others"), rest, "")] if rest else [])]:
        parts.append(BarPart(title, f"{thousandths / 10:.1f}", start, max(thousandths, 4), address))
        start += thousandths
    return parts


def told(shares: Sequence[Share]) -> list[dict[str, object]]:
    """For machines."""
    return [{"language": row.language, "thousandths": row.thousandths} for row in shares]
