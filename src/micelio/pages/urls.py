"""Addresses of the pages. Included last: `/{owner}` matches any name that nobody else has taken."""

from __future__ import annotations

from django.urls import path, re_path

from micelio.pages import (
    file_path,  # noqa: F401  # registers `file`
    keys,
)
from micelio.pages.mark import favicon, serve_mark
from micelio.pages.stylesheet import serve
from micelio.pages.views.archive import archive
from micelio.pages.views.audit import account_audit, forge_audit, organization_audit, project_audit
from micelio.pages.views.badges import badge, badges
from micelio.pages.views.blame import blame
from micelio.pages.views.branches import branches
from micelio.pages.views.cards import card, organization_picture, person_picture
from micelio.pages.views.compare import compare, compare_change, compare_form
from micelio.pages.views.contributors import contributors
from micelio.pages.views.deleted import deleted_projects
from micelio.pages.views.design import design
from micelio.pages.views.elsewhere import design_address, plain_address
from micelio.pages.views.explore import explore
from micelio.pages.views.exports import export_file, exports
from micelio.pages.views.feeds import organization_feed, person_feed, project_feed, search_feed
from micelio.pages.views.files import file, raw
from micelio.pages.views.forks import forks
from micelio.pages.views.history import history
from micelio.pages.views.home import home
from micelio.pages.views.imports import forge_archive, import_form, project_import
from micelio.pages.views.invitations import invitation, own_invitations
from micelio.pages.views.landings import landings, sessions
from micelio.pages.views.language import language
from micelio.pages.views.members import organization_members, project_members
from micelio.pages.views.networks import organization_networks
from micelio.pages.views.new import new_organization, new_project
from micelio.pages.views.organization import organization
from micelio.pages.views.organization_settings import organization_settings
from micelio.pages.views.owners import owners
from micelio.pages.views.person import drawn_picture, person, picture
from micelio.pages.views.profile_settings import account_profile
from micelio.pages.views.project import project, tree
from micelio.pages.views.project_settings import project_settings
from micelio.pages.views.robots import llms, robots, sitemap, skill
from micelio.pages.views.search import search
from micelio.pages.views.second_factor import organization_second_factor
from micelio.pages.views.secrets import decide_secrets, project_secrets, report_secret
from micelio.pages.views.session import landing, landing_change, session, session_change
from micelio.pages.views.stars import star, stars
from micelio.pages.views.tags import tags
from micelio.pages.views.texts import blog, blog_feed, blog_picture, changelog, changelog_feed, docs, post

_PROJECT = "<str:owner>/<str:handle>"

