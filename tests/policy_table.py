"""The policy of the forge as a table, written by hand: who may do what to which thing, through which door.

A row is an act on things of one visibility (or of any), a column an actor, a cell the answer:

    .  done          u  unauthenticated: sign in first
    d  permission_denied: it is there, and not yours to do that to
    n  not_found: there is no such thing, in the words for one that is not there
    >  a page that sends to the sign-in

`test_policy_matrix` asks every cell of a running forge, and fails when an act is missing here.
"""

from __future__ import annotations

# nobody: without a sign-in. stranger: an account outside of the organization. reader, member, admin, owner: in it.
# only-reads, only-lands, only-runs: reader, member and admin of the one project, and not in the organization.
# closed: an account that was an admin and is closed. dead: a revoked token of the owner. All others are good tokens
# of the owner:
#   pr project:read   pw project:write   sr project:read session:read   sw project:read session:write
#   or org:read   oa org:admin, each for all projects and, where it writes, allowed to mix;
#   here, else: project:write session:write for this project, for another one;
#   agent, other: an agent's token for this session of this project, for another session of it.
ACTORS = [
    "nobody",
    "stranger",
    "reader",
    "member",
    "admin",
    "owner",
    "only-reads",
    "only-lands",
    "only-runs",
    "closed",
    "dead",
    "pr",
    "pw",
    "sr",
    "sw",
    "or",
    "oa",
    "here",
    "else",
    "agent",
    "other",
]

