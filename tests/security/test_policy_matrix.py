"""Every cell of the policy table, asked of a running forge; and nothing that acts for somebody is missing from it."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import inspect
import itertools
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.urls import URLResolver, get_resolver

import micelio
from api_client import MOST_READING, MOST_WRITING, Api, queries
from browser import Browser
from kept_archive import keep_archive
from mic.core.ids import ulid_text
from mic.rpc.v1 import mic_pb2 as pb
from micelio.api.description import description
from policy_rest import GRPC_ONLY, REST, an_export, no_exports
from policy_table import (
    ACTORS,
    CALLS,
    FACTOR_PAGES,
    FUNCTIONS,
    GIT,
    OPEN_PAGES,
    OPERATOR_ONLY,
    PAGES,
    ROUTES,
    VISITORS,
)
from rpc_world import METHODS, Caller, Refused, World, frame, history, landing, pushing, session_id

_numbers = itertools.count(1)
_CODES = {"u": "unauthenticated", "d": "permission_denied", "n": "not_found"}
# Who has which role in the organization, and who in one project alone.
_MEMBERS = {"reader": "rhea", "member": "max", "admin": "adam"}
_ONLY_HERE = {"only-reads": ("paul", "reader"), "only-lands": ("pia", "member"), "only-runs": ("petra", "admin")}
_SCOPES = {
    "pr": ["project:read"],
    "pw": ["project:write"],
    "sr": ["project:read", "session:read"],
    "sw": ["project:read", "session:write"],
    "or": ["org:read"],
    "oa": ["org:admin"],
}
README = hashlib.sha256(b"hello\n").digest()


class Stage:
    """One project with everybody of the table around it. `absent` makes the same calls about a project that is none."""

    def __init__(self, world: World, people: dict[str, Caller], visibility: str, *, empty: bool = False) -> None:
        self.world, self.people = world, people
        self.project = world.project("", visibility)
        self.other = world.project("", visibility)
        self.bound, self.landed = session_id(), session_id()
        self.deleted = False
        self.archived = b""
        self._tokens: dict[str, tuple[str, Caller]] = {}
        _let_in(world, self.project)
        if not empty:
            world.land(world.rita, self.project, {b"readme.txt": b"hello\n", b"docs/a.txt": b"a\n"}, id=self.landed)

    def close(self) -> None:
        """Revoke the tokens that were made for this project."""
        for token_id, caller in self._tokens.values():
            self.world.rita("AccountService.RevokeToken", pb.RevokeTokenRequest(id=token_id))
            caller.__exit__()

    def caller(self, actor: str) -> Caller:
        """Whoever this column is."""
        if actor in self.people:
            return self.people[actor]
        if actor not in self._tokens:
            made = self._made(actor)
            self._tokens[actor] = made.token.id, Caller(self.world.forge.grpc_address, made.value)
        return self._tokens[actor][1]

    def _made(self, actor: str) -> pb.CreateTokenResponse:
        rita = self.world.rita
        if actor in ("agent", "other"):
            bound = self.bound if actor == "agent" else session_id()
            request = pb.CreateSessionTokenRequest(project=self.project, session_id=bound)
            made: pb.CreateTokenResponse = rita("AccountService.CreateSessionToken", request)
            return made
        of = self.project if actor == "here" else self.other
        made = rita("AccountService.CreateToken", _limited(["project:write", "session:write"], of))
        return made

    def session_of(self, actor: str) -> bytes:
        """A session that this actor may start: an agent its own, anybody else a new one."""
        return self.bound if actor == "agent" else session_id()


def _let_in(world: World, project: pb.ProjectRef) -> None:
    """Give those who have a role in one project alone their roles in this one."""
    for handle, role in _ONLY_HERE.values():
        request = pb.SetProjectMemberRequest(project=project, handle=handle, role=role)
        world.rita("ProjectService.SetProjectMember", request)


def _limited(scopes: list[str], project: pb.ProjectRef | None = None) -> pb.CreateTokenRequest:
    projects = [f"{project.organization}/{project.handle}"] if project else []
    return pb.CreateTokenRequest(name="matrix", scopes=scopes, projects=projects, mixes=not projects, days=1)


@pytest.fixture(scope="module")
def people(world: World) -> Iterator[dict[str, Caller]]:
    """Everybody who needs no project of their own."""
    made = {"nobody": world.nobody, "stranger": world.stan, "member": world.max, "owner": world.rita}
    ids, forge = [], world.forge
    others = _settled(world)
    for actor, handle in others.items():
        made[actor] = Caller(forge.grpc_address, forge.token(handle))
    for actor, scopes in [*_SCOPES.items(), ("dead", ["project:read"])]:
        answer = world.rita("AccountService.CreateToken", _limited(scopes))
        ids.append(answer.token.id)
        made[actor] = Caller(forge.grpc_address, answer.value)
    world.rita("AccountService.RevokeToken", pb.RevokeTokenRequest(id=ids.pop()))
    made["closed"] = Caller(forge.grpc_address, _closed(world, "cleo", lambda: forge.token("cleo")))
    for handle in ("uma", "vera"):
        forge.token(handle)
    yield made
    for actor in (*others, *_SCOPES, "dead", "closed"):
        made[actor].__exit__()
    for token_id in ids:
        world.rita("AccountService.RevokeToken", pb.RevokeTokenRequest(id=token_id))


def _settled(world: World) -> dict[str, str]:
    """Accounts, and roles in the organization, of those who are not in every world: their handles by column."""
    found = {actor: handle for actor, handle in _MEMBERS.items() if actor != "member"}
    for role, handle in found.items():
        world.let_in(handle, role)
    for actor, (handle, _) in _ONLY_HERE.items():
        world.forge.token(handle)
        found[actor] = handle
    return found


def _closed(world: World, handle: str, sign_in: Callable[[], Any]) -> Any:
    """What an admin's sign-in is once the account is closed."""
    world.let_in(handle, "admin")
    signed_in = sign_in()
    with world.forge.database.opened() as rows:
        assert rows.change("UPDATE accounts_user SET is_active = false WHERE handle = ?", (handle,)) == 1
    return signed_in


