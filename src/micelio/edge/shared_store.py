"""Do this forge's database and its store belong together? Forges of one database must have one store."""

from __future__ import annotations

from itertools import islice

from micelio.config import Settings
from micelio.edge.instance import Unusable
from micelio.projects import registry
from micelio.projects.queries import all_project_ids


def check_store(settings: Settings) -> None:
    """Raises Unusable when the database knows projects and the store holds none: it is not the others' store."""
    if all_project_ids() and not any(islice(registry.entries(), 1)):
        place = settings.s3.address if settings.s3 is not None else str(settings.store_dir)
        raise Unusable(
            f"The database knows projects, and the store at {place} holds none.",
            hint="Set the store as the other forges have it, or restore it from a backup.",
        )
