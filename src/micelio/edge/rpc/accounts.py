"""AuthService and OrganizationService."""

from __future__ import annotations

from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc
from micelio import __version__
from micelio.accounts.actor import Actor, require_signed_in
from micelio.edge.rpc.guard import call, page_size
from micelio.organizations import actions, queries
from micelio.organizations.queries import Member, OrganizationView


class Auth(mic_pb2_grpc.AuthServiceServicer):
    """Who the token stands for."""

    @call
    def GetCurrentUser(self, actor: Actor, request: pb.GetCurrentUserRequest) -> pb.UserResponse:
        user_id = require_signed_in(actor)
        user = pb.User(
            id=str(user_id), handle=actor.handle, name=actor.name, email=actor.email, is_admin=actor.is_admin
        )
        return pb.UserResponse(user=user, forge_version=__version__)


class Organizations(mic_pb2_grpc.OrganizationServiceServicer):
    """Organizations and their members."""

    @call
    def CreateOrganization(self, actor: Actor, request: pb.CreateOrganizationRequest) -> pb.OrganizationResponse:
        made = actions.create_organization(actor, request.handle, request.name, request.description)
        return pb.OrganizationResponse(organization=_organization(made))

    @call
    def GetOrganization(self, actor: Actor, request: pb.GetOrganizationRequest) -> pb.OrganizationResponse:
        return pb.OrganizationResponse(organization=_organization(queries.get_organization(actor, request.handle)))

    @call
    def ListOrganizations(self, actor: Actor, request: pb.ListOrganizationsRequest) -> pb.ListOrganizationsResponse:
        require_signed_in(actor)
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        found = queries.list_organizations(actor, request.page_token, size)
        token = found[-1].handle if len(found) == size else ""
        return pb.ListOrganizationsResponse(organizations=map(_organization, found), next_page_token=token)

    @call
    def InviteMember(self, actor: Actor, request: pb.InviteMemberRequest) -> pb.InviteResponse:
        member = actions.invite_member(actor, request.organization, request.handle, request.role or "member")
        return pb.InviteResponse(member=_member(member))

    @call
    def RemoveMember(self, actor: Actor, request: pb.RemoveMemberRequest) -> pb.RemoveMemberResponse:
        actions.remove_member(actor, request.organization, request.handle)
        return pb.RemoveMemberResponse()

    @call
    def ListMembers(self, actor: Actor, request: pb.ListMembersRequest) -> pb.ListMembersResponse:
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        found = queries.list_members(actor, request.organization, request.page_token, size)
        token = found[-1].handle if len(found) == size else ""
        return pb.ListMembersResponse(members=map(_member, found), next_page_token=token)


def _organization(view: OrganizationView) -> pb.Organization:
    return pb.Organization(
        id=str(view.id),
        handle=view.handle,
        name=view.name,
        description=view.description,
        role=view.role or "",
        created_at_ms=int(view.created_at.timestamp() * 1000),
    )


def _member(member: Member) -> pb.Member:
    return pb.Member(handle=member.handle, name=member.name, role=member.role)