_CALLS = """
                                               n s  r m a o  r l r  c d  p p s s o o  h e a o
                                               o t  e e d w  e a u  l e  r w r w r a  e l g t
AuthService.GetCurrentUser             any     u .  . . . .  . . .  u u  . . . . . .  . . . .
AccountService.CreateToken             any     u .  . . . .  . . .  u u  d d d d d d  d d d d
AccountService.CreateSessionToken      public  u d  d . . .  d . .  u u  d d d d d d  d d d d
AccountService.CreateSessionToken      private u n  d . . .  d . .  u u  d d d d d d  d d d d
AccountService.RenewSessionToken       any     u n  n n n .  n n n  u u  d d d d d d  d d d d
AccountService.ListTokens              any     u .  . . . .  . . .  u u  d d d d d d  d d d d
AccountService.RevokeToken             any     u n  n n n .  n n n  u u  d d d d d d  d d d d
AccountService.StartExport             public  u .  . . . .  . . .  u u  d d . . d d  . n d d
AccountService.StartExport             private n n  . . . .  . . .  u u  d d . . d d  . n d d
AccountService.GetExport               any     u n  n n n .  n n n  u u  . . . . d d  . n . .
AccountService.ListExports             any     u .  . . . .  . . .  u u  . . . . d d  . . . .
AccountService.CancelExport            any     u n  n n n .  n n n  u u  . . . . d d  . n . .
AccountService.DownloadExport          any     u n  n n n .  n n n  u u  d d . . d d  . n d d
OrganizationService.CreateOrganization any     u .  . . . .  . . .  u u  d d d d d .  d d d d
OrganizationService.GetOrganization    any     . .  . . . .  . . .  u u  d d d d . .  d d d d
OrganizationService.ListOrganizations  any     u .  . . . .  . . .  u u  d d d d . .  d d d d
OrganizationService.UpdateOrganization any     u d  d d . .  d d d  u u  d d d d d .  d d d d
OrganizationService.RenameOrganization any     u d  d d d .  d d d  u u  d d d d d .  d d d d
OrganizationService.TransferOrganization any   u d  d d d .  d d d  u u  d d d d d .  d d d d
OrganizationService.DeleteOrganization any     u d  d d d .  d d d  u u  d d d d d .  d d d d
OrganizationService.InviteMember       any     u d  d d . .  d d d  u u  d d d d d .  d d d d
OrganizationService.ListInvitations    any     u d  d d . .  d d d  u u  d d d d d .  d d d d
OrganizationService.RevokeInvitation   any     u d  d d . .  d d d  u u  d d d d d .  d d d d
OrganizationService.ListOwnInvitations any     u .  . . . .  . . .  u u  d d d d . .  d d d d
OrganizationService.GetInvitation      any     . .  . . . .  . . .  u u  d d d d . .  d d d d
OrganizationService.AcceptInvitation   any     u .  . . . .  . . .  u u  d d d d d .  d d d d
OrganizationService.DeclineInvitation  any     u .  . . . .  . . .  u u  d d d d d .  d d d d
OrganizationService.SetMemberRole      any     u d  d d . .  d d d  u u  d d d d d .  d d d d
OrganizationService.RemoveMember       any     u d  d d . .  d d d  u u  d d d d d .  d d d d
OrganizationService.ListMembers        any     u d  . . . .  d d d  u u  d d d d . .  d d d d
OrganizationService.GetNetworks        any     u d  d d d .  d d d  u u  d d d d d .  d d d d
OrganizationService.SetNetworks        any     u d  d d d .  d d d  u u  d d d d d .  d d d d
OrganizationService.ChangeNetworks     any     u d  d d d .  d d d  u u  d d d d d .  d d d d
OrganizationService.GetSecondFactor    any     u d  d d d .  d d d  u u  d d d d d .  d d d d
OrganizationService.SetSecondFactor    any     u d  d d d .  d d d  u u  d d d d d .  d d d d
ProjectService.CreateProject           any     u d  d d . .  d d d  u u  d . d d d d  d d d d
ProjectService.ListProjects            any     . .  . . . .  . . .  u u  . . . . d d  . . . .
ProjectService.ExploreProjects         any     . .  . . . .  . . .  u u  . . . . d d  . . . .
ProjectService.UpdateProject           public  u d  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.UpdateProject           private n n  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.RenameProject           public  u d  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.RenameProject           private n n  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.TransferProject         public  u d  d d d .  d d d  u u  d . d d d d  d n d d
ProjectService.TransferProject         private n n  d d d .  d d d  u u  d . d d d d  d n d d
ProjectService.ArchiveProject          public  u d  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.ArchiveProject          private n n  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.RestoreProject          public  n n  n n . .  n n n  u u  d . d d d d  . n d d
ProjectService.RestoreProject          private n n  n n . .  n n n  u u  d . d d d d  . n d d
ProjectService.ListDeletedProjects     any     u d  d d . .  d d d  u u  d . d d d d  d d d d
ProjectService.ProtectProject          public  u d  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.ProtectProject          private n n  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.GetProtection           public  . .  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.GetProtection           private n n  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.ExplainOwners           public  . .  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.ExplainOwners           private n n  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.StarProject             public  u .  . . . .  . . .  u u  d . d d d d  . n d d
ProjectService.StarProject             private n n  . . . .  . . .  u u  d . d d d d  . n d d
ProjectService.UnstarProject           public  u .  . . . .  . . .  u u  d . d d d d  . n d d
ProjectService.UnstarProject           private n n  . . . .  . . .  u u  d . d d d d  . n d d
ProjectService.ListStars               any     u .  . . . .  . . .  u u  . . . . d d  . . . .
ProjectService.DeleteProject           public  u d  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.DeleteProject           private n n  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.ListProjectMembers      public  u d  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.ListProjectMembers      private n n  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.SetProjectMember        public  u d  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.SetProjectMember        private n n  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.RemoveProjectMember     public  u d  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.RemoveProjectMember     private n n  d d . .  d d .  u u  d . d d d d  . n d d
ProjectService.GetProject              public  . .  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.GetProject              private n n  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.Search                  any     . .  . . . .  . . .  u u  . . . . d d  . . . .
ProjectService.ListBranches            public  . .  . . . .  . . .  u u  d d . . d d  . n . .
ProjectService.ListBranches            private n n  . . . .  . . .  u u  d d . . d d  . n . .
ProjectService.CreateBranch            public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.CreateBranch            private n n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.DeleteBranch            public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.DeleteBranch            private n n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.GetProjectTree          public  . .  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.GetProjectTree          private n n  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.StreamBlobs             public  . .  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.StreamBlobs             private n n  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.FindMissingBlobs        public  . .  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.FindMissingBlobs        private n n  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.UploadBlobs             public  u d  d . . .  d . .  u u  d d d . d d  . n . .
ProjectService.UploadBlobs             private u n  d . . .  d . .  u u  d d d . d d  . n . .
ProjectService.ImportHistory           public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.ImportHistory           private u n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.StartImport             public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.StartImport             private n n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.GetImport               public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.GetImport               private n n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.CancelImport            public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.CancelImport            private n n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.GetImportTips           public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.GetImportTips           private n n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.SendImport              public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.SendImport              private u n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.StartForgeArchive       public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.StartForgeArchive       private n n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.CancelForgeArchive      public  u d  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.CancelForgeArchive      private n n  d . . .  d . .  u u  d . d d d d  . n d d
ProjectService.GetForgeArchive         public  . .  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.GetForgeArchive         private n n  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.ExportForgeArchive      public  . .  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.ExportForgeArchive      private n n  . . . .  . . .  u u  . . . . d d  . n . .
ProjectService.ImportArchive           any     u d  d d . .  d d d  u u  d . d d d d  d d d d
SessionService.StartSession            public  u d  d . . .  d . .  u u  d d d . d d  . n . d
SessionService.StartSession            private n n  d . . .  d . .  u u  d d d . d d  . n . d
SessionService.LandSession             public  u d  d . . .  d . .  u u  d d d . d d  . n . d
SessionService.LandSession             private n n  d . . .  d . .  u u  d d d . d d  . n . d
SessionService.PushSession             public  u d  d . . .  d . .  u u  d d d . d d  . n . d
SessionService.PushSession             private n n  d . . .  d . .  u u  d d d . d d  . n . d
SessionService.AbandonSession          public  u d  d . . .  d . .  u u  d d d . d d  . n d d
SessionService.AbandonSession          private n n  d . . .  d . .  u u  d d d . d d  . n d d
SessionService.AwaitLanding            public  . .  . . . .  . . .  u u  d d . . d d  . n . .
SessionService.AwaitLanding            private n n  . . . .  . . .  u u  d d . . d d  . n . .
SessionService.GetSession              public  . .  . . . .  . . .  u u  d d . . d d  . n . .
SessionService.GetSession              private n n  . . . .  . . .  u u  d d . . d d  . n . .
SessionService.ListSessions            public  . .  . . . .  . . .  u u  d d . . d d  . n . .
SessionService.ListSessions            private n n  . . . .  . . .  u u  d d . . d d  . n . .
SessionService.ListLandings            public  . .  . . . .  . . .  u u  d d . . d d  . n . .
SessionService.ListLandings            private n n  . . . .  . . .  u u  d d . . d d  . n . .
SessionService.BlameFile               public  . .  . . . .  . . .  u u  d d . . d d  . n . .
SessionService.BlameFile               private n n  . . . .  . . .  u u  d d . . d d  . n . .
"""