# How each call is made: `stage`, the project it is about (which may be none), whose cell it is, and whether it is done.
_Make = Callable[[Stage, pb.ProjectRef, str, bool], Any]
REQUESTS: dict[str, _Make] = {
    "AuthService.GetCurrentUser": lambda s, p, a, ok: pb.GetCurrentUserRequest(),
    "AccountService.CreateToken": lambda s, p, a, ok: _limited(["org:read"]),
    "AccountService.CreateSessionToken": lambda s, p, a, ok: pb.CreateSessionTokenRequest(
        project=p, session_id=session_id()
    ),
    "AccountService.RenewSessionToken": lambda s, p, a, ok: pb.RenewSessionTokenRequest(id=_token_of(s, "agent")),
    "AccountService.ListTokens": lambda s, p, a, ok: pb.ListTokensRequest(),
    "AccountService.RevokeToken": lambda s, p, a, ok: pb.RevokeTokenRequest(id=_spare_token(s)),
    "AccountService.StartExport": lambda s, p, a, ok: (
        no_exports(s, p) and pb.StartExportRequest(kind="archive", project=p)
    ),
    "AccountService.GetExport": lambda s, p, a, ok: pb.ExportRequest(id=an_export(s)),
    "AccountService.ListExports": lambda s, p, a, ok: pb.ListExportsRequest(),
    "AccountService.CancelExport": lambda s, p, a, ok: pb.ExportRequest(id=an_export(s, fresh=True)),
    "AccountService.DownloadExport": lambda s, p, a, ok: pb.DownloadExportRequest(id=an_export(s)),
    "OrganizationService.CreateOrganization": lambda s, p, a, ok: pb.CreateOrganizationRequest(
        handle=f"{p.organization}-made-{next(_numbers)}"
    ),
    "OrganizationService.GetOrganization": lambda s, p, a, ok: pb.GetOrganizationRequest(handle=p.organization),
    "OrganizationService.ListOrganizations": lambda s, p, a, ok: pb.ListOrganizationsRequest(),
    "OrganizationService.UpdateOrganization": lambda s, p, a, ok: pb.UpdateOrganizationRequest(
        organization=p.organization, description="Told"
    ),
    "OrganizationService.RenameOrganization": lambda s, p, a, ok: pb.RenameOrganizationRequest(
        organization=_own(s, ok), handle=f"{p.organization}-new-{next(_numbers)}"
    ),
    "OrganizationService.TransferOrganization": lambda s, p, a, ok: pb.TransferOrganizationRequest(
        organization=_own(s, ok), handle="uma" if ok else "max"
    ),
    "OrganizationService.DeleteOrganization": lambda s, p, a, ok: _deletion(_own(s, ok)),
    "OrganizationService.InviteMember": lambda s, p, a, ok: pb.InviteMemberRequest(
        organization=p.organization, handle="vera"
    ),
    "OrganizationService.ListInvitations": lambda s, p, a, ok: pb.ListInvitationsRequest(organization=p.organization),
    "OrganizationService.RevokeInvitation": lambda s, p, a, ok: _open_invitation(s),
    "OrganizationService.ListOwnInvitations": lambda s, p, a, ok: pb.ListOwnInvitationsRequest(),
    "OrganizationService.GetInvitation": lambda s, p, a, ok: pb.GetInvitationRequest(token=_link(s)),
    "OrganizationService.AcceptInvitation": lambda s, p, a, ok: pb.AnswerInvitationRequest(token=_link(s)),
    "OrganizationService.DeclineInvitation": lambda s, p, a, ok: pb.AnswerInvitationRequest(token=_link(s)),
    "OrganizationService.SetMemberRole": lambda s, p, a, ok: _uma_reads(s),
    "OrganizationService.RemoveMember": lambda s, p, a, ok: _uma(s, pb.RemoveMemberRequest),
    "OrganizationService.ListMembers": lambda s, p, a, ok: pb.ListMembersRequest(organization=p.organization),
    "OrganizationService.GetNetworks": lambda s, p, a, ok: pb.GetNetworksRequest(organization=p.organization),
    "OrganizationService.SetNetworks": lambda s, p, a, ok: pb.SetNetworksRequest(organization=p.organization),
    "OrganizationService.ChangeNetworks": lambda s, p, a, ok: pb.ChangeNetworksRequest(organization=p.organization),
    "OrganizationService.GetSecondFactor": lambda s, p, a, ok: pb.GetSecondFactorRequest(organization=p.organization),
    "OrganizationService.SetSecondFactor": lambda s, p, a, ok: pb.SetSecondFactorRequest(organization=p.organization),
    "ProjectService.CreateProject": lambda s, p, a, ok: pb.CreateProjectRequest(
        organization=p.organization, handle=f"made{next(_numbers)}"
    ),
    "ProjectService.ExploreProjects": lambda s, p, a, ok: pb.ExploreProjectsRequest(),
    "ProjectService.ListProjects": lambda s, p, a, ok: pb.ListProjectsRequest(organization=p.organization),
    "ProjectService.UpdateProject": lambda s, p, a, ok: pb.UpdateProjectRequest(project=p, name="Renamed"),
    "ProjectService.RenameProject": lambda s, p, a, ok: pb.RenameProjectRequest(
        project=p, handle=f"renamed{next(_numbers)}"
    ),
    "ProjectService.TransferProject": lambda s, p, a, ok: pb.TransferProjectRequest(
        project=p, organization=_elsewhere(s)
    ),
    "ProjectService.ArchiveProject": lambda s, p, a, ok: pb.ArchiveProjectRequest(project=p),
    "ProjectService.RestoreProject": lambda s, p, a, ok: pb.RestoreProjectRequest(project=_deleted(s, p)),
    "ProjectService.ListDeletedProjects": lambda s, p, a, ok: pb.ListDeletedProjectsRequest(
        organization=p.organization
    ),
    "ProjectService.ProtectProject": lambda s, p, a, ok: pb.ProtectProjectRequest(
        project=p, protection=pb.Protection(paths=["/infra/"])
    ),
    "ProjectService.GetProtection": lambda s, p, a, ok: pb.GetProtectionRequest(project=p),
    "ProjectService.ExplainOwners": lambda s, p, a, ok: pb.ExplainOwnersRequest(project=p, head=True, path=b"a"),
    "ProjectService.StarProject": lambda s, p, a, ok: pb.StarProjectRequest(project=p),
    "ProjectService.UnstarProject": lambda s, p, a, ok: pb.StarProjectRequest(project=p),
    "ProjectService.ListStars": lambda s, p, a, ok: pb.ListStarsRequest(),
    "ProjectService.DeleteProject": lambda s, p, a, ok: pb.DeleteProjectRequest(project=p),
    "ProjectService.ListProjectMembers": lambda s, p, a, ok: pb.ListProjectMembersRequest(project=p),
    "ProjectService.SetProjectMember": lambda s, p, a, ok: pb.SetProjectMemberRequest(project=p, handle="uma"),
    "ProjectService.RemoveProjectMember": lambda s, p, a, ok: _uma_here(s, p),
    "ProjectService.Search": lambda s, p, a, ok: pb.SearchRequest(query="open", kind="projects"),
    "ProjectService.ListBranches": lambda s, p, a, ok: pb.ListBranchesRequest(project=p),
    "ProjectService.CreateBranch": lambda s, p, a, ok: pb.CreateBranchRequest(
        project=p, name=f"branch{next(_numbers)}"
    ),
    "ProjectService.DeleteBranch": lambda s, p, a, ok: pb.DeleteBranchRequest(project=p, name=_branch(s, p, ok)),
    "ProjectService.GetProject": lambda s, p, a, ok: pb.GetProjectRequest(project=p),
    "ProjectService.GetProjectTree": lambda s, p, a, ok: pb.GetProjectTreeRequest(project=p, head=True),
    "ProjectService.StreamBlobs": lambda s, p, a, ok: pb.StreamBlobsRequest(project=p, hashes=README),
    "ProjectService.FindMissingBlobs": lambda s, p, a, ok: pb.FindMissingBlobsRequest(project=p, hashes=README),
    "ProjectService.UploadBlobs": lambda s, p, a, ok: [pb.UploadBlobsRequest(project=p, frames=[frame(b"sent")])],
    "ProjectService.ImportHistory": lambda s, p, a, ok: list(history(p, 1)),
    "ProjectService.StartImport": lambda s, p, a, ok: _import_of(p),
    "ProjectService.SendImport": lambda s, p, a, ok: [pb.SendImportRequest(project=p, id=_begun(s), data=b"PACK")],
    "ProjectService.GetImport": lambda s, p, a, ok: pb.GetImportRequest(project=p, id=_begun(s)),
    "ProjectService.CancelImport": lambda s, p, a, ok: pb.GetImportRequest(project=p, id=_begun(s)),
    "ProjectService.GetImportTips": lambda s, p, a, ok: pb.GetImportTipsRequest(project=p),
    "ProjectService.StartForgeArchive": lambda s, p, a, ok: pb.StartForgeArchiveRequest(
        project=p, url="https://github.invalid/acme/tool", provider="github"
    ),
    "ProjectService.CancelForgeArchive": lambda s, p, a, ok: _fetched(s, p, ok),
    "ProjectService.GetForgeArchive": lambda s, p, a, ok: pb.ForgeArchiveRequest(project=p),
    "ProjectService.ExportForgeArchive": lambda s, p, a, ok: _with_archive(s, p),
    "ProjectService.ImportArchive": lambda s, p, a, ok: [
        pb.ImportArchiveRequest(
            project=pb.ProjectRef(organization=p.organization, handle=f"came{next(_numbers)}"), data=_archive(s, ok)
        )
    ],
    "SessionService.StartSession": lambda s, p, a, ok: pb.StartSessionRequest(
        project=p, session_id=s.session_of(a), goal="Try"
    ),
    "SessionService.LandSession": lambda s, p, a, ok: landing(
        p, {b"new-%d" % next(_numbers): b"x"}, id=s.session_of(a)
    ),
    "SessionService.PushSession": lambda s, p, a, ok: pushing(
        p, {b"new-%d" % next(_numbers): b"x"}, id=s.session_of(a)
    ),
    "SessionService.AbandonSession": lambda s, p, a, ok: pb.AbandonSessionRequest(
        project=p, session_id=_started(s, a) if ok else s.session_of(a)
    ),
    "SessionService.AwaitLanding": lambda s, p, a, ok: pb.AwaitLandingRequest(project=p, session_id=s.landed),
    "SessionService.GetSession": lambda s, p, a, ok: pb.GetSessionRequest(project=p, position=1),
    "SessionService.ListSessions": lambda s, p, a, ok: pb.ListSessionsRequest(project=p),
    "SessionService.ListLandings": lambda s, p, a, ok: pb.ListLandingsRequest(project=p),
    "SessionService.BlameFile": lambda s, p, a, ok: pb.BlameFileRequest(project=p, path=b"readme.txt"),
}
# Whoever may do these leaves another project than there was.
SPOILING = {
    "ProjectService.UpdateProject",
    "ProjectService.RenameProject",
    "ProjectService.TransferProject",
    "ProjectService.ArchiveProject",
    "ProjectService.RestoreProject",
    "ProjectService.DeleteProject",
    "ProjectService.ImportHistory",
    "ProjectService.StartImport",
    "ProjectService.StartForgeArchive",
}


