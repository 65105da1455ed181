"""The cache held codes of devices as they were sent. From now on it is sealed; what is there in clear goes.

Whoever is signing in at this moment asks for another code.
"""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def _forget(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    connection = editor.connection
    if "micelio_cache" in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM micelio_cache")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_sessions_by_hash")]

    operations = [migrations.RunPython(_forget, migrations.RunPython.noop)]
