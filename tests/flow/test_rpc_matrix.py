"""Every call of the typed surface, against everybody who should not get through. A new call without an entry fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import METHODS, Caller, Refused, World, frame, history, landing, pushing, session_id

Make = Callable[[pb.ProjectRef], Any]
HASH = bytes(range(32))
NO_TOKEN = "00000000-0000-4000-8000-000000000000"
ELSEWHERE = "https://github.invalid/acme/tool"


def _listed(organization: str) -> pb.ListMembersRequest:
    return pb.ListMembersRequest(organization=organization)


# What each call is sent, given a project: always well-formed, so that only the actor decides.
REQUESTS: dict[str, Make] = {
    "AuthService.GetCurrentUser": lambda p: pb.GetCurrentUserRequest(),
    "AccountService.CreateToken": lambda p: pb.CreateTokenRequest(name="t", scopes=["project:read"]),
    "AccountService.CreateSessionToken": lambda p: pb.CreateSessionTokenRequest(project=p, session_id=session_id()),
    "AccountService.RenewSessionToken": lambda p: pb.RenewSessionTokenRequest(id=NO_TOKEN),
    "AccountService.ListTokens": lambda p: pb.ListTokensRequest(),
    "AccountService.RevokeToken": lambda p: pb.RevokeTokenRequest(id=NO_TOKEN),
    "AccountService.StartExport": lambda p: pb.StartExportRequest(kind="json", project=p),
    "AccountService.GetExport": lambda p: pb.ExportRequest(id=NO_TOKEN),
    "AccountService.ListExports": lambda p: pb.ListExportsRequest(),
    "AccountService.CancelExport": lambda p: pb.ExportRequest(id=NO_TOKEN),
    "AccountService.DownloadExport": lambda p: pb.DownloadExportRequest(id=NO_TOKEN),
    "ProjectService.ImportArchive": lambda p: [
        pb.ImportArchiveRequest(project=pb.ProjectRef(organization=p.organization, handle="never-came"))
    ],
    "OrganizationService.CreateOrganization": lambda p: pb.CreateOrganizationRequest(handle="never-made"),
    "OrganizationService.GetOrganization": lambda p: pb.GetOrganizationRequest(handle=p.organization),
    "OrganizationService.ListOrganizations": lambda p: pb.ListOrganizationsRequest(),
    "OrganizationService.UpdateOrganization": lambda p: pb.UpdateOrganizationRequest(
        organization=p.organization, name="Mine"
    ),
    "OrganizationService.RenameOrganization": lambda p: pb.RenameOrganizationRequest(
        organization=p.organization, handle="never-renamed"
    ),
    "OrganizationService.TransferOrganization": lambda p: pb.TransferOrganizationRequest(
        organization=p.organization, handle="max"
    ),
    "OrganizationService.DeleteOrganization": lambda p: pb.DeleteOrganizationRequest(
        organization=p.organization, confirm=p.organization
    ),
    "OrganizationService.ListInvitations": lambda p: pb.ListInvitationsRequest(organization=p.organization),
    "OrganizationService.RevokeInvitation": lambda p: pb.RevokeInvitationRequest(
        organization=p.organization, id=NO_TOKEN
    ),
    "OrganizationService.ListOwnInvitations": lambda p: pb.ListOwnInvitationsRequest(),
    "OrganizationService.GetInvitation": lambda p: pb.GetInvitationRequest(token="none"),
    "OrganizationService.AcceptInvitation": lambda p: pb.AnswerInvitationRequest(organization=p.organization),
    "OrganizationService.DeclineInvitation": lambda p: pb.AnswerInvitationRequest(token="none"),
    "OrganizationService.SetMemberRole": lambda p: pb.SetMemberRoleRequest(
        organization=p.organization, handle="max", role="reader"
    ),
    "OrganizationService.InviteMember": lambda p: pb.InviteMemberRequest(organization=p.organization, handle="stan"),
    "OrganizationService.RemoveMember": lambda p: pb.RemoveMemberRequest(organization=p.organization, handle="max"),
    "OrganizationService.ListMembers": lambda p: _listed(p.organization),
    "OrganizationService.GetNetworks": lambda p: pb.GetNetworksRequest(organization=p.organization),
    "OrganizationService.SetNetworks": lambda p: pb.SetNetworksRequest(organization=p.organization),
    "OrganizationService.ChangeNetworks": lambda p: pb.ChangeNetworksRequest(organization=p.organization),
    "OrganizationService.GetSecondFactor": lambda p: pb.GetSecondFactorRequest(organization=p.organization),
    "OrganizationService.SetSecondFactor": lambda p: pb.SetSecondFactorRequest(organization=p.organization),
    "ProjectService.CreateProject": lambda p: pb.CreateProjectRequest(organization=p.organization, handle="never"),
    "ProjectService.UpdateProject": lambda p: pb.UpdateProjectRequest(project=p, name="Renamed", visibility="public"),
    "ProjectService.DeleteProject": lambda p: pb.DeleteProjectRequest(project=p),
    "ProjectService.RenameProject": lambda p: pb.RenameProjectRequest(project=p, handle="never-renamed"),
    "ProjectService.TransferProject": lambda p: pb.TransferProjectRequest(project=p, organization=p.organization),
    "ProjectService.ArchiveProject": lambda p: pb.ArchiveProjectRequest(project=p),
    "ProjectService.RestoreProject": lambda p: pb.RestoreProjectRequest(project=p),
    "ProjectService.ListDeletedProjects": lambda p: pb.ListDeletedProjectsRequest(organization=p.organization),
    "ProjectService.ProtectProject": lambda p: pb.ProtectProjectRequest(
        project=p, protection=pb.Protection(paths=["/infra/"])
    ),
    "ProjectService.GetProtection": lambda p: pb.GetProtectionRequest(project=p),
    "ProjectService.ExplainOwners": lambda p: pb.ExplainOwnersRequest(project=p, head=True, path=b"a"),
    "ProjectService.StarProject": lambda p: pb.StarProjectRequest(project=p),
    "ProjectService.UnstarProject": lambda p: pb.StarProjectRequest(project=p),
    "ProjectService.ListStars": lambda p: pb.ListStarsRequest(),
    "ProjectService.ExploreProjects": lambda p: pb.ExploreProjectsRequest(),
    "ProjectService.Search": lambda p: pb.SearchRequest(query="open", kind="projects"),
    "ProjectService.ListProjectMembers": lambda p: pb.ListProjectMembersRequest(project=p),
    "ProjectService.SetProjectMember": lambda p: pb.SetProjectMemberRequest(project=p, handle="stan", role="member"),
    "ProjectService.RemoveProjectMember": lambda p: pb.RemoveProjectMemberRequest(project=p, handle="rita"),
    "ProjectService.ListBranches": lambda p: pb.ListBranchesRequest(project=p),
    "ProjectService.CreateBranch": lambda p: pb.CreateBranchRequest(project=p, name="never"),
    "ProjectService.DeleteBranch": lambda p: pb.DeleteBranchRequest(project=p, name="never"),
    "ProjectService.GetProject": lambda p: pb.GetProjectRequest(project=p),
    "ProjectService.ListProjects": lambda p: pb.ListProjectsRequest(organization=p.organization),
    "ProjectService.GetProjectTree": lambda p: pb.GetProjectTreeRequest(project=p, head=True),
    "ProjectService.StreamBlobs": lambda p: pb.StreamBlobsRequest(project=p, hashes=HASH),
    "ProjectService.FindMissingBlobs": lambda p: pb.FindMissingBlobsRequest(project=p, hashes=HASH),
    "ProjectService.UploadBlobs": lambda p: [pb.UploadBlobsRequest(project=p, frames=[frame(b"uploaded")])],
    "ProjectService.ImportHistory": lambda p: list(history(p, 1)),
    "ProjectService.StartImport": lambda p: pb.StartImportRequest(project=p, url=ELSEWHERE),
    "ProjectService.SendImport": lambda p: [pb.SendImportRequest(project=p, id=NO_TOKEN, data=b"PACK")],
    "ProjectService.GetImport": lambda p: pb.GetImportRequest(project=p),
    "ProjectService.CancelImport": lambda p: pb.GetImportRequest(project=p, id=NO_TOKEN),
    "ProjectService.GetImportTips": lambda p: pb.GetImportTipsRequest(project=p),
    "ProjectService.StartForgeArchive": lambda p: pb.StartForgeArchiveRequest(project=p, url=ELSEWHERE),
    "ProjectService.CancelForgeArchive": lambda p: pb.ForgeArchiveRequest(project=p),
    "ProjectService.GetForgeArchive": lambda p: pb.ForgeArchiveRequest(project=p),
    "ProjectService.ExportForgeArchive": lambda p: pb.ForgeArchiveRequest(project=p),
    "SessionService.StartSession": lambda p: pb.StartSessionRequest(project=p, session_id=session_id(), goal="Try"),
    "SessionService.LandSession": lambda p: landing(p, {b"new.txt": b"new\n"}),
    "SessionService.PushSession": lambda p: pushing(p, {b"new.txt": b"new\n"}),
    "SessionService.AwaitLanding": lambda p: pb.AwaitLandingRequest(project=p, session_id=session_id()),
    "SessionService.AbandonSession": lambda p: pb.AbandonSessionRequest(project=p, session_id=session_id()),
    "SessionService.GetSession": lambda p: pb.GetSessionRequest(project=p, position=1),
    "SessionService.ListSessions": lambda p: pb.ListSessionsRequest(project=p),
    "SessionService.ListLandings": lambda p: pb.ListLandingsRequest(project=p),
    "SessionService.BlameFile": lambda p: pb.BlameFileRequest(project=p, path=b"readme.txt"),
}
OF_A_PROJECT = sorted(name for name in REQUESTS if name.split(".")[0] != "OrganizationService" and name not in {
    "AuthService.GetCurrentUser", "ProjectService.CreateProject", "ProjectService.ListProjects",
    "AccountService.CreateToken", "AccountService.ListTokens",
    "AccountService.RenewSessionToken", "AccountService.RevokeToken", "ProjectService.ListDeletedProjects",
    "ProjectService.ListStars", "ProjectService.ExploreProjects", "ProjectService.Search", "AccountService.GetExport",
    "AccountService.ListExports",
    "AccountService.CancelExport", "AccountService.DownloadExport", "ProjectService.ImportArchive",
})  # fmt: skip
FOR_ADMINS = {
    "ProjectService.UpdateProject",
    "ProjectService.DeleteProject",
    "ProjectService.RenameProject",
    "ProjectService.TransferProject",
    "ProjectService.ArchiveProject",
    "ProjectService.ProtectProject",
    "ProjectService.SetProjectMember",
    "ProjectService.RemoveProjectMember",
}
WRITES = FOR_ADMINS | {
    "AccountService.CreateSessionToken",
    "ProjectService.CreateBranch",
    "ProjectService.DeleteBranch",
    "ProjectService.UploadBlobs",
    "ProjectService.ImportHistory",
    "ProjectService.StartImport",
    "ProjectService.SendImport",
    "ProjectService.GetImport",
    "ProjectService.CancelImport",
    "ProjectService.GetImportTips",
    "ProjectService.StartForgeArchive",
    "ProjectService.CancelForgeArchive",
    "SessionService.StartSession",
    "SessionService.LandSession",
    "SessionService.PushSession",
    "SessionService.AbandonSession",
}
# A visitor who could never do it is told to sign in, whatever the project.
NEEDS_AN_ACCOUNT = {
    "AccountService.CreateSessionToken",
    "ProjectService.UploadBlobs",
    "ProjectService.ImportHistory",
    "ProjectService.SendImport",
}
# What an outsider is told about an organization; its name is public.
OUTSIDER = {
    "AccountService.CreateToken": ("unauthenticated", None),
    "AccountService.ListTokens": ("unauthenticated", None),
    "AccountService.RenewSessionToken": ("unauthenticated", "not_found"),
    "AccountService.RevokeToken": ("unauthenticated", "not_found"),
    "AccountService.GetExport": ("unauthenticated", "not_found"),
    "AccountService.ListExports": ("unauthenticated", None),
    "AccountService.CancelExport": ("unauthenticated", "not_found"),
    "AccountService.DownloadExport": ("unauthenticated", "not_found"),
    "ProjectService.ImportArchive": ("unauthenticated", "permission_denied"),
    "OrganizationService.UpdateOrganization": ("unauthenticated", "permission_denied"),
    "OrganizationService.RenameOrganization": ("unauthenticated", "permission_denied"),
    "OrganizationService.TransferOrganization": ("unauthenticated", "permission_denied"),
    "OrganizationService.DeleteOrganization": ("unauthenticated", "permission_denied"),
    "OrganizationService.ListInvitations": ("unauthenticated", "permission_denied"),
    "OrganizationService.RevokeInvitation": ("unauthenticated", "permission_denied"),
    "OrganizationService.ListOwnInvitations": ("unauthenticated", None),
    "OrganizationService.GetInvitation": ("not_found", "not_found"),
    "OrganizationService.AcceptInvitation": ("unauthenticated", "not_found"),
    "OrganizationService.DeclineInvitation": ("unauthenticated", "not_found"),
    "OrganizationService.SetMemberRole": ("unauthenticated", "permission_denied"),
    "OrganizationService.InviteMember": ("unauthenticated", "permission_denied"),
    "OrganizationService.RemoveMember": ("unauthenticated", "permission_denied"),
    "OrganizationService.ListMembers": ("unauthenticated", "permission_denied"),
    "OrganizationService.GetNetworks": ("unauthenticated", "permission_denied"),
    "OrganizationService.SetNetworks": ("unauthenticated", "permission_denied"),
    "OrganizationService.ChangeNetworks": ("unauthenticated", "permission_denied"),
    "OrganizationService.GetSecondFactor": ("unauthenticated", "permission_denied"),
    "OrganizationService.SetSecondFactor": ("unauthenticated", "permission_denied"),
    "ProjectService.CreateProject": ("unauthenticated", "permission_denied"),
    "ProjectService.ListDeletedProjects": ("unauthenticated", "permission_denied"),
    "ProjectService.ListStars": ("unauthenticated", None),
    "OrganizationService.CreateOrganization": ("unauthenticated", None),
    "OrganizationService.ListOrganizations": ("unauthenticated", None),
    "AuthService.GetCurrentUser": ("unauthenticated", None),
    "OrganizationService.GetOrganization": (None, None),
    "ProjectService.ListProjects": (None, None),
    "ProjectService.ExploreProjects": (None, None),
    "ProjectService.Search": (None, None),
}


def test_every_call_is_in_the_matrix() -> None:
    """A call that is added must say here who may not make it."""
    assert sorted(REQUESTS) == sorted(METHODS)
    assert sorted([*OF_A_PROJECT, *OUTSIDER]) == sorted(METHODS)
    with_project = {
        name
        for name, method in METHODS.items()
        if "project" in method.input_type.fields_by_name or "start" in method.input_type.fields_by_name
    }
    # It names one that is not there yet.
    assert with_project - {"ProjectService.ImportArchive"} == set(OF_A_PROJECT)


@pytest.fixture(scope="module")
def bad_tokens(world: World) -> dict[str, str]:
    """A wrong, an expired and a revoked token, and a good one of a closed account."""
    forge = world.forge
    tokens = {"wrong": "x" * 64, "expired": forge.token("eve-expired"), "revoked": forge.token("eve-revoked")}
    tokens["inactive"] = forge.token("eve-inactive")
    with forge.database.opened() as rows:
        of = "user_id = (SELECT id FROM accounts_user WHERE handle = ?)"
        changed = [
            rows.change(
                f"UPDATE allauth_idp_oidc_token SET expires_at = '2020-01-01 00:00:00' WHERE {of}", ("eve-expired",)
            ),
            rows.change(f"DELETE FROM allauth_idp_oidc_token WHERE {of}", ("eve-revoked",)),
            rows.change("UPDATE accounts_user SET is_active = false WHERE handle = ?", ("eve-inactive",)),
        ]
    assert changed == [1, 1, 1]
    return tokens


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_bad_token_opens_nothing_and_says_nothing(world: World, bad_tokens: dict[str, str], name: str) -> None:
    """Wrong, expired, revoked, of a closed account, no bearer, two at once: one answer, even for public things."""
    request = REQUESTS[name](world.open)
    answers = set()
    for token in bad_tokens.values():
        with Caller(world.forge.grpc_address, token) as caller:
            answers.add(_all_of(caller.refused(name, request)))
    assert len(answers) == 1
    assert answers.pop()[:2] == (grpc.StatusCode.UNAUTHENTICATED, "unauthenticated")
    good = world.forge.token("rita")
    for headers in ({"authorization": f"Basic {good}"}, {"authorization": "Bearer "}, {"authorization": ""}):
        with Caller(world.forge.grpc_address, **headers) as caller:
            assert caller.refused(name, request).code == "unauthenticated"
    with Caller(world.forge.grpc_address, good, authorization=f"Bearer {good}") as caller:
        assert caller.refused(name, request).code == "unauthenticated"


@pytest.mark.parametrize("name", OF_A_PROJECT)
@pytest.mark.parametrize("who", ["stan", "nobody"])
def test_a_hidden_project_answers_like_none(world: World, name: str, who: str) -> None:
    """Not a member: the answer of a private project and of one that does not exist differ in nothing but the name."""
    caller: Caller = getattr(world, who)
    absent = pb.ProjectRef(organization=world.organization, handle="absent")
    hidden = _all_of(caller.refused(name, REQUESTS[name](world.closed)))
    none = _all_of(caller.refused(name, REQUESTS[name](absent)))
    assert _named(hidden, "closed") == _named(none, "absent")
    expected = "unauthenticated" if who == "nobody" and name in NEEDS_AN_ACCOUNT else "not_found"
    assert hidden[1] == expected


@pytest.mark.parametrize("name", sorted(WRITES))
def test_a_reader_of_a_public_project_does_not_write(world: World, name: str) -> None:
    """A stranger is refused, a visitor is told to sign in, and nothing has happened."""
    assert world.stan.refused(name, REQUESTS[name](world.open)).code == "permission_denied"
    assert world.nobody.refused(name, REQUESTS[name](world.open)).code == "unauthenticated"
    after = world.rita("ProjectService.GetProject", pb.GetProjectRequest(project=world.open))
    assert after.project.head_position == 1


@pytest.mark.parametrize("name", sorted(FOR_ADMINS))
def test_a_member_does_not_change_or_delete_a_project(world: World, name: str) -> None:
    """That is for admins of its owner; nothing has happened."""
    for project in (world.open, world.closed):
        before = world.rita("ProjectService.GetProject", pb.GetProjectRequest(project=project))
        assert world.max.refused(name, REQUESTS[name](project)).code == "permission_denied"
        assert world.rita("ProjectService.GetProject", pb.GetProjectRequest(project=project)) == before


@pytest.mark.parametrize("who", ["stan", "nobody"])
def test_forking_what_is_hidden_answers_like_forking_nothing(world: World, who: str) -> None:
    """Into an organization of one's own; a visitor has none and learns nothing either."""
    caller: Caller = getattr(world, who)
    target = f"target-of-{who}"
    world.stan("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=target))
    answers = [
        _all_of(
            caller.refused(
                "ProjectService.CreateProject",
                pb.CreateProjectRequest(organization=target, handle="x", fork_from=f"{world.organization}/{handle}"),
            )
        )
        for handle in ("closed", "absent")
    ]
    assert _named(answers[0], "closed") == _named(answers[1], "absent")
    assert answers[0][1] == ("not_found" if who == "stan" else "unauthenticated")


@pytest.mark.parametrize("name", sorted(OUTSIDER))
def test_what_an_outsider_learns_of_an_organization(world: World, name: str) -> None:
    """Members and projects are its own affair; who may do a thing is told by code."""
    for caller, expected in zip((world.nobody, world.stan), OUTSIDER[name], strict=True):
        if expected is not None:
            assert caller.refused(name, REQUESTS[name](world.open)).code == expected
    seen = world.stan("ProjectService.ListProjects", pb.ListProjectsRequest(organization=world.organization)).projects
    assert "closed" not in [project.handle for project in seen]


def test_a_member_removed_is_out_at_once(world: World) -> None:
    """The same open connection and token: the next call is refused."""
    secret = world.project("", "private")
    world.let_in("uma")
    with Caller(world.forge.grpc_address, world.forge.token("uma")) as uma:
        request = pb.GetProjectRequest(project=secret)
        assert uma("ProjectService.GetProject", request).project.role == "member"
        removal = pb.RemoveMemberRequest(organization=world.organization, handle="uma")
        world.rita("OrganizationService.RemoveMember", removal)
        assert uma.refused("ProjectService.GetProject", request).code == "not_found"


def _all_of(refused: Refused) -> tuple[Any, ...]:
    return refused.status, refused.code, refused.message, tuple(sorted(refused.trailing.items()))


def _named(answer: tuple[Any, ...], handle: str) -> tuple[Any, ...]:
    return (*answer[:2], answer[2].replace(handle, "NAME"), *answer[3:])