urlpatterns = [
    path("", home, name="home"),
    path("robots.txt", robots, name="robots"),
    path("sitemap.xml", sitemap, name="sitemap"),
    path("llms.txt", llms, name="llms"),
    path("skill.md", skill, name="skill"),
    path("docs", docs, name="docs"),
    re_path(r"^docs/(?P<name>.+)$", docs, name="docs-page"),
    path("changelog", changelog, name="changelog"),
    path("changelog.atom", changelog_feed, name="changelog-feed"),
    path("blog", blog, name="blog"),
    path("blog.atom", blog_feed, name="blog-feed"),
    path("blog/<str:slug>", post, name="post"),
    path("blog/pictures/<str:name>", blog_picture, name="blog-picture"),
    path("favicon.ico", favicon, name="favicon"),
    path("-/mark-<str:digest>.svg", serve_mark, name="mark"),
    path("-/keys-<str:digest>.js", keys.serve, name="keys-script"),
    path("-/design", design, name="design"),
    path("-/look-<str:digest>.css", serve, name="stylesheet"),
    path("-/account/audit", account_audit, name="account-audit"),
    path("-/account/stars", stars, name="stars"),
    path("-/account/exports", exports, name="exports"),
    path("-/account/exports/<uuid:export>/file", export_file, name="export-file"),
    path("-/audit", forge_audit, name="forge-audit"),
    path("-/import", import_form, name="import-project"),
    path("-/people/<str:handle>.atom", person_feed, name="person-feed"),
    path("-/people/<str:handle>/card/<str:digest>.png", person_picture, name="person-card"),
    path("-/language", language, name="language"),
    path("-/search", search, name="search"),
    path("-/search.atom", search_feed, name="search-feed"),
    path("-/explore", explore, name="explore"),
    path("-/new/organization", new_organization, name="new-organization"),
    path("-/new/project", new_project, name="new-project"),
    path("-/account/profile", account_profile, name="account-profile"),
    path("-/pictures/<str:digest>.webp", picture, name="picture"),
    path("-/pictures/of/<str:handle>.svg", drawn_picture, name="drawn-picture"),
    path("@<str:handle>", person, name="person"),
    path("design", design_address, name="design-address"),
    path("<str:owner>", organization, name="organization"),
    path("<str:owner>/-/networks", organization_networks, name="organization-networks"),
    path("<str:owner>/-/second-factor", organization_second_factor, name="organization-second-factor"),
    path("<str:owner>/-/card/<str:digest>.png", organization_picture, name="organization-card"),
    path("<str:owner>/-/landings.atom", organization_feed, name="organization-feed"),
    path("<str:owner>/-/deleted", deleted_projects, name="deleted-projects"),
    path("-/invitations", own_invitations, name="own-invitations"),
    path("-/invitations/<str:token>", invitation, name="invitation"),
    path("<str:owner>/-/members", organization_members, name="organization-members"),
    path("<str:owner>/-/settings", organization_settings, name="organization-settings"),
    path("<str:owner>/-/audit", organization_audit, name="organization-audit"),
    re_path(r"^(?P<owner>[^/]+)/$", plain_address, name="organization-with-slash"),
    re_path(r"^(?P<owner>[^/]+)/(?P<handle>[^/]+)/$", plain_address, name="project-with-slash"),
    re_path(r"^(?P<owner>[^/]+)/(?P<handle>[^/]+)\.git$", plain_address, name="clone-address"),
    path(_PROJECT, project, name="project"),
    path(f"{_PROJECT}/-/tree/<str:ref>", tree, name="tree-root"),
    path(f"{_PROJECT}/-/tree/<str:ref>/<file:path>", tree, name="tree"),
    path(f"{_PROJECT}/-/file/<str:ref>/<file:path>", file, name="file"),
    path(f"{_PROJECT}/-/raw/<str:ref>/<file:path>", raw, name="raw"),
    path(f"{_PROJECT}/-/history/<str:ref>/<file:path>", history, name="history"),
    path(f"{_PROJECT}/-/blame/<str:ref>/<file:path>", blame, name="blame"),
    path(f"{_PROJECT}/-/archive/<str:name>", archive, name="archive"),
    path(f"{_PROJECT}/-/badge/<str:name>", badge, name="badge"),
    path(f"{_PROJECT}/-/card/<str:name>", card, name="card"),
    path(f"{_PROJECT}/-/badges", badges, name="badges"),
    path(f"{_PROJECT}/-/compare", compare_form, name="compare-form"),
    path(f"{_PROJECT}/-/compare/<str:points>", compare, name="compare"),
    path(f"{_PROJECT}/-/compare/<str:points>/changes/<int:number>", compare_change, name="compare-change"),
    path(f"{_PROJECT}/-/branches", branches, name="branches"),
    path(f"{_PROJECT}/-/forks", forks, name="forks"),
    path(f"{_PROJECT}/-/tags", tags, name="tags"),
    path(f"{_PROJECT}/-/contributors", contributors, name="contributors"),
    path(f"{_PROJECT}/-/landings.atom", project_feed, name="project-feed"),
    path(f"{_PROJECT}/-/landings", landings, name="landings"),
    path(f"{_PROJECT}/-/landings/<int:position>", landing, name="landing"),
    path(f"{_PROJECT}/-/landings/<int:position>/changes/<int:number>", landing_change, name="landing-change"),
    path(f"{_PROJECT}/-/settings", project_settings, name="project-settings"),
    path(f"{_PROJECT}/-/star", star, name="project-star"),
    path(f"{_PROJECT}/-/owners/<str:ref>/<file:path>", owners, name="owners"),
    path(f"{_PROJECT}/-/members", project_members, name="project-members"),
    path(f"{_PROJECT}/-/import", project_import, name="project-import"),
    path(f"{_PROJECT}/-/import/archive", forge_archive, name="forge-archive"),
    path(f"{_PROJECT}/-/audit", project_audit, name="project-audit"),
    path(f"{_PROJECT}/-/secrets", project_secrets, name="project-secrets"),
    path(f"{_PROJECT}/-/secrets/decide", decide_secrets, name="secrets-decide"),
    path(f"{_PROJECT}/-/secrets/report", report_secret, name="secrets-report"),
    path(f"{_PROJECT}/-/sessions", sessions, name="sessions"),
    path(f"{_PROJECT}/-/sessions/<str:name>", session, name="session"),
    path(f"{_PROJECT}/-/sessions/<str:name>/changes/<int:number>", session_change, name="session-change"),
]
