"""An archive of another forge in the store of a running forge, as a run would have left it."""

from __future__ import annotations

from uuid import UUID

from mic.rpc.v1 import mic_pb2 as pb
from mic.store import DirectoryStore
from micelio.archives.kept import KeptArchive
from micelio.archives.manifest import VERSION, Manifest
from micelio.archives.records import Author, Issue
from rpc_world import World

SOURCE = "https://github.com/acme/tool"


def keep_archive(world: World, project: pb.ProjectRef) -> None:
    """One issue, fetched on 2026-11-01; nothing happens when there is an archive already."""
    found = world.rita("ProjectService.GetProject", pb.GetProjectRequest(project=project)).project
    kept = KeptArchive(UUID(found.id), DirectoryStore(world.forge.data_dir / "store"))
    if kept.load()[0] is None:
        part = kept.add([Issue(id="101", number=1, title="It breaks", state="open", author=Author("11", "ada"))])
        kept.save(
            Manifest(
                VERSION, "github", SOURCE, fetched_at=1_793_491_200_000, since="2026-10-31T23:58:00Z", parts=(part,),
                counts={"issue": 1},
            ),
            "",
        )  # fmt: skip