def _branch(stage: Stage, project: pb.ProjectRef, done: bool) -> str:
    """One to delete, where that will be done."""
    name = f"branch{next(_numbers)}"
    if done:
        stage.world.rita("ProjectService.CreateBranch", pb.CreateBranchRequest(project=project, name=name))
    return name


def _fetched(stage: Stage, project: pb.ProjectRef, done: bool) -> pb.ForgeArchiveRequest:
    """There is a run, which may have failed already."""
    if done:
        wanted = pb.StartForgeArchiveRequest(project=project, url="https://github.invalid/a/b", provider="github")
        with contextlib.suppress(Refused):  # that of the cell before is not at its end
            stage.world.rita("ProjectService.StartForgeArchive", wanted)
    return pb.ForgeArchiveRequest(project=project)


def _archive(stage: Stage, done: bool) -> bytes:
    """The stage's project as an archive, for whoever gets that far."""
    if not done:
        return b""
    if not stage.archived:
        no_exports(stage, stage.project)
        request = pb.StartExportRequest(kind="archive", project=stage.project)
        made = stage.world.rita("AccountService.StartExport", request).export
        while made.state in ("waiting", "running"):
            time.sleep(0.02)
            made = stage.world.rita("AccountService.GetExport", pb.ExportRequest(id=made.id)).export
        chunks = stage.world.rita("AccountService.DownloadExport", pb.DownloadExportRequest(id=made.id))
        stage.archived = b"".join(chunk.data for chunk in chunks)
    return stage.archived