# What git may do with a project. Nobody is asked for a token wherever one could help, so that git asks its user.
_GIT = """
                                               n s  r m a o  r l r  c d  p p s s o o  h e a o
                                               o t  e e d w  e a u  l e  r w r w r a  e l g t
git-upload-pack                        public  . .  . . . .  . . .  u u  d d . . d d  . n . .
git-upload-pack                        private u n  . . . .  . . .  u u  d d . . d d  . n . .
git-receive-pack                       public  u d  d . . .  d . .  u u  d d d . d d  . n d d
git-receive-pack                       private u n  d . . .  d . .  u u  d d d . d d  . n d d
"""

# Pages know a browser's sign-in and nothing else: a token in the header makes nobody somebody (`token` is the owner's).
VISITORS = [
    "nobody", "stranger", "reader", "member", "admin", "owner", "only-reads", "only-lands", "only-runs",
    "closed", "token",
]  # fmt: skip

# The session of `session` has not landed; that of `session-change` has, and its address leads to the landing.
_PAGES = """
                             n s  r m a o  r l r  c t
                             o t  e e d w  e a u  l o
account              any     > .  . . . .  . . .  > >
password             any     > .  . . . .  . . .  > >
address              any     > .  . . . .  . . .  > >
socialaccount_connections any > .  . . . .  . . .  > >
admin-sign-ups       any     > d  d d d d  d d d  > >
admin-suspended      any     > d  d d d d  d d d  > >
admin-mail           any     > d  d d d d  d d d  > >
account-audit        any     u .  . . . .  . . .  u u
tokens               any     > .  . . . .  . . .  > >
browsers             any     > .  . . . .  . . .  > >
account-handle       any     > .  . . . .  . . .  > >
token-revoke         any     d >  > > > >  > > >  d d
mfa_index            any     > .  . . . .  . . .  > >
import-project       any     u .  . . . .  . . .  u u
new-organization     any     u .  . . . .  . . .  u u
new-project          any     u .  . . . .  . . .  u u
account-profile      any     u .  . . . .  . . .  u u
exports              any     u .  . . . .  . . .  u u
export-file          any     u n  n n n n  n n n  u u
stars                any     u .  . . . .  . . .  u u
forge-audit          any     u d  d d d d  d d d  u u
admin                any     u d  d d d d  d d d  u u
admin-accounts       any     u d  d d d d  d d d  u u
admin-account        any     u d  d d d d  d d d  u u
admin-organizations  any     u d  d d d d  d d d  u u
admin-organization   any     u d  d d d d  d d d  u u
admin-projects       any     u d  d d d d  d d d  u u
admin-abuse          any     u d  d d d d  d d d  u u
admin-jobs           any     u d  d d d d  d d d  u u
admin-storage        any     u d  d d d d  d d d  u u
admin-settings       any     u d  d d d d  d d d  u u
admin-erasure        any     u d  d d d d  d d d  u u
admin-legal          any     u d  d d d d  d d d  u u
legal                any     . .  . . . .  . . .  . .
design               any     . .  . . . .  . . .  . .
home                 any     . .  . . . .  . . .  . .
explore              any     . .  . . . .  . . .  . .
search               any     . .  . . . .  . . .  . .
search-feed          any     . .  . . . .  . . .  . .
organization-feed    any     . .  . . . .  . . .  . .
project-feed         public  . .  . . . .  . . .  . .
project-feed         private n n  . . . .  . . .  n n
organization         any     . .  . . . .  . . .  . .
organization-second-factor any > d  d d d .  d d d  > >
organization-networks any      > d  d d d .  d d d  > >
deleted-projects     any     u d  d d . .  d d d  u u
organization-audit   any     u d  d d . .  d d d  u u
organization-members any     u d  . . . .  d d d  u u
organization-settings any    u d  d d . .  d d d  u u
own-invitations      any     u .  . . . .  . . .  u u
invitation           any     . .  . . . .  . . .  . .
project              public  . .  . . . .  . . .  . .
project              private n n  . . . .  . . .  n n
tree-root            public  . .  . . . .  . . .  . .
tree-root            private n n  . . . .  . . .  n n
tree                 public  . .  . . . .  . . .  . .
tree                 private n n  . . . .  . . .  n n
file                 public  . .  . . . .  . . .  . .
file                 private n n  . . . .  . . .  n n
raw                  public  . .  . . . .  . . .  . .
raw                  private n n  . . . .  . . .  n n
landings             public  . .  . . . .  . . .  . .
landings             private n n  . . . .  . . .  n n
landing              public  . .  . . . .  . . .  . .
landing              private n n  . . . .  . . .  n n
landing-change       public  . .  . . . .  . . .  . .
landing-change       private n n  . . . .  . . .  n n
archive              public  . .  . . . .  . . .  . .
archive              private n n  . . . .  . . .  n n
compare              public  . .  . . . .  . . .  . .
compare              private n n  . . . .  . . .  n n
compare-change       public  . .  . . . .  . . .  . .
compare-change       private n n  . . . .  . . .  n n
badge                public  . .  . . . .  . . .  . .
badge                private n n  . . . .  . . .  n n
badges               public  . .  . . . .  . . .  . .
badges               private n n  . . . .  . . .  n n
branches             public  . .  . . . .  . . .  . .
branches             private n n  . . . .  . . .  n n
forks                public  . .  . . . .  . . .  . .
forks                private n n  . . . .  . . .  n n
tags                 public  . .  . . . .  . . .  . .
tags                 private n n  . . . .  . . .  n n
contributors         public  . .  . . . .  . . .  . .
contributors         private n n  . . . .  . . .  n n
compare-form         public  > >  > > > >  > > >  > >
compare-form         private n n  > > > >  > > >  n n
sessions             public  . .  . . . .  . . .  . .
sessions             private n n  . . . .  . . .  n n
session              public  n n  . . . .  . . .  n n
session              private n n  . . . .  . . .  n n
session-change       public  > >  > > > >  > > >  > >
session-change       private n n  > > > >  > > >  n n
project-secrets      public  u d  d d . .  d d .  u u
project-secrets      private n n  d d . .  d d .  n n
secrets-decide       public  d d  d d > >  d d >  d d
secrets-decide       private d n  d d > >  d d >  d d
secrets-report       public  . .  . . . .  . . .  . .
secrets-report       private n n  . . . .  . . .  n n
owners               public  . .  . . . .  . . .  . .
owners               private n n  . . . .  . . .  n n
history              public  . .  . . . .  . . .  . .
history              private n n  . . . .  . . .  n n
blame                public  . .  . . . .  . . .  . .
blame                private n n  . . . .  . . .  n n
project-settings     public  u d  d d . .  d d .  u u
project-settings     private n n  d d . .  d d .  n n
project-star         public  d >  > > > >  > > >  d d
project-star         private d n  > > > >  > > >  d d
project-import       public  . .  . . . .  . . .  . .
project-import       private n n  . . . .  . . .  n n
forge-archive        public  . .  . . . .  . . .  . .
forge-archive        private n n  . . . .  . . .  n n
project-members      public  u d  . . . .  . . .  u u
project-members      private n n  . . . .  . . .  n n
project-audit        public  u d  d d . .  d d .  u u
project-audit        private n n  d d . .  d d .  n n
"""

