"""What is said of findings to whoever wanted to land them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from mic.core.errors import SecretFound
from mic.core.paths import display
from mic.core.scanning.finding import Finding
from mic.core.scanning.scanner import scan

# Bytes that findings may take in the trailing metadata of an answer, beside its message.
_DOCUMENT = 4_000


def secret_found(found: Sequence[tuple[bytes, Finding]]) -> SecretFound:
    """The error: how many, where the first is, and in its document as many as travel."""
    rows, size = [], 0
    for path, item in found:
        row = {
            "path": display(path),
            "line": item.line,
            "column": item.column,
            "rule": item.rule,
            "excerpt": item.excerpt,
            "fingerprint": item.fingerprint,
        }
        size += len(json.dumps(row).encode()) + 2
        if size > _DOCUMENT:
            break
        rows.append(row)
    path, first = found[0]
    where = display(path)
    where = where if len(where) <= 120 else f"…{where[-119:]}"
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return SecretFound(
        f"This session holds what looks like a secret, so nothing of it landed: {first.rule} in {where}, "
        f"line {first.line}{more}.",
        hint="Take it out, and revoke it if it was ever real. What is none can be allowed: `mic secrets allow`.",
        document={"findings": rows, "count": len(found)},
    )


def inspect_merged(path: bytes, merged: bytes, sides: Sequence[bytes]) -> None:
    """Raises SecretFound for a secret that stood in neither of the texts that were merged."""
    known = {item.fingerprint for side in sides for item in scan(side)}
    new = [(path, item) for item in scan(merged) if item.fingerprint not in known]
    if new:
        raise secret_found(new)
