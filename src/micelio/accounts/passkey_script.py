"""The script of passkeys, which a browser offers to scripts only. Pages without it have keys on differences at most."""

from __future__ import annotations

from django.views.decorators.http import require_safe

from micelio.served_script import ServedScript

_SCRIPT = ServedScript("micelio.accounts", "passkeys.js", "passkeys")
script_address = _SCRIPT.address
serve = require_safe(_SCRIPT.serve)
