"""Registers the sessions domain with Django."""

from __future__ import annotations

from uuid import UUID

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "micelio.sessions"
    # Django's own session app has the label `sessions`.
    label = "landings"

    def ready(self) -> None:
        from micelio.projects.signals import forked, restored
        from micelio.sessions import projector

        def begin(sender: object, project_id: UUID, **_: object) -> None:
            projector.begin_fork(project_id)

        def resume(sender: object, project_id: UUID, **_: object) -> None:
            projector.catch_up(project_id)

        forked.connect(begin, weak=False, dispatch_uid="rows of a fork")
        restored.connect(resume, weak=False, dispatch_uid="rows of a restored project")
