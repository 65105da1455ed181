"""How a reader wants differences to be shown: one below the other or side by side, whether spaces count, how much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest

from mic.core.errors import InvalidInput


@dataclass(frozen=True)
class DiffLook:
    """`?view=split`, `?space=ignore` and `?lines=all`."""

    split: bool = False
    ignore_space: bool = False
    whole: bool = False

    @property
    def query(self) -> str:
        """What keeps it in an address, "" for the usual one."""
        asked = [("view", "split")] if self.split else []
        asked += [("space", "ignore")] if self.ignore_space else []
        return urlencode([*asked, *([("lines", "all")] if self.whole else [])])

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

    @property
    def other_amount(self) -> str:
        return replace(self, whole=not self.whole).behind or "?"


USUAL = DiffLook()


def asked_look(request: HttpRequest) -> DiffLook:
    """What the address asks for. Raises InvalidInput for words that mean nothing."""
    view, space, lines = (request.GET.get(name, "") for name in ("view", "space", "lines"))
    if view not in ("", "unified", "split"):
        raise InvalidInput(f"`view={view[:20]}` is no view of differences.", hint="There are `unified` and `split`.")
    if space not in ("", "ignore"):
        raise InvalidInput(f"`space={space[:20]}` means nothing here.", hint="`space=ignore` leaves spaces aside.")
    if lines not in ("", "all"):
        raise InvalidInput(f"`lines={lines[:20]}` means nothing here.", hint="`lines=all` shows all on one page.")
    return DiffLook(view == "split", space == "ignore", lines == "all")
