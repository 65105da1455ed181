"""Registers the operators' domain with Django, and its blocks with the doors."""

from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    name = "micelio.operators"
    label = "operators"

    def ready(self) -> None:
        from micelio.limits import door
        from micelio.operators import blocks, purges

        door.on_ask(blocks.require_unblocked)
        door.on_deaf(blocks.block_deaf)
        assert purges.WRITTEN_OVER  # each process reads it again and again, and lets go of what was erased
