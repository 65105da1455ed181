"""How each row of the policy table is asked through REST."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable
from typing import Any

from mic.core.ids import ulid_text
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Refused, session_id

_numbers = itertools.count(1)
# `stage`, the project it is about (which may be none), whose cell it is, and whether it is done; as
# `test_policy_matrix` has it for calls. Gives method, path below /api/v1, and body.
Make = Callable[[Any, pb.ProjectRef, str, bool], tuple[str, str, Any]]

# A PNG of one pixel.
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

# Whole histories and many contents travel as streams.
GRPC_ONLY = frozenset(
    {
        "ProjectService.StreamBlobs",
        "ProjectService.FindMissingBlobs",
        "ProjectService.UploadBlobs",
        "ProjectService.ImportHistory",
        "ProjectService.SendImport",
        "ProjectService.GetImportTips",
        "ProjectService.ExportForgeArchive",
        "ProjectService.ImportArchive",
    }
)


def no_exports(s: Any, p: pb.ProjectRef) -> str:
    """The name of a project, whose readers have exported nothing lately: one at a time, and some a day."""
    with s.world.forge.database.opened() as rows:
        rows.change("DELETE FROM exports_export", ())
    s.exported = ""
    return f"{p.organization}/{p.handle}"


def an_export(s: Any, *, fresh: bool = False) -> str:
    """A finished export of the stage's project, of its owner."""
    if fresh or not getattr(s, "exported", ""):
        no_exports(s, s.project)
        request = pb.StartExportRequest(kind="json", project=s.project)
        made = s.world.rita("AccountService.StartExport", request).export
        while made.state in ("waiting", "running"):
            time.sleep(0.02)
            made = s.world.rita("AccountService.GetExport", pb.ExportRequest(id=made.id)).export
        assert made.state == "done", made
        s.exported = made.id
    return str(s.exported)


def _project(p: pb.ProjectRef, rest: str = "") -> str:
    return f"/projects/{p.organization}/{p.handle}{rest}"


def _get(rest: str) -> Make:
    return lambda s, p, a, ok: ("GET", _project(p, rest), None)


def _of_landed(rest: str) -> Make:
    return lambda s, p, a, ok: ("GET", _project(p, f"/sessions/{ulid_text(s.landed)}{rest}"), None)


def _branch(s: Any, p: pb.ProjectRef, ok: bool) -> str:
    """A branch, where it is looked for in earnest."""
    name = f"branch{next(_numbers)}"
    if ok:
        s.world.rita("ProjectService.CreateBranch", pb.CreateBranchRequest(project=p, name=name))
    return name