# What REST does and no call: by the name of the operation, for the actors of the calls.
_ROUTES = """
                                               n s  r m a o  r l r  c d  p p s s o o  h e a o
                                               o t  e e d w  e a u  l e  r w r w r a  e l g t
list_browsers                          any     u .  . . . .  . . .  u u  d d d d d d  d d d d
name_browser                           any     u n  n n n n  n n n  u u  d d d d d d  d d d d
end_browser                            any     u n  n n n n  n n n  u u  d d d d d d  d d d d
import_project_here                    any     u d  d d . .  d d d  u u  d . d d d d  d d d d
rename_me                              any     u .  . . . .  . . .  u u  d d d d d d  d d d d
decide_open_findings                   public  u d  d d . .  d d .  u u  d . d d d d  . n d d
decide_open_findings                   private n n  d d . .  d d .  u u  d . d d d d  . n d d
put_picture                            any     u .  . . . .  . . .  u u  d d d d d d  d d d d
delete_picture                         any     u .  . . . .  . . .  u u  d d d d d d  d d d d
put_organization_picture               any     u d  d d . .  d d d  u u  d d d d d .  d d d d
delete_organization_picture            any     u d  d d . .  d d d  u u  d d d d d .  d d d d
update_me                              any     u .  . . . .  . . .  u u  d d d d d d  d d d d
get_overview                           any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_all_accounts                      any     u d  d d d d  d d d  u u  d d d d d d  d d d d
get_any_account                        any     u d  d d d d  d d d  u u  d d d d d d  d d d d
make_administrator                     any     u d  d d d d  d d d  u u  d d d d d d  d d d d
end_administrator                      any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_all_organizations                 any     u d  d d d d  d d d  u u  d d d d d d  d d d d
get_usage                              any     u d  d d d d  d d d  u u  d d d d d d  d d d d
put_limits                             any     u d  d d d d  d d d  u u  d d d d d d  d d d d
measure_usage                          any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_all_projects                      any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_all_blocks                        any     u d  d d d d  d d d  u u  d d d d d d  d d d d
create_block                           any     u d  d d d d  d d d  u u  d d d d d d  d d d d
lift_block                             any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_erasures                          any     u d  d d d d  d d d  u u  d d d d d d  d d d d
look_at_erasure                        any     u d  d d d d  d d d  u u  d d d d d d  d d d d
ask_erasure                            any     u d  d d d d  d d d  u u  d d d d d d  d d d d
look_at_words                          any     u d  d d d d  d d d  u u  d d d d d d  d d d d
ask_words                              any     u d  d d d d  d d d  u u  d d d d d d  d d d d
look_at_person                         any     u d  d d d d  d d d  u u  d d d d d d  d d d d
ask_person                             any     u d  d d d d  d d d  u u  d d d d d d  d d d d
confirm_erasure                        any     u d  d d d d  d d d  u u  d d d d d d  d d d d
withdraw_erasure                       any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_jobs                              any     u d  d d d d  d d d  u u  d d d d d d  d d d d
retry_job                              any     u d  d d d d  d d d  u u  d d d d d d  d d d d
get_settings                           any     u d  d d d d  d d d  u u  d d d d d d  d d d d
get_storage                            any     u d  d d d d  d d d  u u  d d d d d d  d d d d
examine_store                          any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_letters                           any     u d  d d d d  d d d  u u  d d d d d d  d d d d
send_letter                            any     u d  d d d d  d d d  u u  d d d d d d  d d d d
close_letter                           any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_sign_ups                          any     u d  d d d d  d d d  u u  d d d d d d  d d d d
approve_sign_up                        any     u d  d d d d  d d d  u u  d d d d d d  d d d d
decline_sign_up                        any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_sign_up_invitations               any     u d  d d d d  d d d  u u  d d d d d d  d d d d
create_sign_up_invitation              any     u d  d d d d  d d d  u u  d d d d d d  d d d d
withdraw_sign_up_invitation            any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_suspensions                       any     u d  d d d d  d d d  u u  d d d d d d  d d d d
suspend_account                        any     u d  d d d d  d d d  u u  d d d d d d  d d d d
unsuspend_account                      any     u d  d d d d  d d d  u u  d d d d d d  d d d d
account_events                         any     u .  . . . .  . . .  u u  d d d d d d  d d d d
forge_events                           any     u d  d d d d  d d d  u u  d d d d d d  d d d d
list_organization_events               any     u d  d d . .  d d d  u u  d d d d d .  d d d d
list_project_events                    public  u d  d d . .  d d .  u u  d . d d d d  . n d d
list_project_events                    private n n  d d . .  d d .  u u  d . d d d d  . n d d
list_findings                          public  u d  d d . .  d d .  u u  d . d d d d  . n d d
list_findings                          private n n  d d . .  d d .  u u  d . d d d d  . n d d
decide_finding                         public  u d  d d n n  d d n  u u  d n d d d d  n n d d
decide_finding                         private n n  d d n n  d d n  u u  d n d d d d  n n d d
report_secret                          public  . .  . . . .  . . .  u u  . . . . d d  . n . .
report_secret                          private n n  . . . .  . . .  u u  . . . . d d  . n . .
"""

