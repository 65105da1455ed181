"""Forges of one database need the same keys: what one signs, such as the cookie of a browser, another must believe."""

from __future__ import annotations

import hashlib

from django.db import transaction

from mic.core.errors import MicError
from micelio.cluster.models import KeyMark
from micelio.config import Settings


class OtherKeys(MicError):
    """This forge's keys are not those of the others at its database."""

    code = "other_keys"


def agree(settings: Settings, *, alone: bool) -> None:
    """Raises OtherKeys when another forge that is at work has other keys; one that is alone may bring new ones.

    Of the keys that encrypt, the one of the others must be among this forge's, so that keys can be changed one forge
    after the other.
    """
    kept = {
        "secret_key": [settings.secret_key().encode()],
        "oidc.pem": [settings.signing_key().encode()],
        "encryption_key": list(settings.encryption_keys()),
    }
    with transaction.atomic():
        known = {row.name: row.mark for row in KeyMark.objects.all()}
        for name, keys in kept.items():
            marks = [_mark(name, key) for key in keys]
            if alone or name not in known:
                KeyMark.objects.update_or_create(name=name, defaults={"mark": marks[0]})
            elif known[name] not in marks:
                raise OtherKeys(
                    f"The key {name} of this forge is not the one of the others at its database.",
                    hint=f"Copy the folder keys/ of the first forge to {settings.keys_dir}, or name it in "
                    "MICELIO_KEYS_DIR; keys in settings must be the same everywhere.",
                )


def _mark(name: str, key: bytes) -> str:
    """What tells keys apart and tells nothing of them."""
    return hashlib.sha256(f"micelio {name}\0".encode() + key).hexdigest()
