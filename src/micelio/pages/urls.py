"""Addresses of the pages. Included last: `/{owner}` matches any name that nobody else has taken."""

from __future__ import annotations

from django.urls import path, register_converter

from micelio.pages.stylesheet import serve
from micelio.pages.views.files import file, raw
from micelio.pages.views.home import home
from micelio.pages.views.landings import landings, sessions
from micelio.pages.views.organization import organization
from micelio.pages.views.project import project, tree
from micelio.pages.views.session import landing, landing_change, session, session_change


class FilePath:
    """Any file path, line ends too: Django's own `path` stops at them. The view reads the bytes themselves."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(FilePath, "file")

_PROJECT = "<str:owner>/<str:handle>"

urlpatterns = [
    path("", home, name="home"),
    path("-/look-<str:digest>.css", serve, name="stylesheet"),
    path("<str:owner>", organization, name="organization"),
    path(_PROJECT, project, name="project"),
    path(f"{_PROJECT}/-/tree/<str:ref>", tree, name="tree-root"),
    path(f"{_PROJECT}/-/tree/<str:ref>/<file:path>", tree, name="tree"),
    path(f"{_PROJECT}/-/file/<str:ref>/<file:path>", file, name="file"),
    path(f"{_PROJECT}/-/raw/<str:ref>/<file:path>", raw, name="raw"),
    path(f"{_PROJECT}/-/landings", landings, name="landings"),
    path(f"{_PROJECT}/-/landings/<int:position>", landing, name="landing"),
    path(f"{_PROJECT}/-/landings/<int:position>/changes/<int:number>", landing_change, name="landing-change"),
    path(f"{_PROJECT}/-/sessions", sessions, name="sessions"),
    path(f"{_PROJECT}/-/sessions/<str:name>", session, name="session"),
    path(f"{_PROJECT}/-/sessions/<str:name>/changes/<int:number>", session_change, name="session-change"),
]
