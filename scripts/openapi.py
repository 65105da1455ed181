"""Writes docs/agents/openapi.json, or with --check fails when it is not what the routes say of themselves.

Writing refuses what would break whoever was written for the committed one; `--break` says that this is meant.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

COMMITTED = Path(__file__).parents[1] / "docs/agents/openapi.json"


def main(arguments: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "micelio.django_settings")
    import django

    django.setup()
    from micelio.api.compatible import breaks
    from micelio.api.description import encoded

    made = encoded()
    committed = COMMITTED.read_bytes() if COMMITTED.exists() else b""
    if made == committed:
        return 0
    broken = breaks(json.loads(committed), json.loads(made)) if committed else []
    if "--check" in arguments:
        print(f"{COMMITTED.name} is not what the routes say of themselves; run `make openapi`.", file=sys.stderr)
    elif not broken or "--break" in arguments:
        COMMITTED.write_bytes(made)
        return 0
    for line in broken:
        print(f"breaks clients: {line}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
