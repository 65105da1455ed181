"""What counts for Git at one moment: a view of a project with its packs opened."""

from __future__ import annotations

from typing import NamedTuple

from mic.git.graph import Graph
from mic.git.packs import Pack
from mic.git.view import Numbered, View


class Snapshot(NamedTuple):
    """A view with its packs opened. The graph may know more than the packs; never less."""

    numbered: Numbered
    packs: tuple[Pack, ...]
    graph: Graph

    @property
    def view(self) -> View:
        return self.numbered.view
