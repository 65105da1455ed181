"""AuthService and OrganizationService."""

from __future__ import annotations

from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc
from micelio import __version__
from micelio.accounts.actor import Actor, require_signed_in
from micelio.config import current
from micelio.edge.rpc import convert
from micelio.edge.rpc.guard import call, page_of, page_size
from micelio.networks import Entry
from micelio.organizations import actions, invitations, networks, queries, second_factor
from micelio.organizations.invitations import LINK_PATH, InvitationView
from micelio.organizations.networks import NetworksView
from micelio.organizations.queries import OrganizationView
from micelio.organizations.second_factor import Standing


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
    def UpdateOrganization(self, actor: Actor, request: pb.UpdateOrganizationRequest) -> pb.OrganizationResponse:
        wanted = {name: getattr(request, name) for name in ("name", "description") if request.HasField(name)}
        made = actions.update_organization(actor, request.organization, **wanted)
        return pb.OrganizationResponse(organization=_organization(made))

    @call
    def RenameOrganization(self, actor: Actor, request: pb.RenameOrganizationRequest) -> pb.OrganizationResponse:
        made = actions.rename_organization(actor, request.organization, request.handle)
        return pb.OrganizationResponse(organization=_organization(made))

    @call
    def TransferOrganization(self, actor: Actor, request: pb.TransferOrganizationRequest) -> pb.OrganizationResponse:
        made = actions.transfer_organization(actor, request.organization, request.handle)
        return pb.OrganizationResponse(organization=_organization(made))

    @call
    def DeleteOrganization(self, actor: Actor, request: pb.DeleteOrganizationRequest) -> pb.DeleteOrganizationResponse:
        actions.delete_organization(actor, request.organization, request.confirm)
        return pb.DeleteOrganizationResponse()

    @call
    def InviteMember(self, actor: Actor, request: pb.InviteMemberRequest) -> pb.InviteResponse:
        made = invitations.invite(actor, request.organization, request.handle, request.role or "member")
        link = f"{current().base_url}{LINK_PATH}{made.token}" if made.token else ""
        return pb.InviteResponse(invitation=_invitation(made.invitation), link=link)

    @call
    def ListInvitations(self, actor: Actor, request: pb.ListInvitationsRequest) -> pb.ListInvitationsResponse:
        size = page_size(request.page_size, most=invitations.MAX_PAGE)
        found = invitations.list_invitations(actor, request.organization, request.page_token, size)
        token = str(found[-1].id) if len(found) == size else ""
        return pb.ListInvitationsResponse(invitations=map(_invitation, found), next_page_token=token)

    @call
    def RevokeInvitation(self, actor: Actor, request: pb.RevokeInvitationRequest) -> pb.RevokeInvitationResponse:
        invitations.revoke_invitation(actor, request.organization, request.id)
        return pb.RevokeInvitationResponse()

    @call
    def ListOwnInvitations(self, actor: Actor, request: pb.ListOwnInvitationsRequest) -> pb.ListInvitationsResponse:
        found, more = page_of(invitations.own_invitations(actor), request, lambda view: str(view.id))
        return pb.ListInvitationsResponse(invitations=map(_invitation, found), next_page_token=more)

    @call
    def GetInvitation(self, actor: Actor, request: pb.GetInvitationRequest) -> pb.InvitationResponse:
        return pb.InvitationResponse(invitation=_invitation(invitations.invitation_of_link(actor, request.token)))

    @call
    def AcceptInvitation(self, actor: Actor, request: pb.AnswerInvitationRequest) -> pb.OrganizationResponse:
        joined = invitations.accept_invitation(actor, organization=request.organization, token=request.token)
        return pb.OrganizationResponse(organization=_organization(joined))

    @call
    def DeclineInvitation(self, actor: Actor, request: pb.AnswerInvitationRequest) -> pb.DeclineInvitationResponse:
        invitations.decline_invitation(actor, organization=request.organization, token=request.token)
        return pb.DeclineInvitationResponse()

    @call
    def SetMemberRole(self, actor: Actor, request: pb.SetMemberRoleRequest) -> pb.MemberResponse:
        return pb.MemberResponse(
            member=convert.member(actions.set_role(actor, request.organization, request.handle, request.role))
        )

    @call
    def RemoveMember(self, actor: Actor, request: pb.RemoveMemberRequest) -> pb.RemoveMemberResponse:
        actions.remove_member(actor, request.organization, request.handle)
        return pb.RemoveMemberResponse()

    @call
    def ListMembers(self, actor: Actor, request: pb.ListMembersRequest) -> pb.ListMembersResponse:
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        found = queries.list_members(actor, request.organization, request.page_token, size)
        token = found[-1].handle if len(found) == size else ""
        return pb.ListMembersResponse(members=map(convert.member, found), next_page_token=token)

    @call
    def GetNetworks(self, actor: Actor, request: pb.GetNetworksRequest) -> pb.NetworksResponse:
        return _networks(networks.get_networks(actor, request.organization))

    @call
    def SetNetworks(self, actor: Actor, request: pb.SetNetworksRequest) -> pb.NetworksResponse:
        entries = [Entry(item.network, item.note) for item in request.networks]
        tokens_pass, leave = request.tokens_pass, request.leave
        found = networks.set_networks(actor, request.organization, entries, tokens_pass=tokens_pass, leave=leave)
        return _networks(found)

    @call
    def ChangeNetworks(self, actor: Actor, request: pb.ChangeNetworksRequest) -> pb.NetworksResponse:
        found = networks.change_networks(
            actor,
            request.organization,
            add=[Entry(item.network, item.note) for item in request.add],
            remove=request.remove,
            tokens_pass=request.tokens_pass if request.HasField("tokens_pass") else None,
            leave=request.leave,
        )
        return _networks(found)

    @call
    def GetSecondFactor(self, actor: Actor, request: pb.GetSecondFactorRequest) -> pb.SecondFactorResponse:
        return _standing(second_factor.second_factor_standing(actor, request.organization))

    @call
    def SetSecondFactor(self, actor: Actor, request: pb.SetSecondFactorRequest) -> pb.SecondFactorResponse:
        return _standing(second_factor.ask_second_factor(actor, request.organization, request.asks))


def _invitation(view: InvitationView) -> pb.Invitation:
    return pb.Invitation(
        id=str(view.id),
        organization=view.organization,
        organization_name=view.organization_name,
        handle=view.handle,
        email=view.email,
        role=view.role,
        invited_by=view.invited_by,
        created_at_ms=int(view.created_at.timestamp() * 1000),
        expires_at_ms=int(view.expires_at.timestamp() * 1000),
    )


def _networks(found: NetworksView) -> pb.NetworksResponse:
    listed = [pb.Network(network=entry.network, note=entry.note) for entry in found.entries]
    return pb.NetworksResponse(networks=listed, tokens_pass=found.tokens_pass, address=found.address)


def _standing(found: Standing) -> pb.SecondFactorResponse:
    return pb.SecondFactorResponse(asks=found.asks, lacking=found.lacking, lacking_in_all=found.lacking_in_all)


def _organization(view: OrganizationView) -> pb.Organization:
    return pb.Organization(
        id=str(view.id),
        handle=view.handle,
        name=view.name,
        description=view.description,
        role=view.role or "",
        created_at_ms=int(view.created_at.timestamp() * 1000),
    )
