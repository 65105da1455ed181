"""All addresses that Django serves; the pages of owners and projects come last, for they match any name."""

from django.urls import include, path

urlpatterns = [
    path("", include("micelio.accounts.urls")),
    path("", include("micelio.pages.urls")),
]
