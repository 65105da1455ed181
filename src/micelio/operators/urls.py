"""Addresses of the administrators' pages, and of the legal page, which is everybody's."""

from __future__ import annotations

from django.urls import path

from micelio.operators import erasure_page, views
from micelio.operators.panel import panel
from micelio.pages.answers import page

urlpatterns = [
    path("-/legal", page(views.show_legal), name="legal"),
    path("-/admin", panel(views.start), name="admin"),
    path("-/admin/accounts", panel(views.accounts), name="admin-accounts"),
    path("-/admin/accounts/<str:handle>", panel(views.account, views.ACCOUNT_ACTS), name="admin-account"),
    path("-/admin/organizations", panel(views.organizations), name="admin-organizations"),
    path(
        "-/admin/organizations/<str:handle>",
        panel(views.organization, views.ORGANIZATION_ACTS),
        name="admin-organization",
    ),
    path("-/admin/projects", panel(views.projects), name="admin-projects"),
    path("-/admin/abuse", panel(views.abuse, views.ABUSE_ACTS), name="admin-abuse"),
    path("-/admin/erasure", panel(erasure_page.erasure, erasure_page.ACTS), name="admin-erasure"),
    path("-/admin/jobs", panel(views.jobs, views.JOB_ACTS), name="admin-jobs"),
    path("-/admin/storage", panel(views.storage, views.STORAGE_ACTS), name="admin-storage"),
    path("-/admin/settings", panel(views.settings), name="admin-settings"),
    path("-/admin/legal", panel(views.edit_legal, views.LEGAL_ACTS), name="admin-legal"),
]
