"""What naming a branch must not do."""

from __future__ import annotations

import pytest

from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Refused, World, landed, landing


def _on(project: pb.ProjectRef, branch: str) -> pb.ProjectRef:
    return pb.ProjectRef(organization=project.organization, handle=project.handle, branch=branch)


def test_naming_another_branch_does_not_get_round_protection(world: World) -> None:
    """The prototype asked the name on the landing and moved the protected line all the same."""
    project = world.project()
    world.rita("SessionService.LandSession", landing(project, {b"a.txt": b"a\n"}))
    world.rita("ProjectService.CreateBranch", pb.CreateBranchRequest(project=project, name="free"))
    world.rita("ProjectService.CreateBranch", pb.CreateBranchRequest(project=project, name="release/1"))
    rules = [pb.LineRule(lines="main", who=["role:admin"]), pb.LineRule(lines="release/*", who=["role:admin"])]
    world.rita(
        "ProjectService.ProtectProject",
        pb.ProtectProjectRequest(project=project, protection=pb.Protection(lines=rules)),
    )
    for branch in ("", "main", "release/1"):
        with pytest.raises(Refused) as refused:
            world.max("SessionService.LandSession", landing(_on(project, branch), {b"b.txt": b"b\n"}))
        assert refused.value.code == "protected", branch
        for name in ("release/2",):
            with pytest.raises(Refused) as refused:
                world.max(
                    "ProjectService.CreateBranch", pb.CreateBranchRequest(project=_on(project, branch), name=name)
                )
            assert refused.value.code == "protected"
    with pytest.raises(Refused) as refused:
        world.max("ProjectService.DeleteBranch", pb.DeleteBranchRequest(project=project, name="release/1"))
    assert refused.value.code == "protected"
    made = world.max("SessionService.LandSession", landing(_on(project, "free"), {b"b.txt": b"b\n"}))
    assert made.position == 2
    assert landed(world, project) == 1
    assert landed(world, _on(project, "release/1")) == 1


@pytest.mark.parametrize(
    "branch", ["../x", "refs/heads/main", "Main", "main ", "MAIN", "free/", "\u202emain", "x" * 5000]
)
def test_a_name_that_is_no_branch_is_never_main(world: World, branch: str) -> None:
    """Whatever is not exactly the name of a line is not found; nothing lands anywhere."""
    project = world.project()
    for ask in (
        ("SessionService.LandSession", landing(_on(project, branch), {b"b.txt": b"b\n"})),
        ("ProjectService.GetProject", pb.GetProjectRequest(project=_on(project, branch))),
    ):
        with pytest.raises(Refused) as refused:
            world.max(*ask)
        assert refused.value.code == "not_found"
    assert landed(world, project) == 0


def test_branches_of_a_private_project_are_hidden_as_it_is(world: World) -> None:
    """A stranger is told the same of a branch that is there, one that is not, and of no project at all."""
    project = world.project(visibility="private")
    world.max("ProjectService.CreateBranch", pb.CreateBranchRequest(project=project, name="secret"))
    told = set()
    for branch in ("", "secret", "absent"):
        with pytest.raises(Refused) as refused:
            world.stan("ProjectService.GetProject", pb.GetProjectRequest(project=_on(project, branch)))
        told.add((refused.value.code, refused.value.message))
    assert len(told) == 1