def _branch_seen(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    return "GET", _project(p, f"/branches/{_branch(s, p, ok)}"), None


def _token(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    return "POST", "/me/tokens", {"name": "matrix", "scopes": ["org:read"], "days": 1}


def _spare_token(s: Any) -> str:
    request = pb.CreateTokenRequest(name="spare", scopes=["org:read"], days=1)
    return str(s.world.rita("AccountService.CreateToken", request).token.id)


def _agent_token(s: Any) -> str:
    s.caller("agent")
    return str(s._tokens["agent"][0])


def _uma(s: Any) -> str:
    """A member who is there whatever the cell before has done."""
    s.world.let_in("uma")
    return f"/orgs/{s.project.organization}/members/uma"


def _own(s: Any, done: bool) -> str:
    """An organization that whoever may do this can spoil, with uma in it; for others the one they are asked about."""
    if not done:
        return str(s.project.organization)
    made = f"{s.project.organization}-rest-own-{next(_numbers)}"
    s.world.rita("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=made))
    s.world.let_in("uma", organization=made)
    return made


def _link(s: Any) -> str:
    """The token of a link into an organization that nobody else asks about."""
    aside = f"{s.project.organization}-rest-aside-{next(_numbers)}"
    s.world.rita("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=aside))
    request = pb.InviteMemberRequest(organization=aside, handle="guest@example.org")
    return str(s.world.rita("OrganizationService.InviteMember", request).link).rpartition("/")[2]


def _open_invitation(s: Any) -> str:
    request = pb.InviteMemberRequest(organization=s.project.organization, handle="guest@example.org")
    return str(s.world.rita("OrganizationService.InviteMember", request).invitation.id)


def _started(s: Any, a: str) -> str:
    started = session_id()
    request = pb.StartSessionRequest(project=s.project, session_id=started, goal="Try")
    s.caller(a)("SessionService.StartSession", request)
    return ulid_text(started)


def _land(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    change = {"path": f"rest-{next(_numbers)}", "text": "x"}
    return (
        "POST",
        _project(p, "/landings"),
        {"goal": "Add files", "session": ulid_text(s.session_of(a)), "changes": [change]},
    )


def _push(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    change = {"path": f"pushed-{next(_numbers)}", "text": "x"}
    session = ulid_text(s.session_of(a))
    return "POST", _project(p, f"/sessions/{session}/push"), {"goal": "Add files", "changes": [change]}


def _abandon(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    session = _started(s, a) if ok else ulid_text(s.session_of(a))
    return "POST", _project(p, f"/sessions/{session}/abandon"), None


def _uma_here(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    there = pb.SetProjectMemberRequest(project=s.project, handle="uma", role="member")
    s.world.rita("ProjectService.SetProjectMember", there)
    return "DELETE", _project(p, "/members/uma"), None


def _elsewhere(s: Any) -> str:
    """An organization that the owner administers too, and nobody else of the table."""
    handle = f"{s.project.organization}-elsewhere"
    with contextlib.suppress(Refused):  # a cell before has made it
        s.world.rita("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=handle))
    return handle


def _restore(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    """Of the stage's project, deleted now or by the cell before; of another as it is."""
    if p == s.project and not s.deleted:
        for actor in ("here", "else", "agent", "other"):
            s.caller(actor)
        s.world.rita("ProjectService.DeleteProject", pb.DeleteProjectRequest(project=p))
        s.deleted = True
    return "POST", _project(p, "/restore"), None


def _rename_me(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    """To what it is called already, which changes nothing."""
    handle = s.caller(a)("AuthService.GetCurrentUser", pb.GetCurrentUserRequest()).user.handle if ok else "never"
    return "POST", "/me/rename", {"handle": handle}


def _report(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    return "POST", _project(p, "/secrets"), {"path": "readme.txt", "line": next(_numbers)}


def _fork(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    """Of a project that everybody may read: whether one may fork at all."""
    return (
        "POST",
        _project(s.world.open, "/forks"),
        {"owner": p.organization, "handle": f"fork{next(_numbers)}", "visibility": "public"},
    )


def _cancel_archive(s: Any, p: pb.ProjectRef, a: str, ok: bool) -> tuple[str, str, Any]:
    """There is a run, which may have failed already."""
    if ok:
        wanted = pb.StartForgeArchiveRequest(project=p, url="https://github.invalid/a/b", provider="github")
        with contextlib.suppress(Refused):  # that of the cell before is not at its end
            s.world.rita("ProjectService.StartForgeArchive", wanted)
    return "POST", _project(p, "/forge-archive/cancel"), None


# Where nothing answers: a run fails there, some time later.
_ELSEWHERE = {"url": "https://github.invalid/acme/tool", "provider": "github"}

# By operation: the row whose rule it has, and how it is asked.
REST: dict[str, tuple[str, Make]] = {
    "get_me": ("AuthService.GetCurrentUser", lambda s, p, a, ok: ("GET", "/me", None)),
    "rename_me": ("rename_me", _rename_me),
    "list_networks": (
        "OrganizationService.GetNetworks",
        lambda s, p, a, ok: ("GET", f"/orgs/{p.organization}/networks", None),
    ),
    "put_networks": (
        "OrganizationService.SetNetworks",
        lambda s, p, a, ok: ("PUT", f"/orgs/{p.organization}/networks", {"networks": []}),
    ),
    "patch_networks": (
        "OrganizationService.ChangeNetworks",
        lambda s, p, a, ok: ("PATCH", f"/orgs/{p.organization}/networks", {}),
    ),
    "get_second_factor": (
        "OrganizationService.GetSecondFactor",
        lambda s, p, a, ok: ("GET", f"/orgs/{p.organization}/second-factor", None),
    ),
    "put_second_factor": (
        "OrganizationService.SetSecondFactor",
        lambda s, p, a, ok: ("PUT", f"/orgs/{p.organization}/second-factor", {"asks": False}),
    ),
    "decide_open_findings": (
        "decide_open_findings",
        lambda s, p, a, ok: ("POST", _project(p, "/secrets/decide"), {"state": "allowed", "reason": "None"}),
    ),
    "put_picture": ("put_picture", lambda s, p, a, ok: ("PUT", "/me/picture", {"content": PICTURE})),
    "delete_picture": ("delete_picture", lambda s, p, a, ok: ("DELETE", "/me/picture", None)),
    "put_organization_picture": (
        "put_organization_picture",
        lambda s, p, a, ok: ("PUT", f"/orgs/{p.organization}/picture", {"content": PICTURE}),
    ),
    "delete_organization_picture": (
        "delete_organization_picture",
        lambda s, p, a, ok: ("DELETE", f"/orgs/{p.organization}/picture", None),
    ),
    "update_me": ("update_me", lambda s, p, a, ok: ("PATCH", "/me", {})),
    "get_overview": ("get_overview", lambda s, p, a, ok: ("GET", "/admin/overview", None)),
    "list_all_accounts": ("list_all_accounts", lambda s, p, a, ok: ("GET", "/admin/accounts", None)),
    "get_any_account": ("get_any_account", lambda s, p, a, ok: ("GET", "/admin/accounts/uma", None)),
    "make_administrator": (
        "make_administrator",
        lambda s, p, a, ok: ("PUT", "/admin/accounts/uma/administrator", None),
    ),
    "end_administrator": (
        "end_administrator",
        lambda s, p, a, ok: ("DELETE", "/admin/accounts/uma/administrator", None),
    ),
    "list_all_organizations": ("list_all_organizations", lambda s, p, a, ok: ("GET", "/admin/organizations", None)),
    "get_usage": ("get_usage", lambda s, p, a, ok: ("GET", f"/admin/organizations/{p.organization}", None)),
    "put_limits": (
        "put_limits",
        lambda s, p, a, ok: (
            "PUT",
            f"/admin/organizations/{p.organization}/limits",
            {"public_projects": 1, "private_projects": 1, "stored_bytes": 1},
        ),
    ),
    "measure_usage": (
        "measure_usage",
        lambda s, p, a, ok: ("POST", f"/admin/organizations/{p.organization}/measure", None),
    ),
    "list_all_projects": ("list_all_projects", lambda s, p, a, ok: ("GET", "/admin/projects", None)),
    "list_all_blocks": ("list_all_blocks", lambda s, p, a, ok: ("GET", "/admin/blocks", None)),
    "create_block": (
        "create_block",
        lambda s, p, a, ok: ("POST", "/admin/blocks", {"target": "192.0.2.1", "reason": "A test"}),
    ),
    "lift_block": (
        "lift_block",
        lambda s, p, a, ok: ("DELETE", "/admin/blocks/00000000-0000-4000-8000-000000000000", None),
    ),
    "list_erasures": ("list_erasures", lambda s, p, a, ok: ("GET", "/admin/erasures", None)),
    "look_at_erasure": (
        "look_at_erasure",
        lambda s, p, a, ok: (
            "GET",
            f"/admin/erasures/look?project={p.organization}/{p.handle}&content={'0' * 64}",
            None,
        ),
    ),
    "ask_erasure": (
        "ask_erasure",
        lambda s, p, a, ok: (
            "POST",
            "/admin/erasures",
            {
                "project": f"{p.organization}/{p.handle}",
                "content": "0" * 64,
                "reason": "secret",
                "note": "A test",
                "typed": "0" * 12,
            },
        ),
    ),
    "look_at_words": (
        "look_at_words",
        lambda s, p, a, ok: (
            "GET",
            f"/admin/erasures/words/look?project={p.organization}/{p.handle}&session={'0' * 26}",
            None,
        ),
    ),
    "ask_words": (
        "ask_words",
        lambda s, p, a, ok: (
            "POST",
            "/admin/erasures/words",
            {
                "project": f"{p.organization}/{p.handle}",
                "session": "0" * 26,
                "reason": "secret",
                "note": "A test",
                "typed": "0" * 12,
            },
        ),
    ),
    "look_at_person": ("look_at_person", lambda s, p, a, ok: ("GET", "/admin/erasures/people/look?handle=no", None)),
    "ask_person": (
        "ask_person",
        lambda s, p, a, ok: ("POST", "/admin/erasures/people", {"handle": "no", "note": "A test", "typed": "no"}),
    ),
    "confirm_erasure": (
        "confirm_erasure",
        lambda s, p, a, ok: (
            "POST",
            "/admin/erasures/00000000-0000-4000-8000-000000000000/confirm",
            {"typed": "0" * 12},
        ),
    ),
    "withdraw_erasure": (
        "withdraw_erasure",
        lambda s, p, a, ok: ("DELETE", "/admin/erasures/00000000-0000-4000-8000-000000000000", None),
    ),
    "list_jobs": ("list_jobs", lambda s, p, a, ok: ("GET", "/admin/jobs", None)),
    "retry_job": (
        "retry_job",
        lambda s, p, a, ok: ("POST", "/admin/jobs/00000000-0000-4000-8000-000000000000/retry", None),
    ),
    "get_settings": ("get_settings", lambda s, p, a, ok: ("GET", "/admin/settings", None)),
    "get_storage": ("get_storage", lambda s, p, a, ok: ("GET", "/admin/storage", None)),
    "examine_store": ("examine_store", lambda s, p, a, ok: ("POST", "/admin/storage/examine", None)),
    "list_letters": ("list_letters", lambda s, p, a, ok: ("GET", "/admin/letters", None)),
    "send_letter": (
        "send_letter",
        lambda s, p, a, ok: ("POST", "/admin/letters/00000000-0000-4000-8000-000000000000/send", None),
    ),
    "close_letter": (
        "close_letter",
        lambda s, p, a, ok: ("DELETE", "/admin/letters/00000000-0000-4000-8000-000000000000", None),
    ),
    "list_sign_ups": ("list_sign_ups", lambda s, p, a, ok: ("GET", "/admin/sign-ups", None)),
    "approve_sign_up": ("approve_sign_up", lambda s, p, a, ok: ("PUT", "/admin/sign-ups/nobody/approval", None)),
    "decline_sign_up": ("decline_sign_up", lambda s, p, a, ok: ("DELETE", "/admin/sign-ups/nobody", None)),
    "list_sign_up_invitations": (
        "list_sign_up_invitations",
        lambda s, p, a, ok: ("GET", "/admin/invitations", None),
    ),
    "create_sign_up_invitation": (
        "create_sign_up_invitation",
        lambda s, p, a, ok: ("POST", "/admin/invitations", {"note": "Ada"}),
    ),
    "withdraw_sign_up_invitation": (
        "withdraw_sign_up_invitation",
        lambda s, p, a, ok: ("DELETE", "/admin/invitations/00000000-0000-4000-8000-000000000000", None),
    ),
    "list_suspensions": ("list_suspensions", lambda s, p, a, ok: ("GET", "/admin/suspensions", None)),
    "suspend_account": (
        "suspend_account",
        lambda s, p, a, ok: ("PUT", "/admin/suspensions/uma", {"reason": "A test"}),
    ),
    "unsuspend_account": ("unsuspend_account", lambda s, p, a, ok: ("DELETE", "/admin/suspensions/uma", None)),
    "list_browsers": ("list_browsers", lambda s, p, a, ok: ("GET", "/me/browsers", None)),
    "name_browser": ("name_browser", lambda s, p, a, ok: ("PATCH", "/me/browsers/999999", {"name": "x"})),
    "end_browser": ("end_browser", lambda s, p, a, ok: ("DELETE", "/me/browsers/999999", None)),
    "list_tokens": ("AccountService.ListTokens", lambda s, p, a, ok: ("GET", "/me/tokens", None)),
    "start_export": (
        "AccountService.StartExport",
        lambda s, p, a, ok: ("POST", "/exports", {"kind": "json", "project": f"{no_exports(s, p)}"}),
    ),
    "list_exports": ("AccountService.ListExports", lambda s, p, a, ok: ("GET", "/exports", None)),
    "get_export": ("AccountService.GetExport", lambda s, p, a, ok: ("GET", f"/exports/{an_export(s)}", None)),
    "read_export": (
        "AccountService.DownloadExport",
        lambda s, p, a, ok: ("GET", f"/exports/{an_export(s)}/file", None),
    ),
    "cancel_export": (
        "AccountService.CancelExport",
        lambda s, p, a, ok: ("DELETE", f"/exports/{an_export(s, fresh=True)}", None),
    ),
    "create_token": ("AccountService.CreateToken", _token),
    "revoke_token": (
        "AccountService.RevokeToken",
        lambda s, p, a, ok: ("DELETE", f"/me/tokens/{_spare_token(s)}", None),
    ),
    "renew_session_token": (
        "AccountService.RenewSessionToken",
        lambda s, p, a, ok: ("POST", f"/me/tokens/{_agent_token(s)}/renew", None),
    ),
    "create_session_token": (
        "AccountService.CreateSessionToken",
        lambda s, p, a, ok: ("POST", _project(p, f"/sessions/{ulid_text(session_id())}/tokens"), {}),
    ),
    "account_events": ("account_events", lambda s, p, a, ok: ("GET", "/me/audit", None)),
    "forge_events": ("forge_events", lambda s, p, a, ok: ("GET", "/audit", None)),
    "create_organization": (
        "OrganizationService.CreateOrganization",
        lambda s, p, a, ok: ("POST", "/orgs", {"handle": f"{p.organization}-rest-{next(_numbers)}"}),
    ),
    "list_organizations": ("OrganizationService.ListOrganizations", lambda s, p, a, ok: ("GET", "/orgs", None)),
    "get_organization": (
        "OrganizationService.GetOrganization",
        lambda s, p, a, ok: ("GET", f"/orgs/{p.organization}", None),
    ),
    "list_members": (
        "OrganizationService.ListMembers",
        lambda s, p, a, ok: ("GET", f"/orgs/{p.organization}/members", None),
    ),
    "put_member": ("OrganizationService.SetMemberRole", lambda s, p, a, ok: ("PUT", _uma(s), {"role": "member"})),
    "update_organization": (
        "OrganizationService.UpdateOrganization",
        lambda s, p, a, ok: ("PATCH", f"/orgs/{p.organization}", {"description": "Told"}),
    ),
    "rename_organization": (
        "OrganizationService.RenameOrganization",
        lambda s, p, a, ok: ("POST", f"/orgs/{_own(s, ok)}/rename", {"handle": f"{p.organization}-r{next(_numbers)}"}),
    ),
    "transfer_organization": (
        "OrganizationService.TransferOrganization",
        lambda s, p, a, ok: ("POST", f"/orgs/{_own(s, ok)}/transfer", {"handle": "uma" if ok else "max"}),
    ),
    "delete_organization": (
        "OrganizationService.DeleteOrganization",
        lambda s, p, a, ok: ("DELETE", "/orgs/{0}?confirm={0}".format(_own(s, ok)), None),
    ),
    "create_invitation": (
        "OrganizationService.InviteMember",
        lambda s, p, a, ok: ("POST", f"/orgs/{p.organization}/invitations", {"whom": "vera"}),
    ),
    "list_invitations": (
        "OrganizationService.ListInvitations",
        lambda s, p, a, ok: ("GET", f"/orgs/{p.organization}/invitations", None),
    ),
    "revoke_invitation": (
        "OrganizationService.RevokeInvitation",
        lambda s, p, a, ok: ("DELETE", f"/orgs/{p.organization}/invitations/{_open_invitation(s)}", None),
    ),
    "list_own_invitations": (
        "OrganizationService.ListOwnInvitations",
        lambda s, p, a, ok: ("GET", "/me/invitations", None),
    ),
    "get_invitation": (
        "OrganizationService.GetInvitation",
        lambda s, p, a, ok: ("GET", f"/invitations/{_link(s)}", None),
    ),
    "accept_invitation": (
        "OrganizationService.AcceptInvitation",
        lambda s, p, a, ok: ("POST", "/me/invitations/accept", {"token": _link(s)}),
    ),
    "decline_invitation": (
        "OrganizationService.DeclineInvitation",
        lambda s, p, a, ok: ("POST", "/me/invitations/decline", {"token": _link(s)}),
    ),
    "remove_member": ("OrganizationService.RemoveMember", lambda s, p, a, ok: ("DELETE", _uma(s), None)),
    "list_organization_events": (
        "list_organization_events",
        lambda s, p, a, ok: ("GET", f"/orgs/{p.organization}/audit", None),
    ),
    "list_projects": (
        "ProjectService.ListProjects",
        lambda s, p, a, ok: ("GET", f"/projects?owner={p.organization}", None),
    ),
    "create_project": (
        "ProjectService.CreateProject",
        lambda s, p, a, ok: ("POST", "/projects", {"owner": p.organization, "handle": f"rest{next(_numbers)}"}),
    ),
    "import_project_here": (
        "import_project_here",
        lambda s, p, a, ok: (
            "POST",
            "/projects/import",
            {**_ELSEWHERE, "owner": p.organization, "handle": f"coming{next(_numbers)}"},
        ),
    ),
    "start_project_import": (
        "ProjectService.StartImport",
        lambda s, p, a, ok: ("POST", _project(p, "/import"), dict(_ELSEWHERE)),
    ),
    "get_project_import": ("ProjectService.GetImport", _get("/import")),
    "cancel_project_import": (
        "ProjectService.CancelImport",
        lambda s, p, a, ok: ("POST", _project(p, "/import/cancel"), None),
    ),
    "fork_project": ("ProjectService.CreateProject", _fork),
    "get_project": ("ProjectService.GetProject", _get("")),
    "update_project": (
        "ProjectService.UpdateProject",
        lambda s, p, a, ok: ("PATCH", _project(p), {"name": "Renamed"}),
    ),
    "rename_project": (
        "ProjectService.RenameProject",
        lambda s, p, a, ok: ("POST", _project(p, "/rename"), {"handle": f"moved{next(_numbers)}"}),
    ),
    "transfer_project": (
        "ProjectService.TransferProject",
        lambda s, p, a, ok: ("POST", _project(p, "/transfer"), {"owner": _elsewhere(s)}),
    ),
    "archive_project": ("ProjectService.ArchiveProject", lambda s, p, a, ok: ("PUT", _project(p, "/archive"), None)),
    "unarchive_project": (
        "ProjectService.ArchiveProject",
        lambda s, p, a, ok: ("DELETE", _project(p, "/archive"), None),
    ),
    "restore_project": ("ProjectService.RestoreProject", _restore),
    "list_deleted_projects": (
        "ProjectService.ListDeletedProjects",
        lambda s, p, a, ok: ("GET", f"/orgs/{p.organization}/deleted-projects", None),
    ),
    "list_branches": ("ProjectService.ListBranches", _get("/branches")),
    "get_branch": ("ProjectService.ListBranches", _branch_seen),
    "create_branch": (
        "ProjectService.CreateBranch",
        lambda s, p, a, ok: ("POST", _project(p, "/branches"), {"name": f"branch{next(_numbers)}"}),
    ),
    "delete_branch": (
        "ProjectService.DeleteBranch",
        lambda s, p, a, ok: ("DELETE", _project(p, f"/branches/{_branch(s, p, ok)}"), None),
    ),
    "get_protection": ("ProjectService.GetProtection", _get("/protection")),
    "protect_project": (
        "ProjectService.ProtectProject",
        lambda s, p, a, ok: ("PATCH", _project(p, "/protection"), {"paths": ["/infra/"]}),
    ),
    "explain_path_owners": ("ProjectService.ExplainOwners", _get("/owners/a")),
    "explore": ("ProjectService.ExploreProjects", lambda s, p, a, ok: ("GET", "/explore?order=recent", None)),
    "search": ("ProjectService.Search", lambda s, p, a, ok: ("GET", "/search?q=open&kind=projects", None)),
    "list_stars": ("ProjectService.ListStars", lambda s, p, a, ok: ("GET", "/me/stars", None)),
    "star_project": ("ProjectService.StarProject", lambda s, p, a, ok: ("PUT", _project(p, "/star"), None)),
    "unstar_project": ("ProjectService.UnstarProject", lambda s, p, a, ok: ("DELETE", _project(p, "/star"), None)),
    "delete_project": ("ProjectService.DeleteProject", lambda s, p, a, ok: ("DELETE", _project(p), None)),
    "list_project_members": ("ProjectService.ListProjectMembers", _get("/members")),
    "put_project_member": (
        "ProjectService.SetProjectMember",
        lambda s, p, a, ok: ("PUT", _project(p, "/members/uma"), {"role": "member"}),
    ),
    "remove_project_member": ("ProjectService.RemoveProjectMember", _uma_here),
    "list_findings": ("list_findings", _get("/secrets")),
    "decide_finding": (
        "decide_finding",
        lambda s, p, a, ok: ("PATCH", _project(p, "/secrets/999999"), {"state": "allowed", "reason": "None"}),
    ),
    "report_secret": ("report_secret", _report),
    "list_project_events": ("list_project_events", _get("/audit")),
    "get_forge_archive": ("ProjectService.GetForgeArchive", _get("/forge-archive")),
    "start_forge_archive": (
        "ProjectService.StartForgeArchive",
        lambda s, p, a, ok: (
            "POST",
            _project(p, "/forge-archive"),
            {"url": "https://github.invalid/acme/tool", "provider": "github"},
        ),
    ),
    "cancel_forge_archive": ("ProjectService.CancelForgeArchive", _cancel_archive),
    "list_root": ("ProjectService.GetProjectTree", _get("/tree")),
    "list_directory": ("ProjectService.GetProjectTree", _get("/tree/docs")),
    "read_file": ("ProjectService.GetProjectTree", _get("/files/readme.txt")),
    "list_landings": ("SessionService.ListLandings", _get("/landings")),
    "blame": ("SessionService.BlameFile", _get("/blame/readme.txt")),
    "list_path_landings": ("SessionService.ListLandings", _get("/history/readme.txt")),
    "get_landing": ("SessionService.GetSession", _get("/landings/1")),
    "list_changes": ("SessionService.GetSession", _get("/landings/1/changes")),
    "land_session": ("SessionService.LandSession", _land),
    "list_sessions": ("SessionService.ListSessions", _get("/sessions")),
    "start_session": (
        "SessionService.StartSession",
        lambda s, p, a, ok: (
            "POST",
            _project(p, "/sessions"),
            {"goal": "Try", "id": ulid_text(s.session_of(a))},
        ),
    ),
    "get_session": ("SessionService.GetSession", _of_landed("")),
    "list_session_changes": ("SessionService.GetSession", _of_landed("/changes")),
    "get_outcome": ("SessionService.AwaitLanding", _of_landed("/outcome")),
    "abandon_session": ("SessionService.AbandonSession", _abandon),
    "push_session": ("SessionService.PushSession", _push),
}
