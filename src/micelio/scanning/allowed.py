"""`.micelio/secrets.toml`: findings that a project lets land, each with its reason and who said so.

[[allow]]
fingerprint = "0123456789abcdef0123456789abcdef"
path = "tests/data/key.pem"
reason = "A key made for this test; nothing trusts it."
by = "ana"
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, NamedTuple

from mic.core.errors import InvalidInput
from mic.core.paths import display

PATH = b".micelio/secrets.toml"
MAX_BYTES = 1 << 20
_FIELDS = frozenset({"fingerprint", "path", "reason", "by"})
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_HINT = "Each [[allow]] has a fingerprint, a path, a reason and by, as `mic secrets allow` writes them."


class Allowed(NamedTuple):
    """One finding that may land: a secret, named by its fingerprint, in one file. `by` is a handle."""

    fingerprint: str
    path: str
    reason: str
    by: str


def parse_allowed(data: bytes) -> list[Allowed]:
    """The entries of the file; raises InvalidInput."""
    name = display(PATH)
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"{name} has {len(data)} bytes; the limit is {MAX_BYTES}.")
    try:
        document = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInput(f"{name} is not TOML: {error}.", hint=_HINT) from error
    entries = document.pop("allow", [])
    if document or not isinstance(entries, list):
        raise InvalidInput(f"{name} may hold [[allow]] and nothing else.", hint=_HINT)
    return [_entry(name, number, entry) for number, entry in enumerate(entries, 1)]


def _entry(name: str, number: int, entry: Any) -> Allowed:
    if not isinstance(entry, dict) or set(entry) != _FIELDS or not all(isinstance(v, str) for v in entry.values()):
        raise InvalidInput(f"Entry {number} of {name} is not complete, or holds what it may not.", hint=_HINT)
    made = Allowed(**entry)
    if not _FINGERPRINT.fullmatch(made.fingerprint):
        raise InvalidInput(f"The fingerprint of entry {number} of {name} has not 32 hexadecimal digits.", hint=_HINT)
    if not made.reason.strip() or not made.path:
        raise InvalidInput(f"Entry {number} of {name} needs a reason and a path.", hint=_HINT)
    return made