def _with_archive(stage: Stage, project: pb.ProjectRef) -> pb.ForgeArchiveRequest:
    """Whatever was fetched into the stage's project."""
    if project == stage.project:
        keep_archive(stage.world, project)
    return pb.ForgeArchiveRequest(project=project)


def _elsewhere(stage: Stage) -> str:
    """An organization that the admin administers too, and nobody else of the table."""
    handle = f"{stage.project.organization}-elsewhere"
    with contextlib.suppress(Refused):  # a cell before has made it
        stage.world.rita("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=handle))
    return handle


def _deleted(stage: Stage, project: pb.ProjectRef) -> pb.ProjectRef:
    """The stage's project, deleted now or by the cell before; another as it is."""
    if project == stage.project and not stage.deleted:
        for actor in ("here", "else", "agent", "other"):
            stage.caller(actor)
        stage.world.rita("ProjectService.DeleteProject", pb.DeleteProjectRequest(project=project))
        stage.deleted = True
    return project


def _token_of(stage: Stage, actor: str) -> str:
    stage.caller(actor)
    return stage._tokens[actor][0]


def _spare_token(stage: Stage) -> str:
    made = stage.world.rita("AccountService.CreateToken", _limited(["org:read"]))
    return str(made.token.id)


def _uma(stage: Stage, kind: Any) -> Any:
    """About a member who is there whatever the cell before has done."""
    stage.world.let_in("uma")
    return kind(organization=stage.project.organization, handle="uma")


def _own(stage: Stage, done: bool) -> str:
    """An organization that whoever may do this can spoil, with uma in it; for others the one they are asked about."""
    if not done:
        return stage.project.organization
    made = f"{stage.project.organization}-own-{next(_numbers)}"
    stage.world.rita("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=made))
    stage.world.let_in("uma", organization=made)
    return made


def _import_of(project: pb.ProjectRef) -> pb.StartImportRequest:
    """An import that waits for bytes that nobody sends. Another one of the same project takes its place."""
    sent = pb.SentRepository(source="matrix", pack=f"{next(_numbers):040x}", size=1000)
    return pb.StartImportRequest(project=project, sent=sent)


def _begun(stage: Stage) -> str:
    """An import of the stage's project that begins now."""
    return str(stage.world.rita("ProjectService.StartImport", _import_of(stage.project)).run.id)


def _link(stage: Stage) -> str:
    """The token of a link into an organization that nobody else asks about."""
    aside = f"{stage.project.organization}-aside-{next(_numbers)}"
    stage.world.rita("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=aside))
    request = pb.InviteMemberRequest(organization=aside, handle="guest@example.org")
    return str(stage.world.rita("OrganizationService.InviteMember", request).link).rpartition("/")[2]


def _open_invitation(stage: Stage) -> pb.RevokeInvitationRequest:
    organization = stage.project.organization
    request = pb.InviteMemberRequest(organization=organization, handle="guest@example.org")
    made = stage.world.rita("OrganizationService.InviteMember", request).invitation
    return pb.RevokeInvitationRequest(organization=organization, id=made.id)


def _deletion(organization: str) -> pb.DeleteOrganizationRequest:
    return pb.DeleteOrganizationRequest(organization=organization, confirm=organization)


def _uma_reads(stage: Stage) -> pb.SetMemberRoleRequest:
    stage.world.let_in("uma")
    return pb.SetMemberRoleRequest(organization=stage.project.organization, handle="uma", role="reader")


def _uma_here(stage: Stage, project: pb.ProjectRef) -> pb.RemoveProjectMemberRequest:
    there = pb.SetProjectMemberRequest(project=stage.project, handle="uma", role="member")
    stage.world.rita("ProjectService.SetProjectMember", there)
    return pb.RemoveProjectMemberRequest(project=project, handle="uma")


def _started(stage: Stage, actor: str) -> bytes:
    started = session_id()
    request = pb.StartSessionRequest(project=stage.project, session_id=started, goal="Try")
    stage.caller(actor)("SessionService.StartSession", request)
    return started


def _answer(caller: Caller, name: str, request: Any) -> Refused | None:
    try:
        caller(name, request)
    except Refused as error:
        return error
    return None


def _told(refused: Refused, handle: str) -> tuple[Any, ...]:
    """All that came back, without the name that was asked for."""
    return (
        refused.status,
        refused.code,
        refused.message.replace(handle, "NAME"),
        sorted((key, str(value).replace(handle, "NAME")) for key, value in refused.trailing.items()),
    )


@pytest.mark.parametrize(("name", "visibility"), sorted(CALLS))
def test_calls(world: World, people: dict[str, Caller], name: str, visibility: str) -> None:
    """Each actor gets the answer of the table; not_found is, in all that comes back, what a missing project gets."""
    row = CALLS[name, visibility]
    of = "private" if visibility == "any" else visibility
    stages: list[Stage] = []
    wrong, spoilt = {}, True
    for actor in ACTORS:
        done = row[actor] == "."
        if spoilt:
            stages.append(Stage(world, people, of, empty=name == "ProjectService.ImportHistory"))
        stage = stages[-1]
        spoilt = done and name in SPOILING
        refused = _answer(stage.caller(actor), name, REQUESTS[name](stage, stage.project, actor, done))
        found = next((sign for sign, code in _CODES.items() if refused and refused.code == code), ".")
        if found != row[actor] or (refused and found == "."):
            wrong[actor] = (row[actor], str(refused))
        if refused and found == "n" and "project" in METHODS[name].input_type.fields_by_name:
            absent = pb.ProjectRef(organization=stage.project.organization, handle="absent")
            missing = stage.caller(actor).refused(name, REQUESTS[name](stage, absent, actor, False))
            assert _told(refused, stage.project.handle) == _told(missing, "absent"), actor
    for stage in stages:
        stage.close()
    assert wrong == {}


@pytest.mark.parametrize(("service", "visibility"), sorted(GIT))
def test_git(world: World, people: dict[str, Caller], service: str, visibility: str) -> None:
    """Each actor gets the answer of the table at Git's door; what is hidden is, byte for byte, what is not there."""
    stage = Stage(world, people, visibility)
    signs = {200: ".", 401: "u", 403: "d", 404: "n"}
    wrong = {}
    for actor in ACTORS:
        token = stage.caller(actor).token
        answers = [
            httpx.get(
                f"{world.forge.base_url}/{stage.project.organization}/{handle}.git/info/refs",
                params={"service": service},
                auth=("x-token", token) if token else None,
            )
            for handle in (stage.project.handle, "absent")
        ]
        found = signs[answers[0].status_code]
        if found != GIT[service, visibility][actor]:
            wrong[actor] = (found, answers[0].text)
        if found == "n" or (found == "u" and visibility == "private"):
            assert _seen(answers[0], stage.project.handle) == _seen(answers[1], "absent")
    stage.close()
    assert wrong == {}


@pytest.fixture(scope="module")
def apis(world: World) -> Iterator[Callable[[Caller], Api]]:
    """The REST door for whoever comes through the typed one, over a connection that stays open."""
    with contextlib.ExitStack() as stack:
        made: dict[str, Api] = {}

        def api_of(caller: Caller) -> Api:
            if caller.token not in made:
                made[caller.token] = stack.enter_context(Api(world.forge.base_url, caller.token))
            return made[caller.token]

        yield api_of


def _rest_cells() -> list[tuple[str, str]]:
    rows = CALLS | ROUTES
    return sorted((act, visibility) for act, (row, _) in REST.items() for name, visibility in rows if name == row)


@pytest.mark.parametrize(("act", "visibility"), _rest_cells())
def test_calls_through_rest(
    world: World, people: dict[str, Caller], apis: Callable[[Caller], Api], act: str, visibility: str
) -> None:
    """Each actor gets through REST what the call gives, and what is hidden is byte for byte what is missing."""
    name, make = REST[act]
    row = (CALLS | ROUTES)[name, visibility]
    of = "private" if visibility == "any" else visibility
    stages: list[Stage] = []
    wrong, spoilt = {}, True
    for actor in ACTORS:
        done = row[actor] == "."
        if spoilt:
            stages.append(Stage(world, people, of))
        stage = stages[-1]
        spoilt = done and name in SPOILING
        api = apis(stage.caller(actor))
        method, path, body = make(stage, stage.project, actor, done)
        answer = api.request(method, path, json=body)
        code = answer.json()["code"] if answer.status_code >= 400 else ""
        # Of a token that comes from another address, or reads what is private, the first time is written down.
        often = api.get(path) if method == "GET" else answer
        most = MOST_READING if method == "GET" else MOST_WRITING
        assert queries(often) <= most, (act, actor, often.headers["server-timing"])
        # Busy is what comes behind the policy: so many reports of secrets within an hour.
        found = next((sign for sign, known in _CODES.items() if code == known), code.replace("busy", "") or ".")
        if found != row[actor]:
            wrong[actor] = (row[actor], answer.status_code, answer.text[:300])
        handle = stage.project.handle
        hidden = CALLS["ProjectService.GetProject", of][actor] == "n"
        if hidden and handle in path:
            absent = pb.ProjectRef(organization=stage.project.organization, handle="absent")
            method, path, body = make(stage, absent, actor, False)
            missing = api.request(method, path, json=body)
            assert _seen_by_api(answer, handle) == _seen_by_api(missing, "absent"), actor
    for stage in stages:
        stage.close()
    assert wrong == {}


def _seen_by_api(answer: httpx.Response, name: str) -> tuple[Any, ...]:
    """An answer without what differs from one request to the next, and without the name that was asked for."""
    varying = {"date", "expires", "x-request-id", "content-length", "server-timing", "ratelimit"}
    headers = sorted((key, value) for key, value in answer.headers.items() if key not in varying)
    text = re.sub(r'"request_id":"[0-9a-f]{32}"', "", answer.text.replace(name, "NAME"))
    return answer.status_code, headers, text


def test_acts_of_rest() -> None:
    """A new route says here whose rule it has; a new call has its route, or says that it needs a stream."""
    operations = {item["operationId"] for methods in description()["paths"].values() for item in methods.values()}
    assert set(REST) == operations
    assert {row for row, _ in REST.values()} <= {name for name, _ in CALLS | ROUTES}
    assert {name for name, _ in ROUTES} <= {row for row, _ in REST.values()}
    assert {name for name, _ in CALLS} - {row for row, _ in REST.values()} == GRPC_ONLY
    assert _complete(ROUTES)


class _Visitors:
    """Browsers of everybody. Nobody here has a password or a second factor, so nobody is asked to confirm."""

    def __init__(self, world: World, made: dict[str, Browser]) -> None:
        self.made, forge = made, world.forge
        handles = {**_settled(world), "stranger": "stan", "member": "max", "owner": "rita"}
        for name, handle in handles.items():
            made[name].sign_in_once(forge.once(handle))
            assert made[name].get("/-/account/password").status_code == 200, f"who gave {handle} a password?"
        _closed(world, "cleo-b", lambda: made["closed"].sign_in_once(forge.once("cleo-b")))
        made["token"].headers["Authorization"] = f"Bearer {forge.token('rita')}"


@pytest.fixture(scope="module")
def signed_in(world: World) -> Iterator[_Visitors]:
    with contextlib.ExitStack() as stack:
        yield _Visitors(world, {name: stack.enter_context(Browser(world.forge.base_url)) for name in VISITORS})


@pytest.fixture
def visitors(signed_in: _Visitors) -> dict[str, Browser]:
    return signed_in.made


def _address(name: str, project: pb.ProjectRef, landed: str, still_open: str) -> str:
    base = f"/{project.organization}/{project.handle}"
    return {
        "account": "/-/account",
        "password": "/-/account/password",
        "address": "/-/account/e-mail",
        "socialaccount_connections": "/-/account/other-sites",
        "admin-sign-ups": "/-/admin/sign-ups",
        "admin-suspended": "/-/admin/suspended",
        "admin-mail": "/-/admin/mail",
        "account-audit": "/-/account/audit",
        "tokens": "/-/account/tokens",
        "browsers": "/-/account/browsers",
        "token-revoke": "/-/account/tokens/00000000-0000-4000-8000-000000000000/revoke",
        "account-handle": "/-/account/handle",
        "mfa_index": "/-/account/second-factor",
        "forge-audit": "/-/audit",
        "admin": "/-/admin",
        "admin-accounts": "/-/admin/accounts",
        "admin-account": "/-/admin/accounts/max",
        "admin-organizations": "/-/admin/organizations",
        "admin-organization": f"/-/admin/organizations/{project.organization}",
        "admin-projects": "/-/admin/projects",
        "admin-abuse": "/-/admin/abuse",
        "admin-jobs": "/-/admin/jobs",
        "admin-storage": "/-/admin/storage",
        "admin-settings": "/-/admin/settings",
        "admin-erasure": "/-/admin/erasure",
        "admin-legal": "/-/admin/legal",
        "legal": "/-/legal",
        "home": "/",
        "explore": "/-/explore",
        "search": "/-/search?q=open",
        "search-feed": "/-/search.atom?q=open",
        "organization-feed": f"/{project.organization}/-/landings.atom",
        "project-feed": f"{base}/-/landings.atom",
        "organization": f"/{project.organization}",
        "organization-second-factor": f"/{project.organization}/-/second-factor",
        "organization-networks": f"/{project.organization}/-/networks",
        "design": "/-/design",
        "account-profile": "/-/account/profile",
        "stars": "/-/account/stars",
        "exports": "/-/account/exports",
        "export-file": "/-/account/exports/00000000-0000-4000-8000-000000000000/file",
        "deleted-projects": f"/{project.organization}/-/deleted",
        "organization-audit": f"/{project.organization}/-/audit",
        "organization-members": f"/{project.organization}/-/members",
        "organization-settings": f"/{project.organization}/-/settings",
        "own-invitations": "/-/invitations",
        "invitation": "/-/invitations/TOKEN",
        "import-project": "/-/import",
        "new-organization": "/-/new/organization",
        "new-project": "/-/new/project",
        "project-import": f"{base}/-/import",
        "forge-archive": f"{base}/-/import/archive",
        "project-members": f"{base}/-/members",
        "project": base,
        "tree-root": f"{base}/-/tree/head",
        "tree": f"{base}/-/tree/head/a",
        "file": f"{base}/-/file/head/a/b.txt",
        "raw": f"{base}/-/raw/head/a/b.txt",
        "archive": f"{base}/-/archive/head.zip",
        "badge": f"{base}/-/badge/landings.svg",
        "badges": f"{base}/-/badges",
        "compare": f"{base}/-/compare/@1...head",
        "compare-change": f"{base}/-/compare/@0...head/changes/1",
        "compare-form": f"{base}/-/compare",
        "branches": f"{base}/-/branches",
        "forks": f"{base}/-/forks",
        "tags": f"{base}/-/tags",
        "contributors": f"{base}/-/contributors",
        "landings": f"{base}/-/landings",
        "landing": f"{base}/-/landings/1",
        "landing-change": f"{base}/-/landings/1/changes/1",
        "project-audit": f"{base}/-/audit",
        "blame": f"{base}/-/blame/head/a/b.txt",
        "history": f"{base}/-/history/head/a/b.txt",
        "owners": f"{base}/-/owners/head/a/b.txt",
        "project-settings": f"{base}/-/settings",
        "project-star": f"{base}/-/star",
        "project-secrets": f"{base}/-/secrets",
        "secrets-decide": f"{base}/-/secrets/decide",
        "secrets-report": f"{base}/-/secrets/report?path=a%252Fb.txt",
        "sessions": f"{base}/-/sessions",
        "session": f"{base}/-/sessions/{still_open}",
        "session-change": f"{base}/-/sessions/{landed}/changes/1",
    }[name]


@pytest.fixture(scope="module")
def shown(world: World, signed_in: _Visitors) -> dict[str, tuple[pb.ProjectRef, str, str]]:
    """A project of each visibility with a session that has landed and one that has not."""
    found = {}
    for visibility in ("public", "private"):
        project, landed, still_open = world.project("", visibility), session_id(), session_id()
        _let_in(world, project)
        world.land(world.rita, project, {b"a/b.txt": b"x\n"}, id=landed)
        request = pb.StartSessionRequest(project=project, session_id=still_open, goal="Try")
        world.rita("SessionService.StartSession", request)
        found[visibility] = project, ulid_text(landed), ulid_text(still_open)
    return found


# Pages that only take forms, and what is sent to them.
_FORMS: dict[str, dict[str, str]] = {
    "token-revoke": {},
    "project-star": {"starred": "yes"},
    "secrets-decide": {"finding": "all", "state": "allowed", "reason": "None is one"},
}


def _page(browser: Browser, name: str, address: str) -> httpx.Response:
    if name not in _FORMS:
        return browser.get(address)
    signed_in = browser.get("/-/account").status_code == 200
    return browser.submit("/-/account", to=address, **_FORMS[name]) if signed_in else browser.post(address)


def _seen(answer: httpx.Response, name: str) -> tuple[Any, ...]:
    """An answer without what differs from one request to the next, and without the name that was asked for."""
    varying = {
        "date",
        "expires",
        "x-request-id",
        "content-security-policy",
        "content-length",
        "server-timing",
        "set-cookie",
    }
    varying |= {"ratelimit", "ratelimit-policy"}
    headers = sorted((key, value) for key, value in answer.headers.items() if key not in varying)
    text = re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]+', r"\1", answer.text.replace(name, "NAME"))
    return answer.status_code, headers, [line for line in text.splitlines() if "page made in" not in line]


@pytest.mark.parametrize(("name", "visibility"), sorted(PAGES))
def test_pages(
    world: World,
    visitors: dict[str, Browser],
    shown: dict[str, tuple[pb.ProjectRef, str, str]],
    name: str,
    visibility: str,
) -> None:
    """Each visitor gets the answer of the table; a 404 is, byte for byte, that of a missing project."""
    project, landed, still_open = shown["private" if visibility == "any" else visibility]
    address = _address(name, project, landed, still_open)
    if name == "forge-archive":
        keep_archive(world, project)
    if name == "invitation":
        request = pb.InviteMemberRequest(organization=world.organization, handle="looked-at@example.org")
        address = urlsplit(world.rita("OrganizationService.InviteMember", request).link).path
    signs = {200: ".", 302: ">", 401: "u", 403: "d", 404: "n"}
    found = {visitor: _page(visitors[visitor], name, address) for visitor in VISITORS}
    assert {who: signs[answer.status_code] for who, answer in found.items()} == PAGES[name, visibility]
    # In a public project it is the session that is hidden.
    unknown = (still_open, ulid_text(session_id())) if visibility == "public" else (project.handle, "absent")
    for who, answer in found.items():
        if answer.status_code == 404:
            assert _seen(answer, unknown[0]) == _seen(_page(visitors[who], name, address.replace(*unknown)), unknown[1])


def _page_names(resolver: URLResolver, space: str = "") -> Iterator[str]:
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            yield from _page_names(item, f"{space}{item.namespace}:" if item.namespace else space)
        else:
            yield f"{space}{item.name}"


def test_no_page_is_missing() -> None:
    """A new address says here who may see it."""
    named = {name for name, _ in PAGES}
    assert not named & OPEN_PAGES
    routes = {f"api:{name}" for name in REST}
    assert set(_page_names(get_resolver())) == named | OPEN_PAGES | FACTOR_PAGES | routes
    assert _complete(PAGES)


def test_no_call_is_missing() -> None:
    """A new call says here who may make it, and for projects of each visibility."""
    assert {name for name, _ in CALLS} == set(METHODS) == set(REQUESTS)
    assert _complete(CALLS)


def _complete(rows: dict[tuple[str, str], dict[str, str]]) -> bool:
    """Each act has one row for any visibility, or one for each."""
    names = {name for name, _ in rows}
    return all({v for name, v in rows if name == one} in ({"any"}, {"public", "private"}) for one in names)


# Doors call, policies judge, and the audit log writes down what others have judged.
_NO_ROOMS = frozenset({"api", "audit", "edge", "pages"})
_NO_ACTS = frozenset({"policy", "views", "panel"})


def _acting() -> Iterator[str]:
    """Public functions and classes of the domains that take an actor."""
    for domain in pkgutil.iter_modules(micelio.__path__):
        if not domain.ispkg or domain.name in _NO_ROOMS:
            continue
        room = importlib.import_module(f"micelio.{domain.name}")
        for part in pkgutil.iter_modules(room.__path__):
            if part.ispkg or part.name in _NO_ACTS:
                continue
            module = importlib.import_module(f"{room.__name__}.{part.name}")
            for name, thing in vars(module).items():
                ours = getattr(thing, "__module__", "") == module.__name__ and not name.startswith("_")
                if ours and inspect.isroutine(thing) | inspect.isclass(thing) and _takes_actor(thing):
                    yield f"{domain.name}.{part.name}.{name}"


def _takes_actor(thing: Any) -> bool:
    try:
        return "actor" in inspect.signature(thing).parameters
    except ValueError:  # a class that is made by C, an enumeration say
        return False


def test_no_function_is_missing() -> None:
    """A new function for an actor says which row of the table goes through it."""
    assert set(_acting()) == set(FUNCTIONS) | OPERATOR_ONLY
    rows = {name for table in (CALLS, GIT, PAGES, ROUTES) for name, _ in table}
    assert {name for name in FUNCTIONS.values() if name not in rows} == set()
