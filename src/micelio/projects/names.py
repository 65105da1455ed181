"""Which addresses are taken: by a project, by one that is deleted and can be restored, by one that was there before."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from mic.core.errors import AlreadyExists
from micelio.cluster.locks import alone
from micelio.projects.models import FormerAddress, Project

# A deleted project can be restored for so long.
UNDO = timedelta(days=7)


def require_free(organization_id: UUID, owner: str, handle: str, project_id: UUID | None = None) -> None:
    """Raises AlreadyExists when `owner/handle` is another project's, or leads to one.

    Nobody else gives or leaves an address of this organization before the transaction ends.
    """
    alone(f"project addresses of {organization_id}")
    taken = Project.everything.filter(owner=organization_id, handle=handle).first()
    if taken is not None and taken.id == project_id:
        return
    if taken is not None and taken.deleted_at is not None:
        raise AlreadyExists(
            f"{owner}/{handle} was deleted and can be restored until {taken.deleted_at + UNDO:%Y-%m-%d %H:%M} UTC.",
            hint=f"Restore it with `mic project restore {owner}/{handle}`, or choose another handle.",
        )
    if taken is not None:
        raise AlreadyExists(f"{owner} has a project {handle} already.", hint="Choose another handle.")
    former = FormerAddress.objects.filter(owner=organization_id, handle=handle).exclude(project=project_id)
    if former.exists():
        raise AlreadyExists(
            f"{owner}/{handle} was the address of another project, and still leads to it.",
            hint="Choose another handle.",
        )


def leave(project_id: UUID, owner_id: UUID, handle: str) -> None:
    """Let the address that a project has had lead to it from now on."""
    FormerAddress.objects.update_or_create(owner_id=owner_id, handle=handle, defaults={"project_id": project_id})


def arrive(project_id: UUID, owner_id: UUID, handle: str) -> None:
    """The project has this address now; when it was there before, the address leads nowhere else any more."""
    FormerAddress.objects.filter(project=project_id, owner=owner_id, handle=handle).delete()
