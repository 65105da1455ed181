"""How a reader wants differences to be shown: one below the other or side by side, and whether spaces count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest

from mic.core.errors import InvalidInput


@dataclass(frozen=True)
class DiffLook:
    """`?view=split` and `?space=ignore`."""

    split: bool = False
    ignore_space: bool = False

    @property
    def query(self) -> str:
        """What keeps it in an address, "" for the usual one."""
        asked = [("view", "split")] if self.split else []
        return urlencode([*asked, *([("space", "ignore")] if self.ignore_space else [])])

    @property
    def behind(self) -> str:
        """`query` with its question mark."""
        return f"?{self.query}" if self.query else ""

    @property
    def also(self) -> str:
        """`query` behind something else that is asked for."""
        return f"&{self.query}" if self.query else ""

    @property
    def other_view(self) -> str:
        return replace(self, split=not self.split).behind or "?"

    @property
    def other_space(self) -> str:
        return replace(self, ignore_space=not self.ignore_space).behind or "?"


USUAL = DiffLook()


def asked_look(request: HttpRequest) -> DiffLook:
    """What the address asks for. Raises InvalidInput for words that mean nothing."""
    view, space = request.GET.get("view", ""), request.GET.get("space", "")
    if view not in ("", "unified", "split"):
        raise InvalidInput(f"`view={view[:20]}` is no view of differences.", hint="There are `unified` and `split`.")
    if space not in ("", "ignore"):
        raise InvalidInput(f"`space={space[:20]}` means nothing here.", hint="`space=ignore` leaves spaces aside.")
    return DiffLook(view == "split", space == "ignore")
