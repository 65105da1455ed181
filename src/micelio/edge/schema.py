"""Is the database's schema the one of this program? Cheap when it is, migrated when it is not."""

from __future__ import annotations

import pkgutil
from importlib.util import find_spec

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from micelio.edge.instance import Unusable


def ensure() -> bool:
    """Bring the database to this program's schema. Returns whether anything had to be done.

    Raises Unusable when the database is ahead of this program. One process does this at a time; see `begun`.
    Reads one table and lists folders: importing every migration to find that none is due costs half a second.
    """
    wanted, applied = _wanted(), _applied()
    newer = applied - wanted
    if newer:
        app, name = min(newer)
        raise Unusable(
            f"The database was made by a newer Micelio: it knows {app}.{name}.", hint="Start the newer version again."
        )
    if wanted == applied:
        return False
    # First, so that a start which is killed between the two is finished by the next one.
    call_command("createcachetable", verbosity=0)
    call_command("migrate", interactive=False, verbosity=0)
    return True


def models_match() -> bool:
    """The committed migrations describe the models; writes nothing."""
    loader = MigrationLoader(None)
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(loader.graph)
    return not changes


def _wanted() -> set[tuple[str, str]]:
    names: set[tuple[str, str]] = set()
    for app in apps.get_app_configs():
        spec = find_spec(f"{app.name}.migrations")
        if spec is not None and spec.submodule_search_locations:
            found = pkgutil.iter_modules(spec.submodule_search_locations)
            names |= {(app.label, module.name) for module in found if module.name[0] not in "_~"}
    return names


def _applied() -> set[tuple[str, str]]:
    # Asked for, not tried: a database that fails is not an empty one.
    if "django_migrations" not in connection.introspection.table_names():
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return {(app, name) for app, name in cursor.fetchall()}