# Addresses that ask about nobody, or are how somebody is asked who they are; each has its own tests.
OPEN_PAGES = frozenset(
    {
        "discovery", "stylesheet", "account_login", "account_logout", "account_signup", "account_inactive",
        "account_reauthenticate", "once", "idp:oidc:configuration", "idp:oidc:jwks", "idp:oidc:authorization",
        "idp:oidc:logout", "idp:oidc:token", "idp:oidc:revoke", "idp:oidc:userinfo", "idp:oidc:device_code",
        "idp:oidc:device_authorization", "passkey-sign-in", "passkey-script", "keys-script",
        "ask-link", "link-asked", "invited",
        "github_login", "github_callback", "gitlab_login", "gitlab_callback", "socialaccount_login_cancelled",
        "socialaccount_signup", "sign-in-anew",
        "account_waiting", "account_email_verification_sent", "account_confirm_email", "account_reset_password",
        "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done",
        "api:openapi", "api:docs", "api:docs-part", "api:docs-errors", "api:nothing",
        # Where the page is, whether it is there or not.
        "design-address",
        "robots", "sitemap", "llms", "skill", "mark", "favicon",
        # The same for everybody; tests/flow/test_texts.py.
        "docs", "docs-page", "changelog", "changelog-feed", "blog", "blog-feed", "post", "blog-picture",
        # A cookie of one's own, and one's own account; tests/flow/test_languages.py.
        "language",
        # What of somebody's landings a visitor may see anyway; tests/flow/test_feeds.py.
        "person-feed",
        # The same, and what they say of themselves; tests/flow/test_people.py.
        "person", "person-card", "picture", "drawn-picture",
        # What a visitor sees, whoever asks, and nothing of a private project; tests/flow/test_cards.py.
        "card", "organization-card",
        "organization-with-slash", "project-with-slash", "clone-address",
    }
)  # fmt: skip

# Steps of signing in, and acts on one's own second factors: nobody else's is in their addresses.
FACTOR_PAGES = frozenset(
    {
        "mfa_authenticate", "mfa_login_webauthn", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp",
        "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_list_webauthn",
        "mfa_add_webauthn", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn",
    }
)  # fmt: skip

