"""Registers the projects domain with Django."""

from __future__ import annotations

from uuid import UUID

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "micelio.projects"
    label = "projects"

    def ready(self) -> None:
        """The bucket's registry names owners by their handles."""
        from micelio.organizations.signals import renamed
        from micelio.projects.jobs import enter_again

        def write(sender: object, organization_id: UUID, **_: object) -> None:
            enter_again.enqueue(str(organization_id))

        renamed.connect(write, weak=False, dispatch_uid="registry of a renamed owner")
