"""Makes accounts in the database of a running forge: `python -m tests.bench.accounts.people 1000`."""

from __future__ import annotations

import os
import sys

PASSWORD = "a quiet long phrase"


def make_people(count: int) -> None:
    """`crowd-0` and so on, with one password, hashed once as the forge hashes."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "micelio.django_settings"
    import django

    django.setup()
    from django.contrib.auth.hashers import make_password

    from micelio.accounts.models import HandleClaim, User

    hashed = make_password(PASSWORD)
    handles = [f"crowd-{number}" for number in range(count)]
    HandleClaim.objects.bulk_create(HandleClaim(handle=handle, kind="user") for handle in handles)
    User.objects.bulk_create(User(handle=handle, password=hashed) for handle in handles)


if __name__ == "__main__":
    make_people(int(sys.argv[1]))
