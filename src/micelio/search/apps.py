"""Registers search with Django."""

from __future__ import annotations

from uuid import UUID

from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "micelio.search"
    label = "search"

    def ready(self) -> None:
        """What landed, and who may read it, is followed by the indexer soon after."""
        from micelio.projects.signals import visibility_changed
        from micelio.search import indexer
        from micelio.sessions.signals import followed, reworded

        def follow(sender: object, project_id: UUID, **_: object) -> None:
            indexer.due(project_id)

        def reword(sender: object, project_id: UUID, positions: list[int], **_: object) -> None:
            indexer.reword(project_id, positions)

        reworded.connect(reword, weak=False, dispatch_uid="search says what sessions say now")
        followed.connect(follow, weak=False, dispatch_uid="search follows the rows")
        visibility_changed.connect(follow, weak=False, dispatch_uid="search follows the visibility")
