"""Sessions of browsers go under the hash of what the cookie says, and are encrypted. Whoever is signed in stays so."""

from __future__ import annotations

from typing import Any

from django.db import migrations

from micelio.accounts.browser_sessions import key_of, seal

# Django's names had 32 characters, ours have 40.
_OLD = 32


def _hash_and_seal(apps: Any, schema_editor: Any) -> None:
    sessions = apps.get_model("sessions", "Session").objects
    browsers = apps.get_model("usersessions", "UserSession").objects
    for key, data in list(sessions.values_list("session_key", "session_data")):
        if len(key) == _OLD:
            sessions.filter(session_key=key).update(session_key=key_of(key), session_data=seal(data))
    for number, key in list(browsers.values_list("pk", "session_key")):
        if len(key) == _OLD:
            browsers.filter(pk=number).update(session_key=key_of(key))


def _sign_out_all(apps: Any, schema_editor: Any) -> None:
    """An earlier version can neither find nor read them."""
    apps.get_model("sessions", "Session").objects.all().delete()
    apps.get_model("usersessions", "UserSession").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_handles_outlive_their_use"),
        ("sessions", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]

    operations = [migrations.RunPython(_hash_and_seal, _sign_out_all)]