# Every public function of a domain that acts for somebody, and a row that goes through it: a call or a page.
FUNCTIONS = {
    "accounts.actions.ask_for_address": "address",
    "accounts.actions.change_address": "address",
    "accounts.actions.change_password": "password",
    "accounts.actions.end_sign_ins": "password",
    "accounts.actions.held_account": "update_me",
    "accounts.administering.count_accounts": "admin",
    "accounts.administering.get_account": "admin-account",
    "accounts.administering.list_accounts": "admin-accounts",
    "accounts.administering.set_administrator": "admin-account",
    "accounts.actions.update_account": "account",
    "accounts.approvals.approve": "admin-sign-ups",
    "accounts.approvals.count_waiting": "admin-sign-ups",
    "accounts.approvals.decline": "admin-sign-ups",
    "accounts.approvals.list_waiting": "admin-sign-ups",
    "accounts.browsers.end_browser": "browsers",
    "accounts.browsers.list_browsers": "browsers",
    "accounts.browsers.name_browser": "browsers",
    "accounts.invitations.create_invitation": "admin-sign-ups",
    "accounts.invitations.list_invitations": "admin-sign-ups",
    "accounts.invitations.withdraw_invitation": "admin-sign-ups",
    "accounts.language.choose_language": "account",
    "accounts.names.rename_account": "account-handle",
    "accounts.profiles.find_person": "account-profile",
    "accounts.profiles.set_picture": "put_picture",
    "accounts.profiles.update_profile": "account-profile",
    "accounts.queries.all_events": "forge-audit",
    "accounts.queries.find_users": "search",
    "accounts.queries.get_user": "OrganizationService.InviteMember",
    "accounts.queries.own_events": "account-audit",
    "accounts.queries.proven_addresses": "SessionService.LandSession",
    "accounts.queries.users_by_id": "OrganizationService.ListMembers",
    "accounts.suspension.list_suspended": "admin-suspended",
    "accounts.suspension.suspend": "admin-suspended",
    "accounts.suspension.unsuspend": "admin-suspended",
    "accounts.undelivered.hand_over": "admin-mail",
    "accounts.undelivered.list_letters": "admin-mail",
    "accounts.undelivered.read_letter": "admin-mail",
    "accounts.undelivered.send_again": "admin-mail",
    "archives.actions.cancel_fetch": "ProjectService.CancelForgeArchive",
    "archives.actions.start_fetch": "ProjectService.StartForgeArchive",
    "archives.coming.cancel_coming": "project-import",
    "archives.coming.get_coming": "project-import",
    "archives.coming.import_into": "import_project_here",
    "archives.coming.import_project": "import_project_here",
    "archives.queries.export_archive": "ProjectService.ExportForgeArchive",
    "archives.queries.find_archive": "ProjectService.GetForgeArchive",
    "archives.queries.newest_run": "ProjectService.GetForgeArchive",
    "exports.account_lines.AccountLines": "AccountService.StartExport",
    "exports.actions.cancel_export": "AccountService.CancelExport",
    "exports.actions.start_export": "AccountService.StartExport",
    "exports.archive_in.import_archive": "ProjectService.ImportArchive",
    "exports.project_lines.ProjectLines": "AccountService.StartExport",
    "exports.queries.get_export": "AccountService.GetExport",
    "exports.queries.list_exports": "AccountService.ListExports",
    "exports.queries.own_export": "AccountService.GetExport",
    "exports.queries.read_export": "AccountService.DownloadExport",
    "exports.queries.ready_export": "AccountService.DownloadExport",
    "exports.queries.view_of": "AccountService.GetExport",
    "findings.actions.decide": "secrets-decide",
    "findings.actions.decide_open": "secrets-decide",
    "findings.actions.report": "secrets-report",
    "findings.actions.take_in": "ProjectService.ImportHistory",
    "findings.queries.count_open": "project",
    "findings.queries.list_findings": "project-secrets",
    "findings.queries.own_finding": "secrets-decide",
    "organizations.actions.create_organization": "OrganizationService.CreateOrganization",
    "organizations.actions.delete_organization": "OrganizationService.DeleteOrganization",
    "organizations.actions.held": "OrganizationService.InviteMember",
    "organizations.actions.rename_organization": "OrganizationService.RenameOrganization",
    "organizations.actions.set_role": "OrganizationService.SetMemberRole",
    "organizations.actions.transfer_organization": "OrganizationService.TransferOrganization",
    "organizations.actions.update_organization": "OrganizationService.UpdateOrganization",
    "organizations.invitations.accept_invitation": "OrganizationService.AcceptInvitation",
    "organizations.invitations.count_own_invitations": "home",
    "organizations.invitations.decline_invitation": "OrganizationService.DeclineInvitation",
    "organizations.invitations.invitation_of_link": "OrganizationService.GetInvitation",
    "organizations.invitations.invite": "OrganizationService.InviteMember",
    "organizations.invitations.list_invitations": "OrganizationService.ListInvitations",
    "organizations.invitations.own_invitations": "OrganizationService.ListOwnInvitations",
    "organizations.invitations.revoke_invitation": "OrganizationService.RevokeInvitation",
    "organizations.actions.remove_member": "OrganizationService.RemoveMember",
    "organizations.networks.get_networks": "OrganizationService.GetNetworks",
    "organizations.networks.set_networks": "OrganizationService.SetNetworks",
    "organizations.networks.change_networks": "OrganizationService.ChangeNetworks",
    "organizations.networks.networks_held": "OrganizationService.SetNetworks",
    "organizations.profiles.organizations_of": "account-profile",
    "organizations.profiles.set_organization_picture": "put_organization_picture",
    "organizations.profiles.show_memberships": "account-profile",
    "organizations.profiles.shown_memberships": "account-profile",
    "organizations.profiles.update_organization_profile": "OrganizationService.UpdateOrganization",
    "organizations.second_factor.ask_second_factor": "OrganizationService.SetSecondFactor",
    "organizations.second_factor.second_factor_standing": "OrganizationService.GetSecondFactor",
    "organizations.queries.get_managed": "organization-settings",
    "operators.blocks.block": "admin-abuse",
    "operators.blocks.lift": "admin-abuse",
    "operators.blocks.lift_all": "admin-abuse",
    "operators.blocks.list_blocks": "admin-abuse",
    "operators.erasure_page.erasure": "admin-erasure",
    "accounts.removal.known": "admin-erasure",
    "accounts.removal.remove": "admin-erasure",
    "organizations.administering.forget_addresses": "admin-erasure",
    "organizations.administering.owned_alone": "admin-erasure",
    "operators.purges.ask": "admin-erasure",
    "operators.purges.asked": "admin-erasure",
    "operators.purges.confirm": "admin-erasure",
    "operators.purges.content_of": "admin-erasure",
    "operators.purges.list_purges": "admin-erasure",
    "operators.purges.look": "admin-erasure",
    "operators.purges.withdraw": "admin-erasure",
    "operators.word_purges.look": "admin-erasure",
    "operators.word_purges.ask": "admin-erasure",
    "operators.person_purges.look": "admin-erasure",
    "operators.person_purges.ask": "admin-erasure",
    "projects.administering.project_of_name": "admin-erasure",
    "operators.legal.legal_versions": "admin-legal",
    "operators.legal.set_legal": "admin-legal",
    "operators.settings_view.settings_view": "admin-settings",
    "operators.overview.examine_store": "admin-storage",
    "operators.overview.job_counts": "admin-jobs",
    "operators.overview.jobs": "admin-jobs",
    "operators.overview.overview": "admin",
    "operators.overview.retry_job": "admin-jobs",
    "operators.overview.storage": "admin-storage",
    "organizations.administering.all_organizations": "admin-organizations",
    "organizations.administering.count_organizations": "admin",
    "organizations.queries.get_organization": "OrganizationService.GetOrganization",
    "organizations.queries.kept_out": "organization",
    "organizations.queries.members_of": "organization",
    "organizations.queries.list_members": "OrganizationService.ListMembers",
    "organizations.queries.list_organizations": "OrganizationService.ListOrganizations",
    "organizations.queries.memberships": "ProjectService.ListProjects",
    "organizations.queries.organization_events": "organization-audit",
    "projects.arrivals.admit_project": "ProjectService.ImportArchive",
    "projects.arrivals.require_arrival": "ProjectService.ImportArchive",
    "projects.actions.create_project": "ProjectService.CreateProject",
    "projects.actions.held": "ProjectService.UpdateProject",
    "projects.actions.update_project": "ProjectService.UpdateProject",
    "projects.deletion.delete_project": "ProjectService.DeleteProject",
    "projects.deletion.list_deleted": "ProjectService.ListDeletedProjects",
    "projects.deletion.restore_project": "ProjectService.RestoreProject",
    "projects.limits.usage": "ProjectService.GetProject",
    "projects.members.list_project_members": "ProjectService.ListProjectMembers",
    "projects.members.remove_project_member": "ProjectService.RemoveProjectMember",
    "projects.members.set_project_member": "ProjectService.SetProjectMember",
    "projects.moves.archive_project": "ProjectService.ArchiveProject",
    "projects.moves.rename_project": "ProjectService.RenameProject",
    "projects.moves.transfer_project": "ProjectService.TransferProject",
    "projects.administering.all_projects": "admin-projects",
    "projects.administering.measure": "admin-organization",
    "projects.administering.usage_of": "admin-organization",
    "projects.administering.count_projects": "admin",
    "projects.queries.Readable": "search",
    "projects.forks.count_forks": "ProjectService.GetProject",
    "projects.forks.list_forks": "forks",
    "projects.ownership.explain_owners": "ProjectService.ExplainOwners",
    "projects.ownership.gate_for": "SessionService.LandSession",
    "projects.ownership.names_of": "SessionService.LandSession",
    "projects.ownership.require_line": "SessionService.LandSession",
    "projects.branches.create_branch": "ProjectService.CreateBranch",
    "projects.branches.delete_branch": "ProjectService.DeleteBranch",
    "projects.branches.get_branch": "ProjectService.DeleteBranch",
    "projects.branches.list_branches": "ProjectService.ListBranches",
    "sessions.branches.create_branch": "ProjectService.CreateBranch",
    "sessions.branches.delete_branch": "ProjectService.DeleteBranch",
    "sessions.branches.list_git_branches": "branches",
    "sessions.tags.list_tags": "tags",
    "sessions.tags.tag_position": "compare",
    "sessions.tallies.tally": "project",
    "sessions.narrowed.latest_sessions": "project",
    "sessions.doings.weeks_of": "contributors",
    "sessions.branches.get_branch": "ProjectService.ListBranches",
    "sessions.branches.list_branches": "ProjectService.ListBranches",
    "projects.protection.get_protection": "ProjectService.GetProtection",
    "projects.protection.may_land_by": "SessionService.LandSession",
    "projects.protection.protect_project": "ProjectService.ProtectProject",
    "projects.queries.confined_elsewhere": "ProjectService.ListProjects",
    "projects.queries.given_roles": "ProjectService.ListProjects",
    "projects.queries.former_addresses": "project-settings",
    "projects.queries.as_seen": "forks",
    "projects.queries.with_roles": "forks",
    "projects.queries.get_project": "ProjectService.GetProject",
    "projects.queries.list_projects": "ProjectService.ListProjects",
    "projects.forks.origin_of": "ProjectService.GetProject",
    "projects.queries.project_events": "project-audit",
    "projects.queries.named_projects": "AccountService.CreateToken",
    "projects.held.held": "AccountService.StartExport",
    "projects.queries.get_named": "AccountService.StartExport",
    "projects.queries.project_names": "AccountService.ListTokens",
    "projects.reads.note_private": "search",
    "projects.reads.note_read": "ProjectService.GetProject",
    "projects.queries.project_of": "AccountService.RenewSessionToken",
    "projects.queries.readable": "ProjectService.ListStars",
    "projects.stars.list_stars": "ProjectService.ListStars",
    "projects.stars.star_project": "ProjectService.StarProject",
    "projects.stars.stars_of": "ProjectService.GetProject",
    "imports.actions.begin_sending": "ProjectService.StartImport",
    "imports.actions.cancel_import": "ProjectService.CancelImport",
    "imports.actions.send_part": "ProjectService.SendImport",
    "imports.actions.start_import": "ProjectService.StartImport",
    "imports.actions.tips_of": "ProjectService.GetImportTips",
    "imports.queries.get_import": "ProjectService.GetImport",
    "imports.queries.list_imports": "ProjectService.GetImport",
    "sessions.intake.HistoryIntake": "ProjectService.ImportHistory",
    "sessions.actions.abandon_session": "SessionService.AbandonSession",
    "sessions.actions.land": "SessionService.LandSession",
    "sessions.actions.own_landing": "SessionService.LandSession",
    "sessions.actions.claim": "SessionService.PushSession",
    "sessions.actions.own_open_session": "SessionService.AbandonSession",
    "sessions.actions.start_session": "SessionService.StartSession",
    "sessions.actions.to_keep": "SessionService.PushSession",
    "sessions.actions.to_land": "SessionService.LandSession",
    "sessions.begins.find_session": "SessionService.GetSession",
    "sessions.push.push_session": "SessionService.PushSession",
    "sessions.push.pushed": "ProjectService.StreamBlobs",
    "sessions.actions.upload": "ProjectService.UploadBlobs",
    "sessions.git_push.open_for_push": "git-receive-pack",
    "sessions.git_push_landings.PushLandings": "git-receive-pack",
    "sessions.git_rebase.clash_words": "git-receive-pack",
    "sessions.git_view.open_for_fetch": "git-upload-pack",
    "sessions.inline.session": "SessionService.LandSession",
    "sessions.later.land_later": "SessionService.LandSession",
    "sessions.leaks.find_spot": "secrets-report",
    "sessions.leaks.report_leak": "secrets-report",
    "sessions.agents.refuse_denied_paths": "SessionService.LandSession",
    "sessions.secrets.refuse_secrets": "SessionService.LandSession",
    "sessions.queries.count_open_sessions": "project",
    "sessions.queries.counts": "project",
    "sessions.queries.get_landing": "SessionService.GetSession",
    "sessions.doings.Doings": "organization",
    "sessions.blame.blame_file": "SessionService.BlameFile",
    "sessions.blame.explain": "SessionService.BlameFile",
    "discovery.queries.explore": "ProjectService.ExploreProjects",
    "discovery.queries.languages_of": "project",
    "search.queries.Reach": "search",
    "search.queries.find": "search",
    "search.queries.landed_by": "search",
    "sessions.narrowed.newest_of": "organization-feed",
    "search.queries.find_all": "search",
    "sessions.narrowed.find_landings": "landings",
    "sessions.narrowed.list_contributors": "contributors",
    "sessions.queries.as_rows": "landings",
    "sessions.path_landings.path_landings": "SessionService.ListLandings",
    "sessions.queries.get_rows": "SessionService.ListLandings",
    "sessions.queries.get_row": "SessionService.LandSession",
    "sessions.queries.get_session": "session",
    "sessions.queries.landed_row": "SessionService.LandSession",
    "sessions.queries.last_changes": "tree",
    "sessions.queries.latest_landings": "home",
    "sessions.recent.recent_projects": "home",
    "sessions.queries.list_landings": "SessionService.ListLandings",
    "sessions.queries.list_open_sessions": "SessionService.ListSessions",
    "sessions.queries.require_landable": "AccountService.CreateSessionToken",
    "sessions.queries.standing": "SessionService.AwaitLanding",
    "sessions.narrowed.owned_by": "landings",
    "sessions.open_narrowed.find_open_sessions": "sessions",
    "sessions.transcripts.as_read": "session",
    "sessions.transcripts.is_kept": "AccountService.StartExport",
    "tokens.actions.create_session_token": "AccountService.CreateSessionToken",
    "tokens.actions.create_token": "AccountService.CreateToken",
    "tokens.actions.renew_session_token": "AccountService.RenewSessionToken",
    "tokens.actions.revoke_token": "AccountService.RevokeToken",
    "tokens.queries.list_tokens": "AccountService.ListTokens",
    "tokens.queries.note_address": "AuthService.GetCurrentUser",
    "tokens.queries.own": "AccountService.RevokeToken",
}
# For whoever stands at the machine, and what is no act but a question about the actor.
OPERATOR_ONLY = frozenset(
    {
        "accounts.actions.create_user",
        "accounts.actions.ensure_administrator",
        "accounts.actions.issue_token",
        "accounts.actions.make_sign_in_link",
        "accounts.actor.require_signed_in",
        "accounts.second_factor.remove_all",
        "accounts.whereabouts.require_within",
        "organizations.networks.lift_networks",
        "projects.limits.set_limits",
        "projects.restore.restore",
    }
)


def _rows(text: str, columns: list[str]) -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[1] not in ("any", "public", "private"):
            continue
        assert len(words) == len(columns) + 2, line
        assert (words[0], words[1]) not in found, line
        found[words[0], words[1]] = dict(zip(columns, words[2:], strict=True))
    return found


CALLS = _rows(_CALLS, ACTORS)
GIT = _rows(_GIT, ACTORS)
PAGES = _rows(_PAGES, VISITORS)
ROUTES = _rows(_ROUTES, ACTORS)
