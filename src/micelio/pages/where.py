"""The way from a project's root to a file or directory, one link a step."""

from __future__ import annotations

from dataclasses import dataclass

from micelio.languages.spoken import gettext
from micelio.pages.addresses import Ref, Site
from micelio.pages.text import display_path


@dataclass(frozen=True)
class Step:
    """One directory on the way."""

    name: str
    address: str


@dataclass(frozen=True)
class Where:
    """The way to `path` at a point; `position` is None at the head."""

    site: Site
    ref: Ref
    path: bytes

    @property
    def root(self) -> str:
        return self.site.tree(self.ref)

    @property
    def name(self) -> str:
        return display_path(self.path.rpartition(b"/")[2])

    @property
    def title(self) -> str:
        return display_path(self.path) or gettext("Files as of @{position}").format(position=self.position)

    @property
    def position(self) -> int | None:
        return self.ref.position

    @property
    def landing(self) -> str:
        return self.site.landing(self.ref.position) if self.ref.position else self.site.landings

    @property
    def history(self) -> str:
        """The landings that touched it; of the root all of them."""
        return self.site.history(self.ref, self.path) if self.path else self.site.landings

    @property
    def parents(self) -> list[Step]:
        parts = self.path.split(b"/")[:-1]
        return [
            Step(display_path(part), self.site.tree(self.ref, b"/".join(parts[: index + 1])))
            for index, part in enumerate(parts)
        ]

    @property
    def parent(self) -> str:
        """The directory above; empty at the root."""
        return self.site.tree(self.ref, self.path.rpartition(b"/")[0]) if self.path else ""
