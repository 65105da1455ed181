"""What the forge found in a session that did not land: shown line by line, and kept for `mic secrets allow`."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from mic.core.errors import SecretFound
from mic.workspace.place import write_file
from mic.workspace.workspace import Workspace

_FINGERPRINT = re.compile(r"[0-9a-f]{32}")


def secret_error(ws: Workspace, error: SecretFound) -> SecretFound:
    """The error with each finding on a line of its own, as far as the forge told of them. They are kept, too."""
    document = error.details.get("document", {})
    found = told(document)
    if not found:
        return error
    write_file(ws.folder, b"secrets-found", json.dumps({"findings": found}).encode())
    return _listed("This session holds what looks like a secret, so nothing of it landed.", found, error)


def history_error(error: SecretFound) -> SecretFound:
    """The same for a history that was not imported; nothing is kept, for there is no workspace yet."""
    found = told(error.details.get("document", {}))
    words = "This history holds what looks like a secret, so nothing of it is visible."
    return _listed(words, found, error) if found else error


def _listed(words: str, found: list[dict[str, Any]], error: SecretFound) -> SecretFound:
    document = error.details.get("document", {})
    lines = [words]
    lines += [
        f"  {f['path']}:{f['line']}:{f['column']}: {f['rule']}, {f['excerpt']}, {f['fingerprint']}" for f in found
    ]
    left = document.get("count")
    if isinstance(left, int) and left > len(found):
        lines.append(f"  and {left - len(found):,} more")
    return SecretFound("\n".join(lines), hint=error.hint, document=document)


def told(document: object) -> list[dict[str, Any]]:
    """The findings of a document that are whole; a forge of another version may say more or less."""
    found = document.get("findings") if isinstance(document, dict) else None
    return [item for item in found if _is_finding(item)] if isinstance(found, list) else []


def last_found(ws: Workspace) -> list[dict[str, Any]]:
    """The findings of the last landing that was refused here; none when there are none."""
    try:
        with open(_path(ws), encoding="utf-8") as file:
            return told(json.loads(file.read(1 << 20)))
    except (FileNotFoundError, ValueError):
        return []


def place(item: dict[str, Any]) -> str:
    """`path:line:column` of a finding."""
    return f"{item['path']}:{item['line']}:{item['column']}"


def _is_finding(item: object) -> bool:
    return (
        isinstance(item, dict)
        and all(isinstance(item.get(name), str) for name in ("path", "rule", "excerpt", "fingerprint"))
        and all(isinstance(item.get(name), int) for name in ("line", "column"))
        and _FINGERPRINT.fullmatch(item["fingerprint"]) is not None
    )


def _path(ws: Workspace) -> str:
    return os.path.join(ws.root, ".mic", "secrets-found")
