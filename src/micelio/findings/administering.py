"""Findings, for those who run the forge."""

from __future__ import annotations

from uuid import UUID

from mic.core.errors import NotFound
from micelio.findings.models import SecretFinding


def place_of(project_id: UUID, number: int) -> tuple[bytes, int]:
    """(path, position) of a finding of a project; the path is b"" for words. Raises NotFound."""
    found = SecretFinding.objects.filter(project_id=project_id, id=number).values_list("path", "position").first()
    if found is None:
        raise NotFound(f"The project has no finding {number}.", hint="Its page of secrets lists them.")
    return bytes(found[0]), found[1]
