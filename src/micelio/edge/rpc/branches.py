"""Branches of a project, as a part of ProjectService."""

from __future__ import annotations

from mic.rpc.v1 import mic_pb2 as pb
from micelio.accounts.actor import Actor
from micelio.edge.rpc import convert
from micelio.edge.rpc.guard import bounded, call, page_size
from micelio.projects.branches import MAX_PAGE
from micelio.sessions import branches
from micelio.sessions.branches import Standing


class Branches:
    """List, begin, delete."""

    @call
    def ListBranches(self, actor: Actor, request: pb.ListBranchesRequest) -> pb.ListBranchesResponse:
        project = convert.find_project(actor, request.project)
        size = page_size(request.page_size, most=MAX_PAGE)
        found = branches.list_branches(actor, project, request.page_token, size)
        token = found[-1].branch.name if len(found) == size else ""
        return pb.ListBranchesResponse(branches=map(_message, found), next_page_token=token)

    @call
    def CreateBranch(self, actor: Actor, request: pb.CreateBranchRequest) -> pb.BranchResponse:
        project = convert.find_project(actor, request.project)
        at = bounded(request.position) if request.HasField("position") else None
        return pb.BranchResponse(
            branch=_message(Standing(branches.create_branch(actor, project, request.name, at), None))
        )

    @call
    def DeleteBranch(self, actor: Actor, request: pb.DeleteBranchRequest) -> pb.DeleteBranchResponse:
        project = convert.find_project(actor, request.project)
        return pb.DeleteBranchResponse(kept_until_ms=convert.ms(branches.delete_branch(actor, project, request.name)))


def _message(found: Standing) -> pb.Branch:
    branch = found.branch
    message = pb.Branch(
        name=branch.name,
        origin=branch.origin,
        position=branch.position,
        head_position=found.head,
        begun_by=branch.begun_by,
        begun_at_ms=convert.ms(branch.begun_at),
    )
    if found.last is not None:
        message.last.CopyFrom(convert.row_message(found.last))
    return message
