"""The cache of the forge: rows of its database, found by a keyed hash and sealed.

Libraries leave in it what opens an account: codes of devices that wait for approval, codes of OAuth, what a passkey
is asked. As `DatabaseCache` keeps them, whoever reads a backup reads those too. The hash has a key because a code that
people type has too few signs for one without: all of them could be tried.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache

from mic.core.errors import Corrupt, Unavailable
from micelio.vault import keyring


def hashed(key: str, prefix: str, version: int) -> str:
    """The name of a row: HMAC-SHA256 of what the program calls it, in hexadecimal digits."""
    named = f"micelio cache {prefix}:{version}:{key}"
    return hmac.new(settings.SECRET_KEY.encode(), named.encode(), hashlib.sha256).hexdigest()


class SealedCache(DatabaseCache):
    """As Django's, with values that only `micelio.vault` opens, each in its own row; one that does not is not there."""

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        made = {key: self.make_key(key, version) for key in keys}
        found = super().get_many(list(made), version)
        opened = {key: _opened(sealed, made[key]) for key, sealed in found.items()}
        return {key: value for key, (there, value) in opened.items() if there}

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        # Not pickled, as Django does: what is read back must not be able to name code, whoever wrote it.
        text = json.dumps(value)
        kept: bool = super()._base_set(mode, key, keyring().seal(text, _purpose(key)), timeout)  # type: ignore[misc]
        return kept


def _opened(sealed: Any, key: str) -> tuple[bool, Any]:
    try:
        return True, json.loads(keyring().open(sealed, _purpose(key)))
    except (Corrupt, Unavailable, ValueError):  # of a key that was taken away: what waited there is asked for again
        return False, None


def _purpose(key: str) -> str:
    return f"cache {key}"
