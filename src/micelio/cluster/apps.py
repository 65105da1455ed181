"""Registers the cluster domain with Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ClusterConfig(AppConfig):
    name = "micelio.cluster"
    label = "cluster"

    def ready(self) -> None:
        from micelio.cluster.collation import by_code_point

        post_migrate.connect(by_code_point, sender=self, dispatch_uid="texts by code point")
